//! Spent uses on PostgreSQL, over the connections of more than one node.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test reports by panicking"
)]

mod over_postgres {
    use std::sync::Arc;

    use cyprob_core::adapters::postgres::{Component, PostgresStore};
    use cyprob_core::domain::{Id as _, Timestamp, TokenId, UseId, UsedToken};
    use cyprob_core::ports::store::{SpendOutcome, SpentStore as _};
    use cyprob_core::testkit::postgres::{Database, RUNTIME, Template};
    use cyprob_core::testkit::race;
    use cyprob_core::testkit::spent_store::{one_at_the_bound_of_each_of, one_of_three_on_each_of};

    static EMPTY: Template = Template::new(|| vec![Component::CORE]);
    const AT: Timestamp = Timestamp::from_seconds(1_767_225_600);
    const END: Timestamp = Timestamp::from_seconds(AT.as_seconds() + 900);

    async fn nodes(database: &Database) -> [Arc<PostgresStore>; 2] {
        [database.store().await, database.store().await].map(Arc::new)
    }

    /// Two nodes race for the uses of one token, and neither takes what the other has.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn two_nodes_take_no_use_twice() {
        let database = EMPTY.database().await;
        let [one, other] = nodes(&database).await;
        one_of_three_on_each_of(&[one, other]).await.unwrap();
    }

    /// Two nodes race for the last use that a token may have spent: one has it.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn two_nodes_keep_one_bound() {
        let database = EMPTY.database().await;
        let [one, other] = nodes(&database).await;
        one_at_the_bound_of_each_of(&[one, other]).await.unwrap();
    }

    /// Racers for uses that are all spent, named in either order, end, and none by a deadlock.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn racers_for_what_is_spent_do_not_wait_for_each_other() {
        let database = EMPTY.database().await;
        let [one, other] = nodes(&database).await;
        let token = TokenId::from_random(AT, [1; 10]);
        let [a, b] = ["a", "b"].map(|word| UseId::of(token, word));
        for spent in [a, b] {
            one.spend(UsedToken::of(token), &[spent], END)
                .await
                .unwrap();
        }
        for _ in 0..20 {
            let racers = (0..16).map(|number| {
                let store = [&one, &other][number % 2].clone();
                let order = [[a, b], [b, a]][number / 2 % 2];
                async move { store.spend(UsedToken::of(token), &order, END).await }
            });
            let outcomes = race(racers).await.unwrap();
            assert_eq!(outcomes, [SpendOutcome::AllSpent; 16]);
        }
    }

    /// A sweep and who asks for a dead use, at once: it is spent still or taken anew, and then it stays spent.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_sweep_drops_no_use_that_is_taken_anew() {
        let database = EMPTY.database().await;
        let [one, other] = nodes(&database).await;
        for number in 0..40_u8 {
            let token = TokenId::from_random(AT, [number; 10]);
            let (of, dead) = (UsedToken::of(token), [UseId::of(token, "a")]);
            one.spend(of, &dead, AT).await.unwrap();
            let (sweeping, taking) = (Arc::clone(&one), Arc::clone(&other));
            let sweep = tokio::spawn(async move { sweeping.sweep_spent(AT).await });
            let first = taking.spend(of, &dead, END).await.unwrap();
            assert_eq!(sweep.await.unwrap().unwrap(), 1);
            let second = one.spend(of, &dead, END).await.unwrap();
            let mut both = [first, second];
            both.sort_by_key(|outcome| *outcome == SpendOutcome::AllSpent);
            let taken = SpendOutcome::Taken(dead[0]);
            assert_eq!(both, [taken, SpendOutcome::AllSpent]);
        }
    }

    /// The table is of no organization: it has no column for one, and the runtime role works on it without being bound.
    #[tokio::test]
    async fn the_table_is_of_no_organization() {
        let database = EMPTY.database().await;
        let store = database.store().await;
        store
            .verify_isolation(&[&Component::CORE], &[])
            .await
            .unwrap();
        let mut runtime = database.connect(RUNTIME).await;
        let statement = "SELECT string_agg(column_name, ' ' ORDER BY column_name) \
            FROM information_schema.columns WHERE table_name = 'spent_uses'";
        let columns: String = sqlx::query_scalar(statement)
            .fetch_one(&mut runtime)
            .await
            .unwrap();
        assert_eq!(columns, "expires_at id token");
    }
}
