//! The bodies of requests and answers; field names are the contract's.

mod auth;
mod factor;
mod invitation;
mod key;
mod org;
mod page;
mod person;
mod plugin;
mod recovery;
mod role;
mod role_review;
mod run;
mod secret;
mod service_account;
mod session;

pub(crate) use auth::{
    BootstrapRequest, LoginRequest, PasswordRequest, RefreshRequest, StepUpRequest, TokenAnswer,
    TokenPair,
};
pub(crate) use factor::{
    ActivatedFactorAnswer, BeginFactorRequest, ConfirmFactorRequest, FactorAnswer, NewFactorAnswer,
    RecoveryCodesAnswer, RemoveFactorRequest,
};
pub(crate) use invitation::{AcceptRequest, InvitationAnswer, InviteRequest, NewInvitationAnswer};
pub(crate) use key::{RevokeKeyRequest, RotateKeyRequest};
pub(crate) use org::{
    CreateOrgRequest, MembershipAnswer, NewOrgAnswer, OrgAnswer, UpdateOrgRequest,
};
pub(crate) use page::PageAnswer;
pub(crate) use person::{MeAnswer, MemberAnswer, PersonAnswer, PersonInOrgAnswer, SetRoleRequest};
pub(crate) use plugin::{DiagnosticAnswer, EnableRequest, InstalledAnswer, PluginAnswer};
pub(crate) use recovery::{
    AccountAnswer, DisableRequest, EmailRequest, EndSessionsRequest, EndedAnswer,
    ResetConfirmRequest, ResetRequest, TakenAnswer, TokenRequest,
};
pub(crate) use role::{CreateRoleRequest, EditRoleRequest, RoleAnswer, choice};
pub(crate) use role_review::{
    ReviewRecordAnswer, RoleChangesAnswer, RoleReviewAnswer, SignOffRequest,
};
pub(crate) use run::{FindingAnswer, QueuedAnswer, RunAnswer, RunBody};
pub(crate) use secret::{PutSecretRequest, RotateSecretRequest, SecretAnswer};
pub(crate) use service_account::{
    ChangeServiceAccountRequest, CreateKeyRequest, CreateServiceAccountRequest, NewKeyAnswer,
    ServiceAccountAnswer, ServiceTokenAnswer, ServiceTokenRequest,
};
pub(crate) use session::{OrgSessionAnswer, SessionAnswer};
