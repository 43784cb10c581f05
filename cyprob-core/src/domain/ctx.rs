//! Proofs of who acts, and for which tenant.

use super::audit::{Actor, RequestOrigin};
use super::{ObjectScope, OrgId, Reach, RequestId, RoleName, Scoped, SessionId, UserId};

/// Who acts, from where and in which request: what every event of an operation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who acts.
    pub actor: Actor,
    /// From where.
    pub origin: RequestOrigin,
    /// In which request.
    pub request_id: Option<RequestId>,
}

impl Caller {
    /// A part of the control plane that acts by itself.
    #[must_use]
    pub fn system(part: &str) -> Self {
        Self {
            actor: Actor::system(part),
            origin: RequestOrigin::default(),
            request_id: None,
        }
    }

    /// A person at the machine's command line.
    #[must_use]
    pub fn operator() -> Self {
        Self {
            actor: Actor::Operator,
            origin: RequestOrigin::default(),
            request_id: None,
        }
    }
}

/// The proof that the caller may act in one organization; the only key to tenant data.
///
/// Its constructor is private: a [`CtxIssuer`] makes it, after the caller's
/// token was verified for this organization and the route's permission held.
#[derive(Clone, Debug)]
pub struct OrgCtx {
    org: OrgId,
    role: RoleName,
    reach: Option<Reach>,
    caller: Caller,
}

impl OrgCtx {
    /// The organization.
    #[must_use]
    pub const fn org(&self) -> OrgId {
        self.org
    }

    /// The role the caller acts in.
    #[must_use]
    pub const fn role(&self) -> &RoleName {
        &self.role
    }

    /// How far the caller's token reaches; without it as far as a built-in role of the name does.
    #[must_use]
    pub const fn reach(&self) -> Option<Reach> {
        self.reach
    }

    /// Who acts.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// The proof that a person is signed in.
#[derive(Clone, Debug)]
pub struct UserCtx {
    user: UserId,
    session: SessionId,
    caller: Caller,
}

impl UserCtx {
    /// The person.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// The session that acts.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// Who acts.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// The proof that the deployment's administrator acts, freshly authenticated.
#[derive(Clone, Debug)]
pub struct DeploymentCtx {
    caller: Caller,
}

impl DeploymentCtx {
    /// Who acts.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// Work across organizations that the control plane does by itself, with its reason.
///
/// Anyone can make one, so nothing that answers a request takes it.
#[derive(Clone, Debug)]
pub struct SystemCtx {
    reason: &'static str,
    caller: Caller,
}

impl SystemCtx {
    /// Work of a part of the control plane, for a stated reason.
    #[must_use]
    pub fn new(part: &str, reason: &'static str) -> Self {
        Self {
            reason,
            caller: Caller::system(part),
        }
    }

    /// Work that an operator asked for at the command line.
    #[must_use]
    pub fn operator(reason: &'static str) -> Self {
        Self {
            reason,
            caller: Caller::operator(),
        }
    }

    /// Why the work is done.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// Who acts.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// The one maker of proofs; the builder hands it to the authorization crate and to nobody else.
///
/// It is not `Clone`: whoever holds it decides who may act.
#[derive(Debug)]
pub struct CtxIssuer(());

impl CtxIssuer {
    /// Makes the issuer of one control plane.
    ///
    /// Call it once, where the control plane is composed, and hand the result
    /// to the request check. A second issuer is a second set of keys to the
    /// tenant's data.
    #[must_use]
    pub const fn for_composition() -> Self {
        Self(())
    }

    /// Vouches that the caller may act in the organization, in this role.
    #[must_use]
    pub const fn org(&self, org: OrgId, role: RoleName, caller: Caller) -> OrgCtx {
        OrgCtx {
            org,
            role,
            reach: None,
            caller,
        }
    }

    /// The same for a caller whose token reaches this far and no further.
    #[must_use]
    pub const fn org_within(
        &self,
        org: OrgId,
        role: RoleName,
        reach: Reach,
        caller: Caller,
    ) -> OrgCtx {
        OrgCtx {
            org,
            role,
            reach: Some(reach),
            caller,
        }
    }

    /// Vouches that the caller may act on these of the organization's objects.
    #[must_use]
    pub const fn scoped(&self, org: OrgCtx, objects: ObjectScope) -> Scoped {
        Scoped::new(org, objects)
    }

    /// Vouches that the person is signed in.
    #[must_use]
    pub const fn user(&self, user: UserId, session: SessionId, caller: Caller) -> UserCtx {
        UserCtx {
            user,
            session,
            caller,
        }
    }

    /// Vouches that the caller is the deployment's administrator.
    #[must_use]
    pub const fn deployment(&self, caller: Caller) -> DeploymentCtx {
        DeploymentCtx { caller }
    }
}
