//! Subject keys, wrapped under the deployment's key.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use cyprob_core::adapters::sql::{Arg, Backend, Columns, SqlStore, Statement};
use cyprob_core::domain::{SystemCtx, Timestamp};
use cyprob_core::ports::store::StoreError;
use cyprob_core::ports::{Entropy, EntropyExt as _};
use secrecy::SecretBox;
use zeroize::Zeroizing;

use super::log_store::key;
use super::sql;
use super::wrap::Place;
use crate::domain::{KeyOwner, LogId, SubjectKey, SubjectKeyId};
use crate::ports::{SubjectKeyStoreError, SubjectKeys};

/// Subject keys in core's database; the log store of the same database makes their table.
pub struct SqlSubjectKeys<B: Backend> {
    store: SqlStore<B>,
    entropy: Arc<dyn Entropy>,
    kek: SecretBox<[u8; 32]>,
    system: SystemCtx,
}

impl<B: Backend> fmt::Debug for SqlSubjectKeys<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqlSubjectKeys")
    }
}

impl<B: Backend> SqlSubjectKeys<B> {
    /// Keys in this database, wrapped under the deployment's 32-byte key.
    #[must_use]
    pub fn new(store: SqlStore<B>, entropy: Arc<dyn Entropy>, kek: SecretBox<[u8; 32]>) -> Self {
        Self {
            store,
            entropy,
            kek,
            system: SystemCtx::new("sequencer", "keys of personal values"),
        }
    }

    fn opened(&self, log: LogId, row: &B::Row) -> Result<SubjectKey, StoreError> {
        let columns = Columns::of(row, "audit_subject_keys");
        let owner: &[u8] = columns.get("owner")?;
        let id: [u8; 16] = columns.read("key_id", |id: &[u8]| id.try_into().ok())?;
        let place = Place {
            log: &name(log),
            owner,
            id: &id,
        };
        Ok(SubjectKey {
            id: SubjectKeyId::from_bytes(id),
            secret: columns.read("wrapped", |wrapped: &[u8]| place.unwrap(&self.kek, wrapped))?,
        })
    }

    async fn try_find(
        &self,
        log: LogId,
        statement: &Statement,
        by: &[u8],
    ) -> Result<Option<SubjectKey>, StoreError> {
        let mut read = self.store.system_read(&self.system).await?;
        let args = [key(log), Arg::bytes(by)];
        let row = read.fetch_optional(statement, &args).await?;
        row.map(|row| self.opened(log, &row)).transpose()
    }

    async fn try_obtain(
        &self,
        log: LogId,
        owner: &[u8],
        at: Timestamp,
    ) -> Result<SubjectKey, StoreError> {
        if let Some(found) = self.try_find(log, &sql::KEY_OF, owner).await? {
            return Ok(found);
        }
        let id: [u8; 16] = self.entropy.bytes();
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(self.entropy.bytes());
        let place = Place {
            log: &name(log),
            owner,
            id: &id,
        };
        let wrapped = place.wrap(&self.kek, &secret).ok_or(StoreError::Corrupt {
            table: "audit_subject_keys",
            column: "wrapped",
        })?;
        let mut tx = self.store.system_tx(&self.system).await?;
        let args = [
            key(log),
            Arg::bytes(owner),
            Arg::bytes(&id),
            wrapped.into(),
            at.into(),
        ];
        if tx.execute(&sql::ADD_KEY, &args).await? == 0 {
            // Somebody made it meanwhile.
            let args = [key(log), Arg::bytes(owner)];
            let row = tx.fetch_optional(&sql::KEY_OF, &args).await?;
            return self.opened(log, &row.ok_or(GONE)?);
        }
        tx.commit().await?;
        Ok(SubjectKey {
            id: SubjectKeyId::from_bytes(id),
            secret: SecretBox::new(Box::new(*secret)),
        })
    }
}

/// What a key is sealed with stands for its log as it always did: nothing for the system's.
fn name(log: LogId) -> Vec<u8> {
    log.org().map_or(Vec::new(), |org| org.as_bytes().to_vec())
}

/// A key that is in the way of another one cannot be read.
const GONE: StoreError = StoreError::Corrupt {
    table: "audit_subject_keys",
    column: "owner",
};

fn failed(error: StoreError) -> SubjectKeyStoreError {
    SubjectKeyStoreError::Unavailable {
        source: Box::new(error),
    }
}

#[async_trait]
impl<B: Backend> SubjectKeys for SqlSubjectKeys<B> {
    async fn obtain(
        &self,
        log: LogId,
        owner: KeyOwner,
        at: Timestamp,
    ) -> Result<SubjectKey, SubjectKeyStoreError> {
        let owner = match owner {
            KeyOwner::Log => Vec::new(),
            KeyOwner::Person(user) => user.as_bytes().to_vec(),
        };
        self.try_obtain(log, &owner, at).await.map_err(failed)
    }

    async fn find(
        &self,
        log: LogId,
        key: SubjectKeyId,
    ) -> Result<Option<SubjectKey>, SubjectKeyStoreError> {
        self.try_find(log, &sql::KEY_BY_ID, key.as_bytes())
            .await
            .map_err(failed)
    }
}
