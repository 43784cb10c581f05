//! Cedar: what a role may as a policy, and who has which role as entities.
//!
//! As its documentation has it: the policies are parsed once, and the authorizer
//! is made once. It is asked with a single policy for a single role, so that it
//! has nothing to pass over, and with a policy for each of our built-in roles,
//! which is what our side knows. It verifies no token: who asks is taken on trust.

use std::collections::HashSet;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request,
};

use cyprob::authz::domain::{RoleCatalog, RoleDefinition};

use crate::question::{ASKED, Question, ROLE};

const POLICY: &str = r#"
permit(
    principal in Role::"acme/analyst",
    action == Action::"runs:read",
    resource == Org::"acme"
);
"#;

/// The authorizer, its policies, and what never changes.
pub(crate) struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    user: EntityTypeName,
    role: EntityTypeName,
    action: EntityTypeName,
    org: EntityTypeName,
}

/// A request and the entities that it needs, made beforehand.
pub(crate) struct Prepared {
    request: Request,
    entities: Entities,
}

impl Cedar {
    /// An authorizer with the one policy that is asked about.
    pub(crate) fn of_one_policy() -> Self {
        Self::new(POLICY)
    }

    /// One with a policy for each of the roles that our side knows.
    pub(crate) fn of_our_roles() -> Self {
        let roles = RoleCatalog::builtin();
        let policy = |role: &RoleDefinition| {
            let mut actions = Vec::new();
            for grant in role.rights.grants() {
                let held = grant.permissions.iter();
                actions.extend(held.map(|it| format!(r#"Action::"{}""#, it.as_str())));
            }
            format!(
                r#"permit(principal in Role::"acme/{}", action in [{}], resource == Org::"acme");"#,
                role.name,
                actions.join(", "),
            )
        };
        let policies: String = roles.roles().into_iter().map(policy).collect();
        Self::new(&policies)
    }

    fn new(policies: &str) -> Self {
        let name = |text: &str| text.parse().expect("a type's name");
        Self {
            authorizer: Authorizer::new(),
            policies: policies.parse().expect("policies"),
            user: name("User"),
            role: name("Role"),
            action: name("Action"),
            org: name("Org"),
        }
    }

    /// A person in a role of `acme`, who asks something.
    pub(crate) fn prepare(&self, user: &str, question: Question) -> Prepared {
        let uid = |kind: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
        };
        let principal = uid(&self.user, user);
        let action = uid(&self.action, question.permission.as_str());
        let resource = uid(&self.org, question.org);
        let role = uid(&self.role, &format!("{}/{ROLE}", ASKED.org));
        let person = Entity::new_no_attrs(principal.clone(), HashSet::from([role]));
        Prepared {
            request: Request::new(principal, action, resource, Context::empty(), None)
                .expect("a request"),
            entities: Entities::from_entities([person], None).expect("entities"),
        }
    }

    /// Decides a request that was made beforehand: `is_authorized` and nothing else.
    pub(crate) fn decides(&self, prepared: &Prepared) -> bool {
        let prepared = std::hint::black_box(prepared);
        let answer =
            self.authorizer
                .is_authorized(&prepared.request, &self.policies, &prepared.entities);
        answer.decision() == Decision::Allow
    }

    /// Makes the request and its entities, and decides.
    pub(crate) fn permits(&self, user: &str, question: Question) -> bool {
        self.decides(&self.prepare(user, question))
    }
}
