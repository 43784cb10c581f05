use cyprob_authz::http::{Auth, System, perm};

async fn wrong_catalogue(_: Auth<System<perm::RunsRead>>) {}

fn main() {}
