//! The key-value engines that a configuration names.

use std::collections::BTreeMap;

use http::HeaderValue;
use serde::Deserialize;

use super::token::ask;
use super::{CheckUp, VaultPart, VaultProblem, VaultRemark};
use crate::adapters::vault::endpoints::{AnyMount, UsedMount};
use crate::adapters::vault::fault::Fault;
use crate::adapters::vault::reply::Reply;
use crate::adapters::vault::transport::Transport;
use crate::adapters::vault::{KvVersion, VaultMount};

#[derive(Deserialize)]
struct Mounted {
    #[serde(rename = "type")]
    engine: String,
    options: Option<Options>,
}

#[derive(Deserialize)]
struct Options {
    version: Option<String>,
}

impl Mounted {
    fn version(&self) -> Option<KvVersion> {
        let version = self.options.as_ref().and_then(|o| o.version.as_deref());
        match (self.engine.as_str(), version) {
            ("kv", Some("2")) => Some(KvVersion::V2),
            ("kv" | "generic", _) => Some(KvVersion::V1),
            _ => None,
        }
    }
}

impl CheckUp<'_> {
    pub(super) async fn mounts(
        &mut self,
        transport: &Transport,
        header: &HeaderValue,
        mounts: &BTreeMap<VaultMount, KvVersion>,
    ) {
        for (mount, configured) in mounts {
            let part = VaultPart::Mount(mount.clone());
            let answer = mounted(transport, header, mount).await;
            match answer.and_then(|reply| reply.data::<Mounted>()) {
                Ok(mounted) => match mounted.version() {
                    Some(found) if found == *configured => {
                        self.well(part, "has the version that is configured");
                    }
                    Some(found) => {
                        let configured = *configured;
                        let other = VaultProblem::OtherVersion { configured, found };
                        self.refuse(part, other);
                    }
                    None => self.refuse(part, VaultProblem::OtherEngine),
                },
                Err(Fault::Denied) => self.remark(part, VaultRemark::Mount),
                // Of a place without a mount it says that the request is wrong.
                Err(Fault::Missing { .. } | Fault::NoPlace | Fault::Rejected(_)) => {
                    self.refuse(part, VaultProblem::NoMount);
                }
                Err(fault) => self.fault(part, fault),
            }
        }
    }
}

/// Who may not use a mount may still be one who looks at mounts.
async fn mounted(
    transport: &Transport,
    header: &HeaderValue,
    mount: &VaultMount,
) -> Result<Reply, Fault> {
    let name = || mount.to_string();
    match ask(transport, UsedMount { mount: name() }, header).await {
        Err(Fault::Denied) => ask(transport, AnyMount { mount: name() }, header).await,
        other => other,
    }
}
