//! The token and what it may do with itself.

use std::collections::BTreeMap;

use http::HeaderValue;
use secrecy::SecretString;
use vaultrs::api::token::requests::LookupTokenSelfRequest;

use super::{CheckUp, SelfService, VaultPart, VaultProblem, VaultRemark};
use crate::adapters::vault::endpoints::{Capabilities, RenewToken, RevokeToken};
use crate::adapters::vault::fault::Fault;
use crate::adapters::vault::login::{LoginRefusal, VaultLogin};
use crate::adapters::vault::token::{self, Issued};
use crate::adapters::vault::transport::Transport;
use crate::adapters::vault::{KvVersion, VaultMount};

const SELF_SERVICE: &str = "lets the token look at, renew and revoke itself";

impl CheckUp<'_> {
    /// Takes a token and looks at it and at what it reaches; one made for this ends here.
    pub(super) async fn signed_in(
        &mut self,
        transport: &Transport,
        kept: Option<SecretString>,
        mounts: &BTreeMap<VaultMount, KvVersion>,
    ) -> Option<()> {
        let login = &self.builder.login;
        if let (VaultLogin::TokenFile(_), Some(kept)) = (login, kept) {
            let header = token::header(&kept);
            let header = self.got(VaultPart::Token, header)?;
            self.kept_by_another(transport, &header, kept).await?;
            self.mounts(transport, &header, mounts).await;
            return Some(());
        }
        let issued = login.log_in(transport).await;
        let issued = self.got(VaultPart::Login, issued)?;
        self.well(VaultPart::Login, "accepted");
        self.token(&issued);
        let header = token::header(&issued.token);
        let header = self.got(VaultPart::Token, header)?;
        self.mounts(transport, &header, mounts).await;
        self.own(transport, &header, issued.renewable).await;
        Some(())
    }

    /// A token that is not ours to renew or to end: what it may do is asked.
    async fn kept_by_another(
        &mut self,
        transport: &Transport,
        header: &HeaderValue,
        token: SecretString,
    ) -> Option<()> {
        let looked = ask(transport, LookupTokenSelfRequest::default(), header).await;
        let granted = capabilities(transport, header).await;
        match (looked, granted) {
            (Err(Fault::Denied), Err(Fault::Denied)) => {
                let refused = LoginRefusal::NotAccepted;
                self.refuse(VaultPart::Token, VaultProblem::Login(refused));
                self.refuse(VaultPart::Policy, VaultProblem::Policy(SelfService::LookUp));
                return None;
            }
            (looked, granted) => {
                match looked {
                    Ok(reply) => {
                        let issued = Issued::of_lookup(token, &reply);
                        let issued = self.got(VaultPart::Token, issued)?;
                        self.token(&issued);
                    }
                    // Said of its policy.
                    Err(Fault::Denied) => {}
                    Err(fault) => self.fault(VaultPart::Token, fault),
                }
                match granted {
                    Ok(granted) => self.policy(|service| may(&granted, service)),
                    Err(Fault::Denied) => {
                        self.remark(VaultPart::Policy, VaultRemark::Capabilities);
                    }
                    Err(fault) => self.fault(VaultPart::Policy, fault),
                }
            }
        }
        Some(())
    }

    /// A token of our own: what it may do is done, and ends it.
    async fn own(&mut self, transport: &Transport, header: &HeaderValue, renewable: bool) {
        let looked = ask(transport, LookupTokenSelfRequest::default(), header).await;
        let mut done = vec![(SelfService::LookUp, looked)];
        if renewable {
            let renewed = ask(transport, RenewToken {}, header).await;
            done.push((SelfService::Renew, renewed));
        } else {
            self.remark(VaultPart::Policy, VaultRemark::NotRenewable);
        }
        let revoked = ask(transport, RevokeToken {}, header).await;
        done.push((SelfService::Revoke, revoked));
        let mut all = renewable;
        for (service, answer) in done {
            let Err(fault) = answer else { continue };
            all = false;
            match (service, fault) {
                (_, Fault::Denied) => {
                    self.refuse(VaultPart::Policy, VaultProblem::Policy(service));
                }
                (SelfService::Revoke, Fault::Rejected(_)) => {
                    self.refuse(VaultPart::Token, VaultProblem::Batch);
                }
                (_, fault) => self.fault(VaultPart::Policy, fault),
            }
        }
        if all {
            self.well(VaultPart::Policy, SELF_SERVICE);
        }
    }

    fn token(&mut self, issued: &Issued) {
        let mut safe = true;
        for risk in issued.risks(&self.builder.accepted) {
            safe = false;
            self.refuse(VaultPart::Token, VaultProblem::Risk(risk));
        }
        if safe {
            self.well(VaultPart::Token, "ends in time, and is not of root");
        }
    }

    fn policy(&mut self, may: impl Fn(SelfService) -> bool) {
        let mut all = true;
        for service in SelfService::ALL {
            if !may(service) {
                all = false;
                self.refuse(VaultPart::Policy, VaultProblem::Policy(service));
            }
        }
        if all {
            self.well(VaultPart::Policy, SELF_SERVICE);
        }
    }

    fn got<T>(&mut self, part: VaultPart, answer: Result<T, Fault>) -> Option<T> {
        match answer {
            Ok(got) => Some(got),
            Err(fault) => {
                self.fault(part, fault);
                None
            }
        }
    }
}

type Granted = BTreeMap<String, serde_json::Value>;

async fn capabilities(transport: &Transport, header: &HeaderValue) -> Result<Granted, Fault> {
    let paths = SelfService::ALL.map(SelfService::path).to_vec();
    let reply = ask(transport, Capabilities { paths }, header).await?;
    reply.data()
}

fn may(granted: &Granted, service: SelfService) -> bool {
    let held = granted.get(service.path()).and_then(|held| held.as_array());
    let is = |held: &serde_json::Value| held == service.capability() || held == "root";
    held.is_some_and(|held| held.iter().any(is))
}

/// One call with a token.
pub(super) async fn ask(
    transport: &Transport,
    endpoint: impl rustify::Endpoint,
    header: &HeaderValue,
) -> Result<crate::adapters::vault::reply::Reply, Fault> {
    let request = transport.prepare(endpoint)?;
    transport.send(&request, Some(header)).await
}
