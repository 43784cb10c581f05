//! SEC-1 in the traces of a host that collects everything.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::over_moto_identity::{Identity, TOKEN};
use super::stand::{KEY, Moto, SESSION, keys, moto};
use crate::testkit::canary;
use crate::testkit::fault_proxy::{Fault, FaultProxy};
use crate::testkit::provider::ProviderStand as _;

const MARKER: &str = "m4rk3r-1n-a-tr4c3-08e1";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn faults() -> Vec<Fault> {
    let says = |code: u16| Fault::Status {
        code,
        body: format!("{{\"__type\":\"{MARKER}\",\"message\":\"{MARKER}\"}}"),
    };
    let mut faults = vec![Fault::Refuse, Fault::Drop, Fault::Reset, Fault::Hang];
    faults.extend([Fault::Garbage, Fault::Huge(1 << 20)]);
    faults.extend([0, 50, 200].map(Fault::Truncate));
    faults.extend([200, 400, 403, 404, 429, 500].map(says));
    faults
}

/// Collects everything that is traced on this thread, until the guard drops.
fn collecting(log: &Log) -> tracing::subscriber::DefaultGuard {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let collecting = tracing::subscriber::set_default(subscriber);
    tracing::trace!("a line of the host's");
    collecting
}

/// Reads and looks, and traces what came of it as a careless host would.
async fn read(stand: &Moto, behind: &str) {
    let looked = stand.provider.config.check_up().await;
    tracing::error!("{looked:?}");
    let read = stand.read("a", behind).await;
    tracing::error!("{read:?}");
    if let Err(error) = read {
        tracing::error!("{}", canary::error_text(&error));
    }
}

async fn put(stand: &Moto) {
    let object = format!("{{\"k\":\"{MARKER}\",\"n\":1}}");
    stand.put("a", object.as_bytes()).await;
}

fn assert_silent(log: &Log) {
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // It did collect.
    assert!(text.contains("a line of the host's") && text.contains("SecretValue([REDACTED])"));
    for secret in [MARKER, KEY, SESSION, TOKEN] {
        assert!(!canary::shows(&text, secret), "{secret} is traced");
    }
    assert!(!text.to_lowercase().contains("x-amz-security-token"));
}

#[tokio::test]
async fn no_trace_shows_a_value_or_a_key() {
    let tokens = FaultProxy::start(moto()).await.unwrap();
    let stand = Moto::with_tokens(keys(), &tokens).await;
    let log = Log::default();
    put(&stand).await;
    let collecting = collecting(&log);
    for behind in ["", "#k", "#n", "#none", "?stage=OTHER"] {
        read(&stand, behind).await;
    }
    for fault in faults() {
        stand.proxy.inject(fault);
        read(&stand, "").await;
    }
    drop(collecting);
    assert_silent(&log);
}

#[tokio::test]
async fn no_trace_shows_a_token_of_an_identity() {
    let log = Log::default();
    let healthy = Fault::Delay(std::time::Duration::ZERO);
    for fault in faults().into_iter().chain([healthy]) {
        let identity = Identity::new().await;
        put(&identity.stand).await;
        identity.write(TOKEN);
        identity.tokens.inject(fault);
        let collecting = collecting(&log);
        read(&identity.stand, "").await;
        drop(collecting);
    }
    assert_silent(&log);
}
