//! Tokens that a table knows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;
use secrecy::SecretString;

use crate::ports::{JobGrant, JobTokenError, JobTokens};

/// Stands in for sealed tokens: what it did not mint, or what is past its deadline, is refused.
#[derive(Debug, Default)]
pub struct TableTokens {
    minted: Mutex<BTreeMap<String, JobGrant>>,
}

impl TableTokens {
    /// Makes a token.
    pub fn issue(&self, grant: &JobGrant) -> SecretString {
        let mut minted = self.minted.lock().unwrap_or_else(PoisonError::into_inner);
        let token = format!("job-{}", minted.len());
        minted.insert(token.clone(), grant.clone());
        token.into()
    }
}

#[async_trait]
impl JobTokens for TableTokens {
    async fn mint(&self, grant: &JobGrant, _at: Timestamp) -> Result<SecretString, JobTokenError> {
        Ok(self.issue(grant))
    }

    fn verify(&self, token: &str, at: Timestamp) -> Result<JobGrant, JobTokenError> {
        let minted = self.minted.lock().unwrap_or_else(PoisonError::into_inner);
        let grant = minted.get(token).filter(|grant| at < grant.deadline);
        grant
            .cloned()
            .ok_or_else(|| JobTokenError::Refused("unknown or past its deadline".into()))
    }
}
