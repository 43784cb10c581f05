//! The table of refreshes.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::audit::{Action, Outcome};
use cyprob_core::domain::{Revocation, RoleName, SessionPolicy};
use cyprob_core::ports::store::{OrgUpdate, PolicyUpdate};
use cyprob_core::service::{Identity, RefreshError, SignedIn};
use secrecy::{ExposeSecret, SecretString};

use crate::house::{House, keys, parsed, stranger};

/// A refresh with a token, whatever organization it implies.
async fn refresh(identity: &Identity, token: &SecretString) -> Result<SignedIn, RefreshError> {
    identity.refresh(token, None, &stranger()).await
}

async fn refused(identity: &Identity, token: &SecretString) {
    let answer = refresh(identity, token).await;
    assert!(
        matches!(answer, Err(RefreshError::InvalidGrant)),
        "{answer:?}"
    );
}

fn same(one: &SecretString, two: &SecretString) -> bool {
    one.expose_secret() == two.expose_secret()
}

pub(crate) async fn the_current_token_moves_the_session_on(house: House) {
    house.found().await;
    let first = house.sign_in("ada@example.com").await;
    let mut last = first.refresh_token;
    for turn in 1..=5 {
        house.clock.advance(Duration::from_secs(3_600));
        house.events().await;
        let next = refresh(&house.identity, &last).await.unwrap();
        assert_eq!(next.session.id, first.session.id);
        assert_eq!(next.session.refresh.generation, turn);
        let idle = SessionPolicy::default().idle();
        assert_eq!(next.session.idle_expires_at, next.at.after(idle));
        assert!(!same(&next.refresh_token, &last));
        let actions: Vec<_> = house.events().await.iter().map(|it| it.action).collect();
        assert_eq!(actions, [Action::SessionRefreshed]);
        last = next.refresh_token;
    }
}

pub(crate) async fn the_previous_token_gets_the_same_pair_within_the_grace(house: House) {
    house.found().await;
    let first = house.sign_in("ada@example.com").await;
    let next = refresh(&house.identity, &first.refresh_token)
        .await
        .unwrap();
    house.events().await;
    for _ in 0..3 {
        house.clock.advance(Duration::from_secs(3));
        let again = refresh(&house.identity, &first.refresh_token)
            .await
            .unwrap();
        assert!(same(&again.refresh_token, &next.refresh_token));
        assert_eq!(again.session.idle_expires_at, next.session.idle_expires_at);
    }
    assert_eq!(house.events().await, []);
    refresh(&house.identity, &next.refresh_token).await.unwrap();
}

pub(crate) async fn the_grace_is_not_extended(house: House) {
    house.found().await;
    let first = house.sign_in("ada@example.com").await;
    refresh(&house.identity, &first.refresh_token)
        .await
        .unwrap();
    let grace = SessionPolicy::default().grace();
    house
        .clock
        .advance(grace.checked_sub(Duration::from_millis(1)).unwrap());
    refresh(&house.identity, &first.refresh_token)
        .await
        .unwrap();
    house.clock.advance(Duration::from_millis(2));
    refused(&house.identity, &first.refresh_token).await;
}

pub(crate) async fn the_previous_token_after_the_grace_is_theft(house: House) {
    house.found().await;
    let first = house.sign_in("ada@example.com").await;
    let next = refresh(&house.identity, &first.refresh_token)
        .await
        .unwrap();
    house.clock.advance(Duration::from_secs(11));
    theft(&house, &first, &first.refresh_token).await;
    refused(&house.identity, &next.refresh_token).await;
}

pub(crate) async fn an_older_token_is_theft_and_ends_the_session(house: House) {
    house.found().await;
    let first = house.sign_in("ada@example.com").await;
    let bystander = house.sign_in("ada@example.com").await;
    let second = refresh(&house.identity, &first.refresh_token)
        .await
        .unwrap();
    let third = refresh(&house.identity, &second.refresh_token)
        .await
        .unwrap();
    // Two generations back, though within the seconds of the grace.
    theft(&house, &first, &first.refresh_token).await;
    for token in [&second.refresh_token, &third.refresh_token] {
        refused(&house.identity, token).await;
    }
    refresh(&house.identity, &bystander.refresh_token)
        .await
        .unwrap();
}

/// The token is refused, the session has ended, the feed and the trail say so, once.
async fn theft(house: &House, session: &SignedIn, token: &SecretString) {
    house.events().await;
    for _ in 0..2 {
        refused(&house.identity, token).await;
    }
    let ended = Revocation::Session(session.session.id);
    let published = house.feed.published();
    assert_eq!(published.iter().filter(|it| it.what == ended).count(), 1);
    let events = house.events().await;
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(event.action, Action::SessionTheftDetected);
    assert_eq!(event.outcome, Outcome::Denied);
    assert_eq!(event.resource.id, session.session.id.to_string());
}

pub(crate) async fn a_forged_or_malformed_token_changes_nothing(house: House) {
    house.found().await;
    let first = house.sign_in("ada@example.com").await;
    house.events().await;
    let good = first.refresh_token.expose_secret().to_owned();
    let mut forged: Vec<String> = ["", "cyr1_", "cyr2_", "x", "cyr1_1.2.3.4"]
        .map(String::from)
        .into();
    for at in (0..good.len()).step_by(3) {
        let (head, tail) = good.split_at(at);
        let mut rest = tail.chars();
        let other = match rest.next() {
            Some('A') => 'B',
            _ => 'A',
        };
        forged.push(format!("{head}{other}{}", rest.as_str()));
        forged.push(head.to_owned());
    }
    forged.push(format!("{good}A"));
    forged.push("\u{0}".repeat(100_000));
    for token in &forged {
        refused(&house.identity, &token.as_str().into()).await;
    }
    assert_eq!(house.events().await, []);
    assert!(house.feed.published().is_empty());
    let counted = house.identity.record_refusals().await.unwrap();
    assert_eq!(counted, 1);
    refresh(&house.identity, &first.refresh_token)
        .await
        .unwrap();
}

pub(crate) async fn an_unused_session_ends_after_its_idle_time(house: House) {
    house.found().await;
    let [one, two] = [
        house.sign_in("ada@example.com").await,
        house.sign_in("ada@example.com").await,
    ];
    let idle = SessionPolicy::default().idle();
    house
        .clock
        .advance(idle.checked_sub(Duration::from_secs(1)).unwrap());
    refresh(&house.identity, &one.refresh_token).await.unwrap();
    house.clock.advance(Duration::from_secs(1));
    refused(&house.identity, &two.refresh_token).await;
}

pub(crate) async fn a_used_session_ends_after_its_absolute_time(house: House) {
    house.found().await;
    let first = house.sign_in("ada@example.com").await;
    let absolute = first.session.absolute_expires_at;
    let mut token = first.refresh_token;
    for _ in 0..29 {
        house.clock.advance(Duration::from_secs(86_400));
        let next = refresh(&house.identity, &token).await.unwrap();
        assert_eq!(next.session.absolute_expires_at, absolute);
        token = next.refresh_token;
    }
    house.clock.set(absolute.before(Duration::from_secs(1)));
    let last = refresh(&house.identity, &token).await.unwrap();
    assert_eq!(last.scope.expires_at, absolute);
    house.clock.set(absolute);
    refused(&house.identity, &last.refresh_token).await;
}

pub(crate) async fn a_new_server_key_signs_nobody_out(house: House) {
    house.found().await;
    let [one, two] = [
        house.sign_in("ada@example.com").await,
        house.sign_in("ada@example.com").await,
    ];
    let rotated = house.with_keys(keys(&[2, 1]));
    let next = refresh(&rotated, &one.refresh_token).await.unwrap();
    // The racer of before the rotation gets the same pair.
    let again = refresh(&rotated, &one.refresh_token).await.unwrap();
    assert!(same(&again.refresh_token, &next.refresh_token));
    // Without the old key its sessions are over, and those under the new one go on.
    let without = house.with_keys(keys(&[2]));
    refresh(&without, &next.refresh_token).await.unwrap();
    house.events().await;
    refused(&without, &two.refresh_token).await;
    assert_eq!(house.events().await, []);
}

pub(crate) async fn a_foreign_organization_does_not_use_the_token_up(house: House) {
    house.found().await;
    let first = house.sign_in("ada@example.com").await;
    house.events().await;
    let foreign = parsed("elsewhere");
    let answer = house
        .identity
        .refresh(&first.refresh_token, Some(&foreign), &stranger())
        .await;
    assert!(
        matches!(answer, Err(RefreshError::OrgNotFound)),
        "{answer:?}"
    );
    assert_eq!(house.events().await, []);
    let next = refresh(&house.identity, &first.refresh_token)
        .await
        .unwrap();
    assert_eq!(next.session.refresh.generation, 1);
}

pub(crate) async fn an_organization_asks_for_a_new_sign_in_after_its_longest_session(house: House) {
    let founded = house.found().await;
    let ada = house.org(founded.org.id, founded.user.id, RoleName::OWNER);
    let update = OrgUpdate {
        name: None,
        policy: PolicyUpdate {
            max_session_seconds: Some(Some(900)),
            ..PolicyUpdate::default()
        },
    };
    house.identity.update_org(&ada, &update).await.unwrap();
    let first = house.sign_in("ada@example.com").await;
    let longest = Duration::from_secs(900);
    house.clock.advance(Duration::from_secs(899));
    let named = parsed("acme");
    let again = |token: SecretString, named| {
        let identity = Arc::clone(&house.identity);
        async move { identity.refresh(&token, named, &stranger()).await }
    };
    let next = again(first.refresh_token, Some(&named)).await.unwrap();
    assert_eq!(
        next.scope.expires_at,
        first.session.auth_time.after(longest)
    );
    house.clock.advance(Duration::from_secs(1));
    // Asked for by name it is refused; implied it is left out, and the session lives on.
    let refused = again(next.refresh_token.clone(), Some(&named)).await;
    assert!(
        matches!(refused, Err(RefreshError::SignInRequired)),
        "{refused:?}"
    );
    let without = again(next.refresh_token, None).await.unwrap();
    assert_eq!(without.scope.membership, None);
    let anew = house.sign_in("ada@example.com").await;
    assert!(anew.scope.membership.is_some());
}
