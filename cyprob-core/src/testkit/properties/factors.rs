//! People with and without a second factor.

use secrecy::SecretString;

use crate::domain::audit::Actor;
use crate::domain::{
    Caller, CtxIssuer, OrgId, RecoveryCode, RoleName, SessionId, TotpSecret, TotpStep, UserCtx,
    UserId,
};
use crate::ports::Clock;
use crate::service::{FactorError, NewAccount, SignedIn};
use crate::testkit::site::{PASSWORD, Site, parsed};

/// Who owns the site's organization.
pub(super) const OWNER: &str = "ada@example.com";

/// A person, by one of their sessions.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) email: &'static str,
    pub(super) user: UserId,
    pub(super) session: SessionId,
    /// What their client is recognised by.
    pub(super) device: SecretString,
}

impl Person {
    pub(super) fn ctx(&self) -> UserCtx {
        let caller = caller(self.user, Some(self.session));
        CtxIssuer::for_composition().user(self.user, self.session, caller)
    }
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

fn device(signed_in: SignedIn) -> SecretString {
    let device = signed_in.device_token;
    device.unwrap_or_else(|| panic!("a client that signed in is recognised"))
}

/// A new session of a person without a factor.
pub(super) async fn signed_in(site: &Site, email: &'static str) -> Person {
    let signed_in = site.sign_in(email).await;
    Person {
        email,
        user: signed_in.user.id,
        session: signed_in.session.id,
        device: device(signed_in),
    }
}

/// Makes a member of the owner's organization.
pub(super) async fn member(site: &Site, org: OrgId, owner: UserId, email: &'static str) {
    let ctx = CtxIssuer::for_composition().org(org, RoleName::OWNER, caller(owner, None));
    let invited = site.identity.invite(&ctx, parsed(email), RoleName::VIEWER);
    let invited = invited.await.unwrap_or_else(|e| panic!("{e}"));
    let account = NewAccount {
        name: parsed("Somebody"),
        password: PASSWORD.into(),
    };
    let by = Caller::system("property");
    let accepted = site
        .identity
        .accept_as_new(&invited.token, Some(account), &by);
    accepted.await.unwrap_or_else(|e| panic!("{e}"));
}

/// What an application shows in a step.
pub(super) fn code(secret: &TotpSecret, step: i64) -> SecretString {
    let code = secret.code(TotpStep::new(step));
    code.unwrap_or_else(|| panic!("a step after 1970")).text()
}

/// The owner with a factor in force, by the session that set it up.
pub(super) async fn enrolled(site: &Site) -> (Person, TotpSecret, Vec<RecoveryCode>) {
    let mut person = signed_in(site, OWNER).await;
    let new = site.identity.begin_factor(&person.ctx(), None).await;
    let secret = new.unwrap_or_else(|e| panic!("{e}")).secret;
    let shown = code(&secret, TotpStep::at(site.clock.now()).get());
    let activated = site
        .identity
        .confirm_factor(&person.ctx(), &shown, true)
        .await;
    let activated = activated.unwrap_or_else(|e| panic!("{e}"));
    let goes_on = activated.signed_in;
    person.device = device(goes_on.unwrap_or_else(|| panic!("the session goes on")));
    (person, secret, activated.recovery_codes)
}

/// Takes a person's factor away, and what the outbox holds.
pub(super) async fn reset(site: &Site, person: &Person) {
    let by = CtxIssuer::for_composition().deployment(Caller::system("property"));
    match site.identity.reset_factor(&by, person.user).await {
        Ok(()) | Err(FactorError::NoFactor) => {}
        Err(error) => panic!("{error}"),
    }
    site.events().await;
}
