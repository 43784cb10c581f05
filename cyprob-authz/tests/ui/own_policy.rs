use cyprob_authz::http::Auth;

struct Mine;

async fn made_up(_: Auth<Mine>) {}

fn main() {}
