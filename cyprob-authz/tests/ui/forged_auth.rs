use cyprob_authz::http::{Auth, Authenticated};

fn copied(auth: &Auth<Authenticated>) -> Auth<Authenticated> {
    let Auth { admission } = auth;
    Auth {
        admission: admission.clone(),
    }
}

fn main() {}
