//! A deployment with an administrator, two organizations and someone in every role.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Answer, Backend, Client, Database, Server};

pub(crate) const ROLES: [&str; 6] = ["owner", "admin", "operator", "analyst", "auditor", "viewer"];

/// Someone who can sign in, with the token of the last time.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) email: String,
    pub(crate) password: String,
    /// Which organization they ask for, if any.
    pub(crate) org: Option<String>,
    pub(crate) id: String,
    pub(crate) token: String,
}

impl Account {
    pub(crate) fn sign_in(&mut self, client: &Client) {
        let answer = login(client, &self.email, &self.password, self.org.as_deref()).expect(200);
        self.token = answer.json()["access_token"].as_str().unwrap().to_owned();
        self.id = answer.json()["user"]["id"].as_str().unwrap().to_owned();
    }
}

pub(crate) fn login(client: &Client, email: &str, password: &str, org: Option<&str>) -> Answer {
    login_with(client, email, password, org, None)
}

/// Signs in with a second factor.
pub(crate) fn login_with(
    client: &Client,
    email: &str,
    password: &str,
    org: Option<&str>,
    totp: Option<&str>,
) -> Answer {
    let mut body = json!({ "email": email, "password": password });
    if let Some(org) = org {
        body["org"] = json!(org);
    }
    if let Some(totp) = totp {
        body["totp"] = json!(totp);
    }
    client.call("POST", "/api/v1/auth/login", None, Some(&body))
}

/// The deployment.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) client: Client,
    /// The deployment's administrator, in no organization at the moment.
    pub(crate) administrator: Account,
    /// By organization and role.
    pub(crate) members: BTreeMap<(&'static str, &'static str), Account>,
    /// Someone who belongs nowhere.
    pub(crate) stranger: Account,
    count: AtomicU32,
    /// Where every mail is written.
    pub(crate) messages: PathBuf,
    _home: TempDir,
    _database: Option<Database>,
}

pub(crate) const PASSWORD: &str = "a long enough pass phrase";

/// Makes the first administrator, who owns `acme`.
pub(crate) fn found(server: &Server, email: &str) -> Answer {
    let body = json!({
        "token": server.bootstrap_token(),
        "email": email,
        "password": PASSWORD,
        "name": "Root",
        "org": { "slug": "acme", "name": "Acme" },
    });
    let founded = server
        .client()
        .call("POST", "/api/v1/bootstrap", None, Some(&body));
    founded.expect(201)
}

impl World {
    /// `acme` and `globex`, with someone in each role in each.
    pub(crate) fn new(config: &str) -> Self {
        Self::on(Backend::Sqlite, config)
    }

    /// The same on a backend.
    pub(crate) fn on(backend: Backend, config: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let database = (backend == Backend::Postgres).then(Database::new);
        let section = database.as_ref().map(Database::config);
        let messages = home.path().join("messages");
        let mail = format!(
            "public_url = \"https://id.example.org\"\ndangerous_message_file = {messages:?}\n"
        );
        let config = format!("{mail}{config}\n{}", section.unwrap_or_default());
        let server = Server::start_with(&home.path().join("data"), &config);
        let client = server.client();
        found(&server, "root@example.com");
        let mut administrator = Account {
            email: "root@example.com".to_owned(),
            password: PASSWORD.to_owned(),
            org: None,
            id: String::new(),
            token: String::new(),
        };
        administrator.sign_in(&client);
        let stranger = administrator.clone();
        let mut world = Self {
            server,
            client,
            administrator,
            members: BTreeMap::new(),
            stranger,
            count: AtomicU32::new(0),
            messages,
            _home: home,
            _database: database,
        };
        world.populate();
        world
    }

    fn populate(&mut self) {
        let made = self.new_org("globex", "root@example.com");
        let accept = json!({ "token": made["invitation"]["token"] });
        let token = self.administrator.token.clone();
        self.client
            .post("/api/v1/invitations/accept", &token, &accept)
            .expect(201);
        for org in ["acme", "globex"] {
            let mut root = self.administrator.clone();
            root.org = Some(org.to_owned());
            root.sign_in(&self.client);
            for role in ROLES {
                let account = self.new_member(org, role, &root.token);
                self.members.insert((org, role), account);
            }
        }
        let owner = self.members[&("acme", "owner")].clone();
        let mut stranger = self.new_member("acme", "viewer", &owner.token);
        let path = format!("/api/v1/orgs/acme/members/{}", stranger.id);
        self.client
            .call("DELETE", &path, Some(&owner.token), None)
            .expect(204);
        stranger.org = None;
        stranger.sign_in(&self.client);
        self.stranger = stranger;
        // In two organizations and asking for none.
        self.administrator.sign_in(&self.client);
    }

    /// The messages that were sent so far.
    pub(crate) fn mails(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.messages).unwrap_or_default();
        let whole = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        whole.collect()
    }

    /// The token of the last message of a kind to an address, if there is one.
    pub(crate) fn try_mailed(&self, kind: &str, to: &str) -> Option<String> {
        let mails = self.mails();
        let mail = mails
            .iter()
            .rev()
            .find(|mail| mail["kind"] == kind && mail["to"] == to)?;
        let text = mail["text"].as_str().unwrap();
        let link = text.lines().find(|line| line.starts_with("https://"))?;
        Some(link.split_once('=').unwrap().1.to_owned())
    }

    /// Waits for a message of a kind, which holds no token.
    #[track_caller]
    pub(crate) fn mailed_plain(&self, kind: &str, to: &str) {
        let came = || {
            let mails = self.mails();
            let mail = mails
                .iter()
                .find(|mail| mail["kind"] == kind && mail["to"] == to);
            mail.is_some()
        };
        for _ in 0..2_000 {
            if came() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no {kind} mail to {to}");
    }

    /// The token of the last message of a kind to an address, when it has come.
    #[track_caller]
    pub(crate) fn mailed(&self, kind: &str, to: &str) -> String {
        for _ in 0..2_000 {
            if let Some(token) = self.try_mailed(kind, to) {
                return token;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no {kind} mail to {to}");
    }

    /// A name that nobody has.
    pub(crate) fn fresh(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.count.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn new_org(&self, slug: &str, owner: &str) -> Value {
        let body = json!({ "slug": slug, "name": slug, "owner_email": owner });
        self.client
            .post("/api/v1/system/orgs", &self.administrator.token, &body)
            .expect(201)
            .json()
    }

    /// An invitation of someone new, by one who may invite.
    pub(crate) fn invite(&self, org: &str, role: &str, by: &str) -> (String, Value) {
        let email = format!("{}@example.com", self.fresh("p"));
        let body = json!({ "email": email, "role": role });
        let answer = self
            .client
            .post(&format!("/api/v1/orgs/{org}/invitations"), by, &body);
        (email, answer.expect(201).json())
    }

    /// Someone new in a role, signed in to the organization.
    pub(crate) fn new_member(&self, org: &str, role: &str, by: &str) -> Account {
        let (email, invitation) = self.invite(org, role, by);
        let body =
            json!({ "token": invitation["token"], "name": "Somebody", "password": PASSWORD });
        self.client
            .call("POST", "/api/v1/invitations/accept", None, Some(&body))
            .expect(201);
        let mut account = Account {
            email,
            password: PASSWORD.to_owned(),
            org: Some(org.to_owned()),
            id: String::new(),
            token: String::new(),
        };
        account.sign_in(&self.client);
        account
    }

    pub(crate) fn member(&self, org: &'static str, role: &'static str) -> &Account {
        &self.members[&(org, role)]
    }
}
