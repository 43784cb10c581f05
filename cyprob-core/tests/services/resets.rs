//! Setting a new password by a token from a mail.

use std::time::Duration;

use cyprob_core::domain::audit::Action;
use cyprob_core::domain::{Message, Notification, RoleName};
use cyprob_core::service::{EmailTokenError, RefreshError, ResetError};
use cyprob_core::testkit::RecordingNotifier;
use secrecy::{ExposeSecret, SecretString};

use crate::house::{House, OTHER, PASSWORD, stranger};

const ADA: &str = "ada@example.com";
const MINUTE: Duration = Duration::from_secs(60);

/// Does the work that waits and takes out what was sent.
pub(crate) async fn mail(house: &House) -> Vec<Notification> {
    let notifier = RecordingNotifier::default();
    house.identity.answer_asks().await.unwrap();
    house.identity.send_letters(&notifier).await;
    house.identity.send_notices(&notifier).await.unwrap();
    notifier.take()
}

/// The token of a reset that was just asked for.
pub(crate) async fn token(house: &House, email: &str) -> SecretString {
    house
        .identity
        .request_reset(email.parse().unwrap(), &stranger())
        .unwrap();
    let sent = mail(house).await;
    let mut tokens = sent.into_iter().filter_map(|it| match it.message {
        Message::PasswordReset { token, .. } if it.to.as_str() == email => Some(token),
        _ => None,
    });
    tokens.next().expect("a reset mail")
}

async fn reset(house: &House, token: &SecretString, password: &str) -> Result<(), ResetError> {
    let identity = &house.identity;
    identity
        .reset_password(token, password.into(), &stranger())
        .await
}

pub(crate) async fn asvs_6_4_3_a_reset_by_mail_ends_all_sessions_and_keeps_the_rest(house: House) {
    house.found().await;
    let session = house.sign_in(ADA).await;
    house.events().await;
    mail(&house).await;
    let token = token(&house, ADA).await;
    assert!(token.expose_secret().starts_with("cypw_"));
    assert_eq!(token.expose_secret().len(), "cypw_".len() + 43);
    reset(&house, &token, OTHER).await.unwrap();
    let events: Vec<_> = house
        .events()
        .await
        .into_iter()
        .map(|it| it.action)
        .collect();
    assert_eq!(
        events,
        [Action::PasswordResetRequested, Action::PasswordReset]
    );
    let refreshed = house
        .identity
        .refresh(&session.refresh_token, None, &stranger())
        .await;
    assert!(matches!(refreshed, Err(RefreshError::InvalidGrant)));
    assert!(!house.feed.published().is_empty());
    house.try_sign_in(ADA, PASSWORD).await.unwrap_err();
    house.clock.advance(Duration::from_secs(1));
    house.try_sign_in(ADA, OTHER).await.unwrap();
    let sent = mail(&house).await;
    let kinds: Vec<_> = sent.iter().map(|it| it.message.kind()).collect();
    assert_eq!(kinds, ["password_changed"]);
}

pub(crate) async fn asvs_6_3_8_a_request_says_and_stores_the_same_for_every_address(house: House) {
    let founded = house.found().await;
    let org = house.org(founded.org.id, founded.user.id, RoleName::OWNER);
    house
        .member(&org, "unverified@example.com", RoleName::VIEWER)
        .await;
    house.events().await;
    let spent = house.hasher.spent();
    for email in ["unverified@example.com", "nobody@example.com"] {
        house
            .identity
            .request_reset(email.parse().unwrap(), &stranger())
            .unwrap();
        assert!(mail(&house).await.is_empty(), "{email}");
    }
    assert!(house.events().await.is_empty());
    assert_eq!(house.hasher.spent(), spent);
    house
        .identity
        .request_reset(ADA.parse().unwrap(), &stranger())
        .unwrap();
    assert_eq!(mail(&house).await.len(), 1);
}

/// The limiter by network stands before all of it, and knows no account.
pub(crate) async fn asvs_6_3_1_one_network_asks_for_few_resets_and_guesses_few_tokens(
    house: House,
) {
    house.found().await;
    let sent = token(&house, ADA).await;
    let ask = |email: &str| {
        let email = email.parse().unwrap();
        house.identity.request_reset(email, &stranger())
    };
    for n in 1..20 {
        ask(&format!("nobody{n}@example.com")).unwrap();
    }
    let unknown = ask("nobody@example.com").unwrap_err();
    assert_eq!(ask(ADA).unwrap_err(), unknown);
    house.clock.advance(unknown.retry_after);
    ask(ADA).unwrap();
    let identity = &house.identity;
    for n in 0..60 {
        let wrong: SecretString = format!("cypw_{n}").into();
        let outcome = match n % 3 {
            0 => reset(&house, &wrong, OTHER).await.err().map(|_| ()),
            1 => identity
                .confirm_email(&wrong, &stranger())
                .await
                .err()
                .map(|_| ()),
            _ => identity
                .object_to_email(&wrong, &stranger())
                .await
                .err()
                .map(|_| ()),
        };
        assert!(outcome.is_some());
    }
    let late = reset(&house, &sent, OTHER).await;
    assert!(matches!(late, Err(ResetError::SlowDown(_))), "{late:?}");
    let late = identity.confirm_email(&sent, &stranger()).await;
    assert!(
        matches!(late, Err(EmailTokenError::SlowDown(_))),
        "{late:?}"
    );
    let late = identity.object_to_email(&sent, &stranger()).await;
    assert!(
        matches!(late, Err(EmailTokenError::SlowDown(_))),
        "{late:?}"
    );
    // A good one takes no place away.
    house.clock.advance(Duration::from_secs(1));
    reset(&house, &sent, OTHER).await.unwrap();
    let after = identity.confirm_email(&sent, &stranger()).await;
    assert!(
        matches!(after, Err(EmailTokenError::InvalidToken)),
        "{after:?}"
    );
}

pub(crate) async fn asvs_6_4_1_a_reset_token_is_good_once_for_its_time(house: House) {
    house.found().await;
    let first = token(&house, ADA).await;
    // A second request within a minute sends nothing: nobody floods a mailbox.
    house
        .identity
        .request_reset(ADA.parse().unwrap(), &stranger())
        .unwrap();
    assert!(mail(&house).await.is_empty());
    // Whoever asks again for her takes nothing from her: the first mail is as good as the second.
    house.clock.advance(MINUTE);
    let second = token(&house, ADA).await;
    reset(&house, &first, OTHER).await.unwrap();
    for used in [&first, &second] {
        let used = reset(&house, used, PASSWORD).await;
        assert!(matches!(used, Err(ResetError::InvalidToken)));
    }
    house.clock.advance(MINUTE);
    let third = token(&house, ADA).await;
    house.clock.advance(30 * MINUTE);
    let late = reset(&house, &third, PASSWORD).await;
    assert!(matches!(late, Err(ResetError::InvalidToken)));
    house.try_sign_in(ADA, OTHER).await.unwrap();
}

pub(crate) async fn a_token_is_dead_after_any_credential_change(house: House) {
    house.found().await;
    let token = token(&house, ADA).await;
    let mine = house.sign_in(ADA).await;
    let by = house.user(&mine);
    let changed = house
        .identity
        .change_password(&by, PASSWORD.into(), OTHER.into(), true);
    changed.await.unwrap();
    let dead = reset(&house, &token, PASSWORD).await;
    assert!(matches!(dead, Err(ResetError::InvalidToken)));
}

pub(crate) async fn a_weak_password_leaves_the_token_good(house: House) {
    house.found().await;
    let token = token(&house, ADA).await;
    let spent = house.hasher.spent();
    let weak = reset(&house, &token, "short").await;
    assert!(matches!(weak, Err(ResetError::Weak(_))));
    assert_eq!(house.hasher.spent(), spent);
    reset(&house, &token, OTHER).await.unwrap();
}

pub(crate) async fn a_refused_token_is_counted(house: House) {
    house.found().await;
    house.events().await;
    for bad in ["", "cypw_", "cypw_unknown", "cyi_unknown"] {
        let refused = reset(&house, &bad.to_owned().into(), OTHER).await;
        assert!(matches!(refused, Err(ResetError::InvalidToken)), "{bad}");
    }
    assert_eq!(house.identity.record_refusals().await.unwrap(), 1);
    let events = house.events().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].reason.as_deref(), Some("invalid_reset_token"));
}

pub(crate) async fn no_token_is_shown_by_events_or_debug(house: House) {
    house.found().await;
    house
        .identity
        .request_reset(ADA.parse().unwrap(), &stranger())
        .unwrap();
    house.identity.answer_asks().await.unwrap();
    let waiting = format!("{:?}", house.identity);
    let sent = mail(&house).await;
    let Message::PasswordReset { token, .. } = &sent[0].message else {
        panic!("{sent:?}");
    };
    let token = token.expose_secret();
    let events = serde_json::to_string(&house.events().await).unwrap();
    for shown in [waiting, format!("{sent:?}"), events] {
        assert!(!shown.contains(token), "{shown}");
        assert!(!shown.contains("cypw_"), "{shown}");
    }
}
