use std::sync::Arc;

use cyprob_authz::http::SecureRouter;
use cyprob_authz::service::AccessControl;

fn routes(access: Arc<AccessControl>) -> SecureRouter {
    SecureRouter::new(access, ()).get("/fixed", "anyone")
}

fn main() {}
