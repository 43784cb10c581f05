//! The keys that sign tokens: of workers, so that nobody is signed out.

use serde_json::json;

use super::{Probe, Recipe, Scene, json_body};

impl Scene<'_> {
    pub(super) fn token_key(&self, route: &str, plain: &Recipe) -> Option<Recipe> {
        let body = match route {
            "POST /api/v1/system/keys/rotate" => json!({ "ring": "worker" }),
            "POST /api/v1/system/keys/revoke" => json!({ "ring": "worker", "id": 1 }),
            _ => return None,
        };
        let root = self.world.administrator.token.clone();
        let probe = Some(Probe::Get("/api/v1/system/keys".to_owned(), root));
        Some(Recipe {
            body: json_body(&body),
            probe,
            ..plain.clone()
        })
    }
}
