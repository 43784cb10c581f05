//! Changing and verifying the address of an account.

use std::time::Duration;

use cyprob_core::domain::audit::{Action, Outcome};
use cyprob_core::domain::{Message, Notification, RoleName};
use cyprob_core::service::{EmailError, EmailTokenError, RefreshError, ResetError, SignedIn};
use secrecy::SecretString;

use crate::house::{House, OTHER, PASSWORD, parsed, stranger};
use crate::resets;

const ADA: &str = "ada@example.com";
const NEW: &str = "ada@example.net";

async fn ask(house: &House, who: &SignedIn, to: &str) -> Result<(), EmailError> {
    let by = house.user(who);
    let asked = house
        .identity
        .request_email(&by, parsed(to), PASSWORD.into());
    asked.await
}

fn confirmation(sent: &[Notification], to: &str) -> SecretString {
    let found = sent.iter().find_map(|it| match &it.message {
        Message::EmailConfirmation { token, .. } if it.to.as_str() == to => Some(token.clone()),
        _ => None,
    });
    found.expect("a confirmation")
}

async fn confirm(house: &House, token: &SecretString) -> Result<(), EmailTokenError> {
    house.identity.confirm_email(token, &stranger()).await
}

async fn moved(house: &House, who: &SignedIn, to: &str) {
    ask(house, who, to).await.unwrap();
    let token = confirmation(&resets::mail(house).await, to);
    confirm(house, &token).await.unwrap();
}

async fn is_over(house: &House, who: &SignedIn) -> bool {
    let answer = house
        .identity
        .refresh(&who.refresh_token, None, &stranger())
        .await;
    matches!(answer, Err(RefreshError::InvalidGrant))
}

pub(crate) async fn asvs_6_3_7_the_old_address_is_told_and_can_object(house: House) {
    house.found().await;
    let mine = house.sign_in(ADA).await;
    moved(&house, &mine, NEW).await;
    let sent = resets::mail(&house).await;
    let [notice] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert_eq!(notice.to.as_str(), ADA);
    let Message::EmailChanged { objection, .. } = &notice.message else {
        panic!("{notice:?}");
    };
    let thief = house.sign_in(NEW).await;
    house.events().await;
    let (identity, caller) = (&house.identity, stranger());
    identity.object_to_email(objection, &caller).await.unwrap();
    let events: Vec<_> = house
        .events()
        .await
        .into_iter()
        .map(|it| it.action)
        .collect();
    assert_eq!(events, [Action::EmailChangeObjected]);
    assert!(is_over(&house, &thief).await);
    // Whoever made the change knew the password: it opens nothing any more.
    house.try_sign_in(NEW, PASSWORD).await.unwrap_err();
    house.try_sign_in(ADA, PASSWORD).await.unwrap_err();
    let again = identity.object_to_email(objection, &caller).await;
    assert!(matches!(again, Err(EmailTokenError::InvalidToken)));
    let token = resets::token(&house, ADA).await;
    let reset = identity.reset_password(&token, OTHER.into(), &caller);
    reset.await.unwrap();
    house.try_sign_in(ADA, OTHER).await.unwrap();
}

pub(crate) async fn a_new_address_ends_all_sessions_and_signs_in(house: House) {
    house.found().await;
    let mine = house.sign_in(ADA).await;
    ask(&house, &mine, NEW).await.unwrap();
    assert!(matches!(
        ask(&house, &mine, NEW).await,
        Err(EmailError::TooSoon)
    ));
    assert!(!is_over(&house, &mine).await, "nothing changes before");
    house.sign_in(ADA).await;
    let token = confirmation(&resets::mail(&house).await, NEW);
    confirm(&house, &token).await.unwrap();
    assert!(is_over(&house, &mine).await);
    house.try_sign_in(ADA, PASSWORD).await.unwrap_err();
    house.try_sign_in(NEW, PASSWORD).await.unwrap();
    let used = confirm(&house, &token).await;
    assert!(matches!(used, Err(EmailTokenError::InvalidToken)));
}

pub(crate) async fn an_unverified_address_is_verified_by_mail(house: House) {
    let founded = house.found().await;
    let org = house.org(founded.org.id, founded.user.id, RoleName::OWNER);
    house
        .member(&org, "bob@example.com", RoleName::VIEWER)
        .await;
    let bob = house.sign_in("bob@example.com").await;
    let by = house.user(&bob);
    house.identity.request_verification(&by).await.unwrap();
    let token = confirmation(&resets::mail(&house).await, "bob@example.com");
    confirm(&house, &token).await.unwrap();
    assert!(!is_over(&house, &bob).await);
    let (user, _) = house.identity.me(&by).await.unwrap().unwrap();
    assert!(user.email_verified);
    house.identity.request_verification(&by).await.unwrap();
    assert!(resets::mail(&house).await.is_empty(), "nobody is told");
    // From now on the password can be reset.
    resets::token(&house, "bob@example.com").await;
}

pub(crate) async fn the_answer_does_not_tell_whose_an_address_is(house: House) {
    let founded = house.found().await;
    let org = house.org(founded.org.id, founded.user.id, RoleName::OWNER);
    house
        .member(&org, "bob@example.com", RoleName::VIEWER)
        .await;
    let mine = house.sign_in(ADA).await;
    ask(&house, &mine, "bob@example.com").await.unwrap();
    assert!(resets::mail(&house).await.is_empty());
    // One that is taken between the mail and the click changes nothing.
    house.clock.advance(Duration::from_secs(60));
    ask(&house, &mine, NEW).await.unwrap();
    let token = confirmation(&resets::mail(&house).await, NEW);
    house.member(&org, NEW, RoleName::VIEWER).await;
    let taken = confirm(&house, &token).await;
    assert!(matches!(taken, Err(EmailTokenError::Taken)));
    house.sign_in(ADA).await;
}

pub(crate) async fn a_wrong_password_asks_for_nothing_and_is_recorded(house: House) {
    house.found().await;
    let mine = house.sign_in(ADA).await;
    house.events().await;
    let by = house.user(&mine);
    let refused = house
        .identity
        .request_email(&by, parsed(NEW), OTHER.into())
        .await;
    assert!(matches!(refused, Err(EmailError::InvalidCredentials)));
    let events = house.events().await;
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(event.action, Action::EmailChangeRefused);
    assert_eq!(event.outcome, Outcome::Denied);
    assert!(resets::mail(&house).await.is_empty());
}

pub(crate) async fn a_reset_token_dies_with_the_address_it_went_to(house: House) {
    house.found().await;
    let mine = house.sign_in(ADA).await;
    let token = resets::token(&house, ADA).await;
    moved(&house, &mine, NEW).await;
    let dead = house
        .identity
        .reset_password(&token, OTHER.into(), &stranger())
        .await;
    assert!(matches!(dead, Err(ResetError::InvalidToken)));
}
