//! Members and their roles.

use cyprob_core::domain::{PageRequest, Revocation, RoleName};
use cyprob_core::service::{MemberError, RefreshError};

use crate::house::{House, parsed, stranger};

pub(crate) async fn the_last_owner_stays(house: House) {
    let founded = house.found().await;
    let ada = house.org(founded.org.id, founded.user.id, RoleName::OWNER);
    house.member(&ada, "bob@example.com", RoleName::ADMIN).await;
    house.events().await;
    let answer = house.identity.remove_member(&ada, founded.user.id).await;
    assert!(matches!(answer, Err(MemberError::LastOwner)), "{answer:?}");
    let answer = house
        .identity
        .set_role(&ada, founded.user.id, RoleName::ADMIN)
        .await;
    assert!(matches!(answer, Err(MemberError::LastOwner)), "{answer:?}");
    assert_eq!(house.events().await, []);
    assert!(house.feed.published().is_empty());
}

pub(crate) async fn two_owners_cannot_remove_each_other(house: House) {
    let founded = house.found().await;
    let org = founded.org.id;
    let ada = house.org(org, founded.user.id, RoleName::OWNER);
    for round in 0..10 {
        let email = format!("owner{round}@example.com");
        let other = house.member(&ada, &email, RoleName::OWNER).await.user.id;
        let by_other = house.org(org, other, RoleName::OWNER);
        let (one, two) = tokio::join!(
            house.identity.remove_member(&ada, other),
            house
                .identity
                .set_role(&by_other, founded.user.id, RoleName::VIEWER),
        );
        let owners: Vec<_> = house
            .identity
            .members(&ada, &PageRequest::default())
            .await
            .unwrap()
            .items
            .into_iter()
            .filter(|member| member.role == RoleName::OWNER)
            .collect();
        assert_eq!(owners.len(), 1, "{one:?} {two:?}");
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        if two.is_ok() {
            // The first owner is put back by the one who stayed, who then goes.
            house
                .identity
                .set_role(&by_other, founded.user.id, RoleName::OWNER)
                .await
                .unwrap();
            house.identity.remove_member(&ada, other).await.unwrap();
        }
    }
}

pub(crate) async fn an_administrator_cannot_touch_an_owner(house: House) {
    let founded = house.found().await;
    let ada = house.org(founded.org.id, founded.user.id, RoleName::OWNER);
    let second = house
        .member(&ada, "eve@example.com", RoleName::OWNER)
        .await
        .user
        .id;
    let bob = house
        .member(&ada, "bob@example.com", RoleName::ADMIN)
        .await
        .user
        .id;
    let by_bob = house.org(founded.org.id, bob, RoleName::ADMIN);
    let forbidden = [
        house
            .identity
            .set_role(&by_bob, second, RoleName::VIEWER)
            .await
            .map(|_| ()),
        house.identity.remove_member(&by_bob, second).await,
        house
            .identity
            .set_role(&by_bob, bob, RoleName::OWNER)
            .await
            .map(|_| ()),
    ];
    for answer in forbidden {
        assert!(matches!(answer, Err(MemberError::Forbidden)), "{answer:?}");
    }
    let answer = house
        .identity
        .set_role(&ada, bob, parsed::<RoleName>("wizard"))
        .await;
    assert!(
        matches!(answer, Err(MemberError::UnknownRole)),
        "{answer:?}"
    );
}

pub(crate) async fn a_change_ends_the_tokens_of_that_organization_alone(house: House) {
    let founded = house.found().await;
    let acme = founded.org.id;
    let ada = house.org(acme, founded.user.id, RoleName::OWNER);
    let bob = house
        .member(&ada, "bob@example.com", RoleName::OPERATOR)
        .await
        .user
        .id;
    let signed_in = house.sign_in("bob@example.com").await;
    let before = signed_in.scope.membership.unwrap();

    // Giving the role that he has ends nothing.
    house
        .identity
        .set_role(&ada, bob, RoleName::OPERATOR)
        .await
        .unwrap();
    assert!(house.feed.published().is_empty());
    house
        .identity
        .set_role(&ada, bob, RoleName::VIEWER)
        .await
        .unwrap();
    let published = house.feed.published();
    let [entry] = &published[..] else {
        panic!("{published:?}");
    };
    let Revocation::Member(org, user, epoch) = entry.what else {
        panic!("{published:?}");
    };
    assert_eq!((org, user), (acme, bob));
    assert!(epoch > before.epoch);

    // The session lives on, with the new role; removed, it lives on without the organization.
    let identity = &house.identity;
    let next = identity
        .refresh(&signed_in.refresh_token, None, &stranger())
        .await
        .unwrap();
    assert_eq!(next.scope.membership.unwrap().role, RoleName::VIEWER);
    house.identity.remove_member(&ada, bob).await.unwrap();
    let named = parsed("acme");
    let refused = identity
        .refresh(&next.refresh_token, Some(&named), &stranger())
        .await;
    assert!(
        matches!(refused, Err(RefreshError::OrgNotFound)),
        "{refused:?}"
    );
    let last = identity
        .refresh(&next.refresh_token, None, &stranger())
        .await
        .unwrap();
    assert_eq!(last.scope.membership, None);
}
