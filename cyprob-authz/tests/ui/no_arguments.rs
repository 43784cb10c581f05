use std::sync::Arc;

use cyprob_authz::http::SecureRouter;
use cyprob_authz::service::AccessControl;

async fn open() -> &'static str {
    "anyone"
}

fn routes(access: Arc<AccessControl>) -> SecureRouter {
    SecureRouter::new(access, ()).get("/open", open)
}

fn main() {}
