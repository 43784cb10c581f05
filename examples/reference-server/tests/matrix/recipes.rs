//! For each route: a request that has everything but perhaps the right to be made.

mod keys;
mod machines;
mod role_reviews;
mod secrets;

use serde_json::{Value, json};

use super::contract::Caller;
use super::factors;
use crate::support::world::login;
use crate::support::{Client, World};

/// One request, and where its effect can be seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recipe {
    pub(crate) path: String,
    pub(crate) body: Option<(&'static str, Vec<u8>)>,
    /// The token it is made with, where it is not the caller's standing one.
    pub(crate) token: Option<String>,
    /// Called with a token that may see it, before and after.
    pub(crate) probe: Option<Probe>,
    /// Whether the caller's own token may be dead afterwards.
    pub(crate) renews: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Probe {
    /// The body of a GET.
    Get(String, String),
    /// Whether these still sign in.
    SignIn(String, String),
    /// Whether this run is cancelled.
    Cancelled(String, String),
    /// The answer itself shows it: a new thing with an id of its own.
    Answer,
}

impl Probe {
    pub(crate) fn look(&self, client: &Client) -> Value {
        match self {
            Self::Get(path, token) => {
                let answer = client.get(path, token);
                // A refusal names its own request: its status is what can be compared.
                let body = if answer.status == 200 {
                    answer.json()
                } else {
                    Value::Null
                };
                json!([answer.status, body])
            }
            Self::SignIn(email, password) => {
                json!(login(client, email, password, None).status == 200)
            }
            Self::Cancelled(path, token) => {
                json!(client.get(path, token).json()["state"] == "cancelled")
            }
            Self::Answer => Value::Null,
        }
    }
}

pub(crate) fn json_body(value: &Value) -> Option<(&'static str, Vec<u8>)> {
    Some(("application/json", value.to_string().into_bytes()))
}

fn facts() -> Value {
    json!({ "facts": [{ "target": "192.0.2.1", "port": 23, "facts": { "telnet.banner": "login:" } }] })
}

fn plugin_file(id: &str) -> Vec<u8> {
    format!(
        "id: {id}\nname: Telnet\nversion: 1.0.0\ntype: evaluation\nauthor: test\n\
         metadata: {{severity: high}}\n\
         triggers: [{{data_key: telnet.banner, condition: exists, value: true}}]\n\
         output: {{vulnerability: true, message: telnet is open}}\n"
    )
    .into_bytes()
}

/// The people of one cell.
pub(crate) struct Scene<'a> {
    pub(crate) world: &'a World,
    pub(crate) caller: Caller,
    /// The caller's e-mail and password, if they have any.
    pub(crate) email: &'a str,
    pub(crate) password: &'a str,
    /// The organization in the path.
    pub(crate) org: &'static str,
    /// Whether the call is expected to be allowed: only then something is made to be used up.
    pub(crate) allowed: bool,
}

impl Scene<'_> {
    fn owner(&self) -> &str {
        &self.world.member(self.org, "owner").token
    }

    /// Whether a run is cancelled; between `queued` and `running` it moves by itself.
    fn state_of(&self, run: &str) -> Option<Probe> {
        Some(Probe::Cancelled(run.to_owned(), self.owner().to_owned()))
    }

    fn get(&self, path: &str) -> Option<Probe> {
        Some(Probe::Get(path.to_owned(), self.owner().to_owned()))
    }

    /// Someone whose place can change: a new member where that may happen, else a standing one.
    pub(crate) fn target(&self) -> String {
        if self.allowed {
            self.world.new_member(self.org, "viewer", self.owner()).id
        } else {
            self.world.member(self.org, "viewer").id.clone()
        }
    }

    /// The id of a second session of the caller, and of a viewer.
    pub(super) fn session_of(&self, email: &str, password: &str) -> Value {
        login(&self.world.client, email, password, None)
            .expect(200)
            .json()
    }

    pub(crate) fn recipe(&self, route: &str) -> Recipe {
        let (method, path) = route.split_once(' ').unwrap();
        let org = format!("/api/v1/orgs/{}", self.org);
        let fill = |path: &str| {
            path.replace("/api/v1/orgs/{org}", &org)
                .replace("{index}", "0")
        };
        let plain = Recipe {
            path: fill(path),
            ..Recipe::default()
        };
        if let Some(recipe) = self.token_key(route, &plain) {
            return recipe;
        }
        if let Some(recipe) = self.review_or_machine(route, &plain) {
            return recipe;
        }
        match route {
            "GET /api/v1/orgs/{org}/plugins/{id}" => {
                let id = self.plugin();
                Recipe {
                    path: format!("{org}/plugins/{id}"),
                    ..plain
                }
            }
            "GET /api/v1/orgs/{org}/runs/{id}" | "GET /api/v1/orgs/{org}/runs/{id}/findings" => {
                Recipe {
                    path: plain.path.replace("{id}", &self.run()),
                    ..plain
                }
            }
            _ if method == "GET" => plain,
            "POST /api/v1/orgs/{org}/plugins" => {
                let id = self.world.fresh("plugin-");
                let probe = self.get(&format!("{org}/plugins/{id}"));
                let body = Some(("application/yaml", plugin_file(&id)));
                Recipe {
                    path: format!("{org}/plugins?name={id}.yaml"),
                    body,
                    probe,
                    ..plain
                }
            }
            "DELETE /api/v1/orgs/{org}/plugins/{id}" => {
                let path = format!("{org}/plugins/{}", self.plugin());
                Recipe {
                    probe: self.get(&path),
                    path,
                    ..plain
                }
            }
            "PUT /api/v1/orgs/{org}/plugins/{id}/enabled" => {
                let plugin = format!("{org}/plugins/{}", self.plugin());
                let body = json_body(&json!({ "enabled": true }));
                Recipe {
                    path: format!("{plugin}/enabled"),
                    body,
                    probe: self.get(&plugin),
                    ..plain
                }
            }
            "POST /api/v1/orgs/{org}/runs" => {
                self.enabled_plugin();
                let probe = self.get(&format!("{org}/runs?limit=100"));
                Recipe {
                    body: json_body(&facts()),
                    probe,
                    ..plain
                }
            }
            "POST /api/v1/orgs/{org}/runs/{id}/cancel" => {
                let run = format!("{org}/runs/{}", self.run());
                Recipe {
                    path: format!("{run}/cancel"),
                    probe: self.state_of(&run),
                    ..plain
                }
            }
            "POST /api/v1/system/users/{user}/sign-in/reset" => self.sign_in_reset(plain),
            "POST /api/v1/auth/login" => {
                let known = self.world.member("globex", "viewer");
                let body = json!({ "email": known.email, "password": known.password });
                Recipe {
                    body: json_body(&body),
                    probe: Some(Probe::Answer),
                    ..plain
                }
            }
            "POST /api/v1/auth/refresh" => {
                let known = self.world.member("globex", "viewer");
                let pair = self.session_of(&known.email, &known.password);
                let body = json!({ "refresh_token": pair["refresh_token"] });
                Recipe {
                    body: json_body(&body),
                    probe: Some(Probe::Answer),
                    ..plain
                }
            }
            "POST /api/v1/bootstrap" => Recipe {
                body: json_body(&json!({})),
                ..plain
            },
            "POST /api/v1/invitations/accept" => self.accept(plain),
            "POST /api/v1/auth/logout" => Recipe {
                renews: true,
                ..plain
            },
            _ if factors::are_asked(route) => self.factor(route, plain),
            "POST /api/v1/me/password" => {
                let new = "another pass phrase, also long";
                let body = json!({ "current": self.password, "new": new });
                let probe = Some(Probe::SignIn(self.email.to_owned(), new.to_owned()));
                Recipe {
                    body: json_body(&body),
                    probe,
                    renews: true,
                    ..plain
                }
            }
            "DELETE /api/v1/sessions/{id}" => {
                let id = match self.caller {
                    Caller::Anonymous => "ses_00000000000070008000000000000000".to_owned(),
                    _ => self.session_of(self.email, self.password)["session_id"]
                        .as_str()
                        .unwrap()
                        .to_owned(),
                };
                Recipe {
                    path: path.replace("{id}", &id),
                    renews: true,
                    ..plain
                }
            }
            "DELETE /api/v1/sessions" => {
                let probe = match self.caller {
                    Caller::Anonymous => None,
                    _ => {
                        let other = self.session_of(self.email, self.password);
                        other["access_token"]
                            .as_str()
                            .map(|token| Probe::Get("/api/v1/me".to_owned(), token.to_owned()))
                    }
                };
                Recipe { probe, ..plain }
            }
            "POST /api/v1/orgs/{org}/token" => Recipe {
                probe: Some(Probe::Answer),
                ..plain
            },
            "PATCH /api/v1/orgs/{org}" => {
                let body = json!({ "name": self.world.fresh("Name ") });
                Recipe {
                    body: json_body(&body),
                    probe: self.get(&org),
                    ..plain
                }
            }
            "PUT /api/v1/orgs/{org}/members/{user}" => Recipe {
                path: format!("{org}/members/{}", self.target()),
                body: json_body(&json!({ "role": "analyst" })),
                probe: self.get(&format!("{org}/members?limit=100")),
                ..plain
            },
            "DELETE /api/v1/orgs/{org}/members/{user}" => Recipe {
                path: format!("{org}/members/{}", self.target()),
                probe: self.get(&format!("{org}/members?limit=100")),
                ..plain
            },
            "POST /api/v1/orgs/{org}/invitations" => {
                let body = json!({ "email": format!("{}@example.com", self.world.fresh("new")), "role": "viewer" });
                let probe = self.get(&format!("{org}/invitations?limit=100"));
                Recipe {
                    body: json_body(&body),
                    probe,
                    ..plain
                }
            }
            "DELETE /api/v1/orgs/{org}/invitations/{id}" => {
                let (_, invitation) = self.world.invite(self.org, "viewer", self.owner());
                let id = invitation["id"].as_str().unwrap();
                let probe = self.get(&format!("{org}/invitations?limit=100"));
                Recipe {
                    path: format!("{org}/invitations/{id}"),
                    probe,
                    ..plain
                }
            }
            "DELETE /api/v1/orgs/{org}/sessions/{id}" => {
                let viewer = self.world.member(self.org, "viewer");
                let client = &self.world.client;
                let pair = login(client, &viewer.email, &viewer.password, Some(self.org))
                    .expect(200)
                    .json();
                let id = pair["session_id"].as_str().unwrap();
                let token = pair["access_token"].as_str().unwrap().to_owned();
                let probe = Some(Probe::Get(org.clone(), token));
                Recipe {
                    path: format!("{org}/sessions/{id}"),
                    probe,
                    ..plain
                }
            }
            "POST /api/v1/system/orgs" => {
                let slug = self.world.fresh("org-");
                let body = json!({ "slug": slug, "name": slug, "owner_email": "o@example.com" });
                let root = self.world.administrator.token.clone();
                let probe = Some(Probe::Get("/api/v1/system/orgs?limit=100".to_owned(), root));
                Recipe {
                    body: json_body(&body),
                    probe,
                    ..plain
                }
            }
            other => self.recovery(other, plain),
        }
    }

    /// An installed plugin, disabled.
    fn plugin(&self) -> String {
        let id = self.world.fresh("plugin-");
        let path = format!("/api/v1/orgs/{}/plugins?name={id}.yaml", self.org);
        let bearer = format!("Bearer {}", self.owner());
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/yaml"),
        ];
        let file = plugin_file(&id);
        self.world
            .client
            .send("POST", &path, &headers, Some(&file))
            .expect(201);
        id
    }

    fn enabled_plugin(&self) {
        let path = format!(
            "/api/v1/orgs/{}/plugins/{}/enabled",
            self.org,
            self.plugin()
        );
        let body = json!({ "enabled": true });
        self.world
            .client
            .call("PUT", &path, Some(self.owner()), Some(&body))
            .expect(200);
    }

    /// A run that goes on for longer than a cell.
    fn run(&self) -> String {
        self.enabled_plugin();
        let path = format!("/api/v1/orgs/{}/runs", self.org);
        let queued = self
            .world
            .client
            .post(&path, self.owner(), &facts())
            .expect(202)
            .json();
        queued["id"].as_str().unwrap().to_owned()
    }
}
