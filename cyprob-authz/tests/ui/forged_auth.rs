use cyprob_authz::http::{Auth, Authenticated};

fn forge() -> Auth<Authenticated> {
    Auth { admission: todo!() }
}

fn main() {}
