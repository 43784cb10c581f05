//! Requests about second factors.

use serde_json::json;

use super::contract::Caller;
use super::recipes::{Probe, Recipe, Scene, json_body};
use crate::support::factor;

/// Whether the route is about second factors.
pub(super) fn are_asked(route: &str) -> bool {
    route.contains("/me/totp") || route.contains("/factor/") || route.ends_with("/step-up")
}

impl Scene<'_> {
    /// What is done about one's own factor; where there must be one, it is set up in a session of its own.
    pub(super) fn factor(&self, route: &str, plain: Recipe) -> Recipe {
        let client = &self.world.client;
        let simple = |body| Recipe {
            body: json_body(&body),
            probe: Some(Probe::Answer),
            ..plain.clone()
        };
        match route {
            "POST /api/v1/auth/step-up" => return simple(json!({ "password": self.password })),
            "POST /api/v1/me/totp" => return simple(json!({})),
            _ if route.contains("/system/") => return self.factor_reset(plain),
            _ if self.caller == Caller::Anonymous => return simple(json!({})),
            _ => {}
        }
        let session = self.session_of(self.email, self.password);
        let token = session["access_token"].as_str().unwrap();
        let (token, body, probe) = match route {
            "POST /api/v1/me/totp/confirm" => {
                let code = factor::code(&factor::begin(client, token));
                let body = json_body(&json!({ "code": code }));
                (token.to_owned(), body, Probe::Answer)
            }
            "DELETE /api/v1/me/totp" => {
                let set = factor::set_up(client, token);
                let body = json!({ "password": self.password, "totp": set.codes[0] });
                let probe = Probe::SignIn(self.email.to_owned(), self.password.to_owned());
                (set.token, json_body(&body), probe)
            }
            _ => (factor::set_up(client, token).token, None, Probe::Answer),
        };
        Recipe {
            token: Some(token),
            body,
            probe: Some(probe),
            renews: true,
            ..plain
        }
    }

    /// A reset of a new member's factor, where it may happen.
    fn factor_reset(&self, plain: Recipe) -> Recipe {
        let mut someone = self.world.member("acme", "viewer").clone();
        if self.allowed {
            let owner = self.world.member("globex", "owner");
            someone = self.world.new_member("globex", "viewer", &owner.token);
            factor::set_up(&self.world.client, &someone.token);
        }
        Recipe {
            path: plain.path.replace("{user}", &someone.id),
            probe: Some(Probe::SignIn(someone.email, someone.password)),
            ..plain
        }
    }
}
