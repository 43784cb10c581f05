//! Credentials of a database, made by a Vault for one role.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::Deserialize;
use vaultrs::api::database::requests::GenerateCredentialsRequest;

use super::connection::Vault;
use super::endpoints::{RenewLease, RevokeLease};
use super::fault::{Complaint, Fault};
use super::{VaultMount, VaultName};
use crate::domain::{LeaseId, Lent};
use crate::ports::{DynamicCredentials, LeaseError, LeaseRefusal};

/// Borrows credentials of one role from a database engine.
///
/// Its policy must allow `read` on `MOUNT/creds/ROLE`, and `update` on
/// `sys/leases/renew` and `sys/leases/revoke`; without the last two, credentials are
/// replaced instead of renewed, and end by themselves instead of being given back.
#[derive(Clone, Debug)]
pub struct VaultDatabase {
    vault: Vault,
    mount: VaultMount,
    role: VaultName,
}

#[derive(Deserialize)]
struct Made {
    lease_id: String,
    lease_duration: u64,
    renewable: bool,
    data: UserAndPassword,
}

#[derive(Deserialize)]
struct UserAndPassword {
    username: String,
    password: SecretString,
}

#[derive(Deserialize)]
struct Renewed {
    lease_duration: u64,
}

impl VaultDatabase {
    /// Borrows from a role of the engine at a mount.
    #[must_use]
    pub const fn new(vault: Vault, mount: VaultMount, role: VaultName) -> Self {
        Self { vault, mount, role }
    }
}

#[async_trait]
impl DynamicCredentials for VaultDatabase {
    async fn issue(&self) -> Result<Lent, LeaseError> {
        let make = GenerateCredentialsRequest {
            mount: self.mount.as_str().to_owned(),
            name: self.role.as_str().to_owned(),
        };
        let reply = self.vault.call(make).await.map_err(failed)?;
        let made: Made = reply.read().map_err(failed)?;
        Ok(Lent {
            username: made.data.username,
            password: made.data.password,
            lease: LeaseId::new(made.lease_id),
            term: Duration::from_secs(made.lease_duration),
            renewable: made.renewable,
        })
    }

    async fn renew(&self, lease: &LeaseId) -> Result<Duration, LeaseError> {
        let lease_id = lease.as_str().to_owned();
        let reply = self.vault.call(RenewLease { lease_id }).await;
        let renewed: Renewed = reply.map_err(failed)?.read().map_err(failed)?;
        Ok(Duration::from_secs(renewed.lease_duration))
    }

    async fn revoke(&self, lease: &LeaseId) -> Result<(), LeaseError> {
        let lease_id = lease.as_str().to_owned();
        // Done when it is answered, and not some time later.
        let revoke = RevokeLease {
            lease_id,
            sync: true,
        };
        match self.vault.call(revoke).await {
            Ok(_) | Err(Fault::Missing { .. } | Fault::Rejected(Complaint::Lease)) => Ok(()),
            Err(fault) => Err(failed(fault)),
        }
    }
}

fn failed(fault: Fault) -> LeaseError {
    LeaseError::Refused(match fault {
        Fault::Rejected(Complaint::Lease) => return LeaseError::Gone,
        Fault::Rejected(Complaint::NoRole) | Fault::Missing { .. } | Fault::NoPlace => {
            LeaseRefusal::NoRole
        }
        Fault::Rejected(_) => LeaseRefusal::Rejected,
        Fault::Denied => LeaseRefusal::Denied,
        Fault::Login(_) => LeaseRefusal::NoLogin,
        fault @ Fault::Outage(_) => return LeaseError::unavailable(fault),
    })
}
