//! Connections of PostgreSQL's store: what is left in the middle serves nobody else, an answer
//! that is lost was done once, and the end waits for what began.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test reports by panicking"
)]

mod founded;

mod over_postgres {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Poll;
    use std::time::Duration;

    use cyprob_core::adapters::postgres::{
        Component, PostgresFeed, PostgresOptions, PostgresStore,
    };
    use cyprob_core::adapters::system::SystemClock;
    use cyprob_core::domain::audit::{Action, AuditEvent, Resource};
    use cyprob_core::domain::{
        Aal, Caller, CtxIssuer, Email, Grant, OrgId, RefreshKeyId, RefreshState, RoleName, Session,
        SessionId, SessionSeed, SystemCtx, Timestamp, User,
    };
    use cyprob_core::ports::store::{Outbox, SessionStore, UserStore};
    use cyprob_core::ports::{EntropyExt, RevocationFeed};
    use cyprob_core::testkit::postgres::{Database, RUNTIME, Template};
    use cyprob_core::testkit::{RecordingFeed, SeededEntropy};
    use sqlx::{AssertSqlSafe, PgConnection};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::{sleep, timeout};

    use super::founded::{AT, found};

    static EMPTY: Template = Template::new(|| vec![Component::CORE]);

    struct World {
        entropy: SeededEntropy,
        user: User,
        org: OrgId,
    }

    impl World {
        async fn new(store: &PostgresStore) -> Self {
            let entropy = SeededEntropy::new(5);
            let user = found(store, &entropy).await;
            let new: SessionId = entropy.id(AT);
            let accesses = store.accesses(user.id, new).await.unwrap();
            let org = accesses.first().unwrap().membership.org;
            Self { entropy, user, org }
        }

        fn session(&self) -> (Session, Grant) {
            let until = Timestamp::from_seconds(AT.as_seconds() + 600);
            let session = Session {
                id: self.entropy.id(AT),
                user: self.user.id,
                seed: SessionSeed::new(self.entropy.bytes()),
                refresh: RefreshState {
                    generation: 0,
                    key: RefreshKeyId::new(7),
                    previous_key: None,
                    rotated_at: AT,
                },
                credential_epoch: self.user.epoch,
                auth_time: AT,
                aal: Aal::One,
                created_at: AT,
                last_used_at: AT,
                idle_expires_at: until,
                absolute_expires_at: until,
                ended_at: None,
                client: None,
                ip_address: None,
            };
            let grant = Grant {
                session: session.id,
                org: self.org,
                created_at: AT,
                ended_at: None,
            };
            (session, grant)
        }

        fn event(&self) -> AuditEvent {
            let (caller, on) = (Caller::operator(), Resource::new("user", self.user.id));
            AuditEvent::new(self.entropy.id(AT), AT, &caller, Action::SessionOpened, on)
        }
    }

    async fn run(connection: &mut PgConnection, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(connection)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn count(database: &Database, of: &str) -> i64 {
        let mut superuser = database.superuser().await;
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {of}"));
        sqlx::query_scalar(sql)
            .fetch_one(&mut superuser)
            .await
            .unwrap()
    }

    /// ISO-2: the one message that opens a session takes no event into another organization's log.
    #[tokio::test]
    async fn a_session_takes_no_event_of_another_organization_along() {
        let database = EMPTY.database().await;
        let store = database.store().await;
        let world = World::new(&store).await;
        let other: OrgId = world.entropy.id(AT);
        let (session, grant) = world.session();
        for grant in [Some(&grant), None] {
            let events = [world.event(), world.event().in_org(other)];
            let refused = store.open_session(&session, grant, &events).await;
            let told = format!("{:?}", refused.unwrap_err());
            assert!(told.contains("row-level security"), "{told}");
        }
        assert!(store.session(session.id).await.unwrap().is_none());
        assert_eq!(count(&database, "cyprob.grants").await, 0);
        assert!(store.pending(9).await.unwrap().is_empty());
        let events = [world.event(), world.event().in_org(world.org)];
        let opened = store.open_session(&session, Some(&grant), &events).await;
        assert!(opened.unwrap());
        assert_eq!(store.pending(9).await.unwrap().len(), 2);
    }

    /// Stands between a store and the server, and loses an answer when told to.
    struct Between {
        port: u16,
        lose: Arc<AtomicBool>,
    }

    impl Between {
        async fn new(server: (String, u16)) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let lose = Arc::new(AtomicBool::new(false));
            let flag = Arc::clone(&lose);
            tokio::spawn(async move {
                while let Ok((client, _)) = listener.accept().await {
                    let server = TcpStream::connect((server.0.as_str(), server.1)).await;
                    tokio::spawn(pass(client, server.unwrap(), Arc::clone(&flag)));
                }
            });
            Self { port, lose }
        }
    }

    /// Passes on what comes, until an answer is to be lost.
    async fn pass(client: TcpStream, server: TcpStream, lose: Arc<AtomicBool>) {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let asking = tokio::spawn(async move {
            let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
        });
        let mut answer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from_server.read(&mut answer).await {
            // It is committed: the server answers a statement by itself when that is done.
            if lose.swap(false, Ordering::AcqRel) {
                break;
            }
            let passed = to_client.write_all(answer.get(..length).unwrap()).await;
            if passed.is_err() {
                break;
            }
        }
        asking.abort();
    }

    /// The message that opens a session was answered, and the answer lost: it is sent again, is
    /// refused by the session's key, and what it did the first time is there once.
    #[tokio::test]
    async fn a_lost_answer_leaves_the_session_opened_once() {
        let database = EMPTY.database().await;
        let between = Between::new(database.server()).await;
        let options = database.options_through(between.port).with_connections(2);
        let store = PostgresStore::open(&options).await.unwrap();
        let world = World::new(&store).await;
        let mut opened = 0;
        for round in 0..6 {
            let (session, grant) = world.session();
            let events = [world.event(), world.event().in_org(world.org)];
            // The connection knows the statement from the round before: one answer is all there is.
            let lost = round % 2 == 1;
            between.lose.store(lost, Ordering::Release);
            let done = store.open_session(&session, Some(&grant), &events).await;
            assert_eq!(done.is_err(), lost, "{done:?}");
            assert!(!between.lose.load(Ordering::Acquire), "nothing was lost");
            opened += 1;
            assert!(store.session(session.id).await.unwrap().is_some());
            assert_eq!(count(&database, "cyprob.sessions").await, opened);
            assert_eq!(count(&database, "cyprob.grants").await, opened);
            assert_eq!(count(&database, "cyprob.audit_outbox").await, 2 * opened);
        }
    }

    /// Works on until it has waited as often, and leaves.
    async fn for_a_while<T>(mut waits: u32, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if waits == 0 => Poll::Ready(None),
            Poll::Pending => {
                waits -= 1;
                Poll::Pending
            }
        })
        .await
    }

    /// Whoever leaves in the middle of an answer leaves it to nobody.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_operation_that_is_given_up_gives_nobody_its_answer() {
        let database = EMPTY.database().await;
        let options = database.options().with_connections(2);
        let store = PostgresStore::open(&options).await.unwrap();
        let mut superuser = database.superuser().await;
        let people = "INSERT INTO cyprob.users SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'p' || n || '@example.org', \
                      true, 'p' || n, NULL, 1, false, NULL, 0 FROM generate_series(1, 40) n";
        run(&mut superuser, people).await;
        let mut left = 0;
        for number in (1..=40).cycle().take(400) {
            let email: Email = format!("p{number}@example.org").parse().unwrap();
            let early = for_a_while(number % 3, store.account_by_email(&email)).await;
            left += usize::from(early.is_none());
            let found = store.account_by_email(&email).await.unwrap().unwrap();
            assert_eq!(found.user.name.as_str(), format!("p{number}"));
        }
        // On a quick server some have their answer as soon as they look.
        assert!(left >= 10, "{left} of 400 left early");
    }

    /// ISO-2: what a host sets on the connection of its transaction ends with the transaction, however it ends.
    #[tokio::test]
    async fn what_a_host_leaves_on_a_connection_reaches_nobody() {
        let database = EMPTY.database().await;
        let options = database.options().with_connections(2);
        let store = PostgresStore::open(&options).await.unwrap();
        let world = World::new(&store).await;
        let (session, grant) = world.session();
        assert!(
            store
                .open_session(&session, Some(&grant), &[])
                .await
                .unwrap()
        );
        let issuer = CtxIssuer::for_composition();
        let stranger = issuer.org(
            world.entropy.id(AT),
            RoleName::OWNER,
            Caller::system("test"),
        );
        for commits in [true, false].into_iter().cycle().take(12) {
            let mut host = store.org_tx(&stranger).await.unwrap();
            let left = "SELECT set_config('cyprob.system', 'on', false); \
                        SET search_path = pg_temp, cyprob; SET ROLE cyprob_runtime; \
                        CREATE TEMP TABLE users (id UUID); LISTEN anything; \
                        SELECT pg_advisory_lock(7); \
                        DECLARE all_of_them CURSOR WITH HOLD FOR SELECT 1";
            run(host.connection(), left).await;
            if commits {
                host.commit().await.unwrap();
            } else {
                drop(host);
            }
            // Both connections are asked.
            for _ in 0..2 {
                let mut first = store.org_tx(&stranger).await.unwrap();
                let mut second = store.org_tx(&stranger).await.unwrap();
                for next in [&mut first, &mut second] {
                    // Outside its transaction, whose begin sets what it needs anew.
                    run(next.connection(), "COMMIT").await;
                    let state: (i64, String, String, bool, i64, i64, i64) = sqlx::query_as(
                        "SELECT (SELECT count(*) FROM grants), current_setting('search_path'), \
                         current_setting('role'), to_regclass('pg_temp.users') IS NULL, \
                         (SELECT count(*) FROM pg_listening_channels()), \
                         (SELECT count(*) FROM pg_cursors WHERE is_holdable), \
                         (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())",
                    )
                    .fetch_one(next.connection())
                    .await
                    .unwrap();
                    assert_eq!(
                        state,
                        (0, "cyprob".to_owned(), "none".to_owned(), true, 0, 0, 0)
                    );
                }
            }
            assert!(
                store
                    .account_by_email(&world.user.email)
                    .await
                    .unwrap()
                    .is_some()
            );
        }
    }

    /// A server with no connection to spare is waited for.
    #[tokio::test]
    async fn a_full_server_is_waited_for() {
        let database = EMPTY.database().await;
        let store = database.store().await;
        let world = World::new(&store).await;
        store.close().await;
        let mut superuser = database.superuser().await;
        let name: String = sqlx::query_scalar("SELECT current_database()::text")
            .fetch_one(&mut superuser)
            .await
            .unwrap();
        run(
            &mut superuser,
            &format!("ALTER DATABASE {name} CONNECTION LIMIT 2"),
        )
        .await;
        let holds = database.connect(RUNTIME).await;
        let opening = tokio::spawn({
            let options = database.options();
            async move { PostgresStore::open(&options).await }
        });
        sleep(Duration::from_millis(200)).await;
        assert!(!opening.is_finished());
        drop(holds);
        let store = opening.await.unwrap().unwrap();
        let found = store.account_by_email(&world.user.email).await.unwrap();
        assert!(found.is_some());
    }

    /// The end waits for a transaction that began, and leaves no connection open.
    #[tokio::test]
    async fn the_end_waits_for_what_began() {
        let database = EMPTY.database().await;
        let store = database.store().await;
        let world = World::new(&store).await;
        let system = SystemCtx::new("test", "to test");
        let mut begun = store.system_tx(&system).await.unwrap();
        begun.record(&world.event()).await.unwrap();
        let closing = tokio::spawn({
            let store = store.clone();
            async move { store.close().await }
        });
        sleep(Duration::from_millis(50)).await;
        assert!(!closing.is_finished());
        assert!(store.pending(9).await.is_err(), "it is closed");
        let feed: Arc<dyn RevocationFeed> = Arc::new(RecordingFeed::default());
        let following = PostgresFeed::new(store.clone(), feed, Arc::new(SystemClock));
        timeout(Duration::from_secs(5), following.run())
            .await
            .unwrap();
        begun.commit().await.unwrap();
        timeout(Duration::from_secs(5), closing)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(count(&database, "cyprob.audit_outbox").await, 1);
        let ours = format!(
            "pg_stat_activity WHERE usename = '{RUNTIME}' AND datname = current_database()"
        );
        for _ in 0..100 {
            if count(&database, &ours).await == 0 {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("a connection is still open");
    }

    /// Who mistyped the port reads which server took no connection, and why.
    #[tokio::test]
    async fn a_server_that_is_not_there_is_named_with_what_it_said() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = free.local_addr().unwrap();
        drop(free);
        let address = format!("postgres://{RUNTIME}@{server}/nothing");
        let options = PostgresOptions::new(&address.into()).unwrap();
        let error = PostgresStore::open(&options).await.unwrap_err();
        let mut said = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            said = format!("{said}: {error}");
            cause = error.source();
        }
        assert!(
            said.starts_with(&format!(
                "cannot reach the database: {server} takes no connection; see that"
            )),
            "{said}"
        );
        assert!(said.contains("refused"), "{said}");
    }
}
