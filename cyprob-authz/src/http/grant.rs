//! What a request was admitted by, as the guard, the handler and a connection share it.

use std::sync::{Arc, Mutex};

use cyprob_core::domain::{Caller, DeploymentCtx, ObjectScope, OrgCtx, Scoped, UserCtx};

use super::connection::Opened;
use super::guard::Guard;
use super::names::Names;
use super::request::Stamp;
use crate::domain::{Person, Principal, Taken};
use crate::service::VerifiedJob;

/// A signed-in person: the verified token and the proof.
///
/// It is made from a person's token alone, so no service account comes to
/// where a handler takes one.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub(super) principal: Person,
    pub(super) user: UserCtx,
}

impl SignedIn {
    /// The person, with what their token says.
    #[must_use]
    pub const fn principal(&self) -> &Person {
        &self.principal
    }

    /// The proof that the person is signed in.
    #[must_use]
    pub const fn user(&self) -> &UserCtx {
        &self.user
    }
}

/// What was granted, by kind of policy.
#[derive(Debug)]
pub(super) enum Grant {
    Public(Caller, Option<SignedIn>),
    Authenticated(SignedIn),
    Org(OrgCtx, Principal),
    Objects(Scoped, Principal),
    System(DeploymentCtx, SignedIn),
    Worker(OrgCtx, VerifiedJob),
}

/// What one request was admitted by: the proof, who brought it, and the terms.
#[derive(Debug)]
pub struct Admission<C, B> {
    pub(super) ctx: C,
    pub(super) bearer: B,
    pub(super) terms: Terms,
}

/// What was admitted, and when; the same of every policy.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) guard: Arc<Guard>,
    pub(super) stamp: Stamp,
    /// The names in its path; none where the route is public and they are no text.
    pub(super) names: Option<Names>,
    /// The use of the token that was taken for it, which counts as long as it stands.
    pub(super) taken: Option<Arc<Taken>>,
    pub(super) opened: Mutex<Opened>,
}

impl Terms {
    pub(super) fn new(guard: &Arc<Guard>, stamp: Stamp, names: Option<Names>) -> Self {
        Self {
            guard: Arc::clone(guard),
            stamp,
            names,
            taken: None,
            opened: Mutex::default(),
        }
    }
}

/// An admission on its way to the handler; it can be made only in this crate. Clones share it.
#[derive(Clone, Debug)]
pub enum Granted {
    Public(Arc<Admission<Caller, Option<SignedIn>>>),
    Authenticated(Arc<Admission<UserCtx, SignedIn>>),
    Org(Arc<Admission<OrgCtx, Principal>>),
    Objects(Arc<Admission<Scoped, Principal>>),
    System(Arc<Admission<DeploymentCtx, SignedIn>>),
    Worker(Arc<Admission<OrgCtx, VerifiedJob>>),
}

impl Granted {
    pub(super) fn new(grant: Grant, terms: Terms) -> Self {
        fn shared<C, B>(ctx: C, bearer: B, terms: Terms) -> Arc<Admission<C, B>> {
            Arc::new(Admission { ctx, bearer, terms })
        }
        match grant {
            Grant::Public(caller, signed_in) => Self::Public(shared(caller, signed_in, terms)),
            Grant::Authenticated(signed_in) => {
                Self::Authenticated(shared(signed_in.user.clone(), signed_in, terms))
            }
            Grant::Org(ctx, principal) => Self::Org(shared(ctx, principal, terms)),
            Grant::Objects(scoped, principal) => Self::Objects(shared(scoped, principal, terms)),
            Grant::System(ctx, signed_in) => Self::System(shared(ctx, signed_in, terms)),
            Grant::Worker(ctx, job) => Self::Worker(shared(ctx, job, terms)),
        }
    }

    pub(super) fn terms(&self) -> &Terms {
        match self {
            Self::Public(admission) => &admission.terms,
            Self::Authenticated(admission) => &admission.terms,
            Self::Org(admission) => &admission.terms,
            Self::Objects(admission) => &admission.terms,
            Self::System(admission) => &admission.terms,
            Self::Worker(admission) => &admission.terms,
        }
    }

    pub(super) fn caller(&self) -> &Caller {
        match self {
            Self::Public(admission) => &admission.ctx,
            Self::Authenticated(admission) => admission.ctx.caller(),
            Self::Org(admission) => admission.ctx.caller(),
            Self::Objects(admission) => admission.ctx.caller(),
            Self::System(admission) => admission.ctx.caller(),
            Self::Worker(admission) => admission.ctx.caller(),
        }
    }

    /// The objects that the handler is told of, where it is about some.
    pub(super) fn objects(&self) -> Option<&ObjectScope> {
        match self {
            Self::Objects(admission) => Some(admission.ctx.objects()),
            _ => None,
        }
    }
}
