//! Signing in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::audit::{Action, Outcome};
use cyprob_core::domain::{PageRequest, PasswordHash, RoleName};
use cyprob_core::ports::HashError;
use cyprob_core::ports::store::{PasswordChange, PasswordOutcome};
use cyprob_core::service::SignInError;
use secrecy::ExposeSecret;

use crate::hasher::OLD;
use crate::house::{House, OTHER, PASSWORD, credentials, parsed, stranger};

pub(crate) async fn every_refusal_costs_one_hash_and_says_the_same(house: House) {
    house.found().await;
    house.events().await;
    let (before, _) = house.hasher.spent();
    let tries = [
        ("ada@example.com", OTHER),
        ("ada@example.com", ""),
        ("nobody@example.com", PASSWORD),
        ("not an address", PASSWORD),
        ("", ""),
    ];
    for (email, password) in tries {
        house.clock.advance(Duration::from_secs(1));
        let refused = house.try_sign_in(email, password).await;
        assert!(
            matches!(refused, Err(SignInError::InvalidCredentials)),
            "{email}"
        );
    }
    assert_eq!(house.hasher.spent().0 - before, tries.len());
    assert_eq!(house.events().await, []);
}

pub(crate) async fn refusals_of_strangers_are_counted_into_one_event(house: House) {
    house.found().await;
    house.events().await;
    for _ in 0..7 {
        house.clock.advance(Duration::from_secs(10));
        house
            .try_sign_in("nobody@example.com", OTHER)
            .await
            .unwrap_err();
    }
    assert_eq!(house.identity.record_refusals().await.unwrap(), 1);
    let events = house.events().await;
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(event.action, Action::SessionRefused);
    assert_eq!(event.outcome, Outcome::Denied);
    let count = serde_json::to_value(event.metadata.get("count")).unwrap();
    assert!(count.to_string().contains('7'), "{count}");
    assert_eq!(house.identity.record_refusals().await.unwrap(), 0);
}

pub(crate) async fn the_only_organization_is_implied_and_a_foreign_one_is_not_found(house: House) {
    let founded = house.found().await;
    let by = house.deployment(founded.user.id);
    house
        .identity
        .create_org(
            &by,
            parsed("other"),
            parsed("Other"),
            parsed("eve@example.com"),
        )
        .await
        .unwrap();
    house.events().await;
    for named in ["other", "nowhere"] {
        let mut credentials = credentials("ada@example.com", PASSWORD);
        credentials.org = Some(parsed(named));
        let refused = house.identity.sign_in(credentials, &stranger()).await;
        assert!(matches!(refused, Err(SignInError::OrgNotFound)), "{named}");
        assert_eq!(house.events().await, [], "{named}");
    }
    let signed_in = house.sign_in("ADA@Example.com").await;
    let membership = signed_in.scope.membership.unwrap();
    assert_eq!(
        (membership.org, membership.role),
        (founded.org.id, RoleName::OWNER)
    );
    let actions: Vec<_> = house
        .events()
        .await
        .iter()
        .map(|event| event.action)
        .collect();
    assert_eq!(actions, [Action::SessionOpened, Action::GrantOpened]);
}

pub(crate) async fn an_account_that_changes_during_the_hash_opens_no_session(house: House) {
    let founded = house.found().await;
    house.hasher.hold().await;
    let identity = Arc::clone(&house.identity);
    let signing_in = tokio::spawn(async move {
        let credentials = credentials("ada@example.com", PASSWORD);
        identity.sign_in(credentials, &stranger()).await
    });
    house.hasher.arrived(1).await;
    let change = PasswordChange {
        user: founded.user.id,
        expected_epoch: founded.user.epoch,
        password: PasswordHash::from_phc(OTHER.to_owned()),
        keep: None,
        at: founded.user.created_at,
        tokens_expire_at: founded.user.created_at,
    };
    let changed = house.store.change_password(&change, &[]).await.unwrap();
    assert!(matches!(changed, PasswordOutcome::Changed { .. }));
    house.events().await;
    house.hasher.release();
    let refused = signing_in.await.unwrap();
    assert!(
        matches!(refused, Err(SignInError::InvalidCredentials)),
        "{refused:?}"
    );
    assert_eq!(house.events().await, []);
}

pub(crate) async fn a_password_under_old_parameters_is_hashed_anew(house: House) {
    let founded = house.found().await;
    let stored = |password: &str| PasswordHash::from_phc(password.to_owned());
    let old = stored(&format!("{OLD}{PASSWORD}"));
    let user = founded.user.id;
    house
        .store
        .rehash(user, &stored(PASSWORD), &old)
        .await
        .unwrap();
    house
        .try_sign_in("ada@example.com", OTHER)
        .await
        .unwrap_err();
    house.clock.advance(Duration::from_secs(1));
    let form = |user: Option<cyprob_core::domain::User>| {
        user.unwrap().password.unwrap().expose_phc().to_owned()
    };
    assert_eq!(
        form(house.store.user(user).await.unwrap()),
        old.expose_phc()
    );
    house.sign_in("ada@example.com").await;
    assert_eq!(form(house.store.user(user).await.unwrap()), PASSWORD);
}

pub(crate) async fn a_full_hasher_is_busy_and_nothing_is_stored(house: House) {
    house.found().await;
    house.events().await;
    house.hasher.fill(1);
    let refused = house.try_sign_in("ada@example.com", PASSWORD).await;
    let Err(SignInError::Hash(HashError::Busy { retry_after })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(retry_after, Duration::from_secs(2));
    assert_eq!(house.events().await, []);
    assert_eq!(house.identity.record_refusals().await.unwrap(), 0);
    house.sign_in("ada@example.com").await;
}

pub(crate) async fn asvs_7_2_3_sessions_share_nothing_and_draw_at_least_128_bits(house: House) {
    house.found().await;
    let mut tokens = BTreeSet::new();
    let mut ids = BTreeSet::new();
    let (mut ones, mut zeros) = ([0_u8; 32], [0_u8; 32]);
    for _ in 0..64 {
        let signed_in = house.sign_in("ada@example.com").await;
        let seed = signed_in.session.seed.expose_bytes();
        for ((one, zero), byte) in ones.iter_mut().zip(&mut zeros).zip(seed) {
            *one |= byte;
            *zero |= !byte;
        }
        assert!(ids.insert(signed_in.session.id));
        assert!(tokens.insert(signed_in.refresh_token.expose_secret().to_owned()));
    }
    // Bits that were one in some session and zero in another.
    let drawn = ones
        .iter()
        .zip(zeros)
        .map(|(one, zero)| (one & zero).count_ones());
    let drawn: u32 = drawn.sum();
    assert!(drawn >= 128, "{drawn} bits differ between sessions");
}

pub(crate) async fn asvs_7_1_2_no_sign_in_ends_another_session(house: House) {
    house.found().await;
    let mut sessions = BTreeSet::new();
    let mut last = None;
    for _ in 0..100 {
        let signed_in = house.sign_in("ada@example.com").await;
        sessions.insert(signed_in.session.id);
        last = Some(house.user(&signed_in));
    }
    let page = PageRequest::new(PageRequest::MAX, None);
    let listed = house.identity.sessions(&last.unwrap(), &page).await;
    let listed = listed.unwrap().items;
    let listed: BTreeSet<_> = listed.into_iter().map(|view| view.id).collect();
    assert_eq!(listed, sessions);
}

pub(crate) async fn asvs_6_2_10_no_password_ends_by_date(house: House) {
    house.found().await;
    for _ in 0..10 {
        house.clock.advance(Duration::from_secs(366 * 86_400));
        house.sign_in("ada@example.com").await;
    }
}
