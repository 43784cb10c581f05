//! A small deployment that the behaviours play in.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use crate::domain::audit::{Action, Actor, AuditEvent, Resource};
use crate::domain::{
    Aal, Caller, CtxIssuer, Cursor, DeploymentCtx, DisplayName, Email, Epoch, EventId, Grant, Id,
    Invitation, Inviter, OrgCtx, OrgId, OrgPolicy, OrgSlug, Organization, PageRequest,
    PasswordHash, RefreshKeyId, RefreshState, RoleName, Session, SessionSeed, Timestamp,
    TokenDigest, User,
};
use crate::ports::EntropyExt;
use crate::ports::store::{
    Acceptance, AcceptanceOutcome, BootstrapOutcome, CreateOrgOutcome, Founding, IdentityStore,
    Invitee, StoreError,
};
use crate::testkit::SeededEntropy;

pub(super) use super::harness::walk;
pub(super) use crate::testkit::race;

pub(super) type Store = Arc<dyn IdentityStore>;
pub(super) type Done = Result<(), StoreError>;

/// The moment at which everything begins.
pub(super) const AT: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// Some seconds after the beginning.
pub(super) const fn later(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(AT.as_seconds() + seconds)
}

fn parse<T: std::str::FromStr>(text: &str) -> T {
    match text.parse() {
        Ok(value) => value,
        Err(_) => unreachable!("a name of the suite is refused: {text}"),
    }
}

pub(super) fn role(name: &str) -> RoleName {
    parse(name)
}

pub(super) fn slug(name: &str) -> OrgSlug {
    parse(name)
}

pub(super) fn email(name: &str) -> Email {
    parse(&format!("{name}@example.org"))
}

pub(super) fn display(name: &str) -> DisplayName {
    parse(name)
}

pub(super) fn password(text: &str) -> PasswordHash {
    PasswordHash::from_phc(text.to_owned())
}

pub(super) fn pages_of(limit: u8, after: Option<Cursor>) -> PageRequest {
    PageRequest::new(limit, after)
}

/// A founded deployment: one administrator who owns one organization.
pub(super) struct World {
    pub(super) store: Store,
    pub(super) founder: User,
    pub(super) org: Organization,
    entropy: SeededEntropy,
    issuer: CtxIssuer,
}

/// What is not stored yet.
pub(super) struct Draft {
    entropy: SeededEntropy,
}

impl Draft {
    pub(super) const fn new() -> Self {
        Self {
            entropy: SeededEntropy::new(1),
        }
    }

    pub(super) fn user(&self, name: &str) -> User {
        user(&self.entropy, name)
    }

    pub(super) fn org(&self, name: &str) -> Organization {
        org(&self.entropy, name)
    }

    pub(super) fn founding(&self, token: &str, name: &str, at: Timestamp) -> Founding {
        let mut user = self.user(name);
        user.administrator = true;
        Founding {
            token: TokenDigest::of(token),
            user,
            org: self.org(name),
            at,
        }
    }

    pub(super) fn event(&self, action: Action) -> AuditEvent {
        event(&self.entropy, action)
    }
}

fn user(entropy: &SeededEntropy, name: &str) -> User {
    User {
        id: entropy.id(AT),
        email: email(name),
        email_verified: true,
        name: display(name),
        password: Some(password("$argon2id$first")),
        epoch: Epoch::FIRST,
        administrator: false,
        disabled_at: None,
        created_at: AT,
    }
}

fn org(entropy: &SeededEntropy, name: &str) -> Organization {
    Organization {
        id: entropy.id(AT),
        slug: slug(name),
        name: display(name),
        policy: OrgPolicy::default(),
        created_at: AT,
    }
}

fn event(entropy: &SeededEntropy, action: Action) -> AuditEvent {
    let on = Resource::new("thing", "one");
    AuditEvent::new(
        entropy.id(AT),
        AT,
        &Caller::system("conformance"),
        action,
        on,
    )
}

impl World {
    pub(super) async fn new(store: Store) -> Result<Self, StoreError> {
        let draft = Draft::new();
        let founding = draft.founding("cyb1_token", "founder", AT);
        assert!(store.arm(founding.token, later(60)).await?, "a shut door");
        let outcome = store.found(&founding, &[]).await?;
        assert_eq!(outcome, BootstrapOutcome::Done);
        Ok(Self {
            store,
            founder: founding.user,
            org: founding.org,
            entropy: SeededEntropy::new(2),
            issuer: CtxIssuer::for_composition(),
        })
    }

    pub(super) fn id<I: Id>(&self) -> I {
        self.entropy.id(AT)
    }

    pub(super) fn event(&self, action: Action) -> AuditEvent {
        event(&self.entropy, action)
    }

    pub(super) fn ctx_of(&self, org: OrgId) -> OrgCtx {
        let caller = Caller::system("conformance");
        self.issuer.org(org, RoleName::OWNER, caller)
    }

    /// A proof for a person who acts in the organization.
    pub(super) fn ctx_by(&self, org: OrgId, user: &User) -> OrgCtx {
        let caller = Caller {
            actor: Actor::User {
                id: user.id,
                session: None,
                token: None,
            },
            ..Caller::system("conformance")
        };
        self.issuer.org(org, RoleName::OWNER, caller)
    }

    pub(super) fn ctx(&self) -> OrgCtx {
        self.ctx_of(self.org.id)
    }

    pub(super) fn deployment(&self) -> DeploymentCtx {
        self.issuer.deployment(Caller::system("conformance"))
    }

    pub(super) fn user(&self, name: &str) -> User {
        user(&self.entropy, name)
    }

    pub(super) fn new_org(&self, name: &str) -> Organization {
        org(&self.entropy, name)
    }

    /// An invitation with a token of its own, open for a minute.
    pub(super) fn invitation(&self, org: OrgId, name: &str, as_role: &str) -> Invitation {
        Invitation {
            id: self.id(),
            org,
            email: email(name),
            role: role(as_role),
            inviter: Inviter::Deployment,
            token: TokenDigest::from_bytes(self.entropy.bytes()),
            created_at: AT,
            expires_at: later(60),
            accepted_at: None,
            revoked_at: None,
        }
    }

    pub(super) async fn invited(
        &self,
        org: OrgId,
        name: &str,
        role: &str,
    ) -> Result<Invitation, StoreError> {
        let invitation = self.invitation(org, name, role);
        self.store
            .invite(&self.ctx_of(org), &invitation, &[])
            .await?;
        Ok(invitation)
    }

    pub(super) async fn accept(
        &self,
        invitation: &Invitation,
        invitee: Invitee,
        events: &[AuditEvent],
    ) -> Result<AcceptanceOutcome, StoreError> {
        let acceptance = Acceptance {
            invitation: invitation.id,
            token: invitation.token,
            invitee,
            version: None,
            at: later(1),
        };
        self.store.accept(&acceptance, events).await
    }

    /// Makes an account, by an invitation into the organization, that looks like `user`.
    pub(super) async fn joined(
        &self,
        org: OrgId,
        user: User,
        role: &str,
    ) -> Result<User, StoreError> {
        let name = user.name.as_str().to_owned();
        let invitation = self.invited(org, &name, role).await?;
        let invitee = Invitee::New(Box::new(user.clone()));
        let outcome = self.accept(&invitation, invitee, &[]).await?;
        assert_eq!(outcome, AcceptanceOutcome::Accepted);
        Ok(user)
    }

    /// Makes an account and its membership.
    pub(super) async fn member(
        &self,
        org: OrgId,
        name: &str,
        role: &str,
    ) -> Result<User, StoreError> {
        self.joined(org, self.user(name), role).await
    }

    /// Makes a person with an account a member.
    pub(super) async fn rejoin(&self, org: OrgId, user: &User, role: &str) -> Done {
        let invitation = self.invited(org, user.name.as_str(), role).await?;
        let outcome = self
            .accept(&invitation, Invitee::Existing(user.id), &[])
            .await?;
        assert_eq!(outcome, AcceptanceOutcome::Accepted);
        Ok(())
    }

    /// Makes an organization and its first owner, a new person named like it.
    pub(super) async fn second_org(&self, name: &str) -> Result<(Organization, User), StoreError> {
        let org = self.new_org(name);
        let owner = self.invitation(org.id, name, "owner");
        let created = self
            .store
            .create_org(&self.deployment(), &org, &owner, &[])
            .await?;
        assert_eq!(created, CreateOrgOutcome::Created);
        let user = self.user(name);
        let invitee = Invitee::New(Box::new(user.clone()));
        let outcome = self.accept(&owner, invitee, &[]).await?;
        assert_eq!(outcome, AcceptanceOutcome::Accepted);
        Ok((org, user))
    }

    /// A session of an hour, idle after ten minutes.
    pub(super) fn session(&self, user: &User) -> Session {
        Session {
            id: self.id(),
            user: user.id,
            seed: SessionSeed::new(self.entropy.bytes()),
            refresh: RefreshState {
                generation: 0,
                key: RefreshKeyId::new(7),
                previous_key: None,
                rotated_at: AT,
            },
            credential_epoch: user.epoch,
            auth_time: AT,
            aal: Aal::One,
            created_at: AT,
            last_used_at: AT,
            idle_expires_at: later(600),
            absolute_expires_at: later(3_600),
            ended_at: None,
            client: Some("conformance/1 \u{1f980}".to_owned()),
            ip_address: Some(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        }
    }

    pub(super) async fn opened(&self, user: &User) -> Result<Session, StoreError> {
        let session = self.session(user);
        let opened = self.store.open_session(&session, None, &[]).await?;
        assert!(opened, "a session was not opened");
        Ok(session)
    }

    pub(super) async fn granted(&self, user: &User, org: OrgId) -> Result<Session, StoreError> {
        let session = self.session(user);
        let grant = grant(&session, org);
        let opened = self.store.open_session(&session, Some(&grant), &[]).await?;
        assert!(opened, "a session was not opened");
        Ok(session)
    }

    /// Whether a session is stored and live at the beginning.
    pub(super) async fn is_live(&self, session: &Session) -> Result<bool, StoreError> {
        let stored = self.store.session(session.id).await?;
        Ok(stored.is_some_and(|stored| stored.is_live(later(2))))
    }

    /// The ids of all events in the outbox.
    pub(super) async fn recorded(&self) -> Result<Vec<EventId>, StoreError> {
        let events = self.store.pending(10_000).await?;
        Ok(events.into_iter().map(|event| event.id).collect())
    }

    /// Checks that exactly these events are in the outbox.
    pub(super) async fn expect_events(&self, events: &[&AuditEvent]) -> Done {
        let expected: Vec<EventId> = events.iter().map(|event| event.id).collect();
        assert_eq!(self.recorded().await?, expected, "the outbox");
        Ok(())
    }
}

pub(super) const fn grant(session: &Session, org: OrgId) -> Grant {
    Grant {
        session: session.id,
        org,
        created_at: later(1),
        ended_at: None,
    }
}
