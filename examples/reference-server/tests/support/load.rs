//! Clients that change things, each noting what it was told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::dice::Dice;
use super::judge::Ledger;
use super::world::{PASSWORD, login};
use super::{Client, Server};

/// How long a client waits when nobody took its connection, or the node cannot serve: a load that
/// does not wait spends its operations on the outage.
const PAUSE: Duration = Duration::from_millis(100);

/// One client at work.
pub(crate) struct Load {
    /// The nodes; each request goes to one of them.
    pub(crate) nodes: Vec<Client>,
    pub(crate) token: String,
    pub(crate) members: Vec<String>,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) fresh: Arc<AtomicU64>,
}

impl Load {
    /// One change, or half of one.
    pub(crate) fn act(&self, dice: &mut Dice) {
        let org = "/api/v1/orgs/acme";
        let n = self.fresh.fetch_add(1, Ordering::Relaxed);
        let bearer = Some(self.token.as_str());
        match dice.roll(10) {
            0..=2 => {
                let body = json!({ "email": format!("x{n}@example.com"), "role": "viewer" });
                let made = self.tell(
                    dice,
                    "POST",
                    &format!("{org}/invitations"),
                    bearer,
                    Some(&body),
                    "invitation.created",
                );
                if let Some(made) = made.filter(|_| dice.roll(2) == 0) {
                    let path = format!("{org}/invitations/{}", made["id"].as_str().unwrap());
                    self.tell(dice, "DELETE", &path, bearer, None, "invitation.revoked");
                }
            }
            3..=5 => {
                let role = ["viewer", "analyst", "operator", "auditor"][dice.roll(4) as usize];
                let user = &self.members[dice.roll(self.members.len() as u64) as usize];
                let path = format!("{org}/members/{user}");
                self.tell(
                    dice,
                    "PUT",
                    &path,
                    bearer,
                    Some(&json!({ "role": role })),
                    "member.role_changed",
                );
            }
            6..=7 => {
                let body = json!({ "name": format!("Name {n}") });
                self.tell(dice, "PATCH", org, bearer, Some(&body), "org.updated");
            }
            8 => {
                let email = format!("m{}@example.com", dice.roll(self.members.len() as u64));
                let body = json!({ "email": email, "password": PASSWORD });
                let pair = self.tell(
                    dice,
                    "POST",
                    "/api/v1/auth/login",
                    None,
                    Some(&body),
                    "session.opened",
                );
                if let Some(pair) = pair {
                    let token = pair["access_token"].as_str();
                    self.tell(
                        dice,
                        "POST",
                        "/api/v1/auth/logout",
                        token,
                        None,
                        "session.closed",
                    );
                }
            }
            _ => {
                let body = json!({ "email": "nobody@example.com", "password": "wrong" });
                let _ = self.node(dice).try_send(
                    "POST",
                    "/api/v1/auth/login",
                    &[("content-type", "application/json")],
                    Some(body.to_string().as_bytes()),
                );
            }
        }
    }

    fn node(&self, dice: &mut Dice) -> &Client {
        &self.nodes[dice.roll(self.nodes.len() as u64) as usize]
    }

    fn tell(
        &self,
        dice: &mut Dice,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
        action: &'static str,
    ) -> Option<Value> {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let text = body.map(ToString::to_string);
        self.ledger.lock().unwrap().attempts += 1;
        let answer = self
            .node(dice)
            .try_send(method, path, &headers, text.as_deref().map(str::as_bytes))
            .inspect_err(|_| std::thread::sleep(PAUSE))
            .ok()?;
        if answer.status == 503 {
            std::thread::sleep(PAUSE);
        }
        let done = (200..300).contains(&answer.status);
        assert!(
            done || answer.status < 500 || answer.status == 503,
            "{} {}",
            answer.status,
            answer.text()
        );
        // Setting the role that is held already changes nothing and leaves no event.
        let id = answer.header("x-request-id").filter(|_| done)?.to_owned();
        self.ledger.lock().unwrap().acknowledged.push((id, action));
        Some(answer.json())
    }
}

/// An organization with four members, who are returned.
pub(crate) fn prepare(server: &Server) -> Vec<String> {
    let client = server.client();
    let body = json!({
        "token": server.bootstrap_token(), "email": "ada@example.com", "password": PASSWORD,
        "name": "Ada", "org": { "slug": "acme", "name": "Acme" },
    });
    client
        .call("POST", "/api/v1/bootstrap", None, Some(&body))
        .expect(201);
    let token = sign_in(&client);
    let member = |n: u32| {
        let body = json!({ "email": format!("m{n}@example.com"), "role": "viewer" });
        let made = client
            .post("/api/v1/orgs/acme/invitations", &token, &body)
            .expect(201)
            .json();
        let body = json!({ "token": made["token"], "name": "M", "password": PASSWORD });
        let answer = client
            .call("POST", "/api/v1/invitations/accept", None, Some(&body))
            .expect(201);
        answer.json()["user"]["id"].as_str().unwrap().to_owned()
    };
    (0..4).map(member).collect()
}

pub(crate) fn sign_in(client: &Client) -> String {
    let pair = login(client, "ada@example.com", PASSWORD, None)
        .expect(200)
        .json();
    pair["access_token"].as_str().unwrap().to_owned()
}
