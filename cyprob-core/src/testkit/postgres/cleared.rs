//! Databases that are used again and again, for tests of many cases.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::PgConnection;
use tokio::sync::Mutex;

use super::{Database, Template};
use crate::adapters::postgres::PostgresStore;

/// How many there are; a case may hold fewer at a time.
const TURNS: usize = 4;

/// Keeps the rows that the migrations made, in tables of the same names.
const KEEP: &str = "DO $$ DECLARE named text; filled boolean; BEGIN
    CREATE SCHEMA made;
    FOR named IN SELECT relname FROM pg_class WHERE relnamespace = 'cyprob'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM cyprob.%I)', named) INTO filled;
        IF filled THEN EXECUTE format('CREATE TABLE made.%I AS TABLE cyprob.%I', named, named); END IF;
    END LOOP;
END $$";

/// Makes every table what it was when the migrations had ended; without triggers, whatever they are.
const CLEAR: &str = "SET session_replication_role = replica; DO $$ DECLARE named text; BEGIN
    FOR named IN SELECT relname FROM pg_class WHERE relnamespace = 'cyprob'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('DELETE FROM cyprob.%I', named);
        IF to_regclass(format('made.%I', named)) IS NOT NULL THEN
            EXECUTE format('INSERT INTO cyprob.%I OVERRIDING SYSTEM VALUE TABLE made.%I', named, named);
        END IF;
    END LOOP;
END $$";

/// A few databases that take turns, each without rows when it is given.
///
/// A new database takes a tenth of a second and new connections; clearing one
/// takes milliseconds. Use it on one runtime, and hold at most three at a time.
pub struct Cleared {
    template: &'static Template,
    turns: [Mutex<Option<Turn>>; TURNS],
    next: AtomicUsize,
}

impl fmt::Debug for Cleared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cleared").finish_non_exhaustive()
    }
}

struct Turn {
    superuser: PgConnection,
    store: PostgresStore,
    // Dropped after the connections to it.
    _database: Database,
}

impl Cleared {
    /// None are made yet.
    #[must_use]
    pub fn new(template: &'static Template) -> Self {
        Self {
            template,
            turns: [const { Mutex::const_new(None) }; TURNS],
            next: AtomicUsize::new(0),
        }
    }

    /// Core's store on the next one, as the runtime role.
    pub async fn store(&self) -> PostgresStore {
        let number = self.next.fetch_add(1, Ordering::Relaxed) % TURNS;
        let mut turn = self.turns.get(number).expect("a turn").lock().await;
        if let Some(turn) = turn.as_mut() {
            sqlx::raw_sql(CLEAR)
                .execute(&mut turn.superuser)
                .await
                .expect("it is cleared");
            return turn.store.clone();
        }
        let database = self.template.database().await;
        let mut superuser = database.superuser().await;
        sqlx::raw_sql(KEEP)
            .execute(&mut superuser)
            .await
            .expect("its rows are kept");
        let store = database.store().await;
        let made = Turn {
            superuser,
            store: store.clone(),
            _database: database,
        };
        *turn = Some(made);
        store
    }
}
