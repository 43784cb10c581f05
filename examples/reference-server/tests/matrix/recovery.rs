//! Requests that need a token out of a mail, and those of the deployment's administrator about accounts.

use std::time::Duration;

use serde_json::json;

use super::recipes::{Probe, Recipe, Scene, json_body};
use crate::support::world::Account;

const NEW_PASSWORD: &str = "another pass phrase, also long";

impl Scene<'_> {
    /// Where the administrator sees the account of an address.
    fn account(&self, email: &str) -> Option<Probe> {
        let path = format!("/api/v1/system/users?email={email}");
        Some(Probe::Get(path, self.world.administrator.token.clone()))
    }

    /// Somebody new whose address waits to be verified, with the token of the mail.
    fn unverified(&self) -> (Account, String) {
        let owner = self.world.member("globex", "owner");
        let somebody = self.world.new_member("globex", "viewer", &owner.token);
        let client = &self.world.client;
        client
            .call(
                "POST",
                "/api/v1/me/email/verify",
                Some(&somebody.token),
                None,
            )
            .expect(202);
        let token = self.world.mailed("email_confirmation", &somebody.email);
        (somebody, token)
    }

    fn confirm(&self, token: &str) {
        let body = json!({ "token": token });
        let path = "/api/v1/auth/email-change/confirm";
        let client = &self.world.client;
        client.call("POST", path, None, Some(&body)).expect(204);
    }

    fn verified(&self) -> Account {
        let (somebody, token) = self.unverified();
        self.confirm(&token);
        somebody
    }

    /// The token that the caller was sent, if any was: mail goes out a moment after the answer.
    fn mail_of_the_route_before(&self) -> Option<String> {
        if self.email.is_empty() {
            return None;
        }
        for _ in 0..300 {
            let token = self.world.try_mailed("email_confirmation", self.email);
            if token.is_some() {
                return token;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }

    /// The recipe of one of these routes.
    pub(crate) fn recovery(&self, route: &str, plain: Recipe) -> Recipe {
        let client = &self.world.client;
        match route {
            "POST /api/v1/auth/password-reset" => Recipe {
                body: json_body(&json!({ "email": "nobody@example.com" })),
                ..plain
            },
            "POST /api/v1/auth/password-reset/confirm" => {
                let somebody = self.verified();
                let asked = json!({ "email": somebody.email });
                client
                    .call("POST", "/api/v1/auth/password-reset", None, Some(&asked))
                    .expect(202);
                let token = self.world.mailed("password_reset", &somebody.email);
                let body = json!({ "token": token, "password": NEW_PASSWORD });
                Recipe {
                    body: json_body(&body),
                    probe: Some(Probe::SignIn(somebody.email, NEW_PASSWORD.to_owned())),
                    ..plain
                }
            }
            "POST /api/v1/auth/email-change/confirm" => {
                let (somebody, token) = self.unverified();
                Recipe {
                    body: json_body(&json!({ "token": token })),
                    probe: self.account(&somebody.email),
                    ..plain
                }
            }
            "POST /api/v1/auth/email-change/object" => {
                let somebody = self.verified();
                let new = format!("{}@example.com", self.world.fresh("moved"));
                let body = json!({ "email": new, "password": somebody.password });
                client
                    .post("/api/v1/me/email", &somebody.token, &body)
                    .expect(202);
                self.confirm(&self.world.mailed("email_confirmation", &new));
                let token = self.world.mailed("email_changed", &somebody.email);
                Recipe {
                    body: json_body(&json!({ "token": token })),
                    probe: self.account(&somebody.email),
                    ..plain
                }
            }
            "POST /api/v1/me/email/verify" => plain,
            "POST /api/v1/me/email" => {
                // One change is open at a time: that of the route before is brought to its end.
                if let Some(token) = self.mail_of_the_route_before() {
                    let body = json!({ "token": token });
                    client.call(
                        "POST",
                        "/api/v1/auth/email-change/confirm",
                        None,
                        Some(&body),
                    );
                }
                let new = format!("{}@example.com", self.world.fresh("wanted"));
                Recipe {
                    body: json_body(&json!({ "email": new, "password": self.password })),
                    ..plain
                }
            }
            "POST /api/v1/system/users/{user}/disable"
            | "POST /api/v1/system/users/{user}/enable" => {
                let owner = self.world.member("globex", "owner");
                let target = self.world.new_member("globex", "viewer", &owner.token);
                let at = |word: &str| format!("/api/v1/system/users/{}/{word}", target.id);
                let root = &self.world.administrator.token;
                let reason = json!({ "reason": "a test" });
                let disables = route.ends_with("/disable");
                if !disables {
                    client.post(&at("disable"), root, &reason).expect(204);
                }
                Recipe {
                    path: at(if disables { "disable" } else { "enable" }),
                    body: json_body(&if disables { reason } else { json!({}) }),
                    probe: self.account(&target.email),
                    ..plain
                }
            }
            "POST /api/v1/system/sessions/end" => {
                let owner = self.world.member("globex", "owner");
                let target = self.world.new_member("globex", "viewer", &owner.token);
                let body = json!({ "user": target.id, "reason": "a test" });
                Recipe {
                    body: json_body(&body),
                    probe: Some(Probe::Get("/api/v1/me".to_owned(), target.token)),
                    ..plain
                }
            }
            other => panic!("no recipe for {other}"),
        }
    }
}
