//! Signing in.

use secrecy::SecretString;

use super::factor_codes::Proof;
use super::refusals::{RefusalKind, prefix};
use super::scope::memberships;
use super::throttle::{Attempt, AttemptError};
use super::{Identity, Scope, ScopeError, SlowDown};
use crate::domain::audit::{
    Action, Actor, AuditEvent, MetaValue, Outcome, RequestOrigin, Resource,
};
use crate::domain::{
    Aal, Caller, Device, DeviceId, FailureKind, Grant, Membership, NEW_DEVICE, OrgRef,
    RefreshState, SecondFactor, Session, SessionSeed, SignInName, Timestamp, User, UserId,
};
use crate::ports::store::{FactorUseOutcome, StoreError};
use crate::ports::{EntropyExt, HashError, PasswordCheck};

/// Sign-ins that a client is looked for in, where it showed no device token.
const CLIENTS_REMEMBERED: u8 = 50;

/// What a person types to sign in.
#[derive(Debug)]
pub struct Credentials {
    /// The sign-in name, as typed.
    pub email: String,
    /// The password, exactly as received.
    pub password: SecretString,
    /// The organization that the first access token is for.
    pub org: Option<OrgRef>,
    /// The device token of an earlier sign-in, if the client has one.
    pub device_token: Option<SecretString>,
    /// Six digits or a recovery code; not looked at for an account without a second factor.
    pub totp: Option<SecretString>,
}

/// A live session with what its tokens are made from.
#[derive(Debug)]
pub struct SignedIn {
    /// The person.
    pub user: User,
    /// The session.
    pub session: Session,
    /// Its current refresh token.
    pub refresh_token: SecretString,
    /// By which the client is recognised at its next sign-in; none where it has one already.
    pub device_token: Option<SecretString>,
    /// Whether the client was recognised at this sign-in.
    pub recognised: bool,
    /// What the access token is for.
    pub scope: Scope,
    /// The person's organizations.
    pub memberships: Vec<Membership>,
    /// When this was decided; lifetimes count from here.
    pub at: Timestamp,
}

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// Unknown person, wrong password or disabled account: nobody learns which.
    #[error("name or password is wrong")]
    InvalidCredentials,
    /// The password was right, but no code came that is right and unused: nobody learns which it was.
    #[error("a second factor is required")]
    MfaRequired,
    /// The password was right, but the named organization requires a second factor and the account has none.
    #[error("the organization requires a second factor")]
    FactorRequired,
    /// The password was right, but the person is no member of the named organization.
    #[error("no such organization")]
    OrgNotFound,
    /// Too many attempts: nothing was checked.
    #[error(transparent)]
    SlowDown(#[from] SlowDown),
    /// No password was hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error("sign-in could not be stored")]
    Store(#[from] StoreError),
}

impl From<AttemptError> for SignInError {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::SlowDown(error) => Self::SlowDown(error),
            AttemptError::Store(error) => Self::Store(error),
        }
    }
}

impl From<ScopeError> for SignInError {
    fn from(error: ScopeError) -> Self {
        match error {
            ScopeError::NotFound | ScopeError::SignInRequired => Self::OrgNotFound,
            ScopeError::FactorRequired => Self::FactorRequired,
            ScopeError::Store(error) => Self::Store(error),
        }
    }
}

impl Identity {
    /// Signs a person in with a password, and a second factor where the account has one, and opens a session.
    ///
    /// Who comes too early is told so before anything is read of the account or
    /// hashed. Every other path costs one password hash, whether the account
    /// exists or not. No database connection is held meanwhile. Of a second factor nothing
    /// is said before the password was right.
    ///
    /// # Errors
    ///
    /// [`SignInError`]; unless it is [`SignInError::Store`], nothing was stored but a count of refusals.
    #[tracing::instrument(name = "core.session.sign_in", skip_all)]
    pub async fn sign_in(
        &self,
        credentials: Credentials,
        caller: &Caller,
    ) -> Result<SignedIn, SignInError> {
        let at = self.now();
        let name = SignInName::of(&credentials.email);
        let device = self.device(credentials.device_token.as_ref(), &name, at);
        let kind = FailureKind::Password;
        let attempt = self.attempt(kind, &name, device, caller, at).await?;
        let account = match name.email() {
            Some(email) => self.store().account_by_email(email).await?,
            None => None,
        };
        let (user, factor) = account.map_or((None, None), |it| (Some(it.user), it.factor));
        let attempt = self
            .attempt_at(user.as_ref(), attempt, &name, caller, at)
            .await?;
        let device = attempt.device().copied();
        let stored = user.as_ref().and_then(|user| user.password.clone());
        let hasher = self.parts.hasher.as_ref();
        let (password, hash) = (credentials.password, stored.clone());
        let check = match (&user, device) {
            (Some(user), Some(_)) => hasher.check_known(password, hash, user.id).await?,
            _ => {
                let from = caller.origin.ip_address;
                hasher.check(password, hash, name.as_str(), from).await?
            }
        };
        let known = user.as_ref().map(|user| user.id);
        let user = user.filter(|user| user.disabled_at.is_none());
        let (Some(user), PasswordCheck::Right | PasswordCheck::RightRehash(_)) = (user, &check)
        else {
            attempt.failed(known, at);
            return Err(self.refuse_sign_in(caller, at));
        };
        self.passed(attempt, at).await?;
        if let (PasswordCheck::RightRehash(new), Some(old)) = (&check, &stored) {
            self.store().rehash(user.id, old, new).await?;
        }
        let code = credentials.totp.as_ref();
        let proof = self
            .proof_of_sign_in(factor, &name, code, device, caller, at)
            .await?;
        let device = device.map(|device| device.id);
        self.open(user, proof, credentials.org.as_ref(), device, caller, at)
            .await
    }

    /// What a right code of an account with a second factor will use up; none for an account without.
    ///
    /// The factor is the one before the hash: another one since has grown the epoch, and opens no
    /// session. Its failures are counted and delayed apart: a right password forgives none of them.
    async fn proof_of_sign_in(
        &self,
        factor: Option<SecondFactor>,
        name: &SignInName,
        code: Option<&SecretString>,
        device: Option<Device>,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Option<Proof<'_>>, SignInError> {
        let Some(factor) = factor else {
            return Ok(None);
        };
        let Some(code) = code else {
            return Err(SignInError::MfaRequired);
        };
        let kind = FailureKind::SecondFactor;
        let attempt = self.attempt(kind, name, device, caller, at).await?;
        match self.judge_code(&factor, code, at)? {
            Some(uses) => Ok(Some(Proof { uses, attempt })),
            None => Err(self.refuse_code(attempt, factor.user, caller, at)),
        }
    }

    /// Counts a code that was not taken, apart from wrong passwords.
    fn refuse_code(
        &self,
        attempt: Attempt<'_>,
        user: UserId,
        caller: &Caller,
        at: Timestamp,
    ) -> SignInError {
        attempt.failed(Some(user), at);
        self.refusals()
            .count(RefusalKind::SecondFactor, caller.origin.ip_address, at);
        SignInError::MfaRequired
    }

    fn refuse_sign_in(&self, caller: &Caller, at: Timestamp) -> SignInError {
        self.refusals()
            .count(RefusalKind::SignIn, caller.origin.ip_address, at);
        SignInError::InvalidCredentials
    }

    async fn open(
        &self,
        user: User,
        proof: Option<Proof<'_>>,
        org: Option<&OrgRef>,
        device: Option<DeviceId>,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<SignedIn, SignInError> {
        let mut session = self.new_session(&user, caller, at);
        if proof.is_some() {
            session.aal = Aal::Two;
        }
        let accesses = self.store().accesses(user.id, session.id).await?;
        let picked = Self::pick(&accesses, org)?;
        let scope = match self.scope(&session, picked, at) {
            // Only implied: the person signs in to no organization, where a factor can be set up.
            Err(ScopeError::FactorRequired) if org.is_none() => self.scope(&session, None, at)?,
            other => other?,
        };
        let caller = Caller {
            actor: Actor::User {
                id: user.id,
                session: Some(session.id),
                token: None,
            },
            ..caller.clone()
        };
        let on = Resource::new("session", session.id);
        let aal = MetaValue::count(session.aal.get().into());
        let opened = self.event(at, &caller, Action::SessionOpened, on.clone());
        let mut opened = opened.with("aal", aal);
        if device.is_none() && self.is_new_client(&user, &caller.origin).await? {
            opened = opened.with(NEW_DEVICE, MetaValue::public(true));
        }
        let mut events = vec![opened];
        let uses = proof.as_ref().map(|proof| &proof.uses);
        events.extend(self.recovery_used(&caller, user.id, uses, at));
        let grant = scope.membership.as_ref().map(|membership| {
            events.push(
                self.event(at, &caller, Action::GrantOpened, on)
                    .in_org(membership.org),
            );
            Grant {
                session: session.id,
                org: membership.org,
                created_at: at,
                ended_at: None,
            }
        });
        self.store_session(&session, grant.as_ref(), proof, &caller, &events)
            .await?;
        let refresh_token = self.refresh_token(&session)?;
        let device_token = Some(self.device_token(&user, device, at));
        Ok(SignedIn {
            user,
            session,
            refresh_token,
            device_token,
            recognised: device.is_some(),
            scope,
            memberships: memberships(accesses),
            at,
        })
    }

    /// Whether the person has signed in before, and never from such a client and network.
    async fn is_new_client(&self, user: &User, from: &RequestOrigin) -> Result<bool, StoreError> {
        let seen = self
            .store()
            .clients_of_user(user.id, CLIENTS_REMEMBERED)
            .await?;
        let network = from.ip_address.map(prefix);
        let known = seen
            .iter()
            .any(|seen| seen.client == from.user_agent && seen.ip_address.map(prefix) == network);
        Ok(!seen.is_empty() && !known)
    }

    /// Stores a new session, and uses up what its second factor was shown with.
    async fn store_session(
        &self,
        session: &Session,
        grant: Option<&Grant>,
        proof: Option<Proof<'_>>,
        caller: &Caller,
        events: &[AuditEvent],
    ) -> Result<(), SignInError> {
        let at = session.created_at;
        let Some(Proof { uses, attempt }) = proof else {
            return match self.store().open_session(session, grant, events).await? {
                true => Ok(()),
                false => Err(self.refuse_sign_in(caller, at)),
            };
        };
        let opened = self
            .store()
            .open_session_with_factor(session, grant, &uses, events);
        match opened.await? {
            FactorUseOutcome::Done => Ok(self.passed(attempt, at).await?),
            FactorUseOutcome::Used => Err(self.refuse_code(attempt, session.user, caller, at)),
            FactorUseOutcome::Raced => Err(self.refuse_sign_in(caller, at)),
        }
    }

    fn new_session(&self, user: &User, caller: &Caller, at: Timestamp) -> Session {
        let policy = &self.parts.sessions;
        Session {
            id: self.parts.entropy.id(at),
            user: user.id,
            seed: SessionSeed::new(self.parts.entropy.bytes()),
            refresh: RefreshState {
                generation: 0,
                key: self.parts.refresh_keys.active(),
                previous_key: None,
                rotated_at: at,
            },
            credential_epoch: user.epoch,
            auth_time: at,
            aal: Aal::One,
            created_at: at,
            last_used_at: at,
            idle_expires_at: at.after(policy.idle()),
            absolute_expires_at: at.after(policy.absolute()),
            ended_at: None,
            client: caller.origin.user_agent.clone(),
            ip_address: caller.origin.ip_address,
        }
    }

    /// Writes the refusals of strangers that were counted since the last time, one event per counter.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if they could not be stored; they are counted again.
    pub async fn record_refusals(&self) -> Result<usize, StoreError> {
        let refusals = self.refusals().drain();
        if refusals.is_empty() {
            return Ok(0);
        }
        let at = self.now();
        let events: Vec<AuditEvent> = refusals
            .iter()
            .map(|refusal| {
                let (action, on) = match refusal.kind {
                    RefusalKind::SignIn | RefusalKind::SlowDown | RefusalKind::SecondFactor => {
                        (Action::SessionRefused, "session")
                    }
                    RefusalKind::Refresh => (Action::SessionRefreshRefused, "session"),
                    RefusalKind::Bootstrap => (Action::DeploymentBootstrapped, "deployment"),
                    RefusalKind::Invitation => (Action::InvitationAccepted, "invitation"),
                    RefusalKind::PasswordReset => (Action::PasswordReset, "user"),
                    RefusalKind::EmailChange => (Action::EmailChangeRefused, "user"),
                    RefusalKind::ServiceKey => (Action::ServiceKeyExchanged, "service_key"),
                };
                let mut caller = Caller::system("refusals");
                caller.actor = Actor::Anonymous;
                caller.origin.ip_address = refusal.prefix;
                self.event(at, &caller, action, Resource::new(on, ""))
                    .with_outcome(Outcome::Denied, refusal.kind.as_str())
                    .with(
                        "count",
                        MetaValue::count(i64::try_from(refusal.count).unwrap_or(i64::MAX)),
                    )
                    .with("first", MetaValue::public(refusal.first))
            })
            .collect();
        if let Err(error) = self.store().record(&events).await {
            for refusal in refusals {
                self.refusals().put_back(refusal);
            }
            return Err(error);
        }
        Ok(events.len())
    }
}
