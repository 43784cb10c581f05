//! Two organizations with people and machines in them, and what can be seen of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;

use crate::domain::audit::{Actor, RequestOrigin};
use crate::domain::{
    Caller, CtxIssuer, Id as _, InvitationId, KeyId, OrgCtx, OrgId, PageRequest, Reach, RoleName,
    ServiceAccountId, UserId,
};
use crate::ports::store::{IdentityStore, StoreError};
use crate::ports::{Clock, RoleRules};
use crate::service::NewAccount;
use crate::testkit::site::{PASSWORD, Site, parsed};
use crate::testkit::{FixedRoles, ManualClock};

/// Somebody who holds a role in an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Person(UserId),
    Machine(ServiceAccountId),
}

/// What somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) who: Who,
    pub(super) role: RoleName,
    pub(super) reach: Reach,
}

/// An invitation that nobody accepted yet.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) id: InvitationId,
    pub(super) org: usize,
    pub(super) by: Who,
    pub(super) token: SecretString,
}

pub(super) struct Town {
    pub(super) site: Site,
    /// Everybody who has an account.
    people: Vec<UserId>,
    pub(super) open: Vec<Open>,
    orgs: [Place; 2],
    joined: u32,
}

/// What there was to see at one moment.
pub(super) struct Seen {
    orgs: [(Vec<Held>, String); 2],
    /// Everything that is a person's own.
    pub(super) people: BTreeMap<UserId, String>,
}

impl Seen {
    const fn org(&self, org: usize) -> &(Vec<Held>, String) {
        let [first, second] = &self.orgs;
        if org == 0 { first } else { second }
    }

    /// Who holds what in an organization.
    pub(super) const fn holders(&self, org: usize) -> &[Held] {
        self.org(org).0.as_slice()
    }

    /// Everything that an organization has.
    pub(super) const fn belongings(&self, org: usize) -> &str {
        self.org(org).1.as_str()
    }
}

fn read<T>(result: Result<T, StoreError>) -> T {
    result.unwrap_or_else(|e| panic!("{e}"))
}

/// An organization and who owned it first.
#[derive(Clone, Copy, Debug)]
struct Place {
    org: OrgId,
    founder: UserId,
}

fn person(user: UserId) -> Actor {
    Actor::User {
        id: user,
        session: None,
        token: None,
    }
}

fn caller(actor: Actor) -> Caller {
    Caller {
        actor,
        origin: RequestOrigin::default(),
        request_id: None,
    }
}

impl Town {
    /// Two organizations, each with its owner, an administrator and two who hold less; all have signed in.
    pub(super) async fn new(store: Arc<dyn IdentityStore>) -> Self {
        let site = Site::new(store, Arc::new(ManualClock::default()), 51);
        let founded = site.found().await;
        let root = CtxIssuer::for_composition().deployment(Caller::system("property"));
        let made = site
            .identity
            .create_org(
                &root,
                parsed("globex"),
                parsed("Globex"),
                parsed("bo@example.com"),
            )
            .await;
        let made = made.unwrap_or_else(|e| panic!("{e}"));
        let mut town = Self {
            orgs: [founded.org.id, made.org.id].map(|org| Place {
                org,
                founder: founded.user.id,
            }),
            people: vec![founded.user.id],
            open: Vec::new(),
            joined: 0,
            site,
        };
        town.site.sign_in("ada@example.com").await;
        let bo = town.accept(&made.token).await;
        let [_, globex] = &mut town.orgs;
        globex.founder = bo.unwrap_or_else(|e| panic!("{e}"));
        for org in 0..2 {
            for role in [RoleName::ADMIN, RoleName::OPERATOR, RoleName::AUDITOR] {
                let ctx = town.root_ctx(org);
                let email = parsed(&format!("{role}{org}@example.com"));
                let invited = town.site.identity.invite(&ctx, email, role.clone()).await;
                let invited = invited.unwrap_or_else(|e| panic!("{e}"));
                let joined = town.accept(&invited.token).await;
                joined.unwrap_or_else(|e| panic!("{e}"));
                town.site.sign_in(&format!("{role}{org}@example.com")).await;
            }
        }
        town
    }

    /// An address that nobody has.
    pub(super) fn fresh_email(&mut self) -> String {
        self.joined += 1;
        format!("new{}@example.com", self.joined)
    }

    /// Accepts an invitation as a new person.
    pub(super) async fn accept(
        &mut self,
        token: &SecretString,
    ) -> Result<UserId, crate::service::AcceptError> {
        let account = NewAccount {
            name: parsed("Somebody"),
            password: PASSWORD.into(),
        };
        let by = caller(Actor::Anonymous);
        let identity = &self.site.identity;
        let accepted = identity.accept_as_new(token, Some(account), &by).await?;
        self.people.push(accepted.user.id);
        Ok(accepted.user.id)
    }

    const fn place(&self, org: usize) -> Place {
        let [first, second] = self.orgs;
        if org == 0 { first } else { second }
    }

    /// A proof to look at an organization with.
    pub(super) fn root_ctx(&self, org: usize) -> OrgCtx {
        let place = self.place(org);
        let caller = caller(person(place.founder));
        CtxIssuer::for_composition().org(place.org, RoleName::OWNER, caller)
    }

    /// The proof that somebody acts with what they hold.
    pub(super) fn acting(&self, org: usize, held: &Held) -> OrgCtx {
        let place = self.place(org);
        let actor = match held.who {
            Who::Person(user) => person(user),
            Who::Machine(id) => Actor::Service {
                id,
                key: KeyId::from_random(self.site.clock.now(), [7; 10]),
                token: None,
                on_behalf_of: place.founder,
            },
        };
        let issuer = CtxIssuer::for_composition();
        let always = Reach::new(held.reach.always());
        issuer.org_within(place.org, held.role.clone(), always, caller(actor))
    }

    /// All that there is to see.
    pub(super) async fn seen(&self) -> Seen {
        let orgs = [self.look(0).await, self.look(1).await];
        let mut people = BTreeMap::new();
        for user in &self.people {
            people.insert(*user, self.person(*user).await);
        }
        Seen { orgs, people }
    }

    /// Everybody who holds something in an organization, in a fixed order, and everything that it has, as text.
    async fn look(&self, org: usize) -> (Vec<Held>, String) {
        let (ctx, page) = (self.root_ctx(org), PageRequest::new(100, None));
        let (store, at) = (&self.site.store, self.site.clock.now());
        let members = read(store.members(&ctx, &page).await).items;
        let roles = read(store.roles(&ctx, &page).await).items;
        let machines = read(store.service_accounts(&ctx, &page).await).items;
        let all = format!(
            "{:?} {members:?} {roles:?} {:?} {machines:?} {:?}",
            store.org(self.place(org).org).await,
            store.invitations(&ctx, &page).await,
            store.grants_of_org(&ctx, at, &page).await,
        );
        let reach = |role: &RoleName| {
            let own = || roles.iter().find(|own| own.name == *role);
            let own = || own().and_then(|own| FixedRoles.reach(&own.permissions));
            own().or_else(|| FixedRoles.of_deployment(role))
        };
        let people = members
            .iter()
            .map(|member| (Who::Person(member.user), &member.role));
        let machines = machines
            .iter()
            .map(|view| (Who::Machine(view.account.id), &view.account.role));
        let held = people.chain(machines).map(|(who, role)| Held {
            who,
            role: role.clone(),
            reach: reach(role).unwrap_or(Reach::NOTHING),
        });
        (held.collect(), all)
    }

    /// Everything that is a person's own, wherever they are members, as text.
    async fn person(&self, user: UserId) -> String {
        let (store, at) = (&self.site.store, self.site.clock.now());
        let Some(account) = read(store.user(user).await) else {
            panic!("{user} is gone");
        };
        let password = account.password.as_ref().map(|hash| hash.expose_phc());
        let sessions = store
            .sessions_of_user(user, at, &PageRequest::new(100, None))
            .await;
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {sessions:?}",
            account.email.as_str(),
            account.email_verified,
            password,
            account.epoch,
            account.administrator,
            account.disabled_at,
        )
    }
}
