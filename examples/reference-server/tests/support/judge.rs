//! What killed processes left in a database, against what the clients were told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use sqlx::{Connection as _, Row as _};

use super::Database;

/// What the clients were told.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Requests that were answered with success, with the action that each must have left.
    pub(crate) acknowledged: Vec<(String, &'static str)>,
    pub(crate) attempts: u64,
}

/// The database as a killed process left it.
pub(crate) struct Found {
    pub(crate) events: Vec<Value>,
    /// Events that have no place in a log yet.
    pub(crate) waiting: i64,
    tables: BTreeMap<&'static str, BTreeSet<String>>,
    epochs: BTreeMap<String, i64>,
}

fn id(kind: &str, bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("{kind}_{hex}")
}

/// Where each thing is told of: the action, the prefix of its ids, and the rows that it made.
const TABLES: [(&str, &str, &str); 7] = [
    ("invitation.created", "inv", "SELECT id FROM invitations"),
    (
        "invitation.revoked",
        "inv",
        "SELECT id FROM invitations WHERE revoked_at IS NOT NULL",
    ),
    (
        "invitation.accepted",
        "inv",
        "SELECT id FROM invitations WHERE accepted_at IS NOT NULL",
    ),
    ("session.opened", "ses", "SELECT id FROM sessions"),
    (
        "session.closed",
        "ses",
        "SELECT id FROM sessions WHERE end_reason = 'logout'",
    ),
    ("org.created", "org", "SELECT id FROM organizations"),
    ("user.created", "usr", "SELECT id FROM users"),
];

const EPOCHS: &str = "SELECT user_id AS id, epoch FROM memberships";
const WAITING: &str = "SELECT count(*) AS n FROM audit_outbox";

/// Reads what was found, whatever the database: only the first statement and the bytes of an id differ.
macro_rules! found {
    ($db:ident, $events:expr, $bytes:expr) => {{
        let mut events = Vec::new();
        for sql in $events {
            for row in sqlx::query(sql).fetch_all(&mut $db).await.unwrap() {
                events.push(serde_json::from_slice(&row.get::<Vec<u8>, _>("body")).unwrap());
            }
        }
        let mut tables = BTreeMap::new();
        for (name, kind, sql) in TABLES {
            let rows = sqlx::query(sql).fetch_all(&mut $db).await.unwrap();
            tables.insert(
                name,
                rows.iter().map(|row| id(kind, &$bytes(row))).collect(),
            );
        }
        let rows = sqlx::query(EPOCHS).fetch_all(&mut $db).await.unwrap();
        let epoch = |row| (id("usr", &$bytes(row)), row.get("epoch"));
        let epochs = rows.iter().map(epoch).collect();
        let waiting = sqlx::query(WAITING).fetch_one(&mut $db).await.unwrap();
        let waiting = waiting.get("n");
        $db.close().await.unwrap();
        Found {
            events,
            waiting,
            tables,
            epochs,
        }
    }};
}

pub(crate) async fn read(database: &Path) -> Found {
    let url = format!("sqlite://{}", database.display());
    let mut db = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let bytes = |row: &sqlx::sqlite::SqliteRow| row.get::<Vec<u8>, _>("id");
    let events = [
        "SELECT leaf AS body FROM audit_entries",
        "SELECT CAST(body AS BLOB) AS body FROM audit_outbox",
    ];
    found!(db, events, bytes)
}

/// The same in PostgreSQL, as the superuser, whom no policy holds.
pub(crate) async fn read_postgres(database: &Database) -> Found {
    let mut db = database.superuser().await;
    sqlx::raw_sql("SET search_path = cyprob")
        .execute(&mut db)
        .await
        .unwrap();
    let bytes = |row: &sqlx::postgres::PgRow| row.get::<uuid::Uuid, _>("id").into_bytes();
    let events = [
        "SELECT leaf AS body FROM audit_entries",
        "SELECT convert_to(body, 'UTF8') AS body FROM audit_outbox",
    ];
    found!(db, events, bytes)
}

/// Faults: acknowledged and lost, changed without event, told without change.
pub(crate) fn judge(found: &Found, ledger: &Ledger) -> Vec<String> {
    let mut faults = Vec::new();
    let mut requests: BTreeSet<(String, String)> = BTreeSet::new();
    let mut told: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut roles: BTreeMap<String, i64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    // An event in the outbox is written as it was recorded, a leaf as it was sealed: both name these.
    for event in &found.events {
        let text = |path: &str| {
            event
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let action = text("/action");
        if !seen.insert(text("/id")) {
            faults.push(format!("event {} stands twice", text("/id")));
        }
        requests.insert((text("/request_id"), action.clone()));
        let resource = text("/resource/id");
        if action == "member.role_changed" {
            *roles.entry(resource.clone()).or_default() += 1;
        }
        if let Some(name) = found.tables.keys().find(|name| **name == action) {
            told.entry(name).or_default().insert(resource);
        }
    }
    for (request, action) in &ledger.acknowledged {
        let key = (request.clone(), (*action).to_owned());
        if *action != "member.role_changed" && !requests.contains(&key) {
            faults.push(format!("{request} was acknowledged and left no {action}"));
        }
    }
    for (name, rows) in &found.tables {
        let told = told.remove(name).unwrap_or_default();
        for lone in rows.difference(&told) {
            faults.push(format!("{lone} changed without {name}"));
        }
        for lone in told.difference(rows) {
            faults.push(format!("{name} tells of {lone}, which did not change"));
        }
    }
    let first = found.epochs.values().min().copied().unwrap_or_default();
    for (user, epoch) in &found.epochs {
        let changes = roles.get(user).copied().unwrap_or_default();
        if epoch - first != changes {
            faults.push(format!(
                "{user}: {} role changes, {changes} events",
                epoch - first
            ));
        }
    }
    faults
}
