//! Inviting and accepting.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::audit::Action;
use cyprob_core::domain::{OrgCtx, RoleName};
use cyprob_core::service::{AcceptError, InviteError, NewAccount, NewInvitation};

use crate::house::{House, OTHER, PASSWORD, parsed, stranger};

/// The owner of `acme`.
async fn owner(house: &House) -> OrgCtx {
    let founded = house.found().await;
    house.org(founded.org.id, founded.user.id, RoleName::OWNER)
}

async fn accept(house: &House, invited: &NewInvitation) -> Result<(), AcceptError> {
    let accepted = house
        .identity
        .accept_as_new(&invited.token, House::account(), &stranger())
        .await;
    accepted.map(|_| ())
}

async fn not_good(house: &House, invited: &NewInvitation) {
    let answer = accept(house, invited).await;
    assert!(
        matches!(answer, Err(AcceptError::InvalidToken)),
        "{answer:?}"
    );
}

pub(crate) async fn a_new_person_becomes_an_unverified_member(house: House) {
    let ada = owner(&house).await;
    let invited = house
        .invite(&ada, "bob@example.com", RoleName::ANALYST)
        .await;
    house.events().await;
    let nothing = house
        .identity
        .accept_as_new(&invited.token, None, &stranger())
        .await;
    assert!(matches!(nothing, Err(AcceptError::AccountNeeded)));
    assert_eq!(house.events().await, []);
    accept(&house, &invited).await.unwrap();
    let actions: Vec<_> = house.events().await.iter().map(|it| it.action).collect();
    let expected = [
        Action::UserCreated,
        Action::InvitationAccepted,
        Action::MemberAdded,
    ];
    assert_eq!(actions, expected);
    let bob = house.sign_in("bob@example.com").await;
    assert!(!bob.user.email_verified && !bob.user.administrator);
    assert_eq!(bob.scope.membership.unwrap().role, RoleName::ANALYST);
}

pub(crate) async fn a_token_is_good_once(house: House) {
    let ada = owner(&house).await;
    let invited = house
        .invite(&ada, "bob@example.com", RoleName::VIEWER)
        .await;
    accept(&house, &invited).await.unwrap();
    not_good(&house, &invited).await;
}

pub(crate) async fn a_token_is_good_for_72_hours(house: House) {
    let ada = owner(&house).await;
    let [one, two] = [
        house
            .invite(&ada, "bob@example.com", RoleName::VIEWER)
            .await,
        house
            .invite(&ada, "cyd@example.com", RoleName::VIEWER)
            .await,
    ];
    house.clock.advance(Duration::from_secs(72 * 3_600 - 1));
    accept(&house, &one).await.unwrap();
    house.clock.advance(Duration::from_secs(1));
    not_good(&house, &two).await;
}

pub(crate) async fn a_withdrawn_invitation_is_not_good(house: House) {
    let ada = owner(&house).await;
    let invited = house
        .invite(&ada, "bob@example.com", RoleName::VIEWER)
        .await;
    let id = invited.invitation.id;
    assert!(house.identity.revoke_invitation(&ada, id).await.unwrap());
    assert!(!house.identity.revoke_invitation(&ada, id).await.unwrap());
    not_good(&house, &invited).await;
}

pub(crate) async fn an_account_gets_no_credential_from_an_invitation(house: House) {
    let ada = owner(&house).await;
    house
        .member(&ada, "bob@example.com", RoleName::VIEWER)
        .await;
    let invited = house.invite(&ada, "Bob@Example.com", RoleName::OWNER).await;
    house.events().await;
    let account = NewAccount {
        name: parsed("Mallory"),
        password: OTHER.into(),
    };
    let answer = house
        .identity
        .accept_as_new(&invited.token, Some(account), &stranger())
        .await;
    assert!(
        matches!(answer, Err(AcceptError::SignInRequired)),
        "{answer:?}"
    );
    assert_eq!(house.events().await, []);
    house
        .try_sign_in("bob@example.com", OTHER)
        .await
        .unwrap_err();
    house.clock.advance(Duration::from_secs(1));
    house
        .try_sign_in("bob@example.com", PASSWORD)
        .await
        .unwrap();
}

pub(crate) async fn another_person_and_an_unverified_one_cannot_accept(house: House) {
    let ada = owner(&house).await;
    house
        .member(&ada, "bob@example.com", RoleName::VIEWER)
        .await;
    let by = house.deployment(ada.caller().actor.user().unwrap());
    let (slug, name) = (parsed("other"), parsed("Other"));
    let other = house
        .identity
        .create_org(&by, slug, name, parsed("bob@example.com"));
    let other = other.await.unwrap();
    for email in ["ada@example.com", "bob@example.com"] {
        let signed_in = house.sign_in(email).await;
        let by = house.user(&signed_in);
        let answer = house.identity.accept_as_user(&by, &other.token).await;
        assert!(
            matches!(answer, Err(AcceptError::Forbidden)),
            "{email}: {answer:?}"
        );
    }
}

pub(crate) async fn the_inviters_rights_are_asked_again(house: House) {
    let ada = owner(&house).await;
    let org = ada.org();
    let bob = house
        .member(&ada, "bob@example.com", RoleName::ADMIN)
        .await
        .user
        .id;
    let by_bob = house.org(org, bob, RoleName::ADMIN);
    let [one, two] = [
        house
            .invite(&by_bob, "cyd@example.com", RoleName::ADMIN)
            .await,
        house
            .invite(&by_bob, "dan@example.com", RoleName::VIEWER)
            .await,
    ];
    house
        .identity
        .set_role(&ada, bob, RoleName::OPERATOR)
        .await
        .unwrap();
    not_good(&house, &one).await;
    not_good(&house, &two).await;
    // The invitations were not used up: with the rights they are good again.
    house
        .identity
        .set_role(&ada, bob, RoleName::ADMIN)
        .await
        .unwrap();
    accept(&house, &one).await.unwrap();
    house.identity.remove_member(&ada, bob).await.unwrap();
    not_good(&house, &two).await;
}

pub(crate) async fn an_inviter_who_goes_while_the_password_is_hashed_invites_nobody(house: House) {
    let ada = owner(&house).await;
    let bob = house
        .member(&ada, "bob@example.com", RoleName::ADMIN)
        .await
        .user
        .id;
    let by_bob = house.org(ada.org(), bob, RoleName::ADMIN);
    let invited = house
        .invite(&by_bob, "cyd@example.com", RoleName::ADMIN)
        .await;
    house.hasher.hold().await;
    let identity = Arc::clone(&house.identity);
    let accepting = tokio::spawn(async move {
        let account = House::account();
        identity
            .accept_as_new(&invited.token, account, &stranger())
            .await
    });
    house.hasher.arrived(1).await;
    house.identity.remove_member(&ada, bob).await.unwrap();
    house.events().await;
    house.hasher.release();
    let answer = accepting.await.unwrap();
    assert!(
        matches!(answer, Err(AcceptError::InvalidToken)),
        "{answer:?}"
    );
    assert_eq!(house.events().await, []);
}

pub(crate) async fn nobody_invites_into_a_role_above_their_own(house: House) {
    let ada = owner(&house).await;
    let bob = house
        .member(&ada, "bob@example.com", RoleName::ADMIN)
        .await
        .user
        .id;
    let by_bob = house.org(ada.org(), bob, RoleName::ADMIN);
    house.events().await;
    let email = || parsed("cyd@example.com");
    let answer = house
        .identity
        .invite(&by_bob, email(), RoleName::OWNER)
        .await;
    assert!(matches!(answer, Err(InviteError::Forbidden)));
    let answer = house
        .identity
        .invite(&by_bob, email(), parsed::<RoleName>("wizard"))
        .await;
    assert!(matches!(answer, Err(InviteError::UnknownRole)));
    assert_eq!(house.events().await, []);
}

pub(crate) async fn of_two_acceptances_at_once_one_wins(house: House) {
    let ada = owner(&house).await;
    let invited = Arc::new(
        house
            .invite(&ada, "bob@example.com", RoleName::VIEWER)
            .await,
    );
    let racers: Vec<_> = (0..8)
        .map(|_| {
            let (identity, invited) = (Arc::clone(&house.identity), Arc::clone(&invited));
            tokio::spawn(async move {
                let account = House::account();
                identity
                    .accept_as_new(&invited.token, account, &stranger())
                    .await
            })
        })
        .collect();
    let mut won = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(_) => won += 1,
            Err(AcceptError::InvalidToken | AcceptError::SignInRequired) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(won, 1);
}
