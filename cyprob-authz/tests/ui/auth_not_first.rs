use std::sync::Arc;

use axum::extract::Path;
use cyprob_authz::http::{Auth, Authenticated, SecureRouter};
use cyprob_authz::service::AccessControl;

async fn late(_: Path<String>, _: Auth<Authenticated>) -> &'static str {
    "too late"
}

fn routes(access: Arc<AccessControl>) -> SecureRouter {
    SecureRouter::new(access, ()).get("/late/{id}", late)
}

fn main() {}
