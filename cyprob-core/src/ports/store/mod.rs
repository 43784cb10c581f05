//! The identity store: what services ask of a database.
//!
//! Every method is one atomic step with its audit events: either all of it is
//! durable when the method returns `Ok`, or none. A method that takes events
//! records them only if its change took effect, unless it says otherwise. No
//! method reads the clock: times come in.

mod account;
mod bootstrap;
mod email;
mod error;
mod failure;
mod invitation;
mod member;
mod notice;
mod org;
mod outbox;
mod reset;
mod review;
mod revocation;
mod role;
mod second_factor;
mod service_account;
mod session;
mod spent;
mod user;

pub use account::{AccountStore, ClientSeen, DisableOutcome, EnableOutcome, MassEnd, MassEnded};
pub use bootstrap::{BootstrapOutcome, BootstrapStore, Founding};
pub use email::{AskOutcome, EmailOutcome, EmailStep, EmailStore, NewEmailChange};
pub use error::{BoxError, StoreError};
pub use failure::FailureStore;
pub use invitation::{Acceptance, AcceptanceOutcome, InvitationStore, Invitee};
pub use member::{MemberOutcome, MemberStore, RoleChange};
pub use notice::NoticeStore;
pub use org::{CreateOrgOutcome, OrgChange, OrgChanged, OrgStore, OrgUpdate, PolicyUpdate};
pub use outbox::Outbox;
pub use reset::{NewReset, Reset, ResetStore};
pub use review::{ReviewStore, SignOffOutcome};
pub use revocation::RevocationStore;
pub use role::{
    CreateRoleOutcome, DeleteRoleOutcome, EditRoleOutcome, MAX_ROLES, RoleDeletion, RoleEdit,
    RoleStore,
};
pub use second_factor::{
    FactorActivation, FactorOutcome, FactorUseOutcome, Rekeying, SecondFactorStore,
};
pub use service_account::{
    AccountChange, AccountDeletion, AccountOutcome, AddKeyOutcome, CreateAccountOutcome, KeyUse,
    MAX_SERVICE_ACCOUNTS, ServiceAccountStore,
};
pub use session::{
    Advance, Claimed, GrantOutcome, Renewal, SessionEnd, SessionOwner, SessionStore, Standing,
    StoredSession,
};
pub use spent::{MOST_SPENT_USES, SpendOutcome, SpentStore};
pub use user::{Account, PasswordChange, PasswordOutcome, UserStore};

/// Everything that the identity services ask of one backend.
pub trait IdentityStore:
    BootstrapStore
    + UserStore
    + OrgStore
    + MemberStore
    + InvitationStore
    + SessionStore
    + ReviewStore
    + RevocationStore
    + FailureStore
    + ResetStore
    + EmailStore
    + AccountStore
    + NoticeStore
    + SecondFactorStore
    + Outbox
    + RoleStore
    + ServiceAccountStore
{
}

impl<T> IdentityStore for T where
    T: BootstrapStore
        + UserStore
        + OrgStore
        + MemberStore
        + InvitationStore
        + SessionStore
        + ReviewStore
        + RevocationStore
        + FailureStore
        + ResetStore
        + EmailStore
        + AccountStore
        + NoticeStore
        + SecondFactorStore
        + Outbox
        + RoleStore
        + ServiceAccountStore
        + ?Sized
{
}
