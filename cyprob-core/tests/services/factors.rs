//! Setting up, showing, replacing and removing second factors.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::audit::{Action, Outcome};
use cyprob_core::domain::{Aal, OrgRef, Revocation, RoleName, TotpSecret, TotpStep};
use cyprob_core::ports::Clock;
use cyprob_core::service::{
    ActivatedFactor, Credentials, FactorError, PasswordError, RefreshError, SignInError, SignedIn,
};
use secrecy::{ExposeSecret, SecretString};

use crate::house::{House, OTHER, PASSWORD, credentials, stranger};

/// Long enough after any failure for the next attempt.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
pub(crate) const ADA: &str = "ada@example.com";

/// What the application shows at this moment.
pub(crate) fn code(house: &House, secret: &TotpSecret) -> SecretString {
    let step = TotpStep::at(house.clock.now());
    secret.code(step).unwrap().text()
}

/// Moves on to a step whose code was never shown, and shows it.
pub(crate) fn next_code(house: &House, secret: &TotpSecret) -> SecretString {
    house.clock.advance(Duration::from_secs(30));
    code(house, secret)
}

pub(crate) async fn try_with(
    house: &House,
    code: Option<&SecretString>,
) -> Result<SignedIn, SignInError> {
    house.clock.advance(PATIENCE);
    let credentials = Credentials {
        totp: code.cloned(),
        ..credentials(ADA, PASSWORD)
    };
    house.identity.sign_in(credentials, &stranger()).await
}

/// Sets up a factor in a new session, which goes on.
pub(crate) async fn enrol(house: &House) -> (TotpSecret, ActivatedFactor, SignedIn) {
    let mine = house.sign_in(ADA).await;
    let by = house.user(&mine);
    let new = house.identity.begin_factor(&by, None).await.unwrap();
    let shown = code(house, &new.secret);
    let activated = house.identity.confirm_factor(&by, &shown, true).await;
    let mut activated = activated.unwrap();
    let goes_on = activated.signed_in.take().unwrap();
    (new.secret, activated, goes_on)
}

pub(crate) async fn refresh(
    house: &House,
    token: &SecretString,
    org: Option<&OrgRef>,
) -> Result<SignedIn, RefreshError> {
    house.identity.refresh(token, org, &stranger()).await
}

pub(crate) async fn actions(house: &House) -> Vec<Action> {
    let events = house.events().await;
    events.iter().map(|event| event.action).collect()
}

pub(crate) async fn setting_one_up_ends_every_other_session(house: House) {
    house.found().await;
    let other = house.sign_in(ADA).await;
    house.events().await;
    let (_, activated, goes_on) = enrol(&house).await;
    assert_eq!(activated.recovery_codes.len(), 10);
    assert_eq!(goes_on.session.aal, Aal::Two);
    let ended = house.feed.published();
    let epoch = Revocation::User(goes_on.user.id, goes_on.session.credential_epoch);
    assert!(ended.iter().any(|it| it.what == epoch), "{ended:?}");
    let refused = house
        .identity
        .refresh(&other.refresh_token, None, &stranger())
        .await;
    assert!(matches!(refused, Err(RefreshError::InvalidGrant)));
    let refreshed = house
        .identity
        .refresh(&goes_on.refresh_token, None, &stranger())
        .await;
    assert_eq!(refreshed.unwrap().session.aal, Aal::Two);
    let told = actions(&house).await;
    for action in [Action::FactorEnrolmentBegun, Action::FactorActivated] {
        assert_eq!(
            told.iter().filter(|it| **it == action).count(),
            1,
            "{told:?}"
        );
    }
}

pub(crate) async fn asvs_6_5_1_a_code_signs_in_once(house: House) {
    house.found().await;
    let (secret, activated, _) = enrol(&house).await;
    // The code that confirmed it is used up too.
    let confirmed = code(&house, &secret);
    let refused = try_with(&house, Some(&confirmed)).await;
    assert!(matches!(refused, Err(SignInError::MfaRequired)));
    let shown = next_code(&house, &secret);
    let signed_in = try_with(&house, Some(&shown)).await.unwrap();
    assert_eq!(signed_in.session.aal, Aal::Two);
    for used in [&shown, &confirmed] {
        let refused = try_with(&house, Some(used)).await;
        assert!(matches!(refused, Err(SignInError::MfaRequired)));
    }
    let recovery = activated.recovery_codes[3].text();
    house.events().await;
    assert_eq!(
        try_with(&house, Some(&recovery)).await.unwrap().session.aal,
        Aal::Two
    );
    assert!(actions(&house).await.contains(&Action::RecoveryCodeUsed));
    let refused = try_with(&house, Some(&recovery)).await;
    assert!(matches!(refused, Err(SignInError::MfaRequired)));
    let by = house.user(&signed_in);
    let factor = house.identity.second_factor(&by).await.unwrap().unwrap();
    assert_eq!(factor.recovery_codes_left, 9);
}

pub(crate) async fn of_two_sign_ins_with_one_code_one_wins(house: House) {
    house.found().await;
    let (secret, activated, _) = enrol(&house).await;
    let recovery = activated.recovery_codes[0].text();
    for shown in [next_code(&house, &secret), recovery] {
        house.clock.advance(PATIENCE);
        house.hasher.hold().await;
        let racers = [0, 1].map(|_| {
            let identity = Arc::clone(&house.identity);
            let credentials = Credentials {
                totp: Some(shown.clone()),
                ..credentials(ADA, PASSWORD)
            };
            tokio::spawn(async move { identity.sign_in(credentials, &stranger()).await })
        });
        house.hasher.arrived(2).await;
        house.hasher.release();
        let mut won = 0;
        for racer in racers {
            match racer.await.unwrap() {
                Ok(_) => won += 1,
                Err(SignInError::MfaRequired | SignInError::SlowDown(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(won, 1);
    }
}

/// Nobody learns of a factor who does not know the password, and not which code was wrong.
pub(crate) async fn a_wrong_password_learns_nothing_of_the_factor(house: House) {
    house.found().await;
    let (secret, activated, _) = enrol(&house).await;
    let shown = activated.recovery_codes[0].text();
    let right = next_code(&house, &secret);
    for code in [
        None,
        Some(shown.clone()),
        Some(right),
        Some("000000".into()),
    ] {
        house.clock.advance(PATIENCE);
        let credentials = Credentials {
            totp: code,
            ..credentials(ADA, OTHER)
        };
        let refused = house.identity.sign_in(credentials, &stranger()).await;
        assert!(matches!(refused, Err(SignInError::InvalidCredentials)));
    }
    for code in ["", "1", "000000", "abcdef-abcdef-abcdef-abcdef"] {
        let refused = try_with(&house, Some(&code.into())).await;
        assert!(matches!(refused, Err(SignInError::MfaRequired)), "{code}");
    }
    let refused = try_with(&house, None).await;
    assert!(matches!(refused, Err(SignInError::MfaRequired)));
    // None of it used the code up.
    try_with(&house, Some(&shown)).await.unwrap();
    // Wrong codes are counted apart from wrong passwords.
    house.events().await;
    house.identity.record_refusals().await.unwrap();
    let events = house.events().await;
    let reasons: Vec<_> = events
        .iter()
        .filter_map(|event| event.reason.as_deref())
        .collect();
    assert_eq!(reasons, ["invalid_credentials", "invalid_second_factor"]);
    assert!(events.iter().all(|it| it.outcome == Outcome::Denied));
}

pub(crate) async fn an_enrolment_is_its_sessions_alone_and_expires(house: House) {
    let founded = house.found().await;
    let acme = house.org(founded.org.id, founded.user.id, RoleName::OWNER);
    house
        .member(&acme, "eve@example.com", RoleName::VIEWER)
        .await;
    let eve = house.sign_in("eve@example.com").await;
    let (mine, other) = (house.sign_in(ADA).await, house.sign_in(ADA).await);
    let identity = &house.identity;
    let by = house.user(&mine);
    let new = identity.begin_factor(&by, None).await.unwrap();
    let shown = code(&house, &new.secret);
    for thief in [&other, &eve] {
        let thief = house.user(thief);
        let refused = identity.confirm_factor(&thief, &shown, true).await;
        assert!(matches!(refused, Err(FactorError::NoEnrolment)));
        // Nor does one of their own change whose secret is confirmed.
        let theirs = identity.begin_factor(&thief, None).await.unwrap();
        assert_ne!(
            theirs.secret.base32().expose_secret(),
            new.secret.base32().expose_secret()
        );
        let refused = identity.confirm_factor(&thief, &shown, true).await;
        assert!(matches!(refused, Err(FactorError::WrongCode)));
    }
    // Both wrong codes are recorded.
    let refused = |actions: Vec<Action>| {
        let of = |it: &&Action| **it == Action::FactorRefused;
        actions.iter().filter(of).count()
    };
    assert_eq!(refused(actions(&house).await), 2);
    house.clock.advance(Duration::from_secs(600));
    let late = code(&house, &new.secret);
    let refused = identity.confirm_factor(&by, &late, true).await;
    assert!(matches!(refused, Err(FactorError::NoEnrolment)), "too late");
    assert!(identity.second_factor(&by).await.unwrap().is_none());
    let again = identity.begin_factor(&by, None).await.unwrap();
    let refused = identity.confirm_factor(&by, &late, true).await;
    assert!(matches!(refused, Err(FactorError::WrongCode)));
    house.clock.advance(PATIENCE);
    let shown = code(&house, &again.secret);
    identity.confirm_factor(&by, &shown, true).await.unwrap();
    let refused = identity.confirm_factor(&by, &shown, true).await;
    assert!(matches!(refused, Err(FactorError::NoEnrolment)), "twice");
}

pub(crate) async fn asvs_7_5_1_a_present_factor_is_shown_for_another(house: House) {
    house.found().await;
    let (secret, activated, goes_on) = enrol(&house).await;
    let identity = &house.identity;
    let by = house.user(&goes_on);
    house.events().await;
    let used = code(&house, &secret);
    for wrong in [None, Some(&used), Some(&"000000".into())] {
        house.clock.advance(PATIENCE);
        let refused = identity.begin_factor(&by, wrong).await;
        assert!(matches!(refused, Err(FactorError::MfaRequired)));
    }
    assert_eq!(actions(&house).await, [Action::FactorRefused; 2]);
    let shown = next_code(&house, &secret);
    let new = identity.begin_factor(&by, Some(&shown)).await.unwrap();
    let confirmed = code(&house, &new.secret);
    let replaced = identity.confirm_factor(&by, &confirmed, false).await;
    assert!(replaced.unwrap().signed_in.is_none());
    // The old application and the old recovery codes are good for nothing.
    let old = [
        next_code(&house, &secret),
        activated.recovery_codes[0].text(),
    ];
    for code in &old {
        let refused = try_with(&house, Some(code)).await;
        assert!(matches!(refused, Err(SignInError::MfaRequired)));
    }
    let shown = next_code(&house, &new.secret);
    try_with(&house, Some(&shown)).await.unwrap();
}

pub(crate) async fn a_factor_goes_only_by_factor_and_password(house: House) {
    house.found().await;
    let (secret, activated, goes_on) = enrol(&house).await;
    let identity = &house.identity;
    let by = house.user(&goes_on);
    let wrong = "000000".into();
    let refused = identity.remove_factor(&by, PASSWORD.into(), &wrong, true);
    assert!(matches!(refused.await, Err(FactorError::MfaRequired)));
    let shown = next_code(&house, &secret);
    let refused = identity.remove_factor(&by, OTHER.into(), &shown, true);
    assert!(matches!(
        refused.await,
        Err(FactorError::InvalidCredentials)
    ));
    house.clock.advance(PATIENCE);
    let refused = identity.remove_factor(&by, "too short".into(), &shown, true);
    assert!(matches!(refused.await, Err(FactorError::Weak(_))));
    let removed = identity.remove_factor(&by, PASSWORD.into(), &shown, true);
    let goes_on = removed.await.unwrap().unwrap();
    assert_eq!(goes_on.session.aal, Aal::One);
    assert!(identity.second_factor(&by).await.unwrap().is_none());
    let signed_in = try_with(&house, None).await.unwrap();
    assert_eq!(signed_in.session.aal, Aal::One);
    let by = house.user(&goes_on);
    let code = activated.recovery_codes[0].text();
    let refused = identity.remove_factor(&by, PASSWORD.into(), &code, true);
    assert!(matches!(refused.await, Err(FactorError::NoFactor)));
}

pub(crate) async fn new_recovery_codes_void_the_old(house: House) {
    let founded = house.found().await;
    let (_, activated, goes_on) = enrol(&house).await;
    let by = house.user(&goes_on);
    let fresh = house.identity.replace_recovery_codes(&by).await.unwrap();
    assert_eq!(fresh.len(), 10);
    let old = activated.recovery_codes[0].text();
    let refused = try_with(&house, Some(&old)).await;
    assert!(matches!(refused, Err(SignInError::MfaRequired)));
    try_with(&house, Some(&fresh[9].text())).await.unwrap();
    let acme = house.org(founded.org.id, founded.user.id, RoleName::OWNER);
    house
        .member(&acme, "bob@example.com", RoleName::VIEWER)
        .await;
    let bob = house.user(&house.sign_in("bob@example.com").await);
    let refused = house.identity.replace_recovery_codes(&bob).await;
    assert!(matches!(refused, Err(FactorError::NoFactor)));
}

/// The reset does not bypass the factor, and the factor does not go with the password (ASVS 6.4.3).
pub(crate) async fn asvs_6_4_3_a_new_password_keeps_the_factor(house: House) {
    house.found().await;
    let (secret, _, goes_on) = enrol(&house).await;
    let by = house.user(&goes_on);
    let changed = house
        .identity
        .change_password(&by, PASSWORD.into(), OTHER.into(), true)
        .await;
    assert_eq!(changed.unwrap().unwrap().session.aal, Aal::Two);
    let with = |code: Option<SecretString>| Credentials {
        totp: code,
        ..credentials(ADA, OTHER)
    };
    let refused = house.identity.sign_in(with(None), &stranger()).await;
    assert!(matches!(refused, Err(SignInError::MfaRequired)));
    let shown = next_code(&house, &secret);
    let signed_in = house.identity.sign_in(with(Some(shown)), &stranger()).await;
    signed_in.unwrap();
    let change = |old: &str, new: &str| {
        let (old, new) = (old.into(), new.into());
        house.identity.change_password(&by, old, new, true)
    };
    let refused = change(PASSWORD, OTHER).await;
    assert!(matches!(refused, Err(PasswordError::InvalidCredentials)));
    house.clock.advance(PATIENCE);
    // Beside a factor eight characters are enough, and it may not go then.
    let refused = change(OTHER, "sieben!").await;
    assert!(matches!(refused, Err(PasswordError::Weak(_))));
    change(OTHER, "acht Uhr").await.unwrap();
    let shown = next_code(&house, &secret);
    let removed = house
        .identity
        .remove_factor(&by, "acht Uhr".into(), &shown, true);
    assert!(matches!(removed.await, Err(FactorError::Weak(_))));
}
