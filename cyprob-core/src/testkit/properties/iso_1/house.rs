//! Two organizations of one deployment, and a person whom both may have.

use std::sync::Arc;

use secrecy::ExposeSecret;

use crate::domain::audit::Actor;
use crate::domain::{
    Caller, CtxIssuer, Epoch, InvitationId, OrgCtx, OrgId, PasswordHash, RoleName, SessionId,
    TokenDigest, User, UserCtx, UserId,
};
use crate::ports::store::{Acceptance, AcceptanceOutcome, IdentityStore, Invitee};
use crate::ports::{Clock, EntropyExt};
use crate::service::{NewAccount, NewInvitation};
use crate::testkit::site::{PASSWORD, Site, parsed};
use crate::testkit::{ManualClock, SeededEntropy};

/// What a call can name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids {
    pub(super) slug: &'static str,
    pub(super) member: UserId,
    /// The member's.
    pub(super) session: SessionId,
    /// An open one.
    pub(super) invitation: InvitationId,
}

impl Ids {
    /// Ids that nobody has.
    pub(super) fn nowhere() -> Self {
        let (random, at) = (SeededEntropy::new(99), ManualClock::default().now());
        Self {
            slug: "nowhere",
            member: random.id(at),
            session: random.id(at),
            invitation: random.id(at),
        }
    }
}

/// One organization, as its owner reaches it.
pub(super) struct House {
    pub(super) site: Site,
    pub(super) org: OrgId,
    owner: UserId,
    pub(super) ids: Ids,
    /// Those of the person whom both may have.
    pub(super) shared: Ids,
}

fn caller(user: UserId, session: Option<SessionId>) -> Caller {
    Caller {
        actor: Actor::User {
            id: user,
            session,
            token: None,
        },
        ..Caller::system("property")
    }
}

impl House {
    pub(super) fn ctx(&self) -> OrgCtx {
        owner_of(self.org, self.owner)
    }

    /// The person and session of some ids.
    pub(super) fn user(&self, ids: &Ids) -> UserCtx {
        user(ids.member, ids.session)
    }
}

fn owner_of(org: OrgId, owner: UserId) -> OrgCtx {
    CtxIssuer::for_composition().org(org, RoleName::OWNER, caller(owner, None))
}

fn user(user: UserId, session: SessionId) -> UserCtx {
    CtxIssuer::for_composition().user(user, session, caller(user, Some(session)))
}

async fn invited(site: &Site, ctx: &OrgCtx, email: &str) -> NewInvitation {
    let made = site.identity.invite(ctx, parsed(email), RoleName::VIEWER);
    made.await.unwrap_or_else(|e| panic!("{e}"))
}

/// Makes a new account out of an invitation.
async fn moved_in(site: &Site, token: &secrecy::SecretString) -> UserId {
    let account = NewAccount {
        name: parsed("Somebody"),
        password: PASSWORD.into(),
    };
    let caller = Caller::system("property");
    let accepted = site.identity.accept_as_new(token, Some(account), &caller);
    accepted.await.unwrap_or_else(|e| panic!("{e}")).user.id
}

/// A member who has signed in, and an open invitation.
async fn settled(site: &Site, ctx: &OrgCtx, slug: &'static str) -> Ids {
    let email = format!("member@{slug}.example.com");
    let invitation = invited(site, ctx, &email).await;
    let member = moved_in(site, &invitation.token).await;
    let session = site.sign_in(&email).await.session.id;
    let open = invited(site, ctx, &format!("invited@{slug}.example.com")).await;
    Ids {
        slug,
        member,
        session,
        invitation: open.invitation.id,
    }
}

const SHARED: &str = "shared@example.com";

/// A member with a verified address, so that other organizations can have them too, who has signed in.
async fn verified_member(site: &Site, ctx: &OrgCtx) -> (UserId, SessionId) {
    let invitation = invited(site, ctx, SHARED).await;
    let at = site.clock.now();
    let id = SeededEntropy::new(13).id(at);
    let account = User {
        id,
        email: parsed(SHARED),
        email_verified: true,
        name: parsed("Shared"),
        password: Some(PasswordHash::from_phc(PASSWORD.to_owned())),
        epoch: Epoch::FIRST,
        administrator: false,
        disabled_at: None,
        created_at: at,
    };
    let acceptance = Acceptance {
        invitation: invitation.invitation.id,
        token: TokenDigest::of(invitation.token.expose_secret()),
        invitee: Invitee::New(Box::new(account)),
        version: None,
        at,
    };
    let outcome = site.store.accept(&acceptance, &[]).await;
    let outcome = outcome.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(outcome, AcceptanceOutcome::Accepted);
    (id, site.sign_in(SHARED).await.session.id)
}

/// Makes the shared person a member, with a token, of one more organization.
async fn joined(site: &Site, ctx: &OrgCtx, by: &UserCtx, slug: &str) {
    let invitation = invited(site, ctx, SHARED).await;
    let accepted = site.identity.accept_as_user(by, &invitation.token).await;
    accepted.unwrap_or_else(|e| panic!("{e}"));
    let token = site.identity.org_token(by, &parsed(slug)).await;
    token.unwrap_or_else(|e| panic!("{e}"));
}

/// Both organizations; the other one has so many further members, and the shared person or not.
pub(super) async fn houses(
    store: Arc<dyn IdentityStore>,
    further: usize,
    shares: bool,
) -> (House, House) {
    let clock = Arc::new(ManualClock::default());
    // Each has randomness of its own, so that one's ids do not depend on the other's calls.
    let ours = Site::new(Arc::clone(&store), Arc::clone(&clock), 11);
    let theirs = Site::new(store, clock, 12);
    let founded = ours.found().await;
    let root = CtxIssuer::for_composition().deployment(Caller::system("property"));
    let made = ours.identity.create_org(
        &root,
        parsed("globex"),
        parsed("Globex"),
        parsed("bo@example.com"),
    );
    let made = made.await.unwrap_or_else(|e| panic!("{e}"));
    let bo = moved_in(&theirs, &made.token).await;

    let ctx_a = owner_of(founded.org.id, founded.user.id);
    let ids_a = settled(&ours, &ctx_a, "acme").await;
    let (member, session) = verified_member(&ours, &ctx_a).await;
    let ctx_b = owner_of(made.org.id, bo);
    let ids_b = settled(&theirs, &ctx_b, "globex").await;
    let shared_in = |ids: &Ids| Ids {
        member,
        session,
        ..*ids
    };
    if shares {
        joined(&theirs, &ctx_b, &user(member, session), "globex").await;
    }
    for number in 0..further {
        let invitation = invited(&theirs, &ctx_b, &format!("further{number}@example.com")).await;
        moved_in(&theirs, &invitation.token).await;
    }
    let a = House {
        site: ours,
        org: founded.org.id,
        owner: founded.user.id,
        shared: shared_in(&ids_a),
        ids: ids_a,
    };
    let b = House {
        site: theirs,
        org: made.org.id,
        owner: bo,
        shared: shared_in(&ids_b),
        ids: ids_b,
    };
    (a, b)
}
