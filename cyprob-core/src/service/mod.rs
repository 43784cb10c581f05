//! The use cases: each reads the clock once, decides by the domain's rules, and
//! asks the store for one atomic step with its events.
//!
//! None of these futures may be dropped half-way by a caller that wants to know
//! the outcome: a change that was committed is published to the revocation feed
//! after the commit. The HTTP layer runs them in tasks of their own for that reason.

mod accounts;
mod authority;
mod bootstrap;
mod emails;
mod factor_changes;
mod factor_codes;
mod factors;
mod identity;
mod invitations;
mod invited;
mod members;
mod new_org;
mod new_password;
mod orgs;
mod passwords;
mod post;
mod refresh;
mod refusals;
mod resets;
mod role_reviews;
mod roles;
mod scope;
mod secret_token;
mod service_accounts;
mod service_keys;
mod sessions;
mod sign_in;
mod step_up;
mod throttle;

pub use accounts::{AccountError, Administration, KeepCurrent};
pub use bootstrap::{Bootstrap, BootstrapError, FirstAdministrator, Founded};
pub use emails::{EmailError, EmailTokenError};
pub use factors::{ActivatedFactor, FactorError, NewFactor};
pub use identity::{Identity, IdentityParts};
pub use invitations::{AcceptError, Accepted, InviteError, NewAccount, NewInvitation};
pub use members::MemberError;
pub use new_org::{CreateOrgError, NewOrg};
pub use orgs::OrgError;
pub use passwords::PasswordError;
pub use refresh::RefreshError;
pub use refusals::{RefusalKind, Refusals};
pub use resets::ResetError;
pub use role_reviews::{ReviewError, ReviewInView};
pub use roles::RoleError;
pub use scope::{Scope, ScopeError};
pub use service_accounts::{AccountUpdate, ServiceAccountError};
pub use service_keys::{ExchangeError, KeyError, NewServiceKey, ServiceGrant};
pub use sign_in::{Credentials, SignInError, SignedIn};
pub use step_up::StepUpError;
pub use throttle::{SlowDown, SwitchOnError, Throttle};
