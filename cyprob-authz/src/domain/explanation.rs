//! A decision in words, for those who may read the audit trail.

use super::policy::Extent;
use super::{Claims, Decision, Demand, Need, Permission, Principal, Rule, STEP_UP_AGE};

/// How long an explanation is at most.
const MOST_CHARS: usize = 500;

impl Decision {
    /// The full explanation: which rule, and what of the caller, the role and the request made it.
    ///
    /// It names no address of a caller and nothing of the request, so that it can be
    /// kept for ever; the role's name and conditions are those of the policy. At most
    /// 500 characters; a longer one is cut. A client is told the [`code`](Rule::code) and no more.
    ///
    /// # Examples
    ///
    /// `the role desk permits runs:create if from 10.0.0.0/8, but the request came from elsewhere`
    #[must_use]
    pub fn explain(self, principal: &Principal, demand: &Demand<'_>) -> String {
        let asked = match demand.need {
            Need::Authenticated => "what a signed-in person may do".to_owned(),
            Need::Org(permission) | Need::Objects(permission) => permission.to_string(),
            Need::System(permission) => permission.to_string(),
        };
        let mut words = match self {
            Self::Permit => match demand.need {
                Need::Org(permission) | Need::Objects(permission) => {
                    of_role(principal, permission, "")
                }
                Need::Authenticated | Need::System(_) => format!("permitted: {asked}"),
            },
            Self::Deny { rule, .. } => refusal(rule, &asked, principal, demand),
        };
        if let Some((end, _)) = words.char_indices().nth(MOST_CHARS) {
            words.truncate(end);
            words.push_str("...");
        }
        words
    }
}

fn refusal(rule: Rule, asked: &str, principal: &Principal, demand: &Demand<'_>) -> String {
    match (rule, demand.need) {
        (Rule::Expired, _) => {
            let ends = principal.claims().expires_at();
            format!("the token ended at {ends}")
        }
        (Rule::NarrowedTime, _) => "the deadline that its holder gave the token is over".to_owned(),
        (Rule::ForeignOrg, _) => "the path names another organization than the token".to_owned(),
        (Rule::NoOrg, _) => "the token is for no organization".to_owned(),
        (Rule::NarrowedPermission, _) => {
            format!("the holder narrowed the token to permissions without {asked}")
        }
        (Rule::NarrowedResource, _) => {
            "the holder narrowed the token to resources that the path does not name".to_owned()
        }
        (Rule::NarrowedAddress, _) => "the holder narrowed the token to other addresses".to_owned(),
        (Rule::NarrowedToken, _) => {
            "the holder narrowed the token, and this takes whole ones only".to_owned()
        }
        (
            Rule::RolePermission
            | Rule::ConditionAal
            | Rule::ConditionAddress
            | Rule::ConditionHours
            | Rule::ConditionObject,
            Need::Org(permission) | Need::Objects(permission),
        ) => {
            let unmet = match rule {
                Rule::ConditionAal => ", but the sign-in was weaker",
                Rule::ConditionAddress => ", but the request came from elsewhere",
                Rule::ConditionObject if matches!(demand.need, Need::Objects(_)) => {
                    ", but of fewer objects than when the request began"
                }
                Rule::ConditionObject => ", but this is about no object",
                _ => ", but it was another time",
            };
            of_role(principal, permission, unmet)
        }
        (Rule::NotAdministrator, _) => {
            "the caller is not the deployment's administrator".to_owned()
        }
        (Rule::NotAPerson, _) => "only a person may call this".to_owned(),
        (Rule::StaleAuthentication, _) => stale(principal, demand),
        (Rule::UseNotTaken, _) => {
            "the holder narrowed the token to a number of uses, and nothing here counts them"
                .to_owned()
        }
        (Rule::Spent, _) => "no use is left of those that the holder left the token".to_owned(),
        // Roles are asked about permissions within an organization alone.
        (rule, _) => format!("refused by rule {} for {asked}", rule.as_str()),
    }
}

fn of_role(principal: &Principal, permission: Permission, unmet: &str) -> String {
    let role = principal.org().map_or("", |org| org.role.as_str());
    match principal.rights().extent(permission) {
        Extent::Never => format!("the role {role} does not permit {permission}"),
        Extent::Always => format!("the role {role} permits {permission}"),
        extent @ Extent::Conditional(_) => {
            format!("the role {role} permits {permission} {extent}{unmet}")
        }
    }
}

fn stale(principal: &Principal, demand: &Demand<'_>) -> String {
    let most = STEP_UP_AGE.as_secs();
    match principal.claims() {
        Claims::Person(person) => {
            let ahead = person.auth_time.since(demand.at).as_secs();
            let age = demand.at.since(person.auth_time).as_secs();
            if ahead > 0 {
                format!("the sign-in lies {ahead} s ahead, by a clock that was set back")
            } else {
                format!("signed in {age} s before, at most {most} s are taken")
            }
        }
        Claims::Service(_) => format!("a sign-in of at most {most} s ago is asked"),
    }
}
