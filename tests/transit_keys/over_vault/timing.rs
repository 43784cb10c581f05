//! What a signature costs, beside the bare request for it.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::engine::{Engine, first_signer};
use crate::stand::variable;

const RUNS: usize = 200;

#[tokio::test]
async fn a_signature_beside_the_bare_request() {
    let engine = Engine::new();
    let signer = first_signer(&engine.custody().await).await;
    // As much as a token with an organization and a role has.
    let message = [b'm'; 300];
    let name = engine.keys().remove(0);
    let url = format!(
        "{}/v1/{}",
        variable("CYPROB_VAULT"),
        engine.path(&format!("sign/{name}"))
    );
    let agent = ureq::Agent::new_with_defaults();
    let token = variable("CYPROB_VAULT_TOKEN");
    let input = json!({"input": STANDARD.encode(message), "key_version": 1}).to_string();
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let begun = Instant::now();
        signer.sign(&message).await.unwrap();
        ours.push(begun.elapsed());
        let begun = Instant::now();
        let request = agent.post(&url).header("X-Vault-Token", &token);
        let mut answer = request.send(&input).unwrap();
        answer.body_mut().read_to_string().unwrap();
        bare.push(begun.elapsed());
    }
    let (ours, bare) = (median(ours), median(bare));
    println!(
        "transit: a signature, verified, {} us; the bare request {} us (medians of {RUNS}, loopback)",
        ours.as_micros(),
        bare.as_micros()
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
