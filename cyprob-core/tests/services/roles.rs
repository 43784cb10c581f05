//! Roles that an organization defines.

use cyprob_core::domain::audit::Action;
use cyprob_core::domain::{
    OrgCtx, Reach, Revocation, RoleChoice, RoleName, RoleUse, RoleVersion, ServiceAccountId, UserId,
};
use cyprob_core::ports::RoleRules;
use cyprob_core::service::{
    AcceptError, AccountUpdate, InviteError, MemberError, RoleError, ServiceAccountError,
};
use cyprob_core::testkit::FixedRoles;

use crate::house::{House, parsed, stranger};

pub(crate) fn triage() -> RoleName {
    parsed("triage")
}

pub(crate) fn reach(permissions: &str) -> Reach {
    FixedRoles.reach(&parsed(permissions)).unwrap()
}

pub(crate) async fn owner(house: &House) -> OrgCtx {
    let founded = house.found().await;
    house.org(founded.org.id, founded.user.id, RoleName::OWNER)
}

pub(crate) async fn asvs_8_2_1_nobody_defines_more_than_they_hold(house: House) {
    let ada = owner(&house).await;
    let bob = house.member(&ada, "bob@example.com", RoleName::ADMIN).await;
    let bob = house.org(ada.org(), bob.user.id, RoleName::ADMIN);
    house.events().await;
    let identity = &house.identity;
    let above = identity.create_role(&bob, triage(), parsed("org:write runs:read"));
    assert!(matches!(above.await, Err(RoleError::Forbidden)));
    let own = identity.create_role(&bob, triage(), parsed("members:write runs:read"));
    own.await.unwrap();
    // nor does an edit reach further, in either direction
    let above = identity
        .edit_role(&bob, triage(), parsed("org:write"))
        .await;
    assert!(matches!(above, Err(RoleError::Forbidden)));
    let wide = identity
        .edit_role(&ada, triage(), parsed("org:write"))
        .await;
    wide.unwrap();
    for answer in [
        identity
            .edit_role(&bob, triage(), parsed("runs:read"))
            .await
            .map(drop),
        identity.delete_role(&bob, &triage()).await,
    ] {
        assert!(matches!(answer, Err(RoleError::Forbidden)), "{answer:?}");
    }
    // a token that its holder narrowed hands out no more than it holds
    let founder = ada.caller().actor.user().unwrap();
    let narrowed = house.within(ada.org(), founder, RoleName::OWNER, reach("members:write"));
    let answer = identity.create_role(&narrowed, parsed("other"), parsed("runs:read"));
    assert!(matches!(answer.await, Err(RoleError::Forbidden)));
    let answer = identity.invite(&narrowed, parsed("x@example.com"), RoleName::VIEWER);
    assert!(matches!(answer.await, Err(InviteError::Forbidden)));
    let actions: Vec<_> = house.events().await.iter().map(|it| it.action).collect();
    assert_eq!(actions, [Action::RoleCreated, Action::RoleEdited]);
}

pub(crate) async fn built_in_names_and_unknown_permissions_are_refused(house: House) {
    let ada = owner(&house).await;
    house.events().await;
    let identity = &house.identity;
    for name in RoleName::BUILTIN {
        let answers = [
            identity
                .create_role(&ada, name.clone(), parsed("runs:read"))
                .await
                .map(drop),
            identity
                .edit_role(&ada, name.clone(), parsed("runs:read"))
                .await
                .map(drop),
            identity.delete_role(&ada, &name).await,
        ];
        for answer in answers {
            assert!(matches!(answer, Err(RoleError::Builtin)), "{answer:?}");
        }
    }
    let unknown = identity.create_role(&ada, triage(), parsed("runs:read of:tomorrow"));
    assert!(matches!(unknown.await, Err(RoleError::UnknownPermission)));
    let missing = identity
        .edit_role(&ada, triage(), parsed("runs:read"))
        .await;
    assert!(matches!(missing, Err(RoleError::NotFound)));
    assert_eq!(house.events().await, []);
}

pub(crate) async fn asvs_8_3_2_an_edit_ends_the_tokens_and_new_ones_carry_its_version(
    house: House,
) {
    let ada = owner(&house).await;
    let identity = &house.identity;
    let role = identity.create_role(&ada, triage(), parsed("runs:read runs:create"));
    let role = role.await.unwrap();
    house.member(&ada, "bob@example.com", triage()).await;
    let before = house.sign_in("bob@example.com").await;
    assert_eq!(before.scope.version, Some(role.version));

    let edited = identity
        .edit_role(&ada, triage(), parsed("runs:read"))
        .await;
    let edited = edited.unwrap();
    let published: Vec<_> = house.feed.published().iter().map(|it| it.what).collect();
    let what = Revocation::Role(ada.org(), role.version.id, edited.version.epoch);
    assert_eq!(published, [what]);
    assert_eq!(edited.version.epoch, role.version.epoch.next());
    let after = identity
        .refresh(&before.refresh_token, None, &stranger())
        .await;
    assert_eq!(after.unwrap().scope.version, Some(edited.version));
    // the same again changes nothing and ends nobody's tokens
    let same = identity
        .edit_role(&ada, triage(), parsed("runs:read"))
        .await;
    assert_eq!(same.unwrap(), edited);
    assert_eq!(house.feed.published().len(), 1);
}

/// Whatever is given by name, with the version that was looked at; whether it was given.
async fn given(
    house: &House,
    by: &OrgCtx,
    bob: UserId,
    machine: ServiceAccountId,
    choice: &RoleChoice,
) -> [bool; 4] {
    let identity = &house.identity;
    let member = identity.set_role(by, bob, choice.clone()).await;
    assert!(matches!(member, Ok(_) | Err(MemberError::Raced)));
    let email = parsed("guest@example.com");
    let invited = identity.invite(by, email, choice.clone()).await;
    assert!(matches!(invited, Ok(_) | Err(InviteError::RoleChanged)));
    let made = identity.create_service_account(by, parsed("Other"), choice.clone());
    let made = made.await;
    assert!(matches!(made, Ok(_) | Err(ServiceAccountError::Raced)));
    let update = AccountUpdate {
        role: Some(choice.clone()),
        owner: None,
    };
    let changed = identity.change_service_account(by, machine, &update).await;
    assert!(matches!(changed, Ok(_) | Err(ServiceAccountError::Raced)));
    [
        member.is_ok(),
        invited.is_ok(),
        made.is_ok(),
        changed.is_ok(),
    ]
}

pub(crate) async fn a_role_is_not_given_in_a_version_that_was_not_seen(house: House) {
    let ada = owner(&house).await;
    let identity = &house.identity;
    let bob = house
        .member(&ada, "bob@example.com", RoleName::VIEWER)
        .await
        .user
        .id;
    let machine = identity.create_service_account(&ada, parsed("Machine"), RoleName::VIEWER);
    let machine = machine.await.unwrap().account.id;
    let first = identity.create_role(&ada, triage(), parsed("runs:read"));
    let first = first.await.unwrap();
    let picked = |seen: RoleVersion| RoleChoice {
        name: triage(),
        seen: Some(seen),
    };
    // somebody widens it between the look and the grant
    let wide = identity
        .edit_role(&ada, triage(), parsed("runs:read org:write"))
        .await;
    let wide = wide.unwrap().version;
    house.events().await;
    let answer = given(&house, &ada, bob, machine, &picked(first.version)).await;
    assert_eq!(answer, [false; 4]);
    // or puts another role of the same name in its place, with the same number
    identity.delete_role(&ada, &triage()).await.unwrap();
    let other = identity.create_role(&ada, triage(), parsed("org:write"));
    let other = other.await.unwrap().version;
    assert_eq!(other.epoch, first.version.epoch);
    for seen in [first.version, wide] {
        let answer = given(&house, &ada, bob, machine, &picked(seen)).await;
        assert_eq!(answer, [false; 4]);
    }
    // a built-in role has no version to be seen
    let viewer = RoleChoice {
        name: RoleName::VIEWER,
        seen: Some(other),
    };
    assert_eq!(given(&house, &ada, bob, machine, &viewer).await, [false; 4]);
    let actions: Vec<_> = house.events().await.iter().map(|it| it.action).collect();
    assert_eq!(actions, [Action::RoleDeleted, Action::RoleCreated]);
    let answer = given(&house, &ada, bob, machine, &picked(other)).await;
    assert_eq!(answer, [true; 4]);
}

pub(crate) async fn of_two_who_edit_what_they_saw_at_once_one_is_told(house: House) {
    let ada = owner(&house).await;
    let identity = &house.identity;
    let made = identity.create_role(&ada, triage(), parsed("runs:read"));
    let mut seen = made.await.unwrap().version;
    for _ in 0..8 {
        let choice = || RoleChoice {
            name: triage(),
            seen: Some(seen),
        };
        let (first, second) = tokio::join!(
            identity.edit_role(&ada, choice(), parsed("audit:read")),
            identity.edit_role(&ada, choice(), parsed("org:write")),
        );
        let (won, lost) = match (first, second) {
            (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
            both => panic!("one of two: {both:?}"),
        };
        assert!(matches!(lost, RoleError::Raced), "{lost:?}");
        assert_eq!(won.version.epoch, seen.epoch.next());
        let back = identity
            .edit_role(&ada, triage(), parsed("runs:read"))
            .await;
        seen = back.unwrap().version;
    }
}

pub(crate) async fn a_role_in_use_says_who_uses_it(house: House) {
    let ada = owner(&house).await;
    let identity = &house.identity;
    let made = identity.create_role(&ada, triage(), parsed("runs:read"));
    made.await.unwrap();
    let bob = house.member(&ada, "bob@example.com", triage()).await;
    house.invite(&ada, "eve@example.com", triage()).await;
    let machine = identity.create_service_account(&ada, parsed("Machine"), triage());
    machine.await.unwrap();
    let used = RoleUse {
        members: 1,
        service_accounts: 1,
        invitations: 1,
    };
    let answer = identity.delete_role(&ada, &triage()).await;
    assert!(matches!(answer, Err(RoleError::InUse(by)) if by == used));
    let back = identity.set_role(&ada, bob.user.id, RoleName::VIEWER).await;
    back.unwrap();
    let answer = identity.delete_role(&ada, &triage()).await;
    assert!(matches!(answer, Err(RoleError::InUse(by)) if by.members == 0));
}

pub(crate) async fn who_has_an_own_role_gives_as_far_as_it_reaches(house: House) {
    let ada = owner(&house).await;
    let identity = &house.identity;
    let made = identity.create_role(&ada, triage(), parsed("members:write runs:read"));
    made.await.unwrap();
    let bob = house.member(&ada, "bob@example.com", triage()).await;
    let bob = house.within(
        ada.org(),
        bob.user.id,
        triage(),
        reach("members:write runs:read"),
    );
    let eve = house
        .member(&bob, "eve@example.com", RoleName::VIEWER)
        .await;
    let given = identity.set_role(&bob, eve.user.id, triage()).await;
    assert_eq!(given.unwrap().role, triage());
    let above = identity.set_role(&bob, eve.user.id, RoleName::AUDITOR);
    assert!(matches!(above.await, Err(MemberError::Forbidden)));
    let unknown = identity.set_role(&bob, eve.user.id, parsed::<RoleName>("nobody"));
    assert!(matches!(unknown.await, Err(MemberError::UnknownRole)));
    let owner = identity.remove_member(&bob, ada.caller().actor.user().unwrap());
    assert!(matches!(owner.await, Err(MemberError::Forbidden)));
}

pub(crate) async fn an_invitation_counts_by_what_the_roles_permit_when_it_is_accepted(
    house: House,
) {
    let ada = owner(&house).await;
    let identity = &house.identity;
    let lead: RoleName = parsed("lead");
    let made = identity.create_role(&ada, lead.clone(), parsed("members:write runs:read"));
    made.await.unwrap();
    let made = identity.create_role(&ada, triage(), parsed("runs:read"));
    made.await.unwrap();
    let bob = house.member(&ada, "bob@example.com", lead.clone()).await;
    let held = reach("members:write runs:read");
    let bob = house.within(ada.org(), bob.user.id, lead.clone(), held);
    let invited = house.invite(&bob, "eve@example.com", triage()).await;
    // the role that is offered grows past what the inviter holds
    let wide = identity
        .edit_role(&ada, triage(), parsed("runs:read audit:read"))
        .await;
    wide.unwrap();
    let answer = identity
        .accept_as_new(&invited.token, House::account(), &stranger())
        .await;
    assert!(matches!(answer, Err(AcceptError::InvalidToken)));
    let back = identity
        .edit_role(&ada, triage(), parsed("runs:read"))
        .await;
    back.unwrap();
    // the inviter's own role loses the right to invite
    let narrow = identity
        .edit_role(&ada, lead.clone(), parsed("runs:read"))
        .await;
    narrow.unwrap();
    let answer = identity
        .accept_as_new(&invited.token, House::account(), &stranger())
        .await;
    assert!(matches!(answer, Err(AcceptError::InvalidToken)));
    let again = identity
        .edit_role(&ada, lead.clone(), parsed("members:write runs:read"))
        .await;
    again.unwrap();
    let answer = identity
        .accept_as_new(&invited.token, House::account(), &stranger())
        .await;
    assert_eq!(answer.unwrap().role, triage());
}
