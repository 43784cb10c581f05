//! SES-1.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinSet;

use super::cases;
use crate::domain::audit::Action;
use crate::domain::{Caller, SessionPolicy};
use crate::ports::store::IdentityStore;
use crate::ports::{Clock, Entropy};
use crate::testkit::site::{Site, parsed};
use crate::testkit::{ManualClock, SeededEntropy, Tally};

/// Randomness that takes its time.
///
/// A refresh draws its event's id after it has read the session and before it
/// moves it on: this is where racers must meet, and over a store in memory they
/// hardly ever would.
#[derive(Debug)]
struct Lingering(SeededEntropy);

impl Entropy for Lingering {
    fn fill(&self, out: &mut [u8]) {
        std::thread::sleep(Duration::from_micros(100));
        self.0.fill(out);
    }
}

/// One that shows the token.
#[derive(Clone, Debug)]
struct Arrival {
    /// Microseconds after the first one.
    after: u64,
    /// At the server that already makes tokens with the next key.
    second_server: bool,
    /// Naming the organization, or leaving it to the server.
    names_org: bool,
}

/// How often the session was refreshed before, and who comes then; those of one moment come at once.
fn arrivals() -> impl Strategy<Value = (u32, Vec<Arrival>)> {
    let grace = u64::try_from(SessionPolicy::default().grace().as_micros()).unwrap_or(u64::MAX);
    let after = prop_oneof![3 => Just(0), 2 => 1..grace, 1 => Just(grace - 1)];
    let arrival =
        (after, any::<bool>(), any::<bool>()).prop_map(|(after, second_server, names_org)| {
            Arrival {
                after,
                second_server,
                names_org,
            }
        });
    let others = prop::collection::vec(arrival, 1..7);
    (0_u32..3, others).prop_map(|(before, mut all)| {
        all.sort_by_key(|arrival| arrival.after);
        let first = all.first().map_or(0, |first| first.after);
        // The grace runs from the first one.
        for arrival in &mut all {
            arrival.after -= first;
        }
        (before, all)
    })
}

/// For any interleaving of refreshes within the grace there is one generation step, and all callers get the same refresh token and an equally valid access scope.
///
/// They come at two servers over one store, one of which already makes tokens
/// with the next key. On a runtime of several threads they race.
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
    let (store, clock) = (fresh().await, Arc::new(ManualClock::default()));
    let server = |number: u32| {
        let entropy = Arc::new(Lingering(SeededEntropy::new(number.into())));
        Site::with(Arc::clone(&store), Arc::clone(&clock), entropy, number)
    };
    let (site, second) = (server(1), server(2));
    site.found().await;
    for (before, arrivals) in cases(&arrivals()) {
        case(&site, &second, before, &arrivals, &mut tally).await;
    }
    tally
}

async fn case(site: &Site, second: &Site, before: u32, arrivals: &[Arrival], tally: &mut Tally) {
    let policy = SessionPolicy::default();
    let signed_in = site.sign_in("ada@example.com").await;
    let mut token = signed_in.refresh_token.clone();
    for _ in 0..before {
        site.clock.advance(policy.grace());
        token = refreshed(site, token, false).await.refresh_token;
    }
    site.clock.advance(Duration::from_secs(60));
    site.events().await;
    let begun = site.clock.now();
    let mut told: Option<SecretString> = None;
    for together in arrivals.chunk_by(|a, b| a.after == b.after) {
        let moment = together.first().map_or(0, |first| first.after);
        let at = begun.after(Duration::from_micros(moment));
        site.clock.set(at);
        tally.count(match (moment, together.len()) {
            (0, 1) => "the first alone",
            (0, _) => "several first at once",
            (_, 1) => "one later",
            (_, _) => "several later at once",
        });
        let mut racers = JoinSet::new();
        for arrival in together {
            let at_server = if arrival.second_server { second } else { site };
            let identity = Arc::clone(&at_server.identity);
            let (token, org) = (token.clone(), arrival.names_org.then(|| parsed("acme")));
            racers.spawn(async move {
                let caller = Caller::system("property");
                identity.refresh(&token, org.as_ref(), &caller).await
            });
        }
        while let Some(done) = racers.join_next().await {
            let pair = done.unwrap_or_else(|e| panic!("{arrivals:?}: {e}"));
            let pair =
                pair.unwrap_or_else(|e| panic!("{arrivals:?}: refused within the grace: {e}"));
            let first = told.get_or_insert_with(|| pair.refresh_token.clone());
            assert_eq!(
                first.expose_secret(),
                pair.refresh_token.expose_secret(),
                "{arrivals:?}: two refresh tokens"
            );
            assert_eq!(pair.session.id, signed_in.session.id, "{arrivals:?}");
            assert_eq!(
                pair.session.refresh.generation,
                before + 1,
                "{arrivals:?}: more than one step"
            );
            assert!(pair.scope.membership.is_some(), "{arrivals:?}");
            assert_eq!(
                pair.scope.membership, signed_in.scope.membership,
                "{arrivals:?}"
            );
            assert_eq!(
                pair.scope.expires_at,
                at.after(policy.access_ttl()),
                "{arrivals:?}: an access token of its own length"
            );
        }
    }
    let events = site.events().await;
    let steps = |e: &&_| {
        matches!(
            e,
            crate::domain::audit::AuditEvent {
                action: Action::SessionRefreshed,
                ..
            }
        )
    };
    assert_eq!(
        events.iter().filter(steps).count(),
        1,
        "{arrivals:?}: one step has one event"
    );
    // What they all got goes on working.
    let told = told.unwrap_or_else(|| panic!("somebody came"));
    let next = refreshed(second, told, true).await;
    assert_eq!(next.session.refresh.generation, before + 2, "{arrivals:?}");
}

async fn refreshed(site: &Site, token: SecretString, names_org: bool) -> crate::service::SignedIn {
    let org = names_org.then(|| parsed("acme"));
    let caller = Caller::system("property");
    let pair = site.identity.refresh(&token, org.as_ref(), &caller).await;
    pair.unwrap_or_else(|e| panic!("the current token was refused: {e}"))
}
