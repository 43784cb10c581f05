//! AUTHZ-5.

mod town;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;

use self::town::{Held, Open, Seen, Town, Who};
use super::cases;
use crate::domain::{PermissionNames, Reach, RoleName};
use crate::ports::store::IdentityStore;
use crate::service::{AccountUpdate, InviteError, MemberError, RoleError, ServiceAccountError};
use crate::testkit::site::parsed;
use crate::testkit::{FixedRoles, Tally};

/// The names of the roles that organizations define here.
const OWN_ROLES: [&str; 3] = ["first", "second", "third"];

/// What somebody tries; numbers pick among what there is.
#[derive(Clone, Debug)]
enum Deed {
    Define(u8, u8),
    Edit(u8, u8),
    Drop(u8),
    SetRole(u8, RoleName),
    Remove(u8),
    Invite(RoleName),
    Accept(u8),
    MakeMachine(RoleName),
    RetrainMachine(u8, RoleName),
    HandOver(u8, u8),
    DropMachine(u8),
}

/// One step: in which organization, by whom, and what.
type Step = (usize, u8, Deed);

fn role() -> impl Strategy<Value = RoleName> {
    let own = select(&OWN_ROLES[..]).prop_map(parsed);
    let builtin = select(&RoleName::BUILTIN[..]);
    let conditional = Just(FixedRoles::CONDITIONAL).prop_map(parsed);
    prop_oneof![3 => own, 2 => builtin, 1 => conditional]
}

fn deed() -> impl Strategy<Value = Deed> {
    let n = any::<u8>;
    prop_oneof![
        4 => (n(), 1_u8..64).prop_map(|(name, set)| Deed::Define(name, set)),
        4 => (n(), 1_u8..64).prop_map(|(name, set)| Deed::Edit(name, set)),
        1 => n().prop_map(Deed::Drop),
        5 => (n(), role()).prop_map(|(who, role)| Deed::SetRole(who, role)),
        1 => n().prop_map(Deed::Remove),
        3 => role().prop_map(Deed::Invite),
        3 => n().prop_map(Deed::Accept),
        3 => role().prop_map(Deed::MakeMachine),
        2 => (n(), role()).prop_map(|(who, role)| Deed::RetrainMachine(who, role)),
        1 => (n(), n()).prop_map(|(who, to)| Deed::HandOver(who, to)),
        1 => n().prop_map(Deed::DropMachine),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0_usize..2, any::<u8>(), deed()), 8..20)
}

/// How a deed ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Done,
    Above,
    Refused,
}

/// No role can grant more than its holder holds; the last owner stays; one organization's administrator changes nothing of another or of the person as such.
///
/// Random holders, people and machines, define and edit roles, hand them out,
/// invite and make machines in two organizations, as if no route asked them
/// for a permission before. After each step nobody holds more than they did
/// before, or than whoever acted held; each organization has an owner; and
/// nothing of the other organization has changed, nor anybody's password,
/// epoch or sessions.
///
/// # Panics
///
/// At the first case that breaks it, and without a runtime of tokio.
pub async fn authz_5<F, G>(fresh: F) -> Tally
where
    F: Fn() -> G,
    G: Future<Output = Arc<dyn IdentityStore>>,
{
    let mut tally = Tally::default();
    for steps in cases(&steps()) {
        let mut town = Town::new(fresh().await).await;
        let mut seen = town.seen().await;
        for step in &steps {
            let (ending, after) = match taken(&mut town, &seen, step).await {
                Ok(taken) => taken,
                Err(fault) => panic!("{fault}: {step:?} of {steps:?}"),
            };
            seen = after;
            tally.count(match ending {
                Ending::Done => "took effect",
                Ending::Above => "more than the granter holds",
                Ending::Refused => "refused otherwise",
            });
        }
    }
    tally
}

/// Takes a step and looks at what it did.
async fn taken(
    town: &mut Town,
    before: &Seen,
    (org, by, deed): &Step,
) -> Result<(Ending, Seen), String> {
    let (org, other) = (*org, usize::from(*org == 0));
    let holders = before.holders(org);
    let Some(actor) = pick(holders, *by) else {
        return Err("an organization without holders".to_owned());
    };
    let (ending, granter) = done(town, org, actor, holders, deed).await;

    let after = town.seen().await;
    within(
        holders,
        after.holders(org),
        granter.as_ref().unwrap_or(actor),
    )?;
    let mut owners = after.holders(org).iter();
    if !owners.any(|held| held.role == RoleName::OWNER) {
        return Err("an organization without an owner".to_owned());
    }
    if after.belongings(other) != before.belongings(other) {
        return Err("something of the other organization changed".to_owned());
    }
    let mut people = before.people.iter();
    if people.any(|(user, was)| after.people.get(user) != Some(was)) {
        return Err("something of a person as such changed".to_owned());
    }
    Ok((ending, after))
}

/// Whether nobody holds more than before, or than the granter did.
fn within(before: &[Held], after: &[Held], granter: &Held) -> Result<(), String> {
    let held: BTreeMap<Who, &Held> = before.iter().map(|held| (held.who, held)).collect();
    for now in after {
        let was = held.get(&now.who);
        let reach = was.map_or(Reach::NOTHING, |was| was.reach);
        let bound = Reach::new(reach.at_most() | granter.reach.always());
        if !bound.is_superset(now.reach) {
            return Err(format!("{now:?} holds more than {granter:?} could give"));
        }
        let was_owner = was.is_some_and(|was| was.role == RoleName::OWNER);
        if now.role == RoleName::OWNER && !was_owner && granter.role != RoleName::OWNER {
            return Err(format!("{now:?} was made an owner by {granter:?}"));
        }
        if was_owner && now.role != RoleName::OWNER && granter.role != RoleName::OWNER {
            return Err(format!("{now:?} was an owner until {granter:?} came"));
        }
    }
    Ok(())
}

fn pick<T>(from: &[T], number: u8) -> Option<&T> {
    from.get(usize::from(number).checked_rem(from.len())?)
}

fn permissions(set: u8) -> PermissionNames {
    let all = FixedRoles::PERMISSIONS.iter().enumerate();
    let some = all.filter(|(bit, _)| set >> bit & 1 == 1);
    let names = PermissionNames::new(some.map(|(_, name)| *name));
    names.unwrap_or_else(|error| panic!("{set}: {error}"))
}

fn own_role(number: u8) -> RoleName {
    pick(&OWN_ROLES, number).map_or(RoleName::VIEWER, |name| parsed(name))
}

/// Does a deed; gives how it ended, and whose rights it was done by if they are not the actor's.
async fn done(
    town: &mut Town,
    org: usize,
    actor: &Held,
    holders: &[Held],
    deed: &Deed,
) -> (Ending, Option<Held>) {
    let ctx = town.acting(org, actor);
    let machine = |number: &u8| {
        let machines: Vec<_> = holders
            .iter()
            .filter_map(|held| match held.who {
                Who::Machine(id) => Some(id),
                Who::Person(_) => None,
            })
            .collect();
        pick(&machines, *number).copied()
    };
    let person = |number: &u8| {
        let people: Vec<_> = holders
            .iter()
            .filter_map(|held| match held.who {
                Who::Person(id) => Some(id),
                Who::Machine(_) => None,
            })
            .collect();
        pick(&people, *number).copied()
    };
    let identity = Arc::clone(&town.site.identity);
    let ending = match deed {
        Deed::Define(name, set) => {
            let made = identity.create_role(&ctx, own_role(*name), permissions(*set));
            of_role(made.await.map(drop))
        }
        Deed::Edit(name, set) => {
            let edited = identity
                .edit_role(&ctx, own_role(*name), permissions(*set))
                .await;
            of_role(edited.map(drop))
        }
        Deed::Drop(name) => of_role(identity.delete_role(&ctx, &own_role(*name)).await),
        Deed::SetRole(who, role) => match person(who) {
            Some(user) => of_member(identity.set_role(&ctx, user, role.clone()).await.map(drop)),
            None => Ending::Refused,
        },
        Deed::Remove(who) => match person(who) {
            Some(user) => of_member(identity.remove_member(&ctx, user).await),
            None => Ending::Refused,
        },
        Deed::Invite(role) => {
            let email = parsed(&town.fresh_email());
            match identity.invite(&ctx, email, role.clone()).await {
                Ok(made) => {
                    town.open.push(Open {
                        id: made.invitation.id,
                        org,
                        by: actor.who,
                        token: made.token,
                    });
                    Ending::Done
                }
                Err(InviteError::Forbidden) => Ending::Above,
                Err(InviteError::UnknownRole) => Ending::Refused,
                Err(error) => panic!("{error}"),
            }
        }
        Deed::Accept(number) => return accepted(town, org, *number, holders).await,
        Deed::MakeMachine(role) => {
            let made = identity
                .create_service_account(&ctx, parsed("Machine"), role.clone())
                .await;
            of_machine(made.map(drop))
        }
        Deed::RetrainMachine(who, role) => match machine(who) {
            Some(id) => {
                let update = AccountUpdate {
                    role: Some(role.clone().into()),
                    owner: None,
                };
                let changed = identity.change_service_account(&ctx, id, &update).await;
                of_machine(changed.map(drop))
            }
            None => Ending::Refused,
        },
        Deed::HandOver(who, to) => match (machine(who), person(to)) {
            (Some(id), owner) => {
                let update = AccountUpdate { role: None, owner };
                let changed = identity.change_service_account(&ctx, id, &update).await;
                of_machine(changed.map(drop))
            }
            _ => Ending::Refused,
        },
        Deed::DropMachine(who) => match machine(who) {
            Some(id) => of_machine(identity.delete_service_account(&ctx, id).await),
            None => Ending::Refused,
        },
    };
    (ending, None)
}

/// Accepts an open invitation of the organization; it is the inviter who grants.
async fn accepted(
    town: &mut Town,
    org: usize,
    number: u8,
    holders: &[Held],
) -> (Ending, Option<Held>) {
    let ours: Vec<_> = town
        .open
        .iter()
        .filter(|open| open.org == org)
        .map(|open| open.id)
        .collect();
    let Some(id) = pick(&ours, number).copied() else {
        return (Ending::Refused, None);
    };
    let at = town.open.iter().position(|open| open.id == id);
    let Some(open) = at.map(|at| town.open.remove(at)) else {
        return (Ending::Refused, None);
    };
    // Who has left since grants nothing.
    let nobody = Held {
        who: open.by,
        role: RoleName::VIEWER,
        reach: Reach::NOTHING,
    };
    let inviter = holders.iter().find(|held| held.who == open.by);
    let granter = inviter.cloned().unwrap_or(nobody);
    let ending = match town.accept(&open.token).await {
        Ok(_) => Ending::Done,
        Err(crate::service::AcceptError::InvalidToken) => Ending::Above,
        Err(error) => panic!("{error}"),
    };
    (ending, Some(granter))
}

fn of_role(result: Result<(), RoleError>) -> Ending {
    match result {
        Ok(()) => Ending::Done,
        Err(RoleError::Forbidden) => Ending::Above,
        Err(error @ RoleError::Store(_)) => panic!("{error}"),
        Err(_) => Ending::Refused,
    }
}

fn of_member(result: Result<(), MemberError>) -> Ending {
    match result {
        Ok(()) => Ending::Done,
        Err(MemberError::Forbidden) => Ending::Above,
        Err(error @ MemberError::Store(_)) => panic!("{error}"),
        Err(_) => Ending::Refused,
    }
}

fn of_machine(result: Result<(), ServiceAccountError>) -> Ending {
    match result {
        Ok(()) => Ending::Done,
        Err(ServiceAccountError::Forbidden) => Ending::Above,
        Err(error @ ServiceAccountError::Store(_)) => panic!("{error}"),
        Err(_) => Ending::Refused,
    }
}
