//! The decision: whether a verified caller may call a route.

use std::net::IpAddr;
use std::time::Duration;

use cyprob_core::domain::{ObjectScope, Timestamp};

use super::policy::Circumstances;
use super::{Claims, Permission, Principal, SystemPermission, Taken};

/// How old a sign-in may be where a route asks for a fresh one.
///
/// Nor may it lie further ahead: after a clock that went wrong was set back, a
/// sign-in from meanwhile would be fresh until its time has come.
pub const STEP_UP_AGE: Duration = Duration::from_secs(300);

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To be signed in, with a token that nobody narrowed.
    Authenticated,
    /// A permission in the organization that the path names, of what is not one object or another.
    Org(Permission),
    /// A permission in the organization that the path names, of some of its objects at least.
    Objects(Permission),
    /// A permission of the deployment's administrator.
    System(SystemPermission),
}

/// One request, as far as a decision needs it.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// What the route asks.
    pub need: Need,
    /// Whether it also asks for a fresh sign-in; system routes always do.
    pub step_up: bool,
    /// The organization in the path, as it is written there: an id or a slug.
    pub org: Option<&'a str>,
    /// The other names in the path, such as a run's id.
    pub resources: &'a [&'a str],
    /// The client's address, where known.
    pub address: Option<IpAddr>,
    /// When.
    pub at: Timestamp,
    /// The use that was taken of the token, where its holder narrowed it to a number of them.
    pub used: Option<&'a Taken>,
}

/// What a refused client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DenyCode {
    /// 401: the token is dead.
    InvalidToken,
    /// 401: the sign-in is not fresh enough.
    StepUpRequired,
    /// 403: not permitted.
    Forbidden,
    /// 404: the caller may not learn whether it exists.
    NotFound,
}

/// Which rule refused: what the audit trail is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The token's time is over.
    Expired,
    /// The holder's own deadline is over.
    NarrowedTime,
    /// The path's organization is not the token's.
    ForeignOrg,
    /// The token is for no organization.
    NoOrg,
    /// The holder narrowed the token to other permissions.
    NarrowedPermission,
    /// The holder narrowed the token to other resources.
    NarrowedResource,
    /// The holder narrowed the token to other addresses.
    NarrowedAddress,
    /// The holder narrowed the token, and the route takes none that is narrowed.
    NarrowedToken,
    /// The role does not permit it.
    RolePermission,
    /// The role permits it after a stronger sign-in.
    ConditionAal,
    /// The role permits it from other addresses.
    ConditionAddress,
    /// The role permits it at other times.
    ConditionHours,
    /// The role permits it of some objects alone, and the route concerns none; or of
    /// fewer than when the request began.
    ConditionObject,
    /// The caller is not the deployment's administrator.
    NotAdministrator,
    /// A service account calls what only a person may.
    NotAPerson,
    /// The sign-in is too old for this route.
    StaleAuthentication,
    /// The holder narrowed the token to a number of uses, and none was taken for the request.
    UseNotTaken,
    /// The holder narrowed the token to a number of uses, and none is left.
    Spent,
}

impl Rule {
    /// Every rule.
    pub const ALL: &'static [Self] = &[
        Self::Expired,
        Self::NarrowedTime,
        Self::ForeignOrg,
        Self::NoOrg,
        Self::NarrowedPermission,
        Self::NarrowedResource,
        Self::NarrowedAddress,
        Self::NarrowedToken,
        Self::RolePermission,
        Self::ConditionAal,
        Self::ConditionAddress,
        Self::ConditionHours,
        Self::ConditionObject,
        Self::NotAdministrator,
        Self::NotAPerson,
        Self::StaleAuthentication,
        Self::UseNotTaken,
        Self::Spent,
    ];

    /// The stable name in the audit trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NarrowedTime => "narrowed_time",
            Self::ForeignOrg => "foreign_organization",
            Self::NoOrg => "no_organization",
            Self::NarrowedPermission => "narrowed_permission",
            Self::NarrowedResource => "narrowed_resource",
            Self::NarrowedAddress => "narrowed_address",
            Self::NarrowedToken => "narrowed_token",
            Self::RolePermission => "role_permission",
            Self::ConditionAal => "condition_aal",
            Self::ConditionAddress => "condition_address",
            Self::ConditionHours => "condition_hours",
            Self::ConditionObject => "condition_object",
            Self::NotAdministrator => "not_administrator",
            Self::NotAPerson => "not_a_person",
            Self::StaleAuthentication => "stale_authentication",
            Self::UseNotTaken => "use_not_taken",
            Self::Spent => "spent",
        }
    }

    /// What the client is told of it.
    #[must_use]
    pub const fn code(self) -> DenyCode {
        match self {
            Self::Expired | Self::NarrowedTime | Self::Spent => DenyCode::InvalidToken,
            Self::ForeignOrg | Self::NoOrg => DenyCode::NotFound,
            Self::NarrowedPermission
            | Self::NarrowedResource
            | Self::NarrowedAddress
            | Self::NarrowedToken
            | Self::RolePermission
            | Self::ConditionAal
            | Self::ConditionAddress
            | Self::ConditionHours
            | Self::ConditionObject
            | Self::NotAdministrator
            | Self::NotAPerson
            | Self::UseNotTaken => DenyCode::Forbidden,
            Self::StaleAuthentication => DenyCode::StepUpRequired,
        }
    }
}

/// The outcome, with what decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The caller may.
    Permit,
    /// The caller may not.
    Deny {
        /// What the client is told.
        code: DenyCode,
        /// Which rule decided, for the audit trail.
        rule: Rule,
    },
}

impl Decision {
    /// Refuses by a rule.
    #[must_use]
    pub const fn deny(rule: Rule) -> Self {
        Self::Deny {
            code: rule.code(),
            rule,
        }
    }

    /// Whether the caller may.
    #[must_use]
    pub const fn is_permit(self) -> bool {
        matches!(self, Self::Permit)
    }
}

/// Decides. Whether the token was revoked is asked before, of the revocation view.
///
/// The order: the token's time, the organization, the holder's narrowings, the
/// role's permission and its conditions, the age of the sign-in, the use that was taken.
/// So [`Rule::UseNotTaken`] says that all the rest holds.
#[must_use]
pub fn decide(principal: &Principal, demand: &Demand<'_>) -> Decision {
    match first_objection(principal, demand).or_else(|| unused(principal, demand)) {
        Some(rule) => Decision::deny(rule),
        None => Decision::Permit,
    }
}

fn first_objection(principal: &Principal, demand: &Demand<'_>) -> Option<Rule> {
    let claims = principal.claims();
    let narrowings = principal.narrowings();
    if demand.at >= claims.expires_at() {
        return Some(Rule::Expired);
    }
    if !narrowings.is_live(second_of(demand.at)) {
        return Some(Rule::NarrowedTime);
    }
    match demand.need {
        Need::Authenticated => {
            if matches!(claims, Claims::Service(_)) {
                return Some(Rule::NotAPerson);
            }
            if narrowings.any() {
                return Some(Rule::NarrowedToken);
            }
        }
        Need::Org(permission) | Need::Objects(permission) => {
            let Some(org) = claims.org() else {
                return Some(Rule::NoOrg);
            };
            let named = |text: &str| text == org.slug.as_str() || text.parse() == Ok(org.id);
            if !demand.org.is_some_and(named) {
                return Some(Rule::ForeignOrg);
            }
            if !narrowings.permissions().contains(permission) {
                return Some(Rule::NarrowedPermission);
            }
            if let Some(rule) = narrowed_place(principal, demand) {
                return Some(rule);
            }
            let (rights, now) = (principal.rights(), circumstances(principal, demand));
            let objection = match demand.need {
                Need::Objects(_) => rights.objection_to_all(permission, &now),
                _ => rights.objection(permission, &now),
            };
            if objection.is_some() {
                return objection;
            }
        }
        Need::System(permission) => {
            if !matches!(claims, Claims::Person(person) if person.administrator) {
                return Some(Rule::NotAdministrator);
            }
            if !narrowings.system().contains(permission) {
                return Some(Rule::NarrowedPermission);
            }
            if let Some(rule) = narrowed_place(principal, demand) {
                return Some(rule);
            }
        }
    }
    if !demand.step_up && !matches!(demand.need, Need::System(_)) {
        return None;
    }
    match claims {
        // A machine cannot show a credential anew.
        Claims::Service(_) => Some(Rule::NotAPerson),
        Claims::Person(person) if !is_fresh(person.auth_time, demand.at) => {
            Some(Rule::StaleAuthentication)
        }
        Claims::Person(_) => None,
    }
}

/// Which objects a request may have that is permitted: none, if it asks for none.
pub(crate) fn scope(principal: &Principal, demand: &Demand<'_>) -> ObjectScope {
    match demand.need {
        Need::Objects(permission) => {
            let now = circumstances(principal, demand);
            principal.rights().scope(permission, &now)
        }
        Need::Authenticated | Need::Org(_) | Need::System(_) => ObjectScope::NONE,
    }
}

/// What conditions look at; which object it is about is known to whoever serves it.
fn circumstances(principal: &Principal, demand: &Demand<'_>) -> Circumstances {
    Circumstances {
        aal: principal.aal(),
        address: demand.address,
        at: demand.at,
        object: None,
    }
}

/// What is in the way of a token that is good for a number of uses.
fn unused(principal: &Principal, demand: &Demand<'_>) -> Option<Rule> {
    let words = principal.narrowings().uses()?;
    if words.is_empty() {
        return Some(Rule::Spent);
    }
    let token = principal.claims().id();
    let counts = demand.used.is_some_and(|used| used.is_of(token, words));
    (!counts).then_some(Rule::UseNotTaken)
}

fn is_fresh(auth_time: Timestamp, at: Timestamp) -> bool {
    at.since(auth_time) <= STEP_UP_AGE && auth_time.since(at) <= STEP_UP_AGE
}

fn narrowed_place(principal: &Principal, demand: &Demand<'_>) -> Option<Rule> {
    if !principal.narrowings().names_resource(demand.resources) {
        return Some(Rule::NarrowedResource);
    }
    if !principal.narrowings().admits_address(demand.address) {
        return Some(Rule::NarrowedAddress);
    }
    None
}

/// The whole second that tokens are checked against; before 1970 it is the first.
pub(crate) fn second_of(at: Timestamp) -> u64 {
    u64::try_from(at.as_seconds()).unwrap_or(0)
}
