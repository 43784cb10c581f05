use cyprob_authz::http::{Auth, Authenticated};
use cyprob_core::domain::UserCtx;

fn forge(ctx: UserCtx) -> Auth<Authenticated> {
    Auth { ctx }
}

fn main() {}
