//! An account that strangers have to wait for.

use std::time::Duration;

use super::recipes::{Probe, Recipe, Scene};
use crate::support::world::login;

impl Scene<'_> {
    /// Somebody whose account failed a few times, so that a sign-in has to wait for some seconds.
    pub(crate) fn sign_in_reset(&self, plain: Recipe) -> Recipe {
        if !self.allowed {
            let path = plain.path.replace("{user}", &self.target());
            return Recipe { path, ..plain };
        }
        let owner = &self.world.member("acme", "owner").token;
        let account = self.world.new_member("acme", "viewer", owner);
        for step in [0, 1, 3] {
            std::thread::sleep(Duration::from_secs(step));
            let client = &self.world.client;
            login(client, &account.email, "a wrong pass phrase", None).expect(401);
        }
        Recipe {
            path: plain.path.replace("{user}", &account.id),
            probe: Some(Probe::SignIn(account.email, account.password)),
            ..plain
        }
    }
}
