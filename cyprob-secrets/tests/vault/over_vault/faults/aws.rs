//! Faults in front of AWS Secrets Manager, as moto plays it.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::adapters::system::{SystemClock, SystemEntropy};
use cyprob_core::ports::EntropyExt as _;
use cyprob_secrets::adapters::aws::{AwsConfig, AwsCredentials, AwsKeys, AwsProvider, AwsTimeouts};
use cyprob_secrets::testkit::fault_proxy::{Fault, FaultProxy};
use serde_json::json;

use super::reading::Reading;
use super::{Row, Trial};
use crate::stand::variable;

const REGION: &str = "eu-central-1";

fn refused(code: u16, kind: &str) -> Fault {
    Fault::Status {
        code,
        body: json!({"__type": kind, "message": "m"}).to_string(),
    }
}

pub(super) fn trials() -> Vec<Trial> {
    let outages = [
        (
            "throttled",
            refused(400, "ThrottlingException"),
            "the service asks for fewer requests",
        ),
        (
            "500",
            refused(500, "InternalServiceError"),
            "the service failed with status 500",
        ),
        (
            "503",
            refused(503, "ServiceUnavailable"),
            "the service failed with status 503",
        ),
        (
            "connection reset",
            Fault::Reset,
            "no connection to the service, or none to the end of its answer",
        ),
        ("no answer", Fault::Hang, "the service took too long"),
    ]
    .into_iter()
    .map(|(injected, fault, why)| {
        let run = move || outage(fault.clone(), why);
        Trial::new(format!("AWS: {injected}"), run)
    });
    let withdrawals = [
        (
            "denied",
            refused(400, "AccessDeniedException"),
            "`Refused`: `Denied`, gone from memory",
        ),
        (
            "a token that is over",
            refused(400, "ExpiredTokenException"),
            "`Refused`: `Denied`, gone from memory",
        ),
        (
            "not found",
            refused(400, "ResourceNotFoundException"),
            "nothing: the secret is gone from memory",
        ),
    ]
    .into_iter()
    .map(|(injected, fault, told)| {
        let run = move || withdrawn(fault.clone(), told);
        Trial::new(format!("AWS: {injected}"), run)
    });
    outages.chain(withdrawals).collect()
}

async fn reading() -> (FaultProxy, Reading) {
    let _turn = super::setting_up().await;
    let moto = variable("CYPROB_MOTO");
    let socket = moto.trim_start_matches("http://").parse().unwrap();
    let proxy = FaultProxy::start(socket).await.unwrap();
    let name = format!("fault/{:x}", u64::from_be_bytes(SystemEntropy.bytes()));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/{REGION}/secretsmanager/aws4_request, \
         SignedHeaders=host, Signature=0"
    );
    let made = ureq::post(&moto)
        .header("Authorization", &authorization)
        .header("X-Amz-Target", "secretsmanager.CreateSecret")
        .header("Content-Type", "application/x-amz-json-1.1")
        .send(
            json!({"Name": name, "SecretString": "y", "ClientRequestToken": "0".repeat(32)})
                .to_string(),
        );
    assert_eq!(made.unwrap().status(), 200);
    let keys = AwsCredentials::Keys(AwsKeys::new("AKIDEXAMPLE", "key".into()));
    let config = AwsConfig::new(REGION.parse().unwrap(), keys)
        .with_endpoint(proxy.url().parse().unwrap())
        .with_timeouts(AwsTimeouts {
            connect: Duration::from_secs(1),
            attempt: Duration::from_secs(2),
            all: super::TIMEOUT,
        });
    let secret = format!("awssm://{name}").parse().unwrap();
    let source = Arc::new(AwsProvider::new(config));
    let reading = Reading::of(source, Arc::new(SystemClock), secret);
    assert_eq!(reading.fresh().await.0, "y");
    (proxy, reading)
}

async fn outage(fault: Fault, why: &'static str) -> Row {
    let (proxy, reading) = reading().await;
    proxy.inject(fault);
    let saw = reading.outage(why).await;
    proxy.heal();
    reading.row(saw, "y").await
}

async fn withdrawn(fault: Fault, told: &'static str) -> Row {
    let (proxy, reading) = reading().await;
    proxy.inject(fault);
    let saw = reading.after_fresh().await.withdrawn();
    assert_eq!(saw, told);
    proxy.inject(Fault::Reset);
    reading.gone().await;
    proxy.heal();
    reading.row(saw, "y").await
}
