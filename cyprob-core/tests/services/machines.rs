//! Service accounts and their keys.

use std::time::Duration;

use cyprob_core::domain::audit::{Action, Actor, AuditEvent};
use cyprob_core::domain::{
    OrgCtx, PageRequest, Revocation, RoleName, ServiceAccountId, Timestamp, UserId,
};
use cyprob_core::ports::Clock as _;
use cyprob_core::service::{
    AcceptError, AccountUpdate, ExchangeError, KeyError, NewServiceKey, ServiceAccountError,
    ServiceGrant,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::house::{House, parsed, stranger};

const DAY: Duration = Duration::from_secs(86_400);

async fn owner(house: &House) -> OrgCtx {
    let founded = house.found().await;
    house.org(founded.org.id, founded.user.id, RoleName::OWNER)
}

async fn machine(house: &House, by: &OrgCtx, role: RoleName) -> ServiceAccountId {
    let made = house
        .identity
        .create_service_account(by, parsed("Pipeline"), role);
    made.await.unwrap().account.id
}

fn soon(house: &House) -> Timestamp {
    house.clock.now().after(DAY)
}

async fn key(house: &House, by: &OrgCtx, account: ServiceAccountId) -> NewServiceKey {
    let until = soon(house);
    let made = house.identity.create_service_key(by, account, until);
    made.await.unwrap()
}

async fn exchange(house: &House, text: &SecretString) -> Result<ServiceGrant, ExchangeError> {
    house.identity.exchange_key(text, &stranger()).await
}

fn actions(events: &[AuditEvent]) -> Vec<Action> {
    events.iter().map(|event| event.action).collect()
}

pub(crate) async fn a_key_is_exchanged_for_its_account_s_role_and_no_longer_than_a_token_lives(
    house: House,
) {
    let ada = owner(&house).await;
    let account = machine(&house, &ada, RoleName::OPERATOR).await;
    house.events().await;
    let made = key(&house, &ada, account).await;
    house.clock.advance(Duration::from_secs(30));
    let grant = exchange(&house, &made.text).await.unwrap();
    assert_eq!(grant.holder.org, ada.org());
    assert_eq!(grant.holder.account.role, RoleName::OPERATOR);
    assert_eq!(grant.at, house.clock.now());
    assert_eq!(grant.expires_at.since(grant.at), Duration::from_secs(300));
    let events = house.events().await;
    let expected = [Action::ServiceKeyCreated, Action::ServiceKeyExchanged];
    assert_eq!(actions(&events), expected);
    let answers_for = ada.caller().actor.user().unwrap();
    let used = events.last().unwrap();
    assert_eq!(used.org, Some(ada.org()));
    assert_eq!(used.actor.kind(), "service");
    assert!(
        matches!(used.actor, Actor::Service { id, key, token: None, on_behalf_of }
            if id == account && key == made.key.id && on_behalf_of == answers_for)
    );
    // of the time of use the hour is kept
    let page = PageRequest::default();
    let listed = house.identity.service_accounts(&ada, &page).await.unwrap();
    let last = listed.items[0].keys[0].last_used.unwrap();
    assert_eq!(last.as_seconds() % 3_600, 0);
    assert!(house.clock.now().since(last) < Duration::from_secs(3_600));
    // a key that ends sooner ends the token with it
    house
        .clock
        .set(made.key.expires_at.before(Duration::from_secs(60)));
    let grant = exchange(&house, &made.text).await.unwrap();
    assert_eq!(grant.expires_at, made.key.expires_at);
    house.clock.set(made.key.expires_at);
    let late = exchange(&house, &made.text).await;
    assert!(matches!(late, Err(ExchangeError::InvalidKey)));
}

pub(crate) async fn a_key_that_is_not_good_says_nothing_and_is_counted(house: House) {
    let ada = owner(&house).await;
    let account = machine(&house, &ada, RoleName::VIEWER).await;
    let (made, other) = (
        key(&house, &ada, account).await,
        key(&house, &ada, account).await,
    );
    house.events().await;
    let text = made.text.expose_secret();
    // another key's secret under this key's id, with the checksum made right
    let secret = zeroize::Zeroizing::new([9; 32]);
    let forged = cyprob_core::domain::service_key_text(made.key.id, &secret);
    let unknown = cyprob_core::domain::service_key_text(house.id(), &secret);
    let revoked = other.text.clone();
    let gone = house
        .identity
        .revoke_service_key(&ada, account, other.key.id);
    assert!(gone.await.unwrap());
    let mistyped = SecretString::from(text.replace("cyk_", "cyk-"));
    let (body, sum) = text.split_at(text.len() - 1);
    let other_sum = if sum == "0" { "1" } else { "0" };
    let broken = SecretString::from(format!("{body}{other_sum}"));
    house.events().await;
    let empty = SecretString::from(String::new());
    for bad in [forged, unknown, revoked, mistyped, broken, empty] {
        let answer = exchange(&house, &bad).await;
        assert!(matches!(answer, Err(ExchangeError::InvalidKey)));
    }
    assert_eq!(house.events().await, []);
    assert_eq!(house.identity.record_refusals().await.unwrap(), 1);
    let events = house.events().await;
    assert_eq!(events[0].reason.as_deref(), Some("invalid_service_key"));
    assert_eq!(actions(&events), [Action::ServiceKeyExchanged]);
}

pub(crate) async fn a_key_always_has_an_end_within_the_bound(house: House) {
    let ada = owner(&house).await;
    let account = machine(&house, &ada, RoleName::VIEWER).await;
    let now = house.clock.now();
    for (until, good) in [
        (now, false),
        (now.after(DAY * 90).after(Duration::from_secs(1)), false),
        (now.after(DAY * 90), true),
        (now.after(Duration::from_micros(1)), true),
    ] {
        let made = house.identity.create_service_key(&ada, account, until);
        let made = made.await;
        assert_eq!(made.is_ok(), good, "{until}: {made:?}");
        if !good {
            assert!(matches!(made, Err(KeyError::Expiry)));
        }
    }
}

pub(crate) async fn two_keys_change_over_and_a_revoked_one_ends_at_once(house: House) {
    let ada = owner(&house).await;
    let account = machine(&house, &ada, RoleName::VIEWER).await;
    let old = key(&house, &ada, account).await;
    let new = key(&house, &ada, account).await;
    let third = house
        .identity
        .create_service_key(&ada, account, soon(&house));
    assert!(matches!(third.await, Err(KeyError::Full)));
    exchange(&house, &old.text).await.unwrap();
    exchange(&house, &new.text).await.unwrap();
    let revoked = house
        .identity
        .revoke_service_key(&ada, account, old.key.id)
        .await;
    assert!(revoked.unwrap());
    let published: Vec<_> = house.feed.published().iter().map(|it| it.what).collect();
    assert_eq!(published, [Revocation::ServiceKey(ada.org(), old.key.id)]);
    let again = exchange(&house, &old.text).await;
    assert!(matches!(again, Err(ExchangeError::InvalidKey)));
    exchange(&house, &new.text).await.unwrap();
    key(&house, &ada, account).await;
}

pub(crate) async fn a_machine_holds_no_more_than_who_made_it_and_owns_nothing(house: House) {
    let ada = owner(&house).await;
    let bob = house
        .member(&ada, "bob@example.com", RoleName::OPERATOR)
        .await;
    let bob = house.org(ada.org(), bob.user.id, RoleName::OPERATOR);
    let identity = &house.identity;
    let strong = machine(&house, &ada, RoleName::ADMIN).await;
    let secret = key(&house, &ada, strong).await;
    house.events().await;
    let owner = identity.create_service_account(&ada, parsed("Root"), RoleName::OWNER);
    assert!(matches!(
        owner.await,
        Err(ServiceAccountError::OwnerIsAPerson)
    ));
    let above = identity.create_service_account(&bob, parsed("Above"), RoleName::ADMIN);
    assert!(matches!(above.await, Err(ServiceAccountError::Forbidden)));
    let unknown =
        identity.create_service_account(&ada, parsed("None"), parsed::<RoleName>("nobody"));
    assert!(matches!(
        unknown.await,
        Err(ServiceAccountError::UnknownRole)
    ));
    // whoever could make a key for a stronger account could act as it
    let key = identity.create_service_key(&bob, strong, soon(&house));
    assert!(matches!(
        key.await,
        Err(KeyError::Account(ServiceAccountError::Forbidden))
    ));
    let update = AccountUpdate {
        role: Some(RoleName::VIEWER.into()),
        owner: None,
    };
    let changed = identity.change_service_account(&bob, strong, &update).await;
    assert!(matches!(changed, Err(ServiceAccountError::Forbidden)));
    let deleted = identity.delete_service_account(&bob, strong);
    assert!(matches!(deleted.await, Err(ServiceAccountError::Forbidden)));
    assert_eq!(house.events().await, []);
    // but a key that has leaked can be stopped by whoever is there
    let stopped = identity.revoke_service_key(&bob, strong, secret.key.id);
    assert!(stopped.await.unwrap());
}

pub(crate) async fn a_machine_outlives_its_owner_s_membership(house: House) {
    let ada = owner(&house).await;
    let bob = house.member(&ada, "bob@example.com", RoleName::ADMIN).await;
    let by_bob = house.org(ada.org(), bob.user.id, RoleName::ADMIN);
    let account = machine(&house, &by_bob, RoleName::VIEWER).await;
    let old = key(&house, &by_bob, account).await;
    let identity = &house.identity;
    identity.remove_member(&ada, bob.user.id).await.unwrap();
    let page = PageRequest::default();
    let left = identity.service_accounts(&ada, &page).await.unwrap().items;
    assert!(left[0].owner_left && left[0].account.owner == bob.user.id);
    // it goes on, and its keys can be changed over by those who stay
    exchange(&house, &old.text).await.unwrap();
    let new = key(&house, &ada, account).await;
    let revoked = identity.revoke_service_key(&ada, account, old.key.id).await;
    assert!(revoked.unwrap());
    let to = |owner: UserId| AccountUpdate {
        role: None,
        owner: Some(owner),
    };
    let gone = identity
        .change_service_account(&ada, account, &to(bob.user.id))
        .await;
    assert!(matches!(gone, Err(ServiceAccountError::NotAMember)));
    let heir = ada.caller().actor.user().unwrap();
    let kept = identity
        .change_service_account(&ada, account, &to(heir))
        .await;
    let kept = kept.unwrap();
    assert!(!kept.owner_left && kept.account.owner == heir);
    // who answers for it stands in the trail, so the tokens of before end
    let what = Revocation::Service(ada.org(), account, kept.account.epoch);
    assert!(house.feed.published().iter().any(|it| it.what == what));
    let grant = exchange(&house, &new.text).await.unwrap();
    assert_eq!(grant.holder.account.owner, heir);
}

pub(crate) async fn a_deleted_machine_ends_at_once_with_its_keys(house: House) {
    let ada = owner(&house).await;
    let account = machine(&house, &ada, RoleName::VIEWER).await;
    let made = key(&house, &ada, account).await;
    let grant = exchange(&house, &made.text).await.unwrap();
    let identity = &house.identity;
    identity
        .delete_service_account(&ada, account)
        .await
        .unwrap();
    let next = grant.holder.account.epoch.next();
    let published: Vec<_> = house.feed.published().iter().map(|it| it.what).collect();
    assert_eq!(published, [Revocation::Service(ada.org(), account, next)]);
    let again = exchange(&house, &made.text).await;
    assert!(matches!(again, Err(ExchangeError::InvalidKey)));
    let key = identity.create_service_key(&ada, account, soon(&house));
    assert!(matches!(
        key.await,
        Err(KeyError::Account(ServiceAccountError::NotFound))
    ));
}

pub(crate) async fn a_machine_invites_by_its_own_rights_and_not_its_owner_s(house: House) {
    let ada = owner(&house).await;
    let account = machine(&house, &ada, RoleName::ADMIN).await;
    let robot = house.service(ada.org(), account, RoleName::ADMIN, &ada);
    let identity = &house.identity;
    let above = identity.invite(&robot, parsed("x@example.com"), RoleName::OWNER);
    assert!(above.await.is_err(), "its owner is an owner, and it is not");
    let [first, second] = ["first@example.com", "second@example.com"];
    let good = house.invite(&robot, first, RoleName::OPERATOR).await;
    let late = house.invite(&robot, second, RoleName::OPERATOR).await;
    let accepted = identity
        .accept_as_new(&good.token, House::account(), &stranger())
        .await;
    accepted.unwrap();
    let update = AccountUpdate {
        role: Some(RoleName::VIEWER.into()),
        owner: None,
    };
    let narrowed = identity
        .change_service_account(&ada, account, &update)
        .await;
    narrowed.unwrap();
    let answer = identity
        .accept_as_new(&late.token, House::account(), &stranger())
        .await;
    assert!(matches!(answer, Err(AcceptError::InvalidToken)));
}

pub(crate) async fn guessed_keys_are_slowed_down_where_they_come_from(house: House) {
    let ada = owner(&house).await;
    let account = machine(&house, &ada, RoleName::VIEWER).await;
    let made = key(&house, &ada, account).await;
    let mut slow = 0;
    for number in 0..70_u8 {
        let secret = zeroize::Zeroizing::new([number; 32]);
        let guess = cyprob_core::domain::service_key_text(made.key.id, &secret);
        match exchange(&house, &guess).await {
            Err(ExchangeError::InvalidKey) => {}
            Err(ExchangeError::SlowDown(_)) => slow += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(slow, 10);
    // the machine itself stands elsewhere, and waits for nobody
    let mut elsewhere = stranger();
    elsewhere.origin.ip_address = Some(std::net::Ipv4Addr::LOCALHOST.into());
    let there = house.identity.exchange_key(&made.text, &elsewhere);
    there.await.unwrap();
    let Err(ExchangeError::SlowDown(wait)) = exchange(&house, &made.text).await else {
        panic!("the bucket is empty");
    };
    house.clock.advance(wait.retry_after);
    exchange(&house, &made.text).await.unwrap();
}

pub(crate) async fn a_key_and_a_machine_are_their_own_organization_s(house: House) {
    let ada = owner(&house).await;
    let identity = &house.identity;
    let root = house.deployment(ada.caller().actor.user().unwrap());
    let email = parsed("eve@example.com");
    let other = identity
        .create_org(&root, parsed("globex"), parsed("Globex"), email)
        .await;
    let other = other.unwrap();
    let eve = identity
        .accept_as_new(&other.token, House::account(), &stranger())
        .await;
    let eve = house.org(other.org.id, eve.unwrap().user.id, RoleName::OWNER);
    let account = machine(&house, &ada, RoleName::VIEWER).await;
    let made = key(&house, &ada, account).await;
    house.events().await;
    let not_found = |error: &ServiceAccountError| matches!(error, ServiceAccountError::NotFound);
    let theirs = identity.create_service_key(&eve, account, soon(&house));
    assert!(matches!(theirs.await, Err(KeyError::Account(error)) if not_found(&error)));
    let update = AccountUpdate {
        role: Some(RoleName::ADMIN.into()),
        owner: None,
    };
    let changed = identity
        .change_service_account(&eve, account, &update)
        .await;
    assert!(matches!(changed, Err(error) if not_found(&error)));
    let deleted = identity.delete_service_account(&eve, account).await;
    assert!(matches!(deleted, Err(error) if not_found(&error)));
    let revoked = identity.revoke_service_key(&eve, account, made.key.id);
    assert!(!revoked.await.unwrap());
    // nor can a member elsewhere be made to answer for it
    let update = AccountUpdate {
        role: None,
        owner: eve.caller().actor.user(),
    };
    let given = identity
        .change_service_account(&ada, account, &update)
        .await;
    assert!(matches!(given, Err(ServiceAccountError::NotAMember)));
    assert_eq!(house.events().await, []);
    let grant = exchange(&house, &made.text).await.unwrap();
    assert_eq!(grant.holder.org, ada.org());
}

pub(crate) async fn no_secret_of_a_key_is_shown_or_kept(house: House) {
    let ada = owner(&house).await;
    let account = machine(&house, &ada, RoleName::VIEWER).await;
    let made = key(&house, &ada, account).await;
    let text = made.text.expose_secret().to_owned();
    let secret = text.split('_').nth(2).unwrap().to_owned();
    let grant = exchange(&house, &made.text).await.unwrap();
    let page = PageRequest::default();
    let listed = house.identity.service_accounts(&ada, &page).await.unwrap();
    let events = house.events().await;
    let stored = house.store.key_holder(made.key.id).await.unwrap();
    let shown = format!("{made:?} {grant:?} {listed:?} {events:?} {stored:?}");
    assert!(!shown.contains(&secret), "{shown}");
}
