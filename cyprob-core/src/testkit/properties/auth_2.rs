//! AUTH-2.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use secrecy::{ExposeSecret, SecretString};

use super::cases;
use crate::domain::audit::{Actor, RequestOrigin};
use crate::domain::{Caller, RoleName};
use crate::ports::store::IdentityStore;
use crate::service::{AcceptError, Credentials, RefreshError, SignInError, SignedIn};
use crate::testkit::site::{PASSWORD, Site, parsed};
use crate::testkit::{ManualClock, Tally};

const VICTIM: &str = "ada@example.com";
/// Where the victim's clients are, and some of the strangers.
const HOME: [u8; 4] = [198, 51, 100, 7];

/// Whose device token a stranger shows.
#[derive(Clone, Debug)]
enum Shown {
    None,
    /// One of an account of the stranger's own.
    Own,
    /// The victim's, with one bit turned; the stranger has it from nowhere.
    Spoilt(Index, u8),
    Garbage(String),
}

/// What a stranger sends.
#[derive(Clone, Debug)]
enum Input {
    /// Wrong passwords for the victim, so many in a row, each as early as it is let in.
    Guess(u8, Shown),
    /// Wrong passwords for the victim, without waiting.
    Hammer(u8, Shown),
    /// Wrong passwords for many other names.
    Spray(u8),
    /// Sign-ins to the stranger's own account.
    OwnSignIn,
    /// Refresh tokens that name the victim's session.
    Refresh(u8, u32),
    /// Refresh tokens that are none.
    GarbageRefresh(u8),
    /// Invitations that are none.
    Invitation(u8),
    /// Another node tells and is told, or this one does.
    Flush,
    /// Time passes, or the clock is set back.
    Clock(i64),
}

#[derive(Clone, Debug)]
struct Case {
    inputs: Vec<(Input, Place)>,
    restarted: bool,
}

/// Where a stranger is.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// At the victim's own address.
    Home,
    /// In the victim's network.
    Near(u8),
    /// Anywhere.
    Away(u32),
}

impl Place {
    fn address(self) -> IpAddr {
        let [a, b, c, _] = HOME;
        match self {
            Self::Home => HOME.into(),
            Self::Near(host) => [a, b, c, host].into(),
            Self::Away(bits) => bits.to_be_bytes().into(),
        }
    }
}

fn case() -> impl Strategy<Value = Case> {
    let shown = prop_oneof![
        3 => Just(Shown::None),
        1 => Just(Shown::Own),
        1 => (any::<Index>(), 0_u8..7).prop_map(|(at, bit)| Shown::Spoilt(at, bit)),
        1 => "(cyd1_)?[0-9a-z_.]{0,150}".prop_map(Shown::Garbage),
    ];
    let input = prop_oneof![
        4 => (1_u8..30, shown.clone()).prop_map(|(many, shown)| Input::Guess(many, shown)),
        2 => (1_u8..100, shown).prop_map(|(many, shown)| Input::Hammer(many, shown)),
        2 => (1_u8..200).prop_map(Input::Spray),
        1 => Just(Input::OwnSignIn),
        2 => (1_u8..200, any::<u32>()).prop_map(|(many, to)| Input::Refresh(many, to)),
        2 => (1_u8..200).prop_map(Input::GarbageRefresh),
        1 => (1_u8..100).prop_map(Input::Invitation),
        2 => Just(Input::Flush),
        2 => (-7_200_i64..7_200).prop_map(Input::Clock),
    ];
    let place = prop_oneof![
        2 => Just(Place::Home),
        1 => any::<u8>().prop_map(Place::Near),
        1 => any::<u32>().prop_map(Place::Away),
    ];
    let inputs = prop::collection::vec((input, place), 1..12);
    (inputs, any::<bool>()).prop_map(|(inputs, restarted)| Case { inputs, restarted })
}

/// No input of a stranger ends another person's session or keeps a recognised client of theirs from signing in.
///
/// Strangers guess, hammer, spray, forge refresh tokens and invitations, show
/// device tokens of their own and spoilt ones, from the victim's address too,
/// while time passes and the clock is set back. The victim's session is
/// refreshed all the while, and a recognised client signs in at the first try.
/// In half of the cases the server starts anew at the end: the recognised
/// client still signs in at once, and the session is still there.
///
/// # Panics
///
/// At the first case that breaks it.
pub async fn auth_2<F, G>(fresh: F) -> Tally
where
    F: Fn() -> G,
    G: Future<Output = Arc<dyn IdentityStore>>,
{
    let mut tally = Tally::default();
    for case in cases(&case()) {
        let site = Site::new(fresh().await, Arc::new(ManualClock::default()), 2);
        run(&site, &case, &mut tally).await;
    }
    tally
}

/// The site with what its strangers have.
struct Scene<'a> {
    site: &'a Site,
    /// A device token of the strangers' own account.
    own: SecretString,
    victim: SignedIn,
}

async fn run(site: &Site, case: &Case, tally: &mut Tally) {
    let founded = site.found().await;
    join(site, founded.org.id).await;
    let own = sign_in(site, "eve@example.com", PASSWORD, None, caller(HOME.into())).await;
    let own = own.unwrap_or_else(|error| panic!("{error}"));
    let victim = sign_in(site, VICTIM, PASSWORD, None, caller(HOME.into())).await;
    let mut scene = Scene {
        site,
        own: token(&own),
        victim: victim.unwrap_or_else(|error| panic!("{error}")),
    };
    let mut slowed = false;
    for (input, place) in &case.inputs {
        slowed |= play(&scene, input, place.address()).await;
        let refreshed = refresh(site, &scene.victim.refresh_token).await;
        let refreshed = refreshed
            .unwrap_or_else(|error| panic!("{case:?}: the session is over or delayed: {error}"));
        let device_token = scene.victim.device_token;
        scene.victim = SignedIn {
            device_token,
            ..refreshed
        };
    }
    let restarted;
    let after = if case.restarted {
        site.flush().await;
        restarted = site.again();
        &restarted
    } else {
        site
    };
    let device = token(&scene.victim);
    let answer = sign_in(after, VICTIM, PASSWORD, Some(device), caller(HOME.into())).await;
    let signed_in = answer.unwrap_or_else(|error| panic!("{case:?}: kept out: {error}"));
    assert!(signed_in.recognised, "{case:?}");
    let stored = after.store.session(scene.victim.session.id).await;
    let stored = stored.unwrap_or_else(|error| panic!("{error}"));
    let session = stored.unwrap_or_else(|| panic!("{case:?}: the session is gone"));
    assert_eq!(session.session.ended_at, None, "{case:?}");
    tally.count(match (slowed, case.restarted) {
        (true, true) => "strangers slowed down, server started anew: let in",
        (true, false) => "strangers slowed down: let in",
        (false, _) => "strangers not slowed down: let in",
    });
}

/// Eve, who is nobody's friend and has an account.
async fn join(site: &Site, org: crate::domain::OrgId) {
    let issuer = crate::domain::CtxIssuer::for_composition();
    let by = issuer.org(org, RoleName::OWNER, Caller::system("property"));
    let invited = site
        .identity
        .invite(&by, parsed("eve@example.com"), RoleName::VIEWER)
        .await;
    let invited = invited.unwrap_or_else(|error| panic!("{error}"));
    let account = crate::service::NewAccount {
        name: parsed("Eve"),
        password: PASSWORD.into(),
    };
    let accepted = site
        .identity
        .accept_as_new(&invited.token, Some(account), &Caller::system("property"))
        .await;
    accepted.unwrap_or_else(|error| panic!("{error}"));
}

/// Sends what a stranger sends; `true` if one was told to wait.
async fn play(scene: &Scene<'_>, input: &Input, from: IpAddr) -> bool {
    let site = scene.site;
    match input {
        Input::Guess(many, shown) => {
            let mut slowed = false;
            for _ in 0..*many {
                if let Some(wait) = guess(scene, VICTIM, shown, from).await {
                    slowed = true;
                    site.clock.advance(wait.min(Duration::from_secs(60)));
                }
            }
            slowed
        }
        Input::Hammer(many, shown) => {
            let mut slowed = false;
            for _ in 0..*many {
                slowed |= guess(scene, VICTIM, shown, from).await.is_some();
            }
            slowed
        }
        Input::Spray(many) => {
            let mut slowed = false;
            for number in 0..*many {
                let name = format!("{number}@example.com");
                slowed |= guess(scene, &name, &Shown::None, from).await.is_some();
            }
            slowed
        }
        Input::OwnSignIn => {
            let answer = sign_in(site, "eve@example.com", PASSWORD, None, caller(from)).await;
            matches!(answer, Err(SignInError::SlowDown(_)))
        }
        Input::Refresh(many, generation) => {
            let session = scene.victim.session.id;
            let forged = (0..*many).map(|number| {
                let mac = "A".repeat(43);
                let generation = generation.wrapping_add(number.into());
                format!("cyr1_1.{session}.{generation}.{mac}")
            });
            forge(site, forged, from).await
        }
        Input::GarbageRefresh(many) => {
            let forged = (0..*many).map(|number| format!("cyr1_{number}"));
            forge(site, forged, from).await
        }
        Input::Invitation(many) => {
            let mut slowed = false;
            for number in 0..*many {
                let token: SecretString = format!("cyi_{number}").into();
                let answer = site
                    .identity
                    .accept_as_new(&token, None, &caller(from))
                    .await;
                slowed |= matches!(answer, Err(AcceptError::SlowDown(_)));
            }
            slowed
        }
        Input::Flush => {
            site.flush().await;
            false
        }
        Input::Clock(seconds) => {
            let by = Duration::from_secs(seconds.unsigned_abs());
            let now = crate::ports::Clock::now(site.clock.as_ref());
            let to = if *seconds < 0 {
                now.before(by)
            } else {
                now.after(by)
            };
            // The session is younger than the clock's steps: it does not end by itself.
            let signed_in = scene.victim.session.created_at;
            site.clock.set(to.max(signed_in));
            false
        }
    }
}

/// One wrong password; how long to wait, if it was not looked at.
async fn guess(scene: &Scene<'_>, name: &str, shown: &Shown, from: IpAddr) -> Option<Duration> {
    let shown = match shown {
        Shown::None => None,
        Shown::Own => Some(scene.own.clone()),
        Shown::Spoilt(at, bit) => {
            let mut bytes = token(&scene.victim).expose_secret().as_bytes().to_vec();
            let at = at.index(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
            let spoilt = String::from_utf8(bytes);
            Some(spoilt.unwrap_or_else(|e| panic!("seven bits: {e}")).into())
        }
        Shown::Garbage(text) => Some(text.clone().into()),
    };
    match sign_in(scene.site, name, "a wrong pass phrase", shown, caller(from)).await {
        Err(SignInError::SlowDown(slow)) => Some(slow.retry_after),
        Err(SignInError::InvalidCredentials) => None,
        other => panic!("a wrong password: {other:?}"),
    }
}

async fn forge(site: &Site, tokens: impl Iterator<Item = String>, from: IpAddr) -> bool {
    let mut slowed = false;
    for token in tokens {
        let token: SecretString = token.into();
        match site.identity.refresh(&token, None, &caller(from)).await {
            Err(RefreshError::SlowDown(_)) => slowed = true,
            Err(RefreshError::InvalidGrant) => {}
            other => panic!("a forged token: {other:?}"),
        }
    }
    slowed
}

fn token(signed_in: &SignedIn) -> SecretString {
    let token = signed_in.device_token.clone();
    token.unwrap_or_else(|| panic!("a sign-in gives a device token"))
}

fn caller(from: IpAddr) -> Caller {
    Caller {
        actor: Actor::Anonymous,
        origin: RequestOrigin {
            ip_address: Some(from),
            user_agent: None,
        },
        request_id: None,
    }
}

async fn sign_in(
    site: &Site,
    name: &str,
    password: &str,
    device_token: Option<SecretString>,
    caller: Caller,
) -> Result<SignedIn, SignInError> {
    let credentials = Credentials {
        email: name.to_owned(),
        password: password.into(),
        org: None,
        device_token,
        totp: None,
    };
    site.identity.sign_in(credentials, &caller).await
}

async fn refresh(site: &Site, token: &SecretString) -> Result<SignedIn, RefreshError> {
    let caller = caller(HOME.into());
    site.identity.refresh(token, None, &caller).await
}
