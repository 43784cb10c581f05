//! The first argument of every handler.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use cyprob_core::domain::{RequestId, Timestamp, UserCtx};
use http::Extensions;
use http::request::Parts;

use super::connection::Connection;
use super::grant::{Admission, Granted, SignedIn};
use super::policy::sealed::Sealed;
use super::policy::{Organizational, Personal, Policy, Public, Worker};
use super::problem::{Problem, ProblemCode};
use crate::domain::{JobClaims, Person, Principal};

/// The proof that the caller meets the policy `P`; the first argument of every handler.
///
/// Nobody but the guard in front of the handler can make one. It dereferences
/// to the policy's proof: for `Auth<Org<RunsCreate>>` an
/// [`OrgCtx`](cyprob_core::domain::OrgCtx).
pub struct Auth<P: Policy> {
    admission: Arc<Admission<P::Ctx, P::Bearer>>,
}

impl<P: Policy> Auth<P> {
    /// The proof.
    pub fn ctx(&self) -> &P::Ctx {
        &self.admission.ctx
    }

    /// The request's id, as the answer names it.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        self.admission.terms.stamp.id
    }

    /// When the request came in.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.admission.terms.stamp.at
    }

    /// Makes of the request a connection that outlives it, such as a WebSocket, and takes one of the caller's places.
    ///
    /// Wait for [`Connection::ended`] beside the client, and close when it
    /// comes; an upgrade whose handler holds no connection is refused. The body
    /// of the answer ends with it by itself, as every event stream does. A second
    /// call gives the same connection.
    ///
    /// # Errors
    ///
    /// `slow_down`, if the caller holds as many connections as may be.
    pub fn connection(&self) -> Result<Connection, Problem> {
        P::granted(Arc::clone(&self.admission)).open()
    }

    /// The proof for a request that was admitted, out of its extensions: for a service behind a [`PolicyLayer`](super::PolicyLayer).
    ///
    /// # Errors
    ///
    /// `forbidden`, if no guard checked this very policy.
    pub fn of(extensions: &Extensions) -> Result<Self, Problem> {
        let granted = extensions
            .get::<Granted>()
            .filter(|granted| granted.terms().guard.policy == <P as Sealed>::POLICY);
        let admission = granted.and_then(P::admission).map(Arc::clone);
        admission
            .map(|admission| Self { admission })
            .ok_or_else(|| Problem::new(ProblemCode::Forbidden))
    }
}

impl<P: Policy + Personal> Auth<P> {
    /// The person who calls, with what their token says.
    #[must_use]
    pub fn principal(&self) -> &Person {
        self.admission.bearer.principal()
    }

    /// The proof that the caller is signed in.
    #[must_use]
    pub fn user(&self) -> &UserCtx {
        self.admission.bearer.user()
    }
}

impl<P: Policy + Organizational> Auth<P> {
    /// Who calls, a person or a service account, with what the token says and permits.
    #[must_use]
    pub fn who(&self) -> &Principal {
        &self.admission.bearer
    }
}

impl Auth<Public> {
    /// The caller, where a living token that nobody narrowed came with the request.
    ///
    /// A dead token on a public route counts as none.
    #[must_use]
    pub fn signed_in(&self) -> Option<&SignedIn> {
        self.admission.bearer.as_ref()
    }
}

impl Auth<Worker> {
    /// What the worker's token says.
    #[must_use]
    pub fn job(&self) -> &JobClaims {
        &self.admission.bearer.claims
    }
}

impl<P: Policy> Deref for Auth<P> {
    type Target = P::Ctx;

    fn deref(&self) -> &P::Ctx {
        self.ctx()
    }
}

impl<P: Policy> fmt::Debug for Auth<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Auth").field(&P::POLICY).finish()
    }
}

/// Gives what the guard granted, as often as it is asked; without a guard in front it refuses.
///
/// It stays with the request, so a handler that hands its request on to a router
/// of its own hands on the proof. What was judged is the handler's route: names
/// that the other router reads in the path by itself were not.
impl<S: Send + Sync, P: Policy> FromRequestParts<S> for Auth<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.extensions)
    }
}

/// The arguments of a handler that takes [`Auth`] first; sealed.
#[diagnostic::on_unimplemented(
    message = "the first argument of a handler must be `Auth<_>`",
    label = "this handler has no policy",
    note = "write `async fn handler(auth: Auth<Org<RunsRead>>, ...)`; a route that anyone may call takes `Auth<Public>`"
)]
pub trait AuthFirst: first::Sealed + 'static {
    /// The policy that the first argument names.
    type Policy: Policy;
}

mod first {
    pub trait Sealed {}
}

macro_rules! auth_first {
    ($($more:ident)*) => {
        impl<M, P: Policy, $($more),*> first::Sealed for (M, Auth<P>, $($more),*) {}

        impl<M: 'static, P: Policy, $($more: 'static),*> AuthFirst for (M, Auth<P>, $($more),*) {
            type Policy = P;
        }
    };
}

auth_first! {}
auth_first! { A }
auth_first! { A B }
auth_first! { A B C }
auth_first! { A B C D }
auth_first! { A B C D E }
auth_first! { A B C D E F }
auth_first! { A B C D E F G }
