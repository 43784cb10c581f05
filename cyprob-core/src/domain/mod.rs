//! Types and pure rules: no I/O, no clock, no randomness, no async.

mod access;
mod account_policy;
pub mod audit;
mod base_url;
mod ctx;
mod custom_role;
mod email;
mod email_change;
mod epoch;
mod id;
mod membership;
mod message;
mod name;
mod notice;
mod objects;
mod org;
mod org_ref;
mod page;
mod password;
mod position;
mod refresh;
mod revocation;
mod role;
mod role_choice;
mod role_review;
mod second_factor;
mod service_account;
mod service_key_text;
mod session;
mod session_policy;
mod slug;
mod tag;
mod throttle;
mod time;
mod use_id;
mod user;

pub use access::{Access, GrantState};
pub use account_policy::{
    AccountPolicy, Dangerous, DangerousChoice, DevicePolicy, PasswordPolicy, PolicyError,
    RecoveryPolicy, SecondFactorPolicy, ServiceKeyPolicy, ThrottlingPolicy,
};
pub use base_url::{BaseUrl, BaseUrlError};
pub use ctx::{Caller, CtxIssuer, DeploymentCtx, OrgCtx, SystemCtx, UserCtx};
pub use custom_role::{
    Authority, CustomRole, PermissionNames, PermissionNamesError, Reach, RoleUse,
};
pub use email::{Email, EmailError};
pub use email_change::EmailChange;
pub use epoch::Epoch;
pub use id::{
    EmailChangeId, EventId, FindingId, Id, IdError, InvitationId, KeyId, OrgId, RequestId,
    ReviewId, RoleId, RunId, ServiceAccountId, SessionId, TokenId, UserId,
};
pub use membership::{Invitation, InvitationState, Inviter, Member, Membership};
pub use message::{Letter, Message, Notification};
pub use name::{DisplayName, NameError};
pub use notice::{EMAIL_CHANGE, NEW_DEVICE, Notice, NoticeKind};
pub use objects::{ObjectScope, Scoped};
pub use org::{OrgPolicy, Organization};
pub use org_ref::OrgRef;
pub use page::{Cursor, CursorError, Page, PageRequest};
pub use password::{BreachDigest, ContextWords, PasswordHash, PasswordRole, WeakPassword};
pub use position::{Position, excerpt};
pub use refresh::{
    PresentedRefresh, RefreshKey, RefreshKeyId, RefreshKeys, RefreshTokenError, RefreshVerdict,
    judge_refresh, mint_refresh_token,
};
pub use revocation::{Revocation, RevocationEntry, Whose};
pub use role::{RoleError, RoleName};
pub use role_choice::{RoleChoice, RoleVersion, RoleVersionError};
pub use role_review::{
    HeldRole, MappingDigest, MappingDigestError, ReviewNote, ReviewNoteError, ReviewRecord,
    RoleChanges, RoleHolder, RoleMove, RoleReview, SignOff,
};
pub use second_factor::{
    FactorCode, FactorCodeError, FactorEnrolment, FactorKey, FactorKeyId, FactorKeys, FactorUse,
    RecoveryCode, SealedSecret, SecondFactor, TotpCode, TotpSecret, TotpStep,
};
pub use service_account::{
    KeyHolder, MAX_LIVE_KEYS, ServiceAccount, ServiceAccountView, ServiceKey,
};
pub use service_key_text::{SERVICE_KEY_PATTERN, read_service_key, service_key_text};
pub use session::{
    Aal, EndReason, Grant, RefreshState, Session, SessionSeed, SessionView, TokenDigest,
};
pub use session_policy::{SessionPolicy, SessionPolicyError};
pub use slug::{OrgSlug, SlugError};
pub use tag::{Tag, TagError};
pub use throttle::{
    Device, DeviceId, DeviceKeys, Distinct, FailureChange, FailureKey, FailureKind, Failures, Gate,
    Network, Networks, Rate, Rates, SignInName, Subject, Surge, SurgeTurn,
};
pub use time::{Timestamp, TimestampError};
pub use use_id::{UseId, UsedToken};
pub use user::User;
