//! Reviews of an organization's roles.

use serde_json::{Value, json};

use super::{Probe, Recipe, Scene, json_body};

impl Scene<'_> {
    pub(super) fn role_review(&self, route: &str, plain: &Recipe) -> Option<Recipe> {
        let (method, rest) = route.split_once(' ')?;
        let below = rest.strip_prefix("/api/v1/orgs/{org}/role-reviews")?;
        let plain = plain.clone();
        let recipe = match (method, below) {
            ("GET", "") => plain,
            ("POST", "") => Recipe {
                probe: Some(Probe::Answer),
                ..plain
            },
            _ => {
                let review = self.open_review();
                let path = plain.path.replace("{id}", review["id"].as_str().unwrap());
                if method == "GET" {
                    return Some(Recipe { path, ..plain });
                }
                let body = json!({ "digest": review["digest"], "note": "as it should be" });
                Recipe {
                    body: json_body(&body),
                    probe: self.get(path.strip_suffix("/sign-off").unwrap()),
                    path,
                    ..plain
                }
            }
        };
        Some(recipe)
    }

    fn open_review(&self) -> Value {
        let path = format!("/api/v1/orgs/{}/role-reviews", self.org);
        let client = &self.world.client;
        let opened = client.call("POST", &path, Some(self.owner()), None);
        opened.expect(201).json()
    }
}
