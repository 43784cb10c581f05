//! Showing a credential again, and what organizations and the administrator do about factors.

use std::time::Duration;

use cyprob_core::domain::audit::Action;
use cyprob_core::domain::{Aal, Revocation, RoleName};
use cyprob_core::ports::Clock;
use cyprob_core::ports::store::{OrgUpdate, PolicyUpdate};
use cyprob_core::service::{
    Credentials, FactorError, OrgError, RefreshError, SignInError, SignedIn, StepUpError,
};
use secrecy::ExposeSecret;

use crate::factors::{ADA, PATIENCE, actions, code, enrol, next_code, refresh, try_with};
use crate::house::{House, OTHER, PASSWORD, credentials, parsed, stranger};

fn required(factor: bool) -> OrgUpdate {
    OrgUpdate {
        name: None,
        policy: PolicyUpdate {
            factor_required: Some(factor),
            ..PolicyUpdate::default()
        },
    }
}

pub(crate) async fn a_step_up_renews_the_sign_in_and_rotates_the_tokens(house: House) {
    let founded = house.found().await;
    let mine = house.sign_in(ADA).await;
    let (identity, by) = (&house.identity, house.user(&mine));
    house.clock.advance(Duration::from_secs(400));
    house.events().await;
    let refused = identity.step_up(&by, None, Some(OTHER.into()), None).await;
    assert!(matches!(refused, Err(StepUpError::InvalidCredentials)));
    assert_eq!(actions(&house).await, [Action::SessionStepUpRefused]);
    house.clock.advance(PATIENCE);
    let refused = identity.step_up(&by, None, None, None).await;
    assert!(matches!(refused, Err(StepUpError::PasswordNeeded)));
    let org = Some(founded.org.id);
    let stepped = identity
        .step_up(&by, org, Some(PASSWORD.into()), None)
        .await;
    let stepped = stepped.unwrap();
    assert_eq!(stepped.session.auth_time, house.clock.now());
    assert_eq!(stepped.session.aal, Aal::One);
    let for_org = stepped.scope.membership.as_ref().map(|it| it.org);
    assert_eq!(for_org, org);
    assert_eq!(actions(&house).await, [Action::SessionSteppedUp]);
    // A new session token, and the old one is a used one (ASVS 7.2.4).
    house.clock.advance(Duration::from_secs(11));
    let refreshed = refresh(&house, &stepped.refresh_token, None);
    assert_eq!(
        refreshed.await.unwrap().session.auth_time,
        stepped.session.auth_time
    );
    let theft = identity
        .refresh(&mine.refresh_token, None, &stranger())
        .await;
    assert!(matches!(theft, Err(RefreshError::InvalidGrant)));
    let refused = identity.step_up(&by, None, Some(PASSWORD.into()), None);
    assert!(matches!(refused.await, Err(StepUpError::InvalidGrant)));
}

pub(crate) async fn asvs_7_5_3_who_has_a_factor_steps_up_with_it(house: House) {
    house.found().await;
    let (secret, activated, goes_on) = enrol(&house).await;
    let (identity, by) = (&house.identity, house.user(&goes_on));
    house.clock.advance(Duration::from_secs(400));
    let refused = identity.step_up(&by, None, Some(PASSWORD.into()), None);
    assert!(matches!(refused.await, Err(StepUpError::MfaRequired)));
    let shown = next_code(&house, &secret);
    // What is given beyond the factor must be right too, and uses nothing up if it is not.
    let refused = identity.step_up(&by, None, Some(OTHER.into()), Some(&shown));
    assert!(matches!(
        refused.await,
        Err(StepUpError::InvalidCredentials)
    ));
    let stepped = identity.step_up(&by, None, None, Some(&shown)).await;
    let stepped = stepped.unwrap();
    assert_eq!(stepped.session.aal, Aal::Two);
    assert_eq!(stepped.session.auth_time, house.clock.now());
    house.events().await;
    let refused = identity.step_up(&by, None, None, Some(&shown)).await;
    assert!(
        matches!(refused, Err(StepUpError::MfaRequired)),
        "a used code"
    );
    assert_eq!(actions(&house).await, [Action::FactorRefused]);
    house.clock.advance(PATIENCE);
    let recovery = activated.recovery_codes[0].text();
    identity
        .step_up(&by, None, None, Some(&recovery))
        .await
        .unwrap();
    let refused = identity.step_up(&by, None, None, Some(&recovery)).await;
    assert!(matches!(refused, Err(StepUpError::MfaRequired)));
}

pub(crate) async fn asvs_6_5_6_the_administrator_resets_a_lost_factor(house: House) {
    let founded = house.found().await;
    let (_, _, goes_on) = enrol(&house).await;
    let by = house.deployment(founded.user.id);
    house.events().await;
    house
        .identity
        .reset_factor(&by, founded.user.id)
        .await
        .unwrap();
    let events = house.events().await;
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(event.action, Action::FactorReset);
    assert_eq!(event.actor.user(), Some(founded.user.id));
    let refused = refresh(&house, &goes_on.refresh_token, None);
    assert!(matches!(refused.await, Err(RefreshError::InvalidGrant)));
    let refused = house.identity.reset_factor(&by, founded.user.id).await;
    assert!(matches!(refused, Err(FactorError::NoFactor)));
    assert_eq!(try_with(&house, None).await.unwrap().session.aal, Aal::One);
}

pub(crate) async fn asvs_6_3_3_an_organization_lets_in_who_has_a_factor(house: House) {
    let founded = house.found().await;
    let acme = |who: &SignedIn| house.org_of(who, founded.org.id, RoleName::OWNER);
    let identity = &house.identity;
    let weak = house.sign_in(ADA).await;
    let refused = identity.update_org(&acme(&weak), &required(true)).await;
    assert!(
        matches!(refused, Err(OrgError::FactorRequired)),
        "a lockout"
    );
    let plain = house.org(founded.org.id, founded.user.id, RoleName::OWNER);
    house
        .member(&plain, "bob@example.com", RoleName::VIEWER)
        .await;
    let bob = house.sign_in("bob@example.com").await;
    assert!(bob.scope.membership.is_some());

    let (_, _, strong) = enrol(&house).await;
    let updated = identity.update_org(&acme(&strong), &required(true)).await;
    assert!(updated.unwrap().policy.factor_required);
    let ended = Revocation::Grant(bob.session.id, founded.org.id);
    let published = house.feed.published();
    assert!(published.iter().any(|it| it.what == ended), "{published:?}");
    // Who has a factor goes on; who has none gets no token of it, by no way.
    let named = Some(parsed("acme"));
    let refreshed = refresh(&house, &strong.refresh_token, named.as_ref());
    assert!(refreshed.await.unwrap().scope.membership.is_some());
    let by = house.user(&bob);
    let refused = identity.org_token(&by, &parsed("acme")).await;
    assert!(matches!(refused, Err(RefreshError::FactorRequired)));
    let refused = refresh(&house, &bob.refresh_token, named.as_ref());
    assert!(matches!(refused.await, Err(RefreshError::FactorRequired)));
    let to_acme = Credentials {
        org: named,
        ..credentials("bob@example.com", PASSWORD)
    };
    let refused = identity.sign_in(to_acme, &stranger()).await;
    assert!(matches!(refused, Err(SignInError::FactorRequired)));
    // Without naming it: signed in to no organization, where a factor can be set up.
    let bare = house.sign_in("bob@example.com").await;
    assert!(bare.scope.membership.is_none());
    let by = house.user(&bare);
    let new = identity.begin_factor(&by, None).await.unwrap();
    let shown = code(&house, &new.secret);
    let activated = identity.confirm_factor(&by, &shown, true).await.unwrap();
    let scope = activated.signed_in.unwrap().scope;
    assert!(scope.membership.is_some(), "let in with the factor");
    // The factor stays as long as the organization asks for it.
    let shown = next_code(&house, &new.secret);
    let kept = identity.remove_factor(&by, PASSWORD.into(), &shown, true);
    assert!(matches!(kept.await, Err(FactorError::Required)));
    identity
        .update_org(&acme(&strong), &required(false))
        .await
        .unwrap();
    let removed = identity.remove_factor(&by, PASSWORD.into(), &shown, true);
    removed.await.unwrap();
}

pub(crate) async fn a_machine_needs_no_factor_and_says_nothing_of_it(house: House) {
    let founded = house.found().await;
    let (_, _, strong) = enrol(&house).await;
    let ada = house.org_of(&strong, founded.org.id, RoleName::OWNER);
    let identity = &house.identity;
    let made = identity
        .create_service_account(&ada, parsed("Pipeline"), RoleName::ADMIN)
        .await;
    let account = made.unwrap().account.id;
    let until = house.clock.now().after(Duration::from_secs(86_400));
    let key = identity.create_service_key(&ada, account, until).await;
    let key = key.unwrap();
    let machine = house.service(ada.org(), account, RoleName::ADMIN, &ada);
    let asked = identity.update_org(&machine, &required(true)).await;
    assert!(matches!(asked, Err(OrgError::NotAPerson)));
    let policy = identity.org(&ada).await.unwrap().policy;
    assert!(!policy.factor_required);

    let updated = identity.update_org(&ada, &required(true)).await;
    assert!(updated.unwrap().policy.factor_required);
    let grant = identity.exchange_key(&key.text, &stranger()).await;
    assert_eq!(grant.unwrap().holder.account.id, account);
    let lifted = identity.update_org(&machine, &required(false)).await;
    assert!(matches!(lifted, Err(OrgError::NotAPerson)));
    let rename = OrgUpdate {
        name: Some(parsed("Acme & Co")),
        policy: PolicyUpdate::default(),
    };
    let renamed = identity.update_org(&machine, &rename).await.unwrap();
    assert!(renamed.policy.factor_required, "it stays");
}

pub(crate) async fn no_secret_reaches_an_event_or_debug(house: House) {
    house.found().await;
    let (secret, activated, goes_on) = enrol(&house).await;
    let shown = next_code(&house, &secret);
    try_with(&house, Some(&shown)).await.unwrap();
    try_with(&house, Some(&activated.recovery_codes[0].text()))
        .await
        .unwrap();
    let by = house.user(&goes_on);
    let factor = house.identity.second_factor(&by).await.unwrap();
    let told = format!(
        "{:?} {secret:?} {activated:?} {goes_on:?} {factor:?} {:?}",
        house.events().await,
        credentials(ADA, PASSWORD)
    );
    let mut secrets = vec![secret.base32(), shown];
    secrets.extend(activated.recovery_codes.iter().map(|code| code.text()));
    for secret in &secrets {
        assert!(!told.contains(secret.expose_secret()), "a secret shows");
    }
    let sealed = factor.unwrap().secret;
    let bytes = sealed.as_bytes();
    let text = String::from_utf8_lossy(bytes);
    assert!(!text.contains(secret.base32().expose_secret()));
}
