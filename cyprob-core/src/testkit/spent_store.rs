//! What every store of spent uses must do, one function per behaviour.
//!
//! Each takes an empty store, and fails by a panic that names what was
//! expected. Those that race need a runtime of several threads, as
//! [`spent_store_conformance!`](crate::spent_store_conformance) gives them.

use std::sync::Arc;

use super::race;
use crate::domain::{Id as _, Timestamp, TokenId, UseId};
use crate::ports::store::{SpendOutcome, SpentStore, StoreError};

type Store = Arc<dyn SpentStore>;
type Done = Result<(), StoreError>;

const AT: Timestamp = Timestamp::from_seconds(1_767_225_600);

const fn later(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(AT.as_seconds() + seconds)
}

/// The uses of a token by these words.
fn uses(token: u8, words: &[&str]) -> Vec<UseId> {
    let token = TokenId::from_random(AT, [token; 10]);
    words.iter().map(|word| UseId::of(token, word)).collect()
}

async fn spend(store: &Store, uses: &[UseId]) -> Result<SpendOutcome, StoreError> {
    store.spend(uses, later(900), AT).await
}

fn taken(of: &[UseId], place: usize) -> SpendOutcome {
    match of.get(place) {
        Some(one) => SpendOutcome::Taken(*one),
        None => SpendOutcome::AllSpent,
    }
}

/// Makes one test per behaviour for a store of your own.
///
/// The argument is an expression whose future gives an empty store and what
/// must outlive it, such as a temporary folder. The calling crate needs tokio
/// with `macros` and `rt-multi-thread`.
///
/// ```
/// # // Only the form is shown: the tests themselves are made under `cfg(test)`.
/// use cyprob_core::adapters::memory::MemorySpent;
///
/// cyprob_core::spent_store_conformance!(async { (MemorySpent::default(), ()) });
/// ```
#[macro_export]
macro_rules! spent_store_conformance {
    ($make:expr) => {
        $crate::spent_store_conformance! { @all $make;
            a_use_is_taken_once
            the_first_that_is_left_is_taken
            uses_of_two_tokens_are_apart
            a_use_is_spent_until_its_time
            sweeping_drops_what_is_past
            of_many_racers_for_one_use_one_has_it
            of_twelve_racers_for_three_uses_three_have_one
            racers_that_name_uses_in_another_order_wait_for_nobody
        }
    };
    (@all $make:expr; $($behaviour:ident)*) => {
        mod spent_uses {
            #[allow(unused_imports)]
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $behaviour() {
                let (store, _alive) = $make.await;
                let store = ::std::sync::Arc::new(store);
                $crate::testkit::spent_store::$behaviour(store).await.unwrap();
            })*
        }
    };
}

/// A use that was taken is not taken again; of no uses none is.
pub async fn a_use_is_taken_once(store: Store) -> Done {
    let one = uses(1, &["a"]);
    assert_eq!(spend(&store, &[]).await?, SpendOutcome::AllSpent);
    assert_eq!(spend(&store, &one).await?, taken(&one, 0));
    for _ in 0..3 {
        assert_eq!(spend(&store, &one).await?, SpendOutcome::AllSpent);
    }
    Ok(())
}

/// The first that is left is taken, in the order given, until none is.
pub async fn the_first_that_is_left_is_taken(store: Store) -> Done {
    let three = uses(1, &["c", "a", "b"]);
    let middle = uses(1, &["a"]);
    assert_eq!(spend(&store, &middle).await?, taken(&three, 1));
    assert_eq!(spend(&store, &three).await?, taken(&three, 0));
    assert_eq!(spend(&store, &three).await?, taken(&three, 2));
    assert_eq!(spend(&store, &three).await?, SpendOutcome::AllSpent);
    Ok(())
}

/// The same word of two tokens is two uses.
pub async fn uses_of_two_tokens_are_apart(store: Store) -> Done {
    let [one, other] = [1, 2].map(|token| uses(token, &["a"]));
    assert_eq!(spend(&store, &one).await?, taken(&one, 0));
    assert_eq!(spend(&store, &other).await?, taken(&other, 0));
    Ok(())
}

/// A use is spent while `at < until`, whatever was swept, and may be taken anew then.
pub async fn a_use_is_spent_until_its_time(store: Store) -> Done {
    let one = uses(1, &["a"]);
    assert_eq!(store.spend(&one, later(10), AT).await?, taken(&one, 0));
    let just_before = Timestamp::from_micros(later(10).as_micros() - 1);
    store.sweep_spent(just_before).await?;
    let outcome = store.spend(&one, later(99), just_before).await?;
    assert_eq!(outcome, SpendOutcome::AllSpent);
    let anew = store.spend(&one, later(20), later(10)).await?;
    assert_eq!(anew, taken(&one, 0));
    let again = store.spend(&one, later(30), later(19)).await?;
    assert_eq!(again, SpendOutcome::AllSpent);
    Ok(())
}

/// Sweeping drops those whose time is over, counts them, and leaves the others spent.
pub async fn sweeping_drops_what_is_past(store: Store) -> Done {
    assert_eq!(store.sweep_spent(later(99)).await?, 0);
    for token in 1..=4 {
        let end = later(i64::from(token) * 10);
        store.spend(&uses(token, &["a"]), end, AT).await?;
    }
    assert_eq!(store.sweep_spent(later(9)).await?, 0);
    assert_eq!(store.sweep_spent(later(20)).await?, 2);
    assert_eq!(store.sweep_spent(later(20)).await?, 0);
    for token in 3..=4 {
        let one = uses(token, &["a"]);
        let again = store.spend(&one, later(99), later(20)).await?;
        assert_eq!(again, SpendOutcome::AllSpent);
    }
    assert_eq!(store.sweep_spent(later(99)).await?, 2);
    Ok(())
}

/// Racers for one use: one has it.
pub async fn of_many_racers_for_one_use_one_has_it(store: Store) -> Done {
    for token in 1..=4 {
        let won = winners(&[Arc::clone(&store)], &uses(token, &["a"]), 16).await?;
        assert_eq!(won, uses(token, &["a"]));
    }
    Ok(())
}

/// Twelve racers for three uses: three have one, and no two the same.
pub async fn of_twelve_racers_for_three_uses_three_have_one(store: Store) -> Done {
    one_of_three_on_each_of(&[store]).await
}

/// The same over several handles of one store, such as those of the nodes of a deployment.
///
/// # Errors
///
/// What a store said.
pub async fn one_of_three_on_each_of(stores: &[Store]) -> Done {
    for token in 1..=4 {
        let mut three = uses(token, &["a", "b", "c"]);
        let mut won = winners(stores, &three, 12).await?;
        won.sort_unstable();
        three.sort_unstable();
        assert_eq!(won, three);
    }
    Ok(())
}

/// Two uses named in two orders by many at once: both are taken, and nobody waits for ever or fails.
pub async fn racers_that_name_uses_in_another_order_wait_for_nobody(store: Store) -> Done {
    for token in 1..=4 {
        let orders = [uses(token, &["a", "b"]), uses(token, &["b", "a"])];
        let racers = (0..12).map(|number| {
            let (store, order) = (Arc::clone(&store), orders.get(number % 2).cloned());
            async move { spend(&store, &order.unwrap_or_default()).await }
        });
        let won = race(racers).await?;
        let won = won.iter().filter(|it| **it != SpendOutcome::AllSpent);
        assert_eq!(won.count(), 2);
    }
    Ok(())
}

/// Which uses so many racers took, over these handles in turn.
async fn winners(stores: &[Store], of: &[UseId], racers: usize) -> Result<Vec<UseId>, StoreError> {
    let stores = stores.iter().cycle().take(racers).cloned();
    let racers = stores.map(|store| {
        let of = of.to_vec();
        async move { spend(&store, &of).await }
    });
    let ended = race(racers).await?;
    let won = ended.into_iter().filter_map(|outcome| match outcome {
        SpendOutcome::Taken(one) => Some(one),
        SpendOutcome::AllSpent => None,
    });
    Ok(won.collect())
}
