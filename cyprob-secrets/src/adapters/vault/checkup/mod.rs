//! A look at everything that a configuration says of a Vault, which goes on after the first fault.

mod finding;
mod mounts;
mod token;

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::builder::VaultBuilder;
use super::endpoints::Health;
use super::fault::{Fault, Outage};
use super::login::{Spends, VaultLogin};
use super::transport::Transport;
use super::{KvVersion, VaultMount, VaultRisk};

pub use finding::{SelfService, VaultFinding, VaultPart, VaultProblem, VaultRemark, VaultVerdict};

/// Whether a look may use up one use of a secret id, which may be the only one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretIdUse {
    /// It is left to the application.
    #[default]
    Spare,
    /// It signs in with it. A wrapped one is spared all the same.
    Spend,
}

/// What was found so far.
struct CheckUp<'a> {
    builder: &'a VaultBuilder<VaultLogin>,
    found: Vec<VaultFinding>,
}

impl VaultBuilder<VaultLogin> {
    /// Looks at the configuration, the environment, the files, the server, the token, its policy
    /// and these mounts; all that `connect` would refuse is found, not the first alone.
    ///
    /// A secret id that is wrapped stays so. A token that a login gives for this is revoked; one
    /// that another program keeps in a file is neither renewed nor revoked. Nothing is sent to a
    /// server whose address is refused.
    pub async fn check_up(
        &self,
        mounts: &BTreeMap<VaultMount, KvVersion>,
        secret_id: SecretIdUse,
    ) -> Vec<VaultFinding> {
        let mut look = CheckUp {
            builder: self,
            found: Vec::new(),
        };
        // What cannot be looked at has a finding by then.
        let _ = look.all(mounts, secret_id).await;
        look.found
    }
}

impl CheckUp<'_> {
    async fn all(
        &mut self,
        mounts: &BTreeMap<VaultMount, KvVersion>,
        secret_id: SecretIdUse,
    ) -> Option<()> {
        let plain = self.stated();
        let file = self.file();
        let transport = self.transport()?;
        if plain {
            return None;
        }
        self.server().await?;
        let kept = file?;
        let login = &self.builder.login;
        match (login.spends(), &kept) {
            (Spends::Wrapping, Some(wrapping)) => {
                match login.look_up_wrapping(&transport, wrapping).await {
                    Ok(()) => self.well(VaultPart::Login, "the secret id is wrapped, as delivered"),
                    Err(fault) => self.fault(VaultPart::Login, fault),
                }
                self.remark(VaultPart::Login, VaultRemark::Wrapped);
                return None;
            }
            (Spends::SecretId, _) if secret_id == SecretIdUse::Spare => {
                self.remark(VaultPart::Login, VaultRemark::SecretId);
                return None;
            }
            _ => {}
        }
        self.signed_in(&transport, kept, mounts).await
    }

    /// What is refused without asking anybody; whether nothing may be sent.
    fn stated(&mut self) -> bool {
        let risks = self.builder.risks();
        let plain = risks.contains(&VaultRisk::PlainHttp);
        let mut unverified = false;
        for risk in risks {
            let part = match risk {
                VaultRisk::SkipVerify { .. } => VaultPart::Environment,
                _ => VaultPart::Address,
            };
            unverified |= part == VaultPart::Environment;
            self.refuse(part, VaultProblem::Risk(risk));
        }
        if !plain {
            self.well(VaultPart::Address, "by TLS, or on this machine");
        }
        if !unverified {
            self.well(VaultPart::Environment, "nothing turns verification off");
        }
        plain
    }

    /// What the login's file holds; nothing if it cannot be used.
    fn file(&mut self) -> Option<Option<SecretString>> {
        let login = &self.builder.login;
        let (Some(path), Some(read)) = (login.file(), login.read()) else {
            return Some(None);
        };
        let part = VaultPart::LoginFile(path.to_owned());
        match read {
            Ok(held) => {
                self.well(part, "readable, and by whom it should be");
                Some(Some(held))
            }
            Err(Fault::Outage(Outage::File(why))) => {
                self.refuse(part, VaultProblem::Unreadable(why));
                None
            }
            Err(fault) => {
                self.fault(part, fault);
                None
            }
        }
    }

    fn transport(&mut self) -> Option<Transport> {
        let namespace = self.builder.namespace.clone();
        let builder = self.builder;
        let made = Transport::new(
            &builder.address,
            builder.ca_file.as_deref(),
            namespace,
            builder.timeout,
        );
        match made {
            Ok(transport) => {
                if !builder.address.is_plain() {
                    self.well(
                        VaultPart::Certificates,
                        "there are authorities to verify by",
                    );
                }
                Some(transport)
            }
            Err(error) => {
                self.refuse(VaultPart::Certificates, VaultProblem::Certificates(error));
                None
            }
        }
    }

    /// Whether it serves; asked outside of any namespace, none of which answers that.
    async fn server(&mut self) -> Option<()> {
        let builder = self.builder;
        let outside = Transport::new(
            &builder.address,
            builder.ca_file.as_deref(),
            None,
            builder.timeout,
        );
        let outside = outside.ok()?;
        let health = outside.prepare(Health {
            standbyok: true,
            perfstandbyok: true,
        });
        let answer = match health {
            Ok(health) => outside.send(&health, None).await,
            Err(fault) => Err(fault),
        };
        match answer {
            Ok(_) => {
                self.well(VaultPart::Server, "answers, and is not sealed");
                Some(())
            }
            Err(fault) => {
                self.fault(VaultPart::Server, fault);
                None
            }
        }
    }

    fn well(&mut self, part: VaultPart, text: &'static str) {
        self.add(part, VaultVerdict::Well(text));
    }

    fn remark(&mut self, part: VaultPart, remark: VaultRemark) {
        self.add(part, VaultVerdict::Remark(remark));
    }

    fn refuse(&mut self, part: VaultPart, problem: VaultProblem) {
        self.add(part, VaultVerdict::Refused(problem));
    }

    fn fault(&mut self, part: VaultPart, fault: Fault) {
        let problem = match fault {
            Fault::Login(refusal) => VaultProblem::Login(refusal),
            Fault::Outage(Outage::Sealed) => VaultProblem::Sealed,
            other => VaultProblem::Unavailable(other.to_string()),
        };
        self.refuse(part, problem);
    }

    fn add(&mut self, part: VaultPart, verdict: VaultVerdict) {
        self.found.push(VaultFinding { part, verdict });
    }
}
