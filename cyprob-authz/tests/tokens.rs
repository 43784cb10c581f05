//! Tokens over their life: rings, times, the memory, jobs.

use std::sync::Arc;
use std::time::Duration;

use cyprob_authz::domain::{AccessClaims, Claims, JobClaims, KeyRing, KeyStatus, OrgClaims};
use cyprob_authz::service::{MintError, TokenError};
use cyprob_authz::testkit::{Narrow, Stand, at_once, narrow};
use cyprob_core::domain::{Revocation, RevocationEntry, RoleName, Timestamp};
use cyprob_core::ports::RevocationFeed as _;

#[test]
fn what_is_printed_of_the_control_holds_no_token() {
    let stand = Stand::new(11);
    let token = stand.mint(&stand.claims(None));
    assert!(stand.access.authenticate(&token, stand.now()).is_ok());
    assert_eq!(stand.access.verifier().cached().0, 1);
    for printed in [
        format!("{:?}", stand.access),
        format!("{:#?}", stand.access),
    ] {
        assert!(printed.contains("TokenCache"), "{printed}");
        // neither as text nor as a list of bytes
        let bytes = format!("{:?}", token.as_bytes());
        let start = bytes.trim_matches(['[', ']']).get(..40).unwrap();
        assert!(
            !printed.contains(&token[..20])
                && !printed
                    .replace(['\n', ' '], "")
                    .contains(&start.replace(' ', ""))
        );
    }
}

#[test]
fn claims_come_back_as_they_went_in() {
    let stand = Stand::new(1);
    for org in [None, Some(stand.org("acme", RoleName::AUDITOR))] {
        let claims = AccessClaims {
            administrator: org.is_none(),
            ..stand.claims(org)
        };
        let token = stand.mint(&claims);
        let principal = stand.access.authenticate(&token, stand.now()).unwrap();
        assert_eq!(principal.claims(), Claims::from(&claims));
        assert!(!principal.narrowings().any());
    }
    let role = stand.define("triage", "runs:read");
    let org = OrgClaims {
        version: Some(role.version),
        ..stand.org("acme", role.name)
    };
    let claims = stand.service(org);
    let token = stand.mint_service(&claims);
    let principal = stand.access.authenticate(&token, stand.now()).unwrap();
    assert_eq!(principal.claims(), Claims::from(&claims));
    assert!(principal.person().is_none());
    assert!(
        principal.permissions().is_empty(),
        "its version is not known yet"
    );
}

#[test]
fn a_token_lives_while_at_is_before_its_end() {
    let stand = Stand::new(1);
    let token = stand.token("acme", RoleName::OWNER);
    let minted = stand.now();
    let at = |seconds: i64| {
        let at = Timestamp::from_seconds(minted.as_seconds() + seconds);
        stand.access.authenticate(&token, at).map(drop)
    };
    assert_eq!(at(299), Ok(()));
    assert_eq!(at(300), Err(TokenError::Expired));
    // from the memory as from the cold
    assert_eq!(at(0), Ok(()));
    assert_eq!(at(300), Err(TokenError::Expired));
    // a clock that was set back far does not lengthen a token's life
    assert_eq!(at(-59), Ok(()));
    assert_eq!(at(-61), Err(TokenError::Times));
}

#[test]
fn no_token_is_minted_for_longer_than_fifteen_minutes() {
    let stand = Stand::new(1);
    let ends = |seconds| AccessClaims {
        expires_at: stand.now().after(Duration::from_secs(seconds)),
        ..stand.claims(None)
    };
    for (seconds, good) in [(0, false), (1, true), (900, true), (901, false)] {
        let minted = at_once(stand.minter.mint(&ends(seconds), &*stand.entropy));
        assert_eq!(minted.is_ok(), good, "{seconds}");
    }
    let past = JobClaims {
        fence: u64::MAX,
        ..stand.job()
    };
    assert!(matches!(
        at_once(stand.jobs.mint(&past, &*stand.entropy)),
        Err(MintError::Range)
    ));
}

#[test]
fn a_ring_that_changes_ends_its_tokens_at_once_even_from_the_memory() {
    let stand = Stand::new(1);
    let token = stand.token("acme", RoleName::OWNER);
    let ring = stand.access.verifier().ring();
    let check = || stand.access.authenticate(&token, stand.now()).map(drop);
    assert_eq!(check(), Ok(()));
    let key = stand.key.ring_key(Timestamp::UNIX_EPOCH);
    let with = |status| {
        let mut key = key.clone();
        key.status = status;
        ring.replace(KeyRing::new([key]).unwrap()).unwrap();
    };
    with(KeyStatus::VerifyOnly);
    assert_eq!(check(), Ok(()));
    with(KeyStatus::Revoked);
    assert_eq!(check(), Err(TokenError::UnknownKey));
    with(KeyStatus::Active);
    assert_eq!(check(), Ok(()));
    ring.replace(KeyRing::default()).unwrap();
    assert_eq!(check(), Err(TokenError::UnknownKey));
}

#[test]
fn another_audience_is_refused() {
    let stand = Stand::new(1);
    let claims = AccessClaims {
        audience: "https://elsewhere.test".parse().unwrap(),
        ..stand.claims(None)
    };
    let token = stand.mint(&claims);
    let verdict = stand.access.authenticate(&token, stand.now());
    assert_eq!(verdict.map(drop), Err(TokenError::Audience));
}

#[test]
fn a_revocation_holds_when_publish_returns() {
    let stand = Stand::new(1);
    let claims = stand.claims(Some(stand.org("acme", RoleName::OWNER)));
    let token = stand.mint(&claims);
    assert!(stand.access.authenticate(&token, stand.now()).is_ok());
    stand.revocations.publish(&[RevocationEntry {
        what: Revocation::Session(claims.session),
        expires_at: claims.expires_at,
    }]);
    let verdict = stand.access.authenticate(&token, stand.now());
    assert_eq!(verdict.map(drop), Err(TokenError::Revoked));
}

#[test]
fn one_session_fills_four_places_of_the_memory() {
    let stand = Stand::new(1);
    let other = stand.token("globex", RoleName::VIEWER);
    assert!(stand.access.authenticate(&other, stand.now()).is_ok());
    let token = stand.token("acme", RoleName::OWNER);
    for number in 0..500_u64 {
        let block = [Narrow::Before {
            second: 4_000_000_000 + number,
            inclusive: false,
        }];
        let token = narrow(&token, &block, &*stand.entropy).unwrap();
        assert!(stand.access.authenticate(&token, stand.now()).is_ok());
    }
    assert_eq!(stand.access.verifier().cached().0, 5);
}

#[test]
fn the_memory_stays_in_its_bytes() {
    use cyprob_authz::service::{CacheLimits, LiveRing, TokenVerifier};
    let stand = Stand::new(1);
    let ring = KeyRing::new([stand.key.ring_key(Timestamp::UNIX_EPOCH)]).unwrap();
    let limits = CacheLimits { bytes: 64 << 10 };
    let ring = LiveRing::new(ring).unwrap();
    let verifier = TokenVerifier::new(ring.clone(), ring, stand.audience.clone(), limits);
    for _ in 0..400 {
        let token = stand.token("acme", RoleName::OWNER);
        let first = verifier.verify(&token, stand.now()).unwrap();
        assert_eq!(first.key().get(), 1);
        assert!(verifier.cached().1 <= limits.bytes);
    }
    let (count, bytes) = verifier.cached();
    assert!(count > 16 && bytes > limits.bytes / 2, "{count} {bytes}");
}

#[test]
fn the_memory_serves_many_threads() {
    let stand = Arc::new(Stand::new(1));
    let tokens: Vec<String> = (0..20)
        .map(|_| stand.token("acme", RoleName::OWNER))
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..200 {
                    let token = &tokens[round % tokens.len()];
                    assert!(stand.access.authenticate(token, stand.now()).is_ok());
                }
            });
        }
    });
    assert_eq!(stand.access.verifier().cached().0, 20);
}

#[test]
fn a_job_token_says_one_attempt_and_nothing_else() {
    let stand = Stand::new(1);
    let claims = stand.job();
    let token = stand.mint_job(&claims);
    let (read, ctx) = stand
        .access
        .admit_worker(&token, stand.now(), None)
        .unwrap();
    assert_eq!(read, claims);
    assert_eq!(ctx.org(), claims.org);
    let late = claims.deadline;
    let verdict = stand.access.admit_worker(&token, late, None).map(drop);
    assert_eq!(verdict, Err(TokenError::Expired));
    let reads = Narrow::Permissions {
        names: vec!["runs:read".into()],
        set: false,
    };
    // it is sealed: nobody appends
    assert!(narrow(&token, &[reads], &*stand.entropy).is_err());
}

#[test]
fn nothing_secret_is_printed() {
    let stand = Stand::new(1);
    let token = stand.token("acme", RoleName::OWNER);
    let principal = stand.access.authenticate(&token, stand.now()).unwrap();
    let shown = format!("{stand:?} {principal:?} {:?}", stand.key);
    assert!(!shown.contains(&token[..40]));
    assert_eq!(
        format!("{:?}", stand.key),
        "SigningKey { id: RootKeyId(1), .. }"
    );
}
