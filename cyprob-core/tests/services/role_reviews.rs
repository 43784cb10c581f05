//! Reviews of who holds which role.

use std::time::Duration;

use cyprob_core::domain::audit::{Action, Actor, MetaValue};
use cyprob_core::domain::{Caller, OrgCtx, PageRequest, ReviewNote, RoleName, UserId};
use cyprob_core::ports::Clock as _;
use cyprob_core::service::{ReviewError, ReviewInView};

use crate::house::{House, parsed, stranger};

fn note() -> ReviewNote {
    parsed("looked at each of them")
}

async fn opened(house: &House, by: &OrgCtx) -> ReviewInView {
    house.identity.open_role_review(by).await.unwrap()
}

async fn signed(house: &House, by: &OrgCtx, review: &ReviewInView) -> Result<bool, ReviewError> {
    let record = &review.review.record;
    let signed = house
        .identity
        .sign_role_review(by, record.id, record.digest, note())
        .await?;
    Ok(signed.signed.unwrap().self_reviewed)
}

/// `acme` with its owner and an auditor, whom the owner invited.
async fn founded(house: &House) -> (OrgCtx, OrgCtx, UserId) {
    let founded = house.found().await;
    let org = founded.org.id;
    let ada = house.org(org, founded.user.id, RoleName::OWNER);
    let eve = house.member(&ada, "eve@example.com", RoleName::AUDITOR);
    let eve = eve.await.user.id;
    (ada, house.org(org, eve, RoleName::AUDITOR), eve)
}

pub(crate) async fn a_review_is_opened_and_signed_with_its_events(house: House) {
    let (ada, by_eve, eve) = founded(&house).await;
    house.sign_in("eve@example.com").await;
    house.events().await;
    let review = opened(&house, &by_eve).await;
    let roles = review.review.mapping.iter();
    let mut roles: Vec<_> = roles.map(|held| held.role.as_str()).collect();
    roles.sort_unstable();
    assert_eq!(roles, ["auditor", "owner"]);
    let used = |held: &&cyprob_core::domain::HeldRole| held.last_used_at.is_some();
    let used: Vec<_> = review.review.mapping.iter().filter(used).collect();
    assert_eq!(used.len(), 1);
    assert_eq!(used.first().unwrap().user, eve);
    assert!(review.changes().is_empty());
    house.clock.advance(Duration::from_secs(60));
    assert!(!signed(&house, &by_eve, &review).await.unwrap());

    let stored = house.identity.role_review(&ada, review.review.record.id);
    let stored = stored.await.unwrap().review;
    let sign_off = stored.record.signed.clone().unwrap();
    assert_eq!((sign_off.by, sign_off.note), (eve, note()));
    assert_eq!(sign_off.at, house.clock.now());
    let last = house.identity.last_signed_role_review(&ada).await.unwrap();
    assert_eq!(last, Some(stored.record));
    let events = house.events().await;
    let actions: Vec<_> = events.iter().map(|event| event.action).collect();
    assert_eq!(
        actions,
        [Action::RoleReviewOpened, Action::RoleReviewSigned]
    );
    let signing = events.last().unwrap();
    let says = |name: &str| signing.metadata.get(name).cloned();
    assert_eq!(says("self_reviewed"), Some(MetaValue::public(false)));
    let digest = MetaValue::public(review.review.record.digest);
    assert_eq!(says("digest"), Some(digest));
    let personal = MetaValue::personal(Some(eve), note().as_str());
    assert_eq!(says("note"), Some(personal));
}

pub(crate) async fn a_review_of_other_roles_is_not_signed_and_says_what_changed(house: House) {
    let (ada, by_eve, _) = founded(&house).await;
    let bob = house.member(&ada, "bob@example.com", RoleName::VIEWER);
    let bob = bob.await.user.id;
    let review = opened(&house, &by_eve).await;
    let set = house.identity.set_role(&ada, bob, RoleName::ADMIN);
    set.await.unwrap();
    house.events().await;
    let refused = signed(&house, &by_eve, &review).await;
    assert!(matches!(refused, Err(ReviewError::Changed)), "{refused:?}");
    let id = review.review.record.id;
    let now = house.identity.role_review(&by_eve, id).await.unwrap();
    let changes = now.changes();
    assert_eq!((changes.added.len(), changes.removed.len()), (0, 0));
    let [moved] = &changes.changed[..] else {
        panic!("{changes:?}");
    };
    assert_eq!((moved.user, &moved.to), (bob, &RoleName::ADMIN));
    // Back as it was, it can be signed; with another review's digest it cannot.
    let other = opened(&house, &by_eve).await;
    let digest = review.review.record.digest;
    let wrong = other.review.record.id;
    let refused = house
        .identity
        .sign_role_review(&by_eve, wrong, digest, note())
        .await;
    assert!(matches!(refused, Err(ReviewError::Changed)), "{refused:?}");
    let gone = signed(&house, &by_eve, &review).await;
    assert!(matches!(gone, Err(ReviewError::NotFound)), "{gone:?}");
    signed(&house, &by_eve, &other).await.unwrap();
    let twice = signed(&house, &by_eve, &other).await;
    assert!(
        matches!(twice, Err(ReviewError::AlreadySigned)),
        "{twice:?}"
    );
    let actions: Vec<_> = house.events().await.iter().map(|it| it.action).collect();
    assert_eq!(
        actions,
        [Action::RoleReviewOpened, Action::RoleReviewSigned]
    );
}

pub(crate) async fn who_changed_the_roles_and_signs_for_them_is_seen(house: House) {
    let (ada, by_eve, _) = founded(&house).await;
    let second = || house.clock.advance(Duration::from_secs(1));
    // Ada invited Eve.
    second();
    let review = opened(&house, &ada).await;
    assert!(signed(&house, &ada, &review).await.unwrap());
    // Since then nobody changed anything.
    second();
    let review = opened(&house, &ada).await;
    assert!(!signed(&house, &ada, &review).await.unwrap());
    second();
    let bob = house.member(&ada, "bob@example.com", RoleName::VIEWER);
    let bob = bob.await.user.id;
    let review = opened(&house, &by_eve).await;
    assert!(!signed(&house, &by_eve, &review).await.unwrap());
    second();
    let set = house.identity.set_role(&ada, bob, RoleName::ANALYST);
    set.await.unwrap();
    let review = opened(&house, &ada).await;
    assert!(signed(&house, &ada, &review).await.unwrap());
    second();
    house.identity.remove_member(&ada, bob).await.unwrap();
    let review = opened(&house, &ada).await;
    assert!(signed(&house, &ada, &review).await.unwrap());
    let page = PageRequest::default();
    let reviews = house.identity.role_reviews(&ada, &page);
    assert_eq!(reviews.await.unwrap().items.len(), 5);
}

pub(crate) async fn a_machine_stands_for_nothing(house: House) {
    let (ada, by_eve, _) = founded(&house).await;
    let review = opened(&house, &by_eve).await;
    house.events().await;
    let machine = Caller {
        actor: Actor::system("machine"),
        ..stranger()
    };
    let machine = house.org_as(ada.org(), RoleName::OWNER, machine);
    let refused = house.identity.open_role_review(&machine).await;
    assert!(
        matches!(refused, Err(ReviewError::NotAPerson)),
        "{refused:?}"
    );
    let refused = signed(&house, &machine, &review).await;
    assert!(
        matches!(refused, Err(ReviewError::NotAPerson)),
        "{refused:?}"
    );
    assert_eq!(house.events().await, []);
}
