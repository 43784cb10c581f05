//! Another service verifies access tokens by the control plane's published keys: no database, no call.
//!
//! `curl -s https://id.example.org/.well-known/cyprob > keys.json`, then
//! `echo "$TOKEN" | cargo run --example verify_elsewhere --no-default-features --features verify -- keys.json cyprob`
#![allow(clippy::print_stdout, reason = "a program for people")]

use std::error::Error;
use std::io::Read as _;
use std::time::SystemTime;

use cyprob::authz::domain::{Demand, Need, Permission, RoleCatalog, decide};
use cyprob::authz::service::PublicVerifier;
use cyprob::core::domain::Timestamp;

const USAGE: &str = "usage: verify_elsewhere KEYS.json AUDIENCE < TOKEN";

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(keys), Some(audience)) = (args.next(), args.next()) else {
        return Err(USAGE.into());
    };
    let keys = std::fs::read_to_string(keys)?;
    let verifier = PublicVerifier::new(&keys, audience.parse()?, RoleCatalog::builtin())?;

    let mut token = String::new();
    std::io::stdin().read_to_string(&mut token)?;
    let now = now()?;
    let principal = verifier.verify(token.trim(), now)?;

    let Some(org) = principal.org() else {
        println!(
            "good until {}, for no organization",
            principal.claims().expires_at()
        );
        return Ok(());
    };
    println!(
        "good until {} in {} as {}",
        principal.claims().expires_at(),
        org.slug,
        org.role
    );
    for permission in Permission::ALL {
        let demand = Demand {
            need: Need::Org(*permission),
            step_up: false,
            org: Some(org.slug.as_str()),
            resources: &[],
            address: None,
            at: now,
            used: None,
        };
        println!(
            "{permission}: {}",
            decide(&principal, &demand).explain(&principal, &demand)
        );
    }
    Ok(())
}

#[allow(
    clippy::disallowed_methods,
    reason = "a program of its own reads the machine's clock"
)]
fn now() -> Result<Timestamp, Box<dyn Error>> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Timestamp::from_micros(i64::try_from(since.as_micros())?))
}
