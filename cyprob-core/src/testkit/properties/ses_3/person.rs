//! The person whose sessions end, and what was given out to them.

use std::time::Duration;

use secrecy::SecretString;

use super::{Call, Ends, Many};
use crate::domain::audit::Actor;
use crate::domain::{
    Caller, CtxIssuer, DeploymentCtx, Email, OrgCtx, OrgId, RoleName, SessionId, TotpSecret,
    TotpStep, UserCtx, UserId, Whose,
};
use crate::ports::Clock;
use crate::ports::store::Claimed;
use crate::service::{Credentials, Founded, KeepCurrent, NewAccount, RefreshError, SignedIn};
use crate::testkit::site::{PASSWORD, Site, parsed};

/// A step of the clock that gives a code that was never shown, and a moment of its own to each call.
const STEP: Duration = Duration::from_secs(30);
/// The password that takes turns with the first.
const OTHER: &str = "another pass phrase of the property";

/// An access token, as far as it can end before its time.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) claimed: Claimed,
    pub(super) good: bool,
}

/// A session with its current refresh token.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    id: SessionId,
    refresh_token: SecretString,
    pub(super) live: bool,
}

#[derive(Debug)]
pub(super) struct Person<'a> {
    site: &'a Site,
    org: OrgId,
    owner: UserId,
    user: UserId,
    email: Email,
    password: &'static str,
    factor: Option<TotpSecret>,
    role: Option<RoleName>,
    pub(super) sessions: Vec<Opened>,
    pub(super) given: Vec<Given>,
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

/// The value, since nothing here may fail.
fn done<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}

impl<'a> Person<'a> {
    /// A new member of the site's organization.
    pub(super) async fn new(site: &'a Site, founded: &Founded, number: usize) -> Person<'a> {
        let (org, owner) = (founded.org.id, founded.user.id);
        let email: Email = parsed(&format!("bob{number}@example.com"));
        let by = CtxIssuer::for_composition().org(org, RoleName::OWNER, caller(owner, None));
        let invited = done(
            site.identity
                .invite(&by, email.clone(), RoleName::VIEWER)
                .await,
        );
        let account = NewAccount {
            name: parsed("Somebody"),
            password: PASSWORD.into(),
        };
        let by = Caller::system("property");
        let accepted = site
            .identity
            .accept_as_new(&invited.token, Some(account), &by);
        Self {
            site,
            org,
            owner,
            user: done(accepted.await).user.id,
            email,
            password: PASSWORD,
            factor: None,
            role: Some(RoleName::VIEWER),
            sessions: Vec::new(),
            given: Vec::new(),
        }
    }

    /// Whether one of the sessions is live.
    pub(super) fn is_signed_in(&self) -> bool {
        self.sessions.iter().any(|it| it.live)
    }

    /// The n-th live session, counted round and round.
    fn live(&self, number: usize) -> usize {
        let live = self.sessions.iter().enumerate().filter(|(_, it)| it.live);
        let places: Vec<usize> = live.map(|(place, _)| place).collect();
        let place = places.get(number % places.len().max(1)).copied();
        place.unwrap_or_else(|| panic!("somebody is signed in"))
    }

    fn by(&self, session: usize) -> UserCtx {
        let session = self.sessions.get(session).map(|it| it.id);
        let id = session.unwrap_or_else(|| panic!("there is such a session"));
        CtxIssuer::for_composition().user(self.user, id, caller(self.user, Some(id)))
    }

    fn owner(&self) -> OrgCtx {
        let by = caller(self.owner, None);
        CtxIssuer::for_composition().org(self.org, RoleName::OWNER, by)
    }

    fn administrator(&self) -> DeploymentCtx {
        CtxIssuer::for_composition().deployment(caller(self.owner, None))
    }

    /// What the application shows in a step that has just begun.
    fn code(&self, secret: &TotpSecret) -> SecretString {
        self.site.clock.advance(STEP);
        let code = secret.code(TotpStep::at(self.site.clock.now()));
        code.unwrap_or_else(|| panic!("a step after 1970")).text()
    }

    fn shown(&self) -> Option<SecretString> {
        self.factor.as_ref().map(|secret| self.code(secret))
    }

    /// Opens a session.
    pub(super) async fn sign_in(&mut self) {
        // Sessions of the millisecond in which all of them end are over too.
        self.site.clock.advance(STEP);
        let credentials = Credentials {
            email: self.email.as_str().to_owned(),
            password: self.password.into(),
            org: None,
            device_token: None,
            totp: self.shown(),
        };
        let caller = Caller::system("property");
        let signed_in = self.site.identity.sign_in(credentials, &caller).await;
        self.hand_out(Some(done(signed_in)));
    }

    /// Notes the tokens of a session that was opened or goes on.
    pub(super) fn hand_out(&mut self, signed_in: Option<SignedIn>) {
        let Some(signed_in) = signed_in else { return };
        let session = &signed_in.session;
        let member = signed_in.scope.membership.as_ref();
        let claimed = Claimed {
            user: session.user,
            user_epoch: session.credential_epoch,
            session: session.id,
            member: member.map(|place| (place.org, place.epoch)),
        };
        self.given.push(Given {
            claimed,
            good: true,
        });
        let refresh_token = signed_in.refresh_token;
        match self.sessions.iter_mut().find(|it| it.id == session.id) {
            Some(known) => known.refresh_token = refresh_token,
            None => self.sessions.push(Opened {
                id: session.id,
                refresh_token,
                live: true,
            }),
        }
    }

    /// Makes a call by a live session; what it ends, and what goes on.
    pub(super) async fn make(&mut self, call: Call, at: usize) -> (Ends, Option<SignedIn>) {
        self.site.clock.advance(STEP);
        let nothing = (Ends::Nothing, None);
        let at = self.live(at);
        let by = self.by(at);
        let identity = &self.site.identity;
        let goes_on = |keep: bool| keep.then_some(at);
        match call {
            Call::SignIn => {
                self.sign_in().await;
                nothing
            }
            Call::StepUp => {
                let (password, code) = (self.password.into(), self.shown());
                let org = self.role.as_ref().map(|_| self.org);
                let stepped = identity.step_up(&by, org, Some(password), code.as_ref());
                (Ends::Nothing, Some(done(stepped.await)))
            }
            Call::SignOut => {
                done(identity.sign_out(&by).await);
                (Ends::Session(at), None)
            }
            Call::Revoke => {
                let last = self.sessions.len().saturating_sub(1);
                let Some(other) = self.sessions.get(last).map(|it| it.id) else {
                    return nothing;
                };
                done(identity.revoke_session(&by, other).await);
                (Ends::Session(last), None)
            }
            Call::RevokeOthers => {
                done(identity.revoke_other_sessions(&by).await);
                (Ends::Others(at), None)
            }
            Call::ChangePassword { keep } => {
                let new = if self.password == PASSWORD {
                    OTHER
                } else {
                    PASSWORD
                };
                let changed = identity.change_password(&by, self.password.into(), new.into(), keep);
                let signed_in = done(changed.await);
                self.password = new;
                (Ends::Person(goes_on(keep)), signed_in)
            }
            Call::SetUpFactor { keep } => {
                let shown = self.shown();
                let new = done(identity.begin_factor(&by, shown.as_ref()).await);
                let code = self.code(&new.secret);
                let confirmed = done(identity.confirm_factor(&by, &code, keep).await);
                self.factor = Some(new.secret);
                (Ends::Person(goes_on(keep)), confirmed.signed_in)
            }
            Call::RemoveFactor { keep } => {
                let Some(code) = self.shown() else {
                    return nothing;
                };
                let removed = identity.remove_factor(&by, self.password.into(), &code, keep);
                let signed_in = done(removed.await);
                self.factor = None;
                (Ends::Person(goes_on(keep)), signed_in)
            }
            _ => self.make_to(call, at).await,
        }
    }

    /// What is done by a token alone, or by somebody else.
    async fn make_to(&mut self, call: Call, at: usize) -> (Ends, Option<SignedIn>) {
        let identity = &self.site.identity;
        let nothing = (Ends::Nothing, None);
        match call {
            Call::Refresh => {
                let Some(session) = self.sessions.get(at) else {
                    return nothing;
                };
                let by = Caller::system("property");
                let refreshed = identity.refresh(&session.refresh_token, None, &by).await;
                (Ends::Nothing, Some(done(refreshed)))
            }
            Call::ResetFactor if self.factor.take().is_some() => {
                let by = self.administrator();
                done(identity.reset_factor(&by, self.user).await);
                (Ends::Person(None), None)
            }
            Call::Disable => {
                let by = self.administrator();
                done(identity.disable_user(&by, self.user, "a property").await);
                done(identity.enable_user(&by, self.user).await);
                (Ends::Person(None), None)
            }
            Call::ChangeRole => {
                let Some(role) = &self.role else {
                    return nothing;
                };
                let viewer = *role == RoleName::VIEWER;
                let new = if viewer {
                    RoleName::ANALYST
                } else {
                    RoleName::VIEWER
                };
                let changed = identity
                    .set_role(&self.owner(), self.user, new.clone())
                    .await;
                done(changed);
                self.role = Some(new);
                (Ends::Member, None)
            }
            Call::RemoveMember if self.role.take().is_some() => {
                done(identity.remove_member(&self.owner(), self.user).await);
                (Ends::Member, None)
            }
            Call::EndGrant => {
                let Some(session) = self.sessions.get(at).map(|it| it.id) else {
                    return nothing;
                };
                let ended = identity.end_org_session(&self.owner(), session).await;
                (
                    if done(ended) {
                        Ends::Grant(at)
                    } else {
                        Ends::Nothing
                    },
                    None,
                )
            }
            Call::EndMany(many) => {
                let whose = match many {
                    Many::Person => Whose::User(self.user),
                    Many::Org => Whose::Org(self.org),
                    Many::Everyone => Whose::Everyone,
                };
                let by = self.administrator();
                let ended = identity.end_many(&by, whose, KeepCurrent::No, "a property");
                done(ended.await);
                match many {
                    Many::Org => (Ends::Member, None),
                    Many::Person | Many::Everyone => (Ends::Person(None), None),
                }
            }
            _ => nothing,
        }
    }

    /// Notes what has ended.
    pub(super) fn apply(&mut self, ends: Ends) {
        let id = |at: usize| self.sessions.get(at).map(|it| it.id);
        let kept = match ends {
            Ends::Others(at) | Ends::Person(Some(at)) => id(at),
            _ => None,
        };
        let one = match ends {
            Ends::Session(at) | Ends::Grant(at) => id(at),
            _ => None,
        };
        for given in &mut self.given {
            let (session, member) = (Some(given.claimed.session), given.claimed.member);
            given.good &= match ends {
                Ends::Nothing => true,
                Ends::Session(_) => session != one,
                Ends::Others(_) => session == kept,
                Ends::Person(_) => false,
                Ends::Grant(_) => session != one || member.is_none(),
                Ends::Member => member.is_none(),
            };
        }
        for session in &mut self.sessions {
            session.live &= match ends {
                Ends::Session(_) => Some(session.id) != one,
                Ends::Others(_) | Ends::Person(_) => Some(session.id) == kept,
                Ends::Nothing | Ends::Grant(_) | Ends::Member => true,
            };
        }
    }

    /// Whether the refresh token of a session is taken; one that is live is left alone.
    pub(super) async fn shows(&self, session: &Opened) -> bool {
        if session.live {
            let stored = done(self.site.store.session(session.id).await);
            return stored.is_some_and(|stored| stored.is_live(self.site.clock.now()));
        }
        let by = Caller::system("property");
        let refreshed = self
            .site
            .identity
            .refresh(&session.refresh_token, None, &by)
            .await;
        match refreshed {
            Ok(_) => true,
            Err(RefreshError::InvalidGrant) => false,
            Err(error) => panic!("{error}"),
        }
    }
}
