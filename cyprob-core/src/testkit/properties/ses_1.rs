//! SES-1.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use secrecy::ExposeSecret;
use tokio::task::JoinSet;

use super::cases;
use crate::domain::audit::Action;
use crate::domain::{Caller, SessionPolicy};
use crate::ports::store::IdentityStore;
use crate::testkit::site::Site;
use crate::testkit::{ManualClock, Tally};

/// When the callers come, in thousandths of the grace: those of one number come at once.
fn arrivals() -> impl Strategy<Value = Vec<u32>> {
    let moment = prop_oneof![3 => Just(0_u32), 2 => 0_u32..999, 1 => Just(998_u32)];
    prop::collection::vec(moment, 1..7)
}

/// For any interleaving of refreshes within the grace there is one generation step, and all callers get the same refresh token and an equally valid access token.
///
/// # Panics
///
/// At the first case that breaks it.
pub async fn ses_1<F, G>(fresh: F) -> Tally
where
    F: Fn() -> G,
    G: Future<Output = Arc<dyn IdentityStore>>,
{
    let mut tally = Tally::default();
    for mut moments in cases(&arrivals()) {
        moments.sort_unstable();
        case(fresh().await, &moments, &mut tally).await;
    }
    tally
}

async fn case(store: Arc<dyn IdentityStore>, moments: &[u32], tally: &mut Tally) {
    let site = Site::new(store, Arc::new(ManualClock::default()), 1);
    site.found().await;
    let signed_in = site.sign_in("ada@example.com").await;
    let policy = SessionPolicy::default();
    let begun = crate::ports::Clock::now(site.clock.as_ref());
    let mut told: Option<String> = None;
    for together in moments.chunk_by(|a, b| a == b) {
        let moment = together.first().copied().unwrap_or_default();
        let at = begun.after(policy.grace() * moment / 1_000);
        site.clock.set(at);
        tally.count(match (moment, together.len()) {
            (0, 1) => "the first alone",
            (0, _) => "several first at once",
            (_, 1) => "one later",
            (_, _) => "several later at once",
        });
        let mut racers = JoinSet::new();
        for racer in 0..together.len() {
            let (identity, token) = (Arc::clone(&site.identity), signed_in.refresh_token.clone());
            racers.spawn(async move {
                for _ in 0..racer {
                    tokio::task::yield_now().await;
                }
                identity
                    .refresh(&token, None, &Caller::system("property"))
                    .await
            });
        }
        while let Some(done) = racers.join_next().await {
            let pair = done.unwrap_or_else(|e| panic!("{moments:?}: {e}"));
            let pair =
                pair.unwrap_or_else(|e| panic!("{moments:?}: refused within the grace: {e}"));
            let token = pair.refresh_token.expose_secret().to_owned();
            assert_eq!(
                told.get_or_insert_with(|| token.clone()),
                &token,
                "{moments:?}"
            );
            assert_eq!(pair.session.id, signed_in.session.id, "{moments:?}");
            assert_eq!(
                pair.session.refresh.generation, 1,
                "{moments:?}: more than one step"
            );
            assert_eq!(
                pair.scope.membership, signed_in.scope.membership,
                "{moments:?}"
            );
            let life = pair.scope.expires_at.since(at);
            assert!(
                life > Duration::ZERO && life <= policy.access_ttl(),
                "{moments:?}: {life:?}"
            );
        }
    }
    let events = site
        .store
        .pending(1_000)
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    let steps = events
        .iter()
        .filter(|e| e.action == Action::SessionRefreshed)
        .count();
    assert_eq!(steps, 1, "{moments:?}: one step has one event");
}
