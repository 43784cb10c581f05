//! Faults that a proxy in front of the server makes.

use std::sync::Arc;
use std::time::Duration;

use cyprob_secrets::testkit::fault_proxy::Fault;
use serde_json::json;

use super::reading::Reading;
use super::{Row, Trial};
use crate::stand::Stand;

const TIMEOUT: &str = "no answer in time";
const BROKEN: &str = "the connection broke off";
const GARBLED: &str = "an answer that is not what the API states";
pub(super) const STANDBY: &str =
    "a standby that does not forward; name the active node or a load balancer";

fn status(code: u16, body: &str) -> Fault {
    Fault::Status {
        code,
        body: body.to_owned(),
    }
}

/// Each fault, and the cause that a reader is told in the outage that it is.
fn outages() -> Vec<(&'static str, Fault, &'static str)> {
    vec![
        ("no answer", Fault::Hang, TIMEOUT),
        (
            "an answer after 5 s",
            Fault::Delay(Duration::from_secs(5)),
            TIMEOUT,
        ),
        (
            "connection closed instead of an answer",
            Fault::Drop,
            BROKEN,
        ),
        ("connection reset", Fault::Reset, BROKEN),
        ("answer cut after 20 bytes", Fault::Truncate(20), BROKEN),
        ("an answer that is no JSON", Fault::Garbage, GARBLED),
        (
            "an answer of 5 MB",
            Fault::Huge(5_000_000),
            "an answer of more than 2097152 bytes",
        ),
        (
            "429, too many requests",
            status(429, ""),
            "asked too often (429)",
        ),
        (
            "500",
            status(500, r#"{"errors":["1 error occurred"]}"#),
            "status 500",
        ),
        ("502 of a gateway", status(502, "<html>"), "status 502"),
        (
            "503, sealed",
            status(503, r#"{"errors":["Vault is sealed"]}"#),
            "sealed, or not initialized",
        ),
        (
            "412, a node that is behind",
            status(412, ""),
            "behind the node that was written to (412)",
        ),
        (
            "473, a standby that does not forward",
            status(473, ""),
            STANDBY,
        ),
        ("307 to the active node", status(307, ""), STANDBY),
        ("200 without a body", status(200, ""), GARBLED),
        ("200 with another object", status(200, "{}"), GARBLED),
        (
            "200 without a version",
            status(200, r#"{"data":{"data":{"x":"y"}}}"#),
            GARBLED,
        ),
        ("204 in place of a secret", status(204, ""), GARBLED),
        (
            "404 of a gateway",
            status(404, "<html>not found</html>"),
            GARBLED,
        ),
        (
            "403 of a firewall",
            status(403, "<html>blocked</html>"),
            GARBLED,
        ),
        (
            "400 of a TLS port",
            status(400, "Client sent an HTTP request to an HTTPS server."),
            GARBLED,
        ),
    ]
}

/// Each fault that is the server's own no, and what a reader is told.
fn refusals() -> Vec<(&'static str, Fault, &'static str)> {
    vec![
        (
            "400 of the server",
            status(400, r#"{"errors":["y"]}"#),
            "`Refused`: `NotTaken`, gone from memory",
        ),
        (
            "403 of the server to a token that lives",
            status(403, r#"{"errors":["permission denied"]}"#),
            "`Refused`: `Denied`, gone from memory",
        ),
        (
            "404 of the server",
            status(404, r#"{"errors":[]}"#),
            "nothing: the secret is gone from memory",
        ),
    ]
}

pub(super) fn trials() -> Vec<Trial> {
    let outages = outages().into_iter().map(|fault| (fault, true));
    let refusals = refusals().into_iter().map(|fault| (fault, false));
    let all = outages.chain(refusals);
    all.map(|((injected, fault, told), outage)| {
        let run = move || row(fault.clone(), told, outage);
        Trial::new(format!("proxy: {injected}"), run)
    })
    .collect()
}

async fn row(fault: Fault, told: &'static str, outage: bool) -> Row {
    let turn = super::setting_up().await;
    let stand = Stand::new();
    let (proxy, vault) = stand.through_within(stand.given(), super::TIMEOUT).await;
    stand.put("a", json!({"x": "y"}));
    let kv = Arc::new(stand.kv(&vault));
    let reading = Reading::of(kv, Arc::clone(&stand.clock), stand.reference("a#x"));
    reading.fresh().await;
    drop(turn);
    let data = format!("/v1/{}/data/", stand.name);
    proxy.inject_on(&data, fault);
    let saw = match outage {
        true => reading.outage(told).await,
        false => {
            let saw = reading.after_fresh().await.withdrawn();
            assert_eq!(saw, told);
            proxy.inject_on(&data, Fault::Reset);
            reading.gone().await;
            saw
        }
    };
    proxy.heal();
    reading.row(saw, "y").await
}
