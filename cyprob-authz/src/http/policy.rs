//! The closed set of policies.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use cyprob_core::domain::{Caller, DeploymentCtx, OrgCtx, Scoped, UserCtx};

use super::grant::{Admission, Granted, SignedIn};
use crate::domain::policy::{Extent, Rights};
use crate::domain::{OrgPermission, Permission, Principal, SystemMarker, SystemPermission};
use crate::service::VerifiedJob;

/// What a route asks, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoutePolicy {
    /// Anyone may call.
    Public,
    /// Signed-in people may.
    Authenticated {
        /// Only with a fresh sign-in.
        step_up: bool,
    },
    /// Members and service accounts with the permission may, in their organization.
    Org {
        /// The permission.
        permission: Permission,
        /// Only with a fresh sign-in.
        step_up: bool,
    },
    /// Members and service accounts with the permission of some objects at least may, in their organization.
    Objects {
        /// The permission.
        permission: Permission,
        /// Only with a fresh sign-in.
        step_up: bool,
    },
    /// The deployment's administrator may, always with a fresh sign-in.
    System {
        /// The permission.
        permission: SystemPermission,
    },
    /// A worker may, with the sealed token of the run in the path.
    Worker,
}

impl RoutePolicy {
    /// The name in inventories.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Authenticated { .. } => "authenticated",
            Self::Org { .. } => "organization",
            Self::Objects { .. } => "organization objects",
            Self::System { .. } => "system",
            Self::Worker => "worker",
        }
    }

    /// The permission's name, where one is asked.
    #[must_use]
    pub const fn permission(self) -> Option<&'static str> {
        match self {
            Self::Org { permission, .. } | Self::Objects { permission, .. } => {
                Some(permission.as_str())
            }
            Self::System { permission } => Some(permission.as_str()),
            Self::Public | Self::Authenticated { .. } | Self::Worker => None,
        }
    }

    /// The permission, where one within an organization is asked.
    #[must_use]
    pub const fn org_permission(self) -> Option<Permission> {
        match self {
            Self::Org { permission, .. } | Self::Objects { permission, .. } => Some(permission),
            _ => None,
        }
    }

    /// How far a holder of these rights passes it in their organization; none if it asks no permission there.
    pub(super) fn extent(self, rights: &Rights) -> Option<Extent<'_>> {
        let extent = rights.extent(self.org_permission()?);
        Some(match self {
            Self::Objects { .. } => extent,
            _ => extent.without_objects(),
        })
    }

    /// Whether a fresh sign-in is asked.
    #[must_use]
    pub const fn step_up(self) -> bool {
        match self {
            Self::Authenticated { step_up }
            | Self::Org { step_up, .. }
            | Self::Objects { step_up, .. } => step_up,
            Self::System { .. } => true,
            Self::Public | Self::Worker => false,
        }
    }

    const fn fresh(self) -> Self {
        match self {
            Self::Authenticated { .. } => Self::Authenticated { step_up: true },
            Self::Org { permission, .. } => Self::Org {
                permission,
                step_up: true,
            },
            Self::Objects { permission, .. } => Self::Objects {
                permission,
                step_up: true,
            },
            other => other,
        }
    }
}

pub(crate) mod sealed {
    use std::sync::Arc;

    use super::RoutePolicy;
    use crate::http::grant::{Admission, Granted};

    /// Keeps the set of policies closed.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a route policy",
        label = "not a policy",
        note = "policies are `Public`, `Authenticated`, `Org<P>`, `Objects<P>`, `System<P>`, `Worker` and `StepUp<_>` of them, with `P` from `authz::domain::org` or `authz::domain::system`"
    )]
    pub trait Sealed: Sized + Send + Sync + 'static {
        /// The proof that the handler receives.
        type Ctx: std::fmt::Debug + Send + Sync;
        /// What is known of who called.
        type Bearer: std::fmt::Debug + Send + Sync;
        /// The policy as a value.
        const POLICY: RoutePolicy;

        /// The admission, if it is by a policy of this kind.
        #[doc(hidden)]
        fn admission(granted: &Granted) -> Option<&Arc<Admission<Self::Ctx, Self::Bearer>>>;

        /// The same way back.
        #[doc(hidden)]
        fn granted(admission: Arc<Admission<Self::Ctx, Self::Bearer>>) -> Granted;
    }
}

/// What a handler asks of its caller; sealed.
pub trait Policy: sealed::Sealed {}

impl<P: sealed::Sealed> Policy for P {}

/// A policy whose callers are members and service accounts; sealed.
pub trait Organizational: sealed::Sealed<Bearer = Principal> {}

impl<P: sealed::Sealed<Bearer = Principal>> Organizational for P {}

/// A policy that a fresh sign-in can be asked for beside; sealed.
#[diagnostic::on_unimplemented(
    message = "a fresh sign-in cannot be asked for beside `{Self}`",
    label = "nobody signs in here",
    note = "`StepUp` takes `Authenticated`, `Org<P>`, `Objects<P>` or `System<P>`"
)]
pub trait SignIn: sealed::Sealed {}

impl SignIn for Authenticated {}
impl<P: OrgPermission> SignIn for Org<P> {}
impl<P: OrgPermission> SignIn for Objects<P> {}
impl<P: SystemMarker> SignIn for System<P> {}

/// A policy whose callers are signed-in people; sealed.
pub trait Personal: sealed::Sealed<Bearer = SignedIn> {}

impl<P: sealed::Sealed<Bearer = SignedIn>> Personal for P {}

/// Anyone may call; the route must be on the list of public routes. Gives a [`Caller`].
#[derive(Clone, Copy, Debug)]
pub enum Public {}

/// Signed-in people may call, with a token that nobody narrowed. Gives a [`UserCtx`].
#[derive(Clone, Copy, Debug)]
pub enum Authenticated {}

/// Members and service accounts with the permission may call; the path names the organization. Gives an [`OrgCtx`].
pub struct Org<P>(PhantomData<fn() -> P>);

/// Members and service accounts with the permission of some objects at least may call; the path names the organization. Gives a [`Scoped`], which says of which.
pub struct Objects<P>(PhantomData<fn() -> P>);

/// The deployment's administrator may call, freshly signed in. Gives a [`DeploymentCtx`].
pub struct System<P>(PhantomData<fn() -> P>);

/// A worker may call, with the sealed token of the `{run}` in the path. Gives an [`OrgCtx`].
#[derive(Clone, Copy, Debug)]
pub enum Worker {}

/// The same policy, with a sign-in of at most five minutes ago: no service account meets it.
pub struct StepUp<P>(PhantomData<fn() -> P>);

macro_rules! debug {
    ($($name:ident)+) => {$(
        impl<P> fmt::Debug for $name<P> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}

debug! { Org Objects System StepUp }

/// Between what the guard granted and the kind that a policy is of.
macro_rules! admissions {
    ($kind:ident) => {
        fn admission(granted: &Granted) -> Option<&Arc<Admission<Self::Ctx, Self::Bearer>>> {
            match granted {
                Granted::$kind(admission) => Some(admission),
                _ => None,
            }
        }

        fn granted(admission: Arc<Admission<Self::Ctx, Self::Bearer>>) -> Granted {
            Granted::$kind(admission)
        }
    };
}

impl sealed::Sealed for Public {
    type Ctx = Caller;
    type Bearer = Option<SignedIn>;
    const POLICY: RoutePolicy = RoutePolicy::Public;

    admissions! { Public }
}

impl sealed::Sealed for Authenticated {
    type Ctx = UserCtx;
    type Bearer = SignedIn;
    const POLICY: RoutePolicy = RoutePolicy::Authenticated { step_up: false };

    admissions! { Authenticated }
}

impl<P: OrgPermission> sealed::Sealed for Org<P> {
    type Ctx = OrgCtx;
    type Bearer = Principal;
    const POLICY: RoutePolicy = RoutePolicy::Org {
        permission: P::PERMISSION,
        step_up: false,
    };

    admissions! { Org }
}

impl<P: OrgPermission> sealed::Sealed for Objects<P> {
    type Ctx = Scoped;
    type Bearer = Principal;
    const POLICY: RoutePolicy = RoutePolicy::Objects {
        permission: P::PERMISSION,
        step_up: false,
    };

    admissions! { Objects }
}

impl<P: SystemMarker> sealed::Sealed for System<P> {
    type Ctx = DeploymentCtx;
    type Bearer = SignedIn;
    const POLICY: RoutePolicy = RoutePolicy::System {
        permission: P::PERMISSION,
    };

    admissions! { System }
}

impl sealed::Sealed for Worker {
    type Ctx = OrgCtx;
    type Bearer = VerifiedJob;
    const POLICY: RoutePolicy = RoutePolicy::Worker;

    admissions! { Worker }
}

impl<P: SignIn> sealed::Sealed for StepUp<P> {
    type Ctx = P::Ctx;
    type Bearer = P::Bearer;
    const POLICY: RoutePolicy = P::POLICY.fresh();

    fn admission(granted: &Granted) -> Option<&Arc<Admission<P::Ctx, P::Bearer>>> {
        P::admission(granted)
    }

    fn granted(admission: Arc<Admission<P::Ctx, P::Bearer>>) -> Granted {
        P::granted(admission)
    }
}
