//! What comes of a doubt.

use super::*;

const SOON: Duration = Duration::from_millis(10);

impl Stand {
    fn asked(&self) -> u64 {
        self.lender.with(|state| state.asked)
    }

    async fn doubt(&self) {
        self.keeper.current().doubt();
        tokio::time::sleep(SOON).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_doubt_renews_once_and_is_answered() {
    let stand = stand(Some(TERM)).await;
    assert!(!stand.keeper.current().is_doubted());
    stand.doubt().await;
    assert_eq!(stand.lender.with(|state| state.renewed.clone()), ["l1"]);
    assert_eq!((stand.user().as_str(), stand.asked()), ("u1", 2));
    assert!(!stand.keeper.current().is_doubted());
    stand.pass(30).await;
    assert_eq!(stand.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_back_under_us_is_replaced_at_a_doubt() {
    let stand = stand(None).await;
    stand.doubt().await;
    // borrowed, renewed, borrowed, given back
    assert_eq!((stand.user().as_str(), stand.asked()), ("u2", 4));
    assert!(!stand.keeper.current().is_doubted());
    assert!(stand.keeper.standing().failure.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_its_source_fails_to_renew_is_replaced_at_a_doubt_and_not_without() {
    let without = stand(Some(TERM)).await;
    without.lender.with(|state| state.renews_nothing = true);
    without.pass(80).await;
    assert_eq!(without.user(), "u1");
    let doubted = stand(Some(TERM)).await;
    doubted.lender.with(|state| state.renews_nothing = true);
    doubted.doubt().await;
    assert_eq!(doubted.user(), "u2");
}

#[tokio::test(start_paused = true)]
async fn what_was_renewed_and_is_in_doubt_again_is_replaced_a_second_later() {
    let stand = stand(Some(TERM)).await;
    stand.doubt().await;
    stand.doubt().await;
    assert_eq!((stand.user().as_str(), stand.asked()), ("u1", 2));
    assert!(stand.keeper.current().is_doubted());
    stand.pass(1).await;
    assert_eq!(stand.user(), "u2");
    assert_eq!(stand.lender.with(|state| state.renewed.len()), 1);
}

#[tokio::test(start_paused = true)]
async fn one_doubt_after_the_other_is_no_storm() {
    for grants in [Some(TERM * 100), None] {
        let stand = stand(grants).await;
        for _ in 0..6_000 {
            stand.doubt().await;
        }
        // at 0, 1, 3, 7, 15 and 31 s
        let renewed = stand.lender.with(|state| state.renewed.len()) as u64;
        let replaced = stand.keeper.current().generation() - 1;
        // Every second of them is replaced where they can be renewed, otherwise each.
        let acted = grants.map_or(replaced, |_| renewed + replaced);
        assert!((5..=6).contains(&acted), "{acted}");
        assert!(stand.asked() <= 20, "{}", stand.asked());
        // One waits yet, and is answered. Then nobody doubts for minutes: the next is the first.
        let before = stand.asked();
        tokio::time::sleep(Duration::from_secs(240)).await;
        let quiet = stand.asked();
        assert!(quiet <= before + 3, "{before} {quiet}");
        stand.doubt().await;
        assert!(stand.asked() > quiet);
        stand.pass(1).await;
        let second = stand.asked();
        stand.doubt().await;
        assert!(stand.asked() > second, "a second later it is the next");
    }
}

#[tokio::test(start_paused = true)]
async fn a_doubt_about_what_was_replaced_is_ignored() {
    let stand = stand(Some(TERM)).await;
    let old = stand.keeper.current();
    // One that waits for its turn too.
    stand.doubt().await;
    stand.doubt().await;
    stand.keeper.rotate().await.unwrap();
    let asked = stand.asked();
    old.believe();
    old.doubt();
    stand.pass(30).await;
    assert_eq!((stand.user().as_str(), stand.asked()), ("u2", asked));
}

#[tokio::test(start_paused = true)]
async fn a_doubt_while_the_source_is_down_keeps_what_there_is_and_is_tried_again() {
    let stand = stand(None).await;
    stand.lender.with(|state| state.down = true);
    stand.doubt().await;
    stand.pass(30).await;
    let standing = stand.keeper.standing();
    assert_eq!(standing.generation, 1);
    assert!(matches!(
        standing.failure,
        Some(LeaseError::Unavailable { .. })
    ));
    assert!(stand.keeper.current().is_doubted());
    // A renewal and another loan, a second apart in the end.
    assert!((40..=75).contains(&stand.asked()), "{}", stand.asked());
    stand.lender.with(|state| state.down = false);
    stand.pass(2).await;
    assert_eq!(stand.user(), "u2");
    assert!(stand.keeper.standing().failure.is_none());
}
