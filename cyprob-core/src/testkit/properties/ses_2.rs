//! SES-2.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use secrecy::{ExposeSecret, SecretString};

use super::cases;
use crate::domain::audit::{Action, Outcome};
use crate::domain::{Caller, SessionId, SessionPolicy};
use crate::ports::Clock;
use crate::ports::store::IdentityStore;
use crate::service::RefreshError;
use crate::testkit::site::Site;
use crate::testkit::{ManualClock, Tally};

/// How a genuine token is spoilt.
#[derive(Clone, Debug)]
enum Forgery {
    /// One bit of its text turned.
    Bit(Index, u8),
    /// The server's other key is named.
    OtherKey,
    /// A key is named that nobody has.
    UnknownKey,
    /// Another live session is named.
    OtherSession,
    /// A session is named that never was.
    UnknownSession,
    /// The number before, which would be theft if it were believed.
    EarlierGeneration,
    /// A number that has yet to come.
    LaterGeneration,
    /// Another session's MAC.
    OtherMac,
    /// Some characters are missing at its end.
    Cut(Index),
    /// Something else.
    Garbage(String),
}

/// What is shown.
#[derive(Clone, Debug)]
enum Shown {
    /// The token of `back` generations ago.
    Old,
    Forged(Forgery),
}

#[derive(Clone, Debug)]
struct Case {
    rotations: usize,
    /// How many generations ago the token was current that is shown or spoilt.
    back: usize,
    /// Microseconds since the last rotation.
    wait: u64,
    shown: Shown,
}

fn grace() -> Duration {
    SessionPolicy::default().grace()
}

fn case() -> impl Strategy<Value = Case> {
    let grace = u64::try_from(grace().as_micros()).unwrap_or(u64::MAX);
    let wait = prop_oneof![
        Just(0),
        0..grace,
        Just(grace - 1),
        Just(grace),
        grace..grace * 100
    ];
    let forgery = prop_oneof![
        3 => (any::<Index>(), 0_u8..7).prop_map(|(at, bit)| Forgery::Bit(at, bit)),
        1 => Just(Forgery::OtherKey),
        1 => Just(Forgery::UnknownKey),
        1 => Just(Forgery::OtherSession),
        1 => Just(Forgery::UnknownSession),
        1 => Just(Forgery::EarlierGeneration),
        1 => Just(Forgery::LaterGeneration),
        1 => Just(Forgery::OtherMac),
        1 => any::<Index>().prop_map(Forgery::Cut),
        1 => ".{0,80}".prop_map(Forgery::Garbage),
        1 => "cyr1_[0-9a-zA-Z._-]{0,250}".prop_map(Forgery::Garbage),
    ];
    let what = (1_usize..5, wait).prop_flat_map(move |(rotations, wait)| {
        let old = (1..=rotations).prop_map(move |back| Case {
            rotations,
            back,
            wait,
            shown: Shown::Old,
        });
        let forged = (0..=rotations, forgery.clone()).prop_map(move |(back, forgery)| Case {
            rotations,
            back,
            wait,
            shown: Shown::Forged(forgery),
        });
        prop_oneof![old, forged]
    });
    what.boxed()
}

/// An old refresh token after the grace ends the session; a forged one changes nothing.
///
/// Forged are tokens with a bit turned, with another key, session, generation
/// or MAC, from the current and from used tokens; another session of the same
/// person looks on.
///
/// # Panics
///
/// At the first case that breaks it.
pub async fn ses_2<F, G>(fresh: F) -> Tally
where
    F: Fn() -> G,
    G: Future<Output = Arc<dyn IdentityStore>>,
{
    let mut tally = Tally::default();
    let site = Site::new(fresh().await, Arc::new(ManualClock::default()), 2);
    site.found().await;
    for case in cases(&case()) {
        run(&site, &case, &mut tally).await;
    }
    tally
}

async fn run(site: &Site, case: &Case, tally: &mut Tally) {
    let bystander = site.sign_in("ada@example.com").await;
    let signed_in = site.sign_in("ada@example.com").await;
    let id = signed_in.session.id;
    let mut tokens = vec![signed_in.refresh_token];
    for _ in 0..case.rotations {
        site.clock.advance(grace());
        let next = refresh(site, token(&tokens, 0)).await;
        let next = next.unwrap_or_else(|e| panic!("{case:?}: the current one is refused: {e}"));
        tokens.push(next.refresh_token);
    }
    site.events().await;
    site.clock.advance(Duration::from_micros(case.wait));
    let before = [row(site, id).await, row(site, bystander.session.id).await];
    let (genuine, current) = (token(&tokens, case.back), token(&tokens, 0));
    let shown = match &case.shown {
        Shown::Old => genuine.clone(),
        Shown::Forged(forgery) => forged(genuine, &bystander.refresh_token, forgery),
    };
    let answer = refresh(site, &shown).await;
    let events = site.events().await;
    let after = [row(site, id).await, row(site, bystander.session.id).await];
    let refused = matches!(answer, Err(RefreshError::InvalidGrant));
    let in_grace = case.back == 1 && Duration::from_micros(case.wait) < grace();
    match &case.shown {
        Shown::Old if in_grace => {
            tally.count("the one before, within the grace: the same pair");
            let pair = answer.unwrap_or_else(|e| panic!("{case:?}: {e}"));
            assert_eq!(
                pair.refresh_token.expose_secret(),
                current.expose_secret(),
                "{case:?}"
            );
            assert_eq!(before, after, "{case:?}: the window moved");
        }
        Shown::Old => {
            tally.count(if case.back == 1 {
                "the one before, after the grace: ended"
            } else {
                "an older one: ended"
            });
            assert!(refused, "{case:?}: {answer:?}");
            let [event] = events.as_slice() else {
                panic!("{case:?}: one event, not {events:?}");
            };
            assert_eq!(event.action, Action::SessionTheftDetected, "{case:?}");
            assert_eq!(event.outcome, Outcome::Denied, "{case:?}");
            let ended = site.store.session(id).await;
            let ended = ended.unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(
                ended.and_then(|stored| stored.session.ended_at),
                Some(site.clock.now()),
                "{case:?}: it goes on"
            );
            assert_eq!(before.last(), after.last(), "{case:?}: another one ended");
            for token in &tokens {
                assert!(refresh(site, token).await.is_err(), "{case:?}: refreshed");
            }
        }
        Shown::Forged(forgery) => {
            tally.count(match forgery {
                Forgery::Bit(..) => "forged, one bit: nothing",
                Forgery::Cut(_) | Forgery::Garbage(_) => "forged, no token: nothing",
                Forgery::OtherKey | Forgery::UnknownKey => "forged, another key: nothing",
                Forgery::OtherSession | Forgery::UnknownSession | Forgery::OtherMac => {
                    "forged, another session: nothing"
                }
                Forgery::EarlierGeneration | Forgery::LaterGeneration => {
                    "forged, another generation: nothing"
                }
            });
            assert!(refused, "{case:?}: {answer:?}");
            assert_eq!(before, after, "{case:?}: it changed a session");
            assert_eq!(events, [], "{case:?}: it left a trace per attempt");
            let next = refresh(site, current).await;
            assert!(next.is_ok(), "{case:?}: the person was signed out");
        }
    }
    let next = refresh(site, &bystander.refresh_token).await;
    assert!(next.is_ok(), "{case:?}: the other session was signed out");
}

async fn refresh(
    site: &Site,
    token: &SecretString,
) -> Result<crate::service::SignedIn, RefreshError> {
    let caller = Caller::system("property");
    site.identity.refresh(token, None, &caller).await
}

/// The token of so many generations ago.
fn token(tokens: &[SecretString], back: usize) -> &SecretString {
    let token = tokens.iter().rev().nth(back);
    token.unwrap_or_else(|| panic!("there are more than {back}"))
}

async fn row(site: &Site, id: SessionId) -> String {
    let found = site.store.session(id).await;
    format!("{:?}", found.unwrap_or_else(|e| panic!("{e}")))
}

/// A token that nobody gave out.
fn forged(genuine: &SecretString, other: &SecretString, how: &Forgery) -> SecretString {
    let text = genuine.expose_secret();
    let parts: Vec<&str> = text.split('.').collect();
    let others: Vec<&str> = other.expose_secret().split('.').collect();
    let ([key, session, generation, mac], [_, other_session, _, other_mac]) =
        (parts.as_slice(), others.as_slice())
    else {
        panic!("a token has four parts");
    };
    let number: u32 = generation.parse().unwrap_or_else(|e| panic!("{e}"));
    let spoilt = match how {
        Forgery::Bit(at, bit) => {
            let mut bytes = text.as_bytes().to_vec();
            let at = at.index(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
            String::from_utf8(bytes).unwrap_or_else(|e| panic!("seven bits: {e}"))
        }
        Forgery::OtherKey => format!("cyr1_2.{session}.{generation}.{mac}"),
        Forgery::UnknownKey => format!("cyr1_9.{session}.{generation}.{mac}"),
        Forgery::OtherSession => format!("{key}.{other_session}.{generation}.{mac}"),
        Forgery::UnknownSession => {
            format!("{key}.ses_01a20b02a9c8797b8ebd0672f15f608c.{generation}.{mac}")
        }
        // The first one has none before it: the next is taken, which nobody has either.
        Forgery::EarlierGeneration => {
            let number = number.checked_sub(1).unwrap_or(1);
            format!("{key}.{session}.{number}.{mac}")
        }
        Forgery::LaterGeneration => format!("{key}.{session}.{}.{mac}", number + 1),
        Forgery::OtherMac => format!("{key}.{session}.{generation}.{other_mac}"),
        Forgery::Cut(at) => text.chars().take(at.index(text.len())).collect(),
        Forgery::Garbage(text) => text.clone(),
    };
    spoilt.into()
}
