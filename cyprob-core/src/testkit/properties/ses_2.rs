//! SES-2.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};

use super::cases;
use crate::domain::{Caller, SessionPolicy};
use crate::ports::store::IdentityStore;
use crate::service::RefreshError;
use crate::testkit::site::Site;
use crate::testkit::{ManualClock, Tally};

/// What is shown, after some rotations.
#[derive(Clone, Debug)]
enum Shown {
    /// The token of this many generations ago, this long after the last rotation.
    Old { back: usize, after_grace: bool },
    /// The current token with one character changed.
    Flipped(prop::sample::Index),
    /// The current token's parts with another number, key or session.
    Other(usize),
    /// No token at all.
    Garbage(String),
}

fn shown() -> impl Strategy<Value = (usize, Shown)> {
    let what = prop_oneof![
        4 => (1_usize..4, any::<bool>()).prop_map(|(back, after_grace)| Shown::Old { back, after_grace }),
        3 => any::<prop::sample::Index>().prop_map(Shown::Flipped),
        2 => (0_usize..4).prop_map(Shown::Other),
        1 => ".{0,80}".prop_map(Shown::Garbage),
    ];
    (1_usize..5, what)
}

/// An old refresh token after the grace ends the session; a forged one changes nothing.
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
    for (rotations, shown) in cases(&shown()) {
        case(fresh().await, rotations, &shown, &mut tally).await;
    }
    tally
}

async fn case(store: Arc<dyn IdentityStore>, rotations: usize, shown: &Shown, tally: &mut Tally) {
    let site = Site::new(store, Arc::new(ManualClock::default()), 2);
    site.found().await;
    let grace = SessionPolicy::default().grace();
    let caller = Caller::system("property");
    let first = site.sign_in("ada@example.com").await;
    let mut tokens = vec![first.refresh_token.clone()];
    for _ in 0..rotations {
        site.clock.advance(grace + Duration::from_secs(1));
        let last = tokens.last().unwrap_or_else(|| panic!("there is one"));
        let next = site.identity.refresh(last, None, &caller).await;
        tokens.push(
            next.unwrap_or_else(|e| panic!("{shown:?}: {e}"))
                .refresh_token,
        );
    }
    let current = tokens
        .last()
        .cloned()
        .unwrap_or_else(|| panic!("there is one"));
    let before = session(&site, &first).await;

    let (token, outcome) = match shown {
        Shown::Old { back, after_grace } => {
            let back = (*back).min(rotations);
            if *after_grace {
                site.clock.advance(grace);
            }
            let token = tokens.get(rotations - back).cloned();
            let repeats = back == 1 && !after_grace;
            (
                token,
                if repeats {
                    "the last one, within the grace"
                } else {
                    "an old one"
                },
            )
        }
        Shown::Flipped(index) => (Some(flipped(&current, *index)), "a forged one"),
        Shown::Other(which) => (
            Some(altered(&current, &first.refresh_token, *which)),
            "a forged one",
        ),
        Shown::Garbage(text) => (Some(SecretString::from(text.clone())), "no token"),
    };
    let token = token.unwrap_or_else(|| panic!("there is one"));
    let answer = site.identity.refresh(&token, None, &caller).await;
    tally.count(outcome);
    let after = session(&site, &first).await;
    match outcome {
        "the last one, within the grace" => {
            let pair = answer.unwrap_or_else(|e| panic!("{shown:?}: {e}"));
            assert_eq!(
                pair.refresh_token.expose_secret(),
                current.expose_secret(),
                "{shown:?}"
            );
            assert_eq!(
                before, after,
                "{shown:?}: the same pair again changes nothing"
            );
        }
        "an old one" => {
            assert!(
                matches!(answer, Err(RefreshError::InvalidGrant)),
                "{shown:?}"
            );
            assert_ne!(before, after, "{shown:?}: the session has ended");
            let last = site.identity.refresh(&current, None, &caller).await;
            assert!(
                matches!(last, Err(RefreshError::InvalidGrant)),
                "{shown:?}: it still refreshes"
            );
        }
        _ => {
            assert!(
                matches!(answer, Err(RefreshError::InvalidGrant)),
                "{shown:?}"
            );
            assert_eq!(
                before, after,
                "{shown:?}: a forged token changed the session"
            );
            let last = site.identity.refresh(&current, None, &caller).await;
            assert!(last.is_ok(), "{shown:?}: the person was signed out");
        }
    }
}

async fn session(site: &Site, of: &crate::service::SignedIn) -> String {
    let found = site.store.session(of.session.id).await;
    format!("{:?}", found.unwrap_or_else(|e| panic!("{e}")))
}

/// One character of the token replaced by another that a token may have.
fn flipped(token: &SecretString, index: prop::sample::Index) -> SecretString {
    let mut text: Vec<char> = token.expose_secret().chars().collect();
    let at = index.index(text.len());
    // Of the last character of the MAC only four bits count; the reader refuses others.
    if let Some(c) = text.get_mut(at) {
        *c = if *c == 'A' { 'B' } else { 'A' };
    }
    text.into_iter().collect::<String>().into()
}

/// The current token with another key, session or generation, or with an older one's MAC.
fn altered(current: &SecretString, first: &SecretString, which: usize) -> SecretString {
    let parts: Vec<&str> = current.expose_secret().split('.').collect();
    let old: Vec<&str> = first.expose_secret().split('.').collect();
    let ([key, session, generation, mac], [_, _, _, old_mac]) = (parts.as_slice(), old.as_slice())
    else {
        panic!("a token has four parts");
    };
    match which {
        0 => format!("cyr1_2.{session}.{generation}.{mac}"),
        1 => format!("{key}.ses_01a20b02a9c8797b8ebd0672f15f608c.{generation}.{mac}"),
        2 => format!("{key}.{session}.{}.{mac}", generation.len() + 100),
        _ => format!("{key}.{session}.{generation}.{old_mac}"),
    }
    .into()
}
