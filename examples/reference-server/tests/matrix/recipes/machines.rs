//! Own roles, service accounts and their keys.

use serde_json::{Value, json};

use super::{Probe, Recipe, Scene, json_body};

/// Beyond the life of any key in the test, within what a key may live.
const UNTIL: fn() -> String = || {
    let month = std::time::Duration::from_secs(30 * 86_400);
    let at = std::time::SystemTime::now() + month;
    let seconds = at.duration_since(std::time::SystemTime::UNIX_EPOCH);
    let seconds = i64::try_from(seconds.unwrap().as_secs()).unwrap();
    cyprob::core::domain::Timestamp::from_seconds(seconds).to_string()
};

impl Scene<'_> {
    /// The recipe of a role review, an own role, a machine or a secret.
    pub(super) fn review_or_machine(&self, route: &str, plain: &Recipe) -> Option<Recipe> {
        let review = self.role_review(route, plain);
        let machine = review.or_else(|| self.machines(route, plain));
        machine.or_else(|| self.secret(route, plain))
    }

    fn machines(&self, route: &str, plain: &Recipe) -> Option<Recipe> {
        let plain = plain.clone();
        if route == "POST /api/v1/auth/service-token" {
            let path = format!("/api/v1/orgs/{}/service-accounts", self.org);
            let key = self.key(&format!("{path}/{}", self.machine()));
            return Some(Recipe {
                body: json_body(&json!({ "key": key["key"] })),
                probe: Some(Probe::Answer),
                ..plain
            });
        }
        let (method, rest) = route.split_once(' ')?;
        let below = rest.strip_prefix("/api/v1/orgs/{org}/")?;
        if method == "GET" || !(below.starts_with("roles") || below.starts_with("service-acc")) {
            return None;
        }
        let roles = format!("/api/v1/orgs/{}/roles", self.org);
        let accounts = format!("/api/v1/orgs/{}/service-accounts", self.org);
        let (path, body) = match (method, below) {
            ("POST", "roles") => {
                let name = self.world.fresh("role-");
                (
                    roles.clone(),
                    json_body(&json!({ "name": name, "permissions": ["runs:read"] })),
                )
            }
            ("PUT", "roles/{name}") => (
                format!("{roles}/{}", self.role()),
                json_body(&json!({ "permissions": ["org:read"] })),
            ),
            ("DELETE", "roles/{name}") => (format!("{roles}/{}", self.role()), None),
            ("POST", "service-accounts") => (
                accounts.clone(),
                json_body(&json!({ "name": "Machine", "role": "viewer" })),
            ),
            ("PUT", _) => (
                format!("{accounts}/{}", self.machine()),
                json_body(&json!({ "role": "analyst" })),
            ),
            ("DELETE", "service-accounts/{id}") => (format!("{accounts}/{}", self.machine()), None),
            ("POST", _) => (
                format!("{accounts}/{}/keys", self.machine()),
                json_body(&json!({ "expires_at": UNTIL() })),
            ),
            _ => {
                let account = format!("{accounts}/{}", self.machine());
                let key = self.key(&account);
                (
                    format!("{account}/keys/{}", key["id"].as_str().unwrap()),
                    None,
                )
            }
        };
        let list = if below.starts_with("roles") {
            roles
        } else {
            accounts
        };
        Some(Recipe {
            probe: self.get(&format!("{list}?limit=100")),
            path,
            body,
            ..plain
        })
    }

    /// A role that nobody has.
    fn role(&self) -> String {
        let name = self.world.fresh("role-");
        let body = json!({ "name": name, "permissions": ["runs:read"] });
        let path = format!("/api/v1/orgs/{}/roles", self.org);
        let client = &self.world.client;
        client.post(&path, self.owner(), &body).expect(201);
        name
    }

    /// The id of a service account.
    fn machine(&self) -> String {
        let path = format!("/api/v1/orgs/{}/service-accounts", self.org);
        let body = json!({ "name": "Machine", "role": "viewer" });
        let client = &self.world.client;
        let made = client.post(&path, self.owner(), &body).expect(201).json();
        made["id"].as_str().unwrap().to_owned()
    }

    /// A key of the service account at a path.
    fn key(&self, account: &str) -> Value {
        let body = json!({ "expires_at": UNTIL() });
        let path = format!("{account}/keys");
        let client = &self.world.client;
        client.post(&path, self.owner(), &body).expect(201).json()
    }
}
