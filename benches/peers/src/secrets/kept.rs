//! A secret that is in memory, against a map behind a lock.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use cyprob::core::adapters::memory::MemoryStore as Database;
use cyprob::core::adapters::system::{SystemClock, SystemEntropy};
use cyprob::core::domain::Caller;
use cyprob::secrets::adapters::grants::{Grantee, SecretGrants};
use cyprob::secrets::domain::{Keeping, Scheme, SecretRef, SecretValue};
use cyprob::secrets::ports::{Secret, SecretError, SecretProvider};
use cyprob::secrets::service::{ReadTrail, SecretGuard, SecretReader, SecretResolver};
use tokio::runtime::Runtime;

use crate::measure::{Comparison, Side, in_turns};
use crate::table::Table;

const ROUNDS: usize = 101;
const READS: u32 = 10_000;
const FLOOR: &str = "a map behind a lock, and a clock";
/// What a read may cost, in nanoseconds, and one that is authorized and audited.
const BARS: [(&str, f64); 2] = [("cached read", 200.0), ("audited cached read", 500.0)];

/// Has one secret.
#[derive(Debug)]
struct One;

#[async_trait]
impl SecretProvider for One {
    fn scheme(&self) -> Scheme {
        Scheme::Vault
    }

    async fn read(&self, _: &SecretRef) -> Result<Option<Secret>, SecretError> {
        Ok(Some(Secret {
            value: SecretValue::new(vec![7; 32]).expect("a value"),
            version: None,
            stored_at: None,
        }))
    }
}

/// Reads of ours from memory, over any source.
pub(crate) fn reader(source: Arc<dyn SecretProvider>) -> SecretReader {
    let sources = SecretResolver::new().with(source).expect("one source");
    SecretReader::new(sources, Keeping::DEFAULT, Arc::new(SystemClock))
}

/// Measures a cached read, and one that is authorized and audited.
pub(crate) fn measure(runtime: &Runtime, table: &mut Table) {
    let secret: SecretRef = "vault://kv/mail#password".parse().expect("a reference");
    let reader = reader(Arc::new(One));
    let mailer = Caller::system("mailer");
    let grants = SecretGrants::new().allow(Grantee::System("mailer".to_owned()), &secret);
    let guard = runtime.block_on(async {
        let trail = ReadTrail::new(
            Arc::new(Database::new()),
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
            Duration::from_secs(3_600),
        );
        SecretGuard::new(reader.clone(), Arc::new(grants), trail)
    });
    let map = RwLock::new(HashMap::from([(secret.clone(), Arc::new([7_u8; 32]))]));

    let floor = || {
        Side::repeating(FLOOR, READS, || {
            use cyprob::core::ports::Clock as _;
            let now = SystemClock.now();
            let map = map.read().expect("nobody panics");
            let found = map.get(std::hint::black_box(&secret)).cloned();
            now.as_micros() > 0 && found.is_some()
        })
    };
    let read = Side::new("ours", READS, |count| {
        runtime.block_on(async {
            for _ in 0..count {
                let read = reader.read(std::hint::black_box(&secret)).await;
                assert!(read.is_ok_and(|read| read.is_some()));
            }
        });
    });
    let audited = Side::new("ours", READS, |count| {
        runtime.block_on(async {
            for _ in 0..count {
                let read = guard.read(&mailer, std::hint::black_box(&secret)).await;
                assert!(read.is_ok_and(|read| read.is_some()));
            }
        });
    });
    let found = [
        in_turns(ROUNDS, read, vec![floor()]),
        in_turns(ROUNDS, audited, vec![floor()]),
    ];
    for ((what, most), found) in BARS.iter().zip(&found) {
        table.add(what, found, &[]);
        let ours = found
            .first()
            .map_or(f64::MAX, |Comparison { ours, .. }| ours * 1e3);
        let figure = format!("{what}: {ours:.0} ns, under {most} ns");
        table.note(figure, Some(ours < *most));
    }
}
