//! What one who has stolen a session, a token, a code or a password can do about a factor.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::audit::Action;
use cyprob_core::domain::{Aal, OrgRef, RoleName, TotpSecret, TotpStep};
use cyprob_core::ports::Clock;
use cyprob_core::ports::store::{OrgUpdate, PolicyUpdate};
use cyprob_core::service::{
    Credentials, FactorError, RefreshError, SignInError, SignedIn, StepUpError,
};
use secrecy::SecretString;

use crate::factors::{ADA, PATIENCE, actions, code, enrol, next_code, refresh, try_with};
use crate::house::{House, OTHER, PASSWORD, credentials, parsed, stranger};
use crate::resets::{mail, token};

const BOB: &str = "bob@example.com";

/// How many notices of a changed factor were sent since the last time.
async fn told(house: &House) -> usize {
    let sent = mail(house).await;
    let of = |it: &&cyprob_core::domain::Notification| it.message.kind() == "factor_changed";
    sent.iter().filter(of).count()
}

pub(crate) async fn asvs_6_3_7_whatever_happens_to_a_factor_is_told(house: House) {
    let founded = house.found().await;
    let (secret, activated, goes_on) = enrol(&house).await;
    assert_eq!(told(&house).await, 1, "set up");
    let shown = next_code(&house, &secret);
    try_with(&house, Some(&shown)).await.unwrap();
    try_with(&house, Some(&shown)).await.unwrap_err();
    assert_eq!(told(&house).await, 0, "shown");
    let recovery = activated.recovery_codes[0].text();
    try_with(&house, Some(&recovery)).await.unwrap();
    assert_eq!(told(&house).await, 1, "a recovery code was used");
    let (identity, by) = (&house.identity, house.user(&goes_on));
    identity.replace_recovery_codes(&by).await.unwrap();
    assert_eq!(told(&house).await, 1, "the recovery codes were replaced");
    let shown = next_code(&house, &secret);
    let removed = identity.remove_factor(&by, PASSWORD.into(), &shown, false);
    removed.await.unwrap();
    assert_eq!(told(&house).await, 1, "removed");
    enrol(&house).await;
    assert_eq!(told(&house).await, 1, "set up anew");
    let by = house.deployment(founded.user.id);
    identity.reset_factor(&by, founded.user.id).await.unwrap();
    assert_eq!(told(&house).await, 1, "reset");
}

/// Whoever reads the mail has the password, and not the factor.
pub(crate) async fn asvs_6_4_3_a_reset_by_mail_keeps_the_factor(house: House) {
    house.found().await;
    let (secret, activated, _) = enrol(&house).await;
    let token = token(&house, ADA).await;
    // Beside a factor the shorter password is enough.
    let password = "acht Uhr";
    let stranger = stranger();
    let reset = house
        .identity
        .reset_password(&token, password.into(), &stranger);
    reset.await.unwrap();
    let with = async |code: Option<SecretString>| {
        house.clock.advance(PATIENCE);
        let credentials = Credentials {
            totp: code,
            ..credentials(ADA, password)
        };
        house.identity.sign_in(credentials, &stranger).await
    };
    for code in [None, Some("000000".into())] {
        let refused = with(code).await;
        assert!(matches!(refused, Err(SignInError::MfaRequired)));
    }
    let signed_in = with(Some(next_code(&house, &secret))).await.unwrap();
    assert_eq!(signed_in.session.aal, Aal::Two);
    let recovery = activated.recovery_codes[0].text();
    with(Some(recovery)).await.unwrap();
}

/// Who holds the token of a session that is setting a factor up must not confirm it by guessing:
/// its recovery codes would be theirs.
pub(crate) async fn asvs_6_3_1_guesses_at_a_new_factor_slow_down(house: House) {
    house.found().await;
    let mine = house.sign_in(ADA).await;
    let (identity, by) = (&house.identity, house.user(&mine));
    let new = identity.begin_factor(&by, None).await.unwrap();
    house.events().await;
    let mut looked_at = 0;
    for _ in 0..1_000 {
        match identity.confirm_factor(&by, &"000000".into(), true).await {
            Err(FactorError::WrongCode) => looked_at += 1,
            Err(FactorError::SlowDown(_)) => {}
            other => panic!("{other:?}"),
        }
        house.clock.advance(Duration::from_millis(100));
    }
    assert!(looked_at < 15, "{looked_at} guesses in 100 seconds");
    assert_eq!(
        actions(&house).await,
        vec![Action::FactorRefused; looked_at]
    );
    let right = code(&house, &new.secret);
    house.clock.advance(PATIENCE);
    let confirmed = identity.confirm_factor(&by, &right, true).await;
    assert!(confirmed.is_ok(), "its owner only waits");
}

pub(crate) async fn a_sign_in_that_a_new_factor_overtakes_opens_nothing(house: House) {
    house.found().await;
    let mine = house.sign_in(ADA).await;
    let by = house.user(&mine);
    let new = house.identity.begin_factor(&by, None).await.unwrap();
    house.hasher.hold().await;
    let identity = Arc::clone(&house.identity);
    let thief = tokio::spawn(async move {
        identity
            .sign_in(credentials(ADA, PASSWORD), &stranger())
            .await
    });
    house.hasher.arrived(1).await;
    let shown = code(&house, &new.secret);
    let confirmed = house.identity.confirm_factor(&by, &shown, true).await;
    confirmed.unwrap();
    house.hasher.release();
    let refused = thief.await.unwrap();
    assert!(
        matches!(
            refused,
            Err(SignInError::MfaRequired | SignInError::InvalidCredentials)
        ),
        "{refused:?}"
    );
}

pub(crate) async fn a_step_up_freshens_its_own_session_alone(house: House) {
    house.found().await;
    let (secret, _, one) = enrol(&house).await;
    let shown = next_code(&house, &secret);
    let other = try_with(&house, Some(&shown)).await.unwrap();
    house.clock.advance(Duration::from_secs(400));
    let (identity, shown) = (&house.identity, next_code(&house, &secret));
    let by = house.user(&one);
    let stepped = identity.step_up(&by, None, None, Some(&shown)).await;
    let stepped = stepped.unwrap();
    assert!(stepped.session.auth_time > other.session.auth_time);
    let after = refresh(&house, &other.refresh_token, None).await.unwrap();
    assert_eq!(after.session.auth_time, other.session.auth_time);
    // The code of one session is used up for the other.
    let by = house.user(&other);
    let refused = identity.step_up(&by, None, None, Some(&shown)).await;
    assert!(matches!(refused, Err(StepUpError::MfaRequired)));
    // One person's code is none of another's.
    let by = house.user(&SignedIn {
        user: bob(&house, &one).await,
        ..other
    });
    let refused = identity.step_up(&by, None, None, Some(&shown)).await;
    assert!(matches!(refused, Err(StepUpError::InvalidGrant)));
}

/// Bob, a member of Ada's organization.
async fn bob(house: &House, ada: &SignedIn) -> cyprob_core::domain::User {
    let org = ada.memberships[0].org;
    let by = house.org(org, ada.user.id, RoleName::OWNER);
    house.member(&by, BOB, RoleName::VIEWER).await.user
}

pub(crate) async fn a_disabled_person_shows_and_sets_up_nothing(house: House) {
    let founded = house.found().await;
    let ada = house.sign_in(ADA).await;
    let bob = bob(&house, &ada).await;
    let mine = house.sign_in(BOB).await;
    let (identity, by) = (&house.identity, house.user(&mine));
    let new = identity.begin_factor(&by, None).await.unwrap();
    let shown = code(&house, &new.secret);
    let confirmed = identity.confirm_factor(&by, &shown, true).await.unwrap();
    let mine = confirmed.signed_in.unwrap();
    let administrator = house.deployment(founded.user.id);
    let disabled = identity.disable_user(&administrator, bob.id, "left");
    disabled.await.unwrap();

    let (by, shown) = (house.user(&mine), next_code(&house, &new.secret));
    let refused = identity.step_up(&by, None, None, Some(&shown)).await;
    assert!(matches!(refused, Err(StepUpError::InvalidGrant)));
    let refused = identity.begin_factor(&by, Some(&shown)).await;
    assert!(matches!(refused, Err(FactorError::Raced)));
    let refused = identity.replace_recovery_codes(&by).await;
    assert!(matches!(refused, Err(FactorError::Raced)));
    let refused = identity.remove_factor(&by, PASSWORD.into(), &shown, true);
    assert!(matches!(refused.await, Err(FactorError::Raced)));
    let with = || Credentials {
        totp: Some(shown.clone()),
        ..credentials(BOB, PASSWORD)
    };
    let refused = identity.sign_in(with(), &stranger()).await;
    assert!(matches!(refused, Err(SignInError::InvalidCredentials)));
    identity.enable_user(&administrator, bob.id).await.unwrap();
    house.clock.advance(Duration::from_secs(1));
    // None of it used the code up.
    identity.sign_in(with(), &stranger()).await.unwrap();
}

pub(crate) async fn what_showed_a_removed_factor_shows_nothing(house: House) {
    let founded = house.found().await;
    let (secret, activated, old) = enrol(&house).await;
    let identity = &house.identity;
    let by = house.deployment(founded.user.id);
    identity.reset_factor(&by, founded.user.id).await.unwrap();
    let stale = house.user(&old);
    let refused = identity.step_up(&stale, None, Some(PASSWORD.into()), None);
    assert!(matches!(refused.await, Err(StepUpError::InvalidGrant)));
    let refused = identity.begin_factor(&stale, None).await;
    assert!(matches!(refused, Err(FactorError::Raced)));

    let mine = house.sign_in(ADA).await;
    let by = house.user(&mine);
    for code in [
        next_code(&house, &secret),
        activated.recovery_codes[0].text(),
    ] {
        let alone = identity.step_up(&by, None, None, Some(&code)).await;
        assert!(matches!(alone, Err(StepUpError::PasswordNeeded)));
        let beside = identity.step_up(&by, None, Some(PASSWORD.into()), Some(&code));
        assert_eq!(beside.await.unwrap().session.aal, Aal::One);
    }
    // Nor does it show the factor that comes after.
    let (_, _, goes_on) = enrol(&house).await;
    let by = house.user(&goes_on);
    for code in [
        next_code(&house, &secret),
        activated.recovery_codes[0].text(),
    ] {
        house.clock.advance(PATIENCE);
        let refused = identity.step_up(&by, None, None, Some(&code)).await;
        assert!(matches!(refused, Err(StepUpError::MfaRequired)));
    }
}

pub(crate) async fn without_a_factor_no_way_leads_into_an_organization_that_requires_one(
    house: House,
) {
    let founded = house.found().await;
    let ada = house.sign_in(ADA).await;
    bob(&house, &ada).await;
    let weak = house.sign_in(BOB).await;
    let (_, _, ada) = enrol(&house).await;
    let acme = house.org_of(&ada, founded.org.id, RoleName::OWNER);
    let identity = &house.identity;
    let require = async |required: bool| {
        let policy = PolicyUpdate {
            factor_required: Some(required),
            ..PolicyUpdate::default()
        };
        let update = OrgUpdate { name: None, policy };
        identity.update_org(&acme, &update).await.unwrap();
    };
    require(true).await;
    let (by, org) = (house.user(&weak), founded.org.id);
    let stepped = identity
        .step_up(&by, Some(org), Some(PASSWORD.into()), None)
        .await;
    let stepped = stepped.unwrap();
    assert_eq!(stepped.scope.membership, None);
    assert_eq!(stepped.session.aal, Aal::One);
    let changed = identity.change_password(&by, PASSWORD.into(), OTHER.into(), true);
    let changed = changed.await.unwrap().unwrap();
    assert_eq!(changed.scope.membership, None);
    let named: OrgRef = parsed("acme");
    let refused = identity.org_token(&by, &named).await;
    assert!(matches!(refused, Err(RefreshError::FactorRequired)));
    let refreshed = refresh(&house, &changed.refresh_token, None).await.unwrap();
    assert_eq!(refreshed.scope.membership, None);
    // What was ended stays ended for the session when the rule goes.
    require(false).await;
    let refused = identity.org_token(&by, &named).await;
    assert!(matches!(refused, Err(RefreshError::SignInRequired)));
    let anew = house.try_sign_in(BOB, OTHER).await.unwrap();
    assert!(anew.scope.membership.is_some());
}

/// Guesses at a code are slowed down by themselves (identity.md): a right password forgives none.
pub(crate) async fn asvs_6_3_1_guesses_at_a_code_slow_down_apart(house: House) {
    house.found().await;
    let (secret, ..) = enrol(&house).await;
    let at_once = async |code: Option<SecretString>| {
        let credentials = Credentials {
            totp: code,
            ..credentials(ADA, PASSWORD)
        };
        house.identity.sign_in(credentials, &stranger()).await
    };
    let wrong = || Some("000000".into());
    let refused = at_once(wrong()).await;
    assert!(matches!(refused, Err(SignInError::MfaRequired)));
    for code in [wrong(), Some(next_code_now(&house, &secret))] {
        let refused = at_once(code).await;
        assert!(
            matches!(refused, Err(SignInError::SlowDown(_))),
            "{refused:?}"
        );
        let asked = at_once(None).await;
        assert!(matches!(asked, Err(SignInError::MfaRequired)));
    }
    let mut guessed = 1;
    while guessed < 100 {
        house.clock.advance(PATIENCE);
        let refused = at_once(wrong()).await;
        assert!(
            matches!(refused, Err(SignInError::MfaRequired)),
            "{guessed}"
        );
        guessed += 1;
    }
    // Like passwords: after a hundred in a row strangers cannot go on, whatever they show.
    house.clock.advance(PATIENCE);
    let shown = next_code(&house, &secret);
    let refused = at_once(Some(shown)).await;
    assert!(
        matches!(refused, Err(SignInError::SlowDown(_))),
        "{refused:?}"
    );
}

/// The code of the step that comes next.
fn next_code_now(house: &House, secret: &TotpSecret) -> SecretString {
    let step = TotpStep::at(house.clock.now()).get() + 1;
    secret.code(TotpStep::new(step)).unwrap().text()
}
