//! The suite that every custody of keys must pass.

use std::sync::Arc;

use cyprob::authz::ports::KeyCustody;

use crate::engine::Engine;

async fn make() -> (Arc<dyn KeyCustody>, Engine) {
    let engine = Engine::new();
    (Arc::new(engine.custody().await), engine)
}

cyprob::authz::key_custody_conformance!(make);
