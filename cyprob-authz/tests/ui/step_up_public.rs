use cyprob_authz::http::{Auth, Public, StepUp};

async fn nobody_is_fresh(_: Auth<StepUp<Public>>) {}

fn main() {}
