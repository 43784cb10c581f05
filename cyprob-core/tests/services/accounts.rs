//! Accounts and sessions under the deployment's administration.

use std::time::Duration;

use cyprob_core::domain::audit::Action;
use cyprob_core::domain::{Caller, PageRequest, Revocation, RoleName, SystemCtx, Whose};
use cyprob_core::service::{AccountError, KeepCurrent, RefreshError, SignedIn};
use secrecy::ExposeSecret;

use crate::house::{House, OTHER, PASSWORD, credentials, parsed, stranger};
use crate::resets;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

async fn is_over(house: &House, who: &SignedIn) -> bool {
    let answer = house
        .identity
        .refresh(&who.refresh_token, None, &stranger())
        .await;
    matches!(answer, Err(RefreshError::InvalidGrant))
}

/// Ada, who administers and owns, and Bob, a member.
async fn two(
    house: &House,
) -> (
    cyprob_core::service::Founded,
    cyprob_core::service::Accepted,
) {
    let founded = house.found().await;
    let org = house.org(founded.org.id, founded.user.id, RoleName::OWNER);
    let bob = house.member(&org, BOB, RoleName::VIEWER).await;
    (founded, bob)
}

pub(crate) async fn asvs_7_4_2_a_disabled_account_has_no_session_left(house: House) {
    let (founded, bob) = two(&house).await;
    let (first, second) = (house.sign_in(BOB).await, house.sign_in(BOB).await);
    house.events().await;
    resets::mail(&house).await;
    let by = house.deployment(founded.user.id);
    let (identity, user) = (&house.identity, bob.user.id);
    identity.disable_user(&by, user, "left").await.unwrap();
    let epoch = bob.user.epoch.next();
    let published = house.feed.published();
    assert_eq!(
        published.last().map(|it| it.what),
        Some(Revocation::User(user, epoch))
    );
    assert!(is_over(&house, &first).await && is_over(&house, &second).await);
    house.try_sign_in(BOB, PASSWORD).await.unwrap_err();
    house.clock.advance(Duration::from_secs(1));
    let told = resets::mail(&house).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message.kind(), "account_disabled");
    identity.disable_user(&by, user, "again").await.unwrap();
    identity.enable_user(&by, user).await.unwrap();
    identity.enable_user(&by, user).await.unwrap();
    let actions: Vec<_> = house
        .events()
        .await
        .into_iter()
        .map(|it| it.action)
        .collect();
    assert_eq!(actions, [Action::UserDisabled, Action::UserEnabled]);
    assert!(is_over(&house, &first).await, "no session comes back");
    house.sign_in(BOB).await;
}

pub(crate) async fn the_last_administrator_cannot_be_disabled(house: House) {
    let founded = house.found().await;
    let operator = SystemCtx::operator("a test");
    let refused = house
        .identity
        .disable_user(&operator, founded.user.id, "why not")
        .await;
    assert!(matches!(refused, Err(AccountError::LastAdministrator)));
    house.sign_in(ADA).await;
}

pub(crate) async fn asvs_7_4_5_sessions_end_for_a_person_an_organization_and_everyone(
    house: House,
) {
    let (founded, bob) = two(&house).await;
    let ada = house.sign_in(ADA).await;
    let by = house.deployment(founded.user.id);
    let end = async |whose, keep| {
        let ended = house.identity.end_many(&by, whose, keep, "an incident");
        ended.await.unwrap()
    };
    let one = house.sign_in(BOB).await;
    assert_eq!(end(Whose::User(bob.user.id), KeepCurrent::No).await, 1);
    assert!(is_over(&house, &one).await && !is_over(&house, &ada).await);

    house.clock.advance(std::time::Duration::from_secs(1));
    let two = house.sign_in(BOB).await;
    assert_eq!(end(Whose::Org(founded.org.id), KeepCurrent::No).await, 2);
    let again = house
        .identity
        .org_token(
            &house.user(&two),
            &founded.org.slug.as_str().parse().unwrap(),
        )
        .await;
    assert!(matches!(again, Err(RefreshError::SignInRequired)));
    assert!(!is_over(&house, &two).await, "the session goes on");

    let published = house.feed.published().len();
    assert_eq!(end(Whose::Everyone, KeepCurrent::No).await, 2);
    assert_eq!(house.feed.published().len(), published + 1);
    assert!(is_over(&house, &two).await && is_over(&house, &ada).await);
    house.clock.advance(std::time::Duration::from_secs(1));
    house.sign_in(BOB).await;
    let nobody = Whose::User("usr_00000000000070008000000000000000".parse().unwrap());
    let refused = house
        .identity
        .end_many(&by, nobody, KeepCurrent::No, "x")
        .await;
    assert!(matches!(refused, Err(AccountError::NotFound)));
}

pub(crate) async fn looking_at_accounts_is_recorded(house: House) {
    let (founded, bob) = two(&house).await;
    house.events().await;
    let by = house.deployment(founded.user.id);
    let page = PageRequest::new(10, None);
    let all = house.identity.users(&by, None, &page).await.unwrap();
    assert_eq!(all.items.len(), 2);
    let email = parsed(BOB);
    let one = house.identity.users(&by, Some(&email), &page).await;
    let one: Vec<_> = one.unwrap().items.into_iter().map(|it| it.id).collect();
    assert_eq!(one, [bob.user.id]);
    let email = parsed("nobody@example.com");
    let none = house.identity.users(&by, Some(&email), &page).await;
    assert!(none.unwrap().items.is_empty());
    let events = house.events().await;
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| event.action == Action::UsersRead));
}

pub(crate) async fn asvs_6_3_5_a_sign_in_from_a_new_device_is_told(house: House) {
    house.found().await;
    let sign_in = async |client: &str, last: u8| {
        let mut caller: Caller = stranger();
        caller.origin.user_agent = Some(client.to_owned());
        caller.origin.ip_address = Some([198, 51, 100, last].into());
        let answer = house.identity.sign_in(credentials(ADA, PASSWORD), &caller);
        let signed_in = answer.await.unwrap();
        assert!(!signed_in.refresh_token.expose_secret().is_empty());
        let kinds: Vec<_> = resets::mail(&house).await;
        kinds.iter().map(|it| it.message.kind()).collect::<Vec<_>>()
    };
    assert!(sign_in("firefox", 1).await.is_empty(), "the first ever");
    assert!(sign_in("firefox", 9).await.is_empty(), "the same network");
    assert_eq!(sign_in("curl", 1).await, ["new_device"]);
    assert!(sign_in("curl", 1).await.is_empty(), "known by now");
    assert!(sign_in("firefox", 1).await.is_empty());
}

pub(crate) async fn an_administrator_is_let_in_again_by_the_operator(house: House) {
    let (founded, _) = two(&house).await;
    house.events().await;
    let (identity, operator) = (&house.identity, SystemCtx::operator("a test"));
    for email in [BOB, "nobody@example.com"] {
        let refused = identity.recover(&operator, &parsed(email)).await;
        assert!(matches!(refused, Err(AccountError::NotFound)), "{email}");
    }
    let session = house.sign_in(ADA).await;
    house.events().await;
    let token = identity.recover(&operator, &parsed(ADA)).await.unwrap();
    let events = house.events().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].actor.kind(), "operator");
    assert_eq!(events[0].resource.id, founded.user.id.to_string());
    identity
        .reset_password(&token, OTHER.into(), &stranger())
        .await
        .unwrap();
    assert!(is_over(&house, &session).await);
    house.try_sign_in(ADA, OTHER).await.unwrap();
}
