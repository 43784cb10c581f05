//! The first administrator.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::refusals::RefusalKind;
use super::{Identity, SlowDown, secret_token};
use crate::domain::audit::{Action, Actor, MetaValue, Resource};
use crate::domain::{
    Caller, ContextWords, DisplayName, Email, Epoch, Gate, OrgSlug, Organization, PasswordRole,
    RoleName, TokenDigest, User, WeakPassword,
};
use crate::ports::store::{BootstrapOutcome, Founding, StoreError};
use crate::ports::{BreachListError, EntropyExt, HashError};

/// How long a bootstrap token is good.
const TTL: Duration = Duration::from_secs(30 * 60);

/// The state of the one-way door.
#[derive(Debug)]
pub enum Bootstrap {
    /// No administrator was ever made; this token makes one, for 30 minutes.
    Open(SecretString),
    /// It has closed and never opens again.
    Closed,
}

/// Who becomes the first administrator.
#[derive(Debug)]
pub struct FirstAdministrator {
    /// The sign-in name.
    pub email: Email,
    /// The password, exactly as received.
    pub password: SecretString,
    /// The person's name.
    pub name: DisplayName,
    /// The slug of the first organization.
    pub org_slug: OrgSlug,
    /// The name of the first organization.
    pub org_name: DisplayName,
}

/// Why no administrator was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootstrapError {
    /// There was one already.
    #[error("bootstrap is closed")]
    Closed,
    /// The token is not the one, or its time has passed.
    #[error("the bootstrap token is not good")]
    InvalidToken,
    /// Too many attempts: nothing was checked.
    #[error(transparent)]
    SlowDown(#[from] SlowDown),
    /// The password is refused.
    #[error("the password is refused")]
    Weak(#[source] WeakPassword),
    /// Nobody can say whether the password was disclosed, so it is not taken.
    #[error("the password could not be checked")]
    Unchecked(#[source] BreachListError),
    /// No password was hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error("the administrator could not be stored")]
    Store(#[from] StoreError),
}

/// The first administrator and organization.
#[derive(Debug)]
pub struct Founded {
    /// The administrator, who owns the organization.
    pub user: User,
    /// The organization.
    pub org: Organization,
}

impl Identity {
    /// Whether an administrator was ever made.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn is_bootstrapped(&self) -> Result<bool, StoreError> {
        self.store().is_bootstrapped().await
    }

    /// Draws a fresh bootstrap token, which voids the one before it, while no administrator was ever made.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn arm_bootstrap(&self) -> Result<Bootstrap, StoreError> {
        let (token, digest) = secret_token::draw(self.parts.entropy.as_ref(), "cyb_");
        if self.store().arm(digest, self.now().after(TTL)).await? {
            Ok(Bootstrap::Open(token))
        } else {
            Ok(Bootstrap::Closed)
        }
    }

    /// Makes the first administrator and an organization that they own, and closes the door for ever.
    ///
    /// # Errors
    ///
    /// [`BootstrapError`]; nothing was made.
    #[tracing::instrument(name = "core.bootstrap", skip_all)]
    pub async fn bootstrap(
        &self,
        token: &SecretString,
        first: FirstAdministrator,
        caller: &Caller,
    ) -> Result<Founded, BootstrapError> {
        let at = self.now();
        let visit = self.visit(Gate::Token, caller, at)?;
        if self.store().is_bootstrapped().await? {
            return Err(BootstrapError::Closed);
        }
        let words = ContextWords::default()
            .with(first.name.as_str())
            .with(first.email.as_str())
            .with(first.org_slug.as_str())
            .with(first.org_name.as_str());
        self.accept_password(&first.password, &words, PasswordRole::Alone)
            .await?;
        let password = self
            .parts
            .hasher
            .hash(first.password, caller.origin.ip_address)
            .await?;
        let user = User {
            id: self.parts.entropy.id(at),
            email: first.email,
            email_verified: true,
            name: first.name,
            password: Some(password),
            epoch: Epoch::FIRST,
            administrator: true,
            disabled_at: None,
            created_at: at,
        };
        let org = self.draft_org(first.org_slug, first.org_name, at);
        let caller = match caller.actor {
            Actor::Anonymous => Caller {
                actor: Actor::User {
                    id: user.id,
                    session: None,
                    token: None,
                },
                ..caller.clone()
            },
            _ => caller.clone(),
        };
        let on_user = Resource::new("user", user.id);
        let on_org = Resource::new("org", org.id);
        let personal = MetaValue::personal(Some(user.id), user.email.as_str());
        let events = [
            self.event(at, &caller, Action::DeploymentBootstrapped, on_user.clone()),
            self.event(at, &caller, Action::UserCreated, on_user.clone())
                .with("email", personal),
            self.event(at, &caller, Action::OrgCreated, on_org)
                .in_org(org.id)
                .with("slug", MetaValue::public(&org.slug)),
            self.event(at, &caller, Action::MemberAdded, on_user)
                .in_org(org.id)
                .with("role", MetaValue::public(RoleName::OWNER)),
        ];
        let token = TokenDigest::of(token.expose_secret());
        let founding = Founding {
            token,
            user,
            org,
            at,
        };
        match self.store().found(&founding, &events).await? {
            BootstrapOutcome::Done => {
                visit.good();
                Ok(Founded {
                    user: founding.user,
                    org: founding.org,
                })
            }
            BootstrapOutcome::Closed => Err(BootstrapError::Closed),
            BootstrapOutcome::BadToken => {
                self.refusals()
                    .count(RefusalKind::Bootstrap, caller.origin.ip_address, at);
                Err(BootstrapError::InvalidToken)
            }
        }
    }
}
