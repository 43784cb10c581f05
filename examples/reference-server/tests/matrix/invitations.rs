//! Accepting an invitation.

use serde_json::json;

use super::contract::Caller;
use super::recipes::{Probe, Recipe, Scene, json_body};
use crate::support::world::PASSWORD;

impl Scene<'_> {
    /// The administrator, whose address is verified, joins as who they are; everyone else as someone new.
    pub(super) fn accept(&self, plain: Recipe) -> Recipe {
        let invitation = if self.caller == Caller::Administrator {
            self.world.new_org(&self.world.fresh("joined-"), self.email)["invitation"].clone()
        } else {
            self.world
                .invite(
                    "globex",
                    "viewer",
                    &self.world.member("globex", "owner").token,
                )
                .1
        };
        let body = if self.caller == Caller::Administrator {
            json!({ "token": invitation["token"] })
        } else {
            json!({ "token": invitation["token"], "name": "New", "password": PASSWORD })
        };
        Recipe {
            body: json_body(&body),
            probe: Some(Probe::Answer),
            ..plain
        }
    }
}
