//! Secrets of organizations.

use serde_json::json;

use super::{Recipe, Scene, json_body};

impl Scene<'_> {
    pub(super) fn secret(&self, route: &str, plain: &Recipe) -> Option<Recipe> {
        let all = format!("/api/v1/orgs/{}/secrets", self.org);
        let (path, body) = match route.split_once("/api/v1/orgs/{org}/secrets")? {
            ("PUT ", _) => (
                format!("{all}/{}", self.world.fresh("matrix~put-")),
                json_body(&json!({ "value": "of the matrix" })),
            ),
            ("DELETE ", _) => (self.kept(&all), None),
            ("POST ", _) => (
                format!("{}/rotate", self.kept(&all)),
                json_body(&json!({ "length": 20 })),
            ),
            _ => return None,
        };
        Some(Recipe {
            path,
            body,
            probe: self.get(&format!("{all}?limit=100")),
            ..plain.clone()
        })
    }

    /// The path of a secret that is there.
    fn kept(&self, all: &str) -> String {
        let path = format!("{all}/{}", self.world.fresh("matrix~kept-"));
        let body = json!({ "value": "of the matrix" });
        let client = &self.world.client;
        client
            .call("PUT", &path, Some(self.owner()), Some(&body))
            .expect(200);
        path
    }
}
