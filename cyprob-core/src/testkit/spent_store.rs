//! What every store of spent uses must do, one function per behaviour.
//!
//! Each takes an empty store, and fails by a panic that names what was
//! expected. Those that race need a runtime of several threads, as
//! [`spent_store_conformance!`](crate::spent_store_conformance) gives them.

use std::sync::Arc;

use super::race;
use crate::domain::{Id as _, Timestamp, TokenId, UseId, UsedToken};
use crate::ports::store::{MOST_SPENT_USES, SpendOutcome, SpentStore, StoreError};

type Store = Arc<dyn SpentStore>;
type Done = Result<(), StoreError>;

const AT: Timestamp = Timestamp::from_seconds(1_767_225_600);

const fn later(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(AT.as_seconds() + seconds)
}

/// A token and uses of it.
#[derive(Clone, Debug)]
struct Uses {
    token: UsedToken,
    all: Vec<UseId>,
}

/// The uses of a token by these words.
fn uses(token: u8, words: &[&str]) -> Uses {
    let token = TokenId::from_random(AT, [token; 10]);
    Uses {
        token: UsedToken::of(token),
        all: words.iter().map(|word| UseId::of(token, word)).collect(),
    }
}

/// The use of a token by the word of a number.
fn numbered(token: u8, number: usize) -> Uses {
    uses(token, &[&format!("word {number}")])
}

async fn spend(store: &Store, uses: &Uses) -> Result<SpendOutcome, StoreError> {
    spend_until(store, uses, later(900)).await
}

async fn spend_until(
    store: &Store,
    uses: &Uses,
    until: Timestamp,
) -> Result<SpendOutcome, StoreError> {
    store.spend(uses.token, &uses.all, until).await
}

fn taken(of: &Uses, place: usize) -> SpendOutcome {
    match of.all.get(place) {
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
            a_use_is_spent_as_long_as_it_is_kept
            a_clock_that_goes_forward_and_back_changes_no_end
            a_token_has_so_many_spent_uses_and_no_more
            of_many_racers_at_the_bound_one_has_a_use
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
    assert_eq!(spend(&store, &uses(1, &[])).await?, SpendOutcome::AllSpent);
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

/// A use is spent until a sweep of its time, and may be taken anew then.
pub async fn a_use_is_spent_as_long_as_it_is_kept(store: Store) -> Done {
    let one = uses(1, &["a"]);
    assert_eq!(spend_until(&store, &one, later(10)).await?, taken(&one, 0));
    let just_before = Timestamp::from_micros(later(10).as_micros() - 1);
    assert_eq!(store.sweep_spent(just_before).await?, 0);
    // Whatever who asks believes about time.
    for until in [-900, 9, 10, 11, 99_999] {
        let again = spend_until(&store, &one, later(until)).await?;
        assert_eq!(again, SpendOutcome::AllSpent);
    }
    assert_eq!(store.sweep_spent(later(10)).await?, 1);
    assert_eq!(spend_until(&store, &one, later(20)).await?, taken(&one, 0));
    let again = spend_until(&store, &one, later(30)).await?;
    assert_eq!(again, SpendOutcome::AllSpent);
    Ok(())
}

/// Sweeps of times in any order, with requests of any time between: a use goes by the first that reaches its end, and by no other.
pub async fn a_clock_that_goes_forward_and_back_changes_no_end(store: Store) -> Done {
    // Of each token the use ends so late.
    let ends = [100, 250, 400, 700, 1_000];
    for (token, end) in (1..).zip(ends) {
        let one = uses(token, &["a"]);
        assert_eq!(spend_until(&store, &one, later(end)).await?, taken(&one, 0));
    }
    let mut farthest = i64::MIN;
    for now in [0, 300, 50, -900, 299, 300, 699, 10, 699, 1_000, 0] {
        farthest = farthest.max(now);
        store.sweep_spent(later(now)).await?;
        for (token, end) in (1..).zip(ends) {
            if farthest < end {
                let again = spend_until(&store, &uses(token, &["a"]), later(now)).await?;
                assert_eq!(again, SpendOutcome::AllSpent, "{now} {end}");
            }
        }
    }
    assert_eq!(store.sweep_spent(later(2_000)).await?, 0);
    Ok(())
}

/// Sweeping drops those whose time is over, counts them, and leaves the others spent.
pub async fn sweeping_drops_what_is_past(store: Store) -> Done {
    assert_eq!(store.sweep_spent(later(99)).await?, 0);
    for token in 1..=4 {
        let end = later(i64::from(token) * 10);
        spend_until(&store, &uses(token, &["a"]), end).await?;
    }
    assert_eq!(store.sweep_spent(later(9)).await?, 0);
    assert_eq!(store.sweep_spent(later(20)).await?, 2);
    assert_eq!(store.sweep_spent(later(20)).await?, 0);
    for token in 3..=4 {
        let again = spend_until(&store, &uses(token, &["a"]), later(99)).await?;
        assert_eq!(again, SpendOutcome::AllSpent);
    }
    assert_eq!(store.sweep_spent(later(99)).await?, 2);
    Ok(())
}

/// A token has no more than [`MOST_SPENT_USES`]; what is spent stays so, other tokens have theirs, and a sweep makes room.
pub async fn a_token_has_so_many_spent_uses_and_no_more(store: Store) -> Done {
    for number in 0..MOST_SPENT_USES {
        let one = numbered(1, number);
        let until = later(if number == 0 { 10 } else { 20 });
        assert_eq!(spend_until(&store, &one, until).await?, taken(&one, 0));
    }
    let more = uses(1, &["word 0", "more"]);
    for _ in 0..3 {
        assert_eq!(spend(&store, &more).await?, SpendOutcome::TooMany);
        let again = spend(&store, &numbered(1, 0)).await?;
        assert_eq!(again, SpendOutcome::AllSpent);
    }
    let other = numbered(2, 0);
    assert_eq!(spend(&store, &other).await?, taken(&other, 0));
    // One goes, so there is room for one.
    assert_eq!(store.sweep_spent(later(10)).await?, 1);
    let more = uses(1, &["more"]);
    assert_eq!(spend(&store, &more).await?, taken(&more, 0));
    let most = spend(&store, &numbered(1, 0)).await?;
    assert_eq!(most, SpendOutcome::TooMany);
    Ok(())
}

/// Racers with a word each for the last use that a token may have: one has it.
pub async fn of_many_racers_at_the_bound_one_has_a_use(store: Store) -> Done {
    one_at_the_bound_of_each_of(&[store]).await
}

/// The same over several handles of one store, such as those of the nodes of a deployment.
///
/// # Errors
///
/// What a store said.
pub async fn one_at_the_bound_of_each_of(stores: &[Store]) -> Done {
    for token in 1..=2 {
        for store in stores.iter().take(1) {
            for number in 1..MOST_SPENT_USES {
                spend(store, &numbered(token, number)).await?;
            }
        }
        let racers = stores.iter().cycle().take(64).enumerate();
        let racers = racers.map(|(number, store)| {
            let (store, one) = (Arc::clone(store), numbered(token, MOST_SPENT_USES + number));
            async move { spend(&store, &one).await }
        });
        let ended = race(racers).await?;
        let won = |it: &&SpendOutcome| matches!(it, SpendOutcome::Taken(_));
        assert_eq!(ended.iter().filter(won).count(), 1);
        let lost = |it: &&SpendOutcome| **it == SpendOutcome::TooMany;
        assert_eq!(ended.iter().filter(lost).count(), 63);
    }
    Ok(())
}

/// Racers for one use: one has it.
pub async fn of_many_racers_for_one_use_one_has_it(store: Store) -> Done {
    for token in 1..=4 {
        let won = winners(&[Arc::clone(&store)], &uses(token, &["a"]), 16).await?;
        assert_eq!(won, uses(token, &["a"]).all);
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
        let three = uses(token, &["a", "b", "c"]);
        let mut won = winners(stores, &three, 12).await?;
        let mut three = three.all;
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
            let [one, other] = orders.clone();
            let order = if number % 2 == 0 { one } else { other };
            let store = Arc::clone(&store);
            async move { spend(&store, &order).await }
        });
        let won = race(racers).await?;
        let won = won.iter().filter(|it| **it != SpendOutcome::AllSpent);
        assert_eq!(won.count(), 2);
    }
    Ok(())
}

/// Which uses so many racers took, over these handles in turn.
async fn winners(stores: &[Store], of: &Uses, racers: usize) -> Result<Vec<UseId>, StoreError> {
    let stores = stores.iter().cycle().take(racers).cloned();
    let racers = stores.map(|store| {
        let of = of.clone();
        async move { spend(&store, &of).await }
    });
    let ended = race(racers).await?;
    let won = ended.into_iter().filter_map(|outcome| match outcome {
        SpendOutcome::Taken(one) => Some(one),
        SpendOutcome::AllSpent | SpendOutcome::TooMany => None,
    });
    Ok(won.collect())
}
