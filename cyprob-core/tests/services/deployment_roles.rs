//! Roles that a deployment has beside the built-in ones, some of what they permit under a condition.

use std::time::Duration;

use cyprob_core::domain::{CustomRole, Epoch, RoleName, RoleVersion};
use cyprob_core::ports::Clock as _;
use cyprob_core::ports::store::CreateRoleOutcome;
use cyprob_core::service::{InviteError, KeyError, MemberError, RoleError, ServiceAccountError};
use cyprob_core::testkit::FixedRoles;

use crate::house::{House, parsed};
use crate::roles::{owner, reach, triage};

fn desk() -> RoleName {
    parsed(FixedRoles::CONDITIONAL)
}

pub(crate) async fn what_is_held_under_a_condition_is_not_handed_on(house: House) {
    let ada = owner(&house).await;
    let identity = &house.identity;
    let bob = house.member(&ada, "bob@example.com", desk()).await;
    // As the check vouches for who may manage members now, by the condition.
    let bob = house.within(ada.org(), bob.user.id, desk(), reach("runs:read"));
    let eve = house
        .member(&ada, "eve@example.com", RoleName::VIEWER)
        .await;
    let own = identity.set_role(&bob, eve.user.id, desk()).await;
    assert!(matches!(own, Err(MemberError::Forbidden)));
    // Who holds a part of it always does not give it either; who holds all of it does.
    let auditor = house.within(
        ada.org(),
        eve.user.id,
        RoleName::AUDITOR,
        reach("runs:read audit:read"),
    );
    let part = identity.set_role(&auditor, eve.user.id, desk()).await;
    assert!(matches!(part, Err(MemberError::Forbidden)));
    let given = identity.set_role(&ada, eve.user.id, desk()).await;
    assert_eq!(given.unwrap().role, desk());
}

pub(crate) async fn an_organization_s_own_role_comes_before_the_deployment_s(house: House) {
    let ada = owner(&house).await;
    let identity = &house.identity;
    // The organization had it before the deployment took up the name.
    let at = house.clock.now();
    let role = CustomRole {
        version: RoleVersion {
            id: house.id(),
            epoch: Epoch::FIRST,
        },
        name: desk(),
        permissions: parsed("org:write"),
        created_at: at,
        updated_at: at,
    };
    let made = house.store.create_role(&ada, &role, &[]).await;
    assert_eq!(made.unwrap(), CreateRoleOutcome::Created);
    let taken = identity.create_role(&ada, desk(), parsed("runs:read"));
    assert!(matches!(taken.await, Err(RoleError::Builtin)));
    // An administrator holds all of the deployment's, and not the own one's.
    let bob = house.member(&ada, "bob@example.com", RoleName::ADMIN).await;
    let bob = house.org(ada.org(), bob.user.id, RoleName::ADMIN);
    let eve = house
        .member(&ada, "eve@example.com", RoleName::VIEWER)
        .await;
    let given = identity.set_role(&bob, eve.user.id, desk()).await;
    assert!(matches!(given, Err(MemberError::Forbidden)));
    let given = identity.set_role(&ada, eve.user.id, desk()).await;
    given.unwrap();
    let signed_in = house.sign_in("eve@example.com").await;
    assert_eq!(signed_in.scope.version, Some(role.version));
    // It can still be edited, and be given up.
    let edited = identity.edit_role(&ada, desk(), parsed("runs:read")).await;
    edited.unwrap();
    let back = identity.set_role(&ada, eve.user.id, RoleName::VIEWER).await;
    back.unwrap();
    identity.delete_role(&ada, &desk()).await.unwrap();
    let gone = identity.delete_role(&ada, &desk()).await;
    assert!(matches!(gone, Err(RoleError::Builtin)));
}

pub(crate) async fn a_role_that_left_the_policy_opens_nothing(house: House) {
    let ada = owner(&house).await;
    let identity = &house.identity;
    let eve = house.member(&ada, "eve@example.com", desk()).await;
    let machine = identity.create_service_account(&ada, parsed("Machine"), desk());
    let machine = machine.await.unwrap().account.id;
    let founder = ada.caller().actor.user().unwrap();
    // Somebody who may manage members and machines, and holds nothing of the role.
    let bob = house.within(ada.org(), founder, triage(), reach("members:write"));
    let until = house.clock.now().after(Duration::from_secs(86_400));
    let elsewhere = house.without_policy();
    let key = elsewhere.create_service_key(&bob, machine, until).await;
    assert!(matches!(
        key,
        Err(KeyError::Account(ServiceAccountError::Forbidden))
    ));
    let gone = elsewhere.delete_service_account(&bob, machine).await;
    assert!(matches!(gone, Err(ServiceAccountError::Forbidden)));
    let out = elsewhere.remove_member(&bob, eve.user.id).await;
    assert!(matches!(out, Err(MemberError::Forbidden)));
    // Nor does anybody take the name over with those who have it.
    let taken = elsewhere.create_role(&ada, desk(), parsed("runs:read"));
    assert!(matches!(taken.await, Err(RoleError::NameTaken)));
    // Who holds everything tidies up.
    elsewhere
        .delete_service_account(&ada, machine)
        .await
        .unwrap();
    elsewhere.remove_member(&ada, eve.user.id).await.unwrap();
    let free = elsewhere.create_role(&ada, desk(), parsed("runs:read"));
    free.await.unwrap();
}

pub(crate) async fn who_manages_members_under_a_condition_invites_nobody(house: House) {
    let ada = owner(&house).await;
    let bob = house.member(&ada, "bob@example.com", desk()).await;
    let bob = house.within(ada.org(), bob.user.id, desk(), reach("runs:read"));
    let invited = house
        .identity
        .invite(&bob, parsed("eve@example.com"), RoleName::VIEWER);
    assert!(matches!(invited.await, Err(InviteError::Forbidden)));
}
