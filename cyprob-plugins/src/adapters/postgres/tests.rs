use cyprob_core::adapters::sql::{Arg, Statement};
use cyprob_core::domain::{Caller, CtxIssuer, OrgCtx};
use cyprob_core::testkit::postgres::{Database, Template};
use sqlx::Connection as _;

use super::super::sql::{sql, tests};
use super::*;

static EMPTY: Template = Template::new(|| vec![Component::CORE, TABLES]);

/// An organization with 20,000 runs of a few people, most with two tags, and the first of its people.
async fn many_runs(database: &Database) -> (OrgCtx, [u8; 16]) {
    let mut superuser = database.superuser().await;
    for text in [
        "INSERT INTO cyprob.runs SELECT '00000000-0000-7000-8000-000000000001', ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'succeeded', ('00000000-0000-7000-8000-' || lpad(to_hex(i % 199), 12, '0'))::uuid, NULL, 1, 1, 0, 0, i, i, NULL, decode(repeat('00', 32), 'hex'), 'json', NULL, 1, 1, NULL FROM generate_series(1, 20000) i",
        "INSERT INTO cyprob.run_tags SELECT org_id, id, tag, requested_by FROM cyprob.runs, unnest(ARRAY['team:web', 'team:db', 'prod']) WITH ORDINALITY t (tag, n) WHERE (created_at + n) % 3 > 0",
        "INSERT INTO cyprob.run_keys SELECT org_id, requested_by, 'k' || created_at, NULL, id FROM cyprob.runs",
        "ANALYZE cyprob.runs",
        "ANALYZE cyprob.run_keys",
        "ANALYZE cyprob.run_tags",
    ] {
        sqlx::query(text).execute(&mut superuser).await.unwrap();
    }
    superuser.close().await.unwrap();
    let org = "org_00000000000070008000000000000001".parse().unwrap();
    let role = "operator".parse().unwrap();
    let mut person = [0; 16];
    (person[6], person[8], person[15]) = (0x70, 0x80, 1);
    let issuer = CtxIssuer::for_composition();
    (issuer.org(org, role, Caller::system("test")), person)
}

/// However many runs there are, each is found by an index, and none by its tags for one who may have all.
#[tokio::test]
async fn runs_of_a_scope_are_found_by_indexes_over_postgres() {
    let database = EMPTY.database().await;
    let runs = PostgresRuns::open(database.store().await).await.unwrap();
    let (org, person) = many_runs(&database).await;
    let mut tx = runs.store.org_tx(&org).await.unwrap();
    let own = || Arg::from(org.org());
    let top = || Arg::Id(Some([0xff; 16]));
    let limit = || Arg::count(51);
    let scope = |all: bool| {
        let tags = || Arg::Texts(vec![Some("team:web"), Some("prod")]);
        let person = Arg::Id(Some(person));
        vec![own(), person, true.into(), tags(), tags(), all.into()]
    };
    let with = |all, more: Vec<Arg<'static>>| {
        let scope = scope(all).into_iter();
        scope.chain(more).collect::<Vec<_>>()
    };
    let narrowed = || {
        let mut scope = scope(false);
        scope.pop();
        scope.extend([top(), limit()]);
        scope
    };
    // Which index of a table it takes is the planner's choice, by how many runs it expects.
    let tagged = &["runs_", "run_tags_"][..];
    for (name, statement, args, indexes) in [
        (
            "RUNS",
            sql::RUNS,
            vec![own(), top(), limit()],
            &["runs_pkey"][..],
        ),
        ("RUNS_IN_SCOPE", sql::RUNS_IN_SCOPE, narrowed(), tagged),
        ("RUN", sql::RUN, with(false, vec![top()]), &["runs_pkey"]),
        ("RUN", sql::RUN, with(true, vec![top()]), &["runs_pkey"]),
        (
            "RUN_KEY",
            sql::RUN_KEY,
            vec![own(), Arg::Id(Some(person)), "k1".into()],
            &["run_keys_pkey"],
        ),
        (
            "FINDINGS",
            sql::FINDINGS,
            with(false, vec![top(), top(), limit()]),
            &["findings_pkey", "runs_pkey"],
        ),
        (
            "CANCEL",
            sql::CANCEL,
            with(false, vec![top(), 1_i64.into()]),
            &["runs_"],
        ),
    ] {
        let text = format!("EXPLAIN {}", statement.postgres());
        let explain = Statement::same(text.leak());
        let rows = tx.fetch_all(&explain, &args).await.unwrap();
        let plan: Vec<String> = rows
            .iter()
            .map(|row| sqlx::Row::get(row, "QUERY PLAN"))
            .collect();
        let plan = plan.join("\n");
        assert!(!plan.contains("Seq Scan"), "{name}:\n{plan}");
        for index in indexes {
            assert!(plan.contains(index), "{name} without {index}:\n{plan}");
        }
        // The newest come first in the index itself.
        assert!(name != "RUNS" || !plan.contains("Sort"), "{name}:\n{plan}");
    }
}

/// Keys of runs from before they were their requesters' own are taken over.
#[tokio::test]
async fn keys_from_before_are_kept_over_postgres() {
    // The first database of a server makes the roles.
    EMPTY.database().await;
    let database = Database::empty().await;
    let all = sqlx::migrate!("migrations/postgres");
    let before = all.iter().filter(|step| step.version < 5).cloned();
    let before = sqlx::migrate::Migrator::with_migrations(before.collect());
    let table = "_cyprob_plugins_migrations";
    let before = Component::new("cyprob-plugins", table, before, &[]);
    database.migrate(vec![Component::CORE, before]).await;
    let [org, person, run] = tests::BEFORE;
    let text = format!(
        "INSERT INTO cyprob.runs VALUES ('{org}', '{run}', 'dead', '{person}', 'once', 1, 1, 0, 0, 1, NULL, NULL, decode(repeat('00', 32), 'hex'), 'json', NULL, 1, 1, NULL)"
    );
    let mut superuser = database.superuser().await;
    let insert = sqlx::query(sqlx::AssertSqlSafe(text));
    insert.execute(&mut superuser).await.unwrap();
    database.migrate(vec![Component::CORE, TABLES]).await;
    let left = "SELECT count(*) FROM cyprob.runs WHERE idempotency_key IS NOT NULL";
    let left: i64 = sqlx::query_scalar(left)
        .fetch_one(&mut superuser)
        .await
        .unwrap();
    assert_eq!(left, 0);
    superuser.close().await.unwrap();
    let runs = PostgresRuns::open(database.store().await).await.unwrap();
    tests::a_key_from_before_gives_its_run(&runs).await;
}
