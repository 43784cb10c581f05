//! What the guard hands to a handler.

use std::sync::Arc;

use cyprob_core::domain::{Caller, DeploymentCtx, OrgCtx, RequestId, Scoped, Timestamp, UserCtx};

use super::connection::Opening;
use super::policy::RoutePolicy;
use crate::domain::{Person, Principal};
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
#[derive(Clone, Debug)]
pub enum Grant {
    Public(Caller, Option<SignedIn>),
    Authenticated(SignedIn),
    Org(OrgCtx, Principal),
    Objects(Scoped, Principal),
    System(DeploymentCtx, SignedIn),
    Worker(OrgCtx, VerifiedJob),
}

/// A grant on its way to the handler; it can be made only in this crate.
#[derive(Clone, Debug)]
pub(super) struct Granted {
    pub(super) policy: RoutePolicy,
    pub(super) request_id: RequestId,
    pub(super) at: Timestamp,
    pub(super) grant: Grant,
    pub(super) opening: Arc<Opening>,
}
