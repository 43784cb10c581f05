//! Subject keys, wrapped under the deployment's key.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use cyprob_core::adapters::sqlite::{Columns, SqliteStore};
use cyprob_core::domain::{SystemCtx, Timestamp};
use cyprob_core::ports::store::StoreError;
use cyprob_core::ports::{Entropy, EntropyExt as _};
use secrecy::SecretBox;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use super::log_store::key;
use super::sql;
use super::wrap::Place;
use crate::domain::{KeyOwner, LogId, SubjectKey, SubjectKeyId};
use crate::ports::{SubjectKeyStoreError, SubjectKeys};

/// Subject keys in core's database; [`super::SqliteLogStore::open`] makes their table.
pub struct SqliteSubjectKeys {
    store: SqliteStore,
    entropy: Arc<dyn Entropy>,
    kek: SecretBox<[u8; 32]>,
    system: SystemCtx,
}

impl fmt::Debug for SqliteSubjectKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteSubjectKeys")
    }
}

impl SqliteSubjectKeys {
    /// Keys in this database, wrapped under the deployment's 32-byte key.
    #[must_use]
    pub fn new(store: SqliteStore, entropy: Arc<dyn Entropy>, kek: SecretBox<[u8; 32]>) -> Self {
        Self {
            store,
            entropy,
            kek,
            system: SystemCtx::new("sequencer", "keys of personal values"),
        }
    }

    fn opened(&self, log: &[u8], row: &SqliteRow) -> Result<SubjectKey, StoreError> {
        let columns = Columns::of(row, "audit_subject_keys");
        let owner: &[u8] = columns.get("owner")?;
        let id: [u8; 16] = columns.read("key_id", |id: &[u8]| id.try_into().ok())?;
        let place = Place {
            log,
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
        statement: &'static str,
        by: &[u8],
    ) -> Result<Option<SubjectKey>, StoreError> {
        let log = key(log);
        let mut read = self.store.system_read(&self.system).await?;
        let row = sqlx::query(statement)
            .bind(&log)
            .bind(by)
            .fetch_optional(read.connection())
            .await
            .map_err(StoreError::unavailable)?;
        row.map(|row| self.opened(&log, &row)).transpose()
    }

    async fn try_obtain(
        &self,
        log: LogId,
        owner: &[u8],
        at: Timestamp,
    ) -> Result<SubjectKey, StoreError> {
        if let Some(found) = self.try_find(log, sql::KEY_OF, owner).await? {
            return Ok(found);
        }
        let log = key(log);
        let mut tx = self.store.system_tx(&self.system).await?;
        // Somebody may have made it since; this transaction is the only one that writes.
        let row = sqlx::query(sql::KEY_OF)
            .bind(&log)
            .bind(owner)
            .fetch_optional(tx.connection())
            .await
            .map_err(StoreError::unavailable)?;
        if let Some(row) = row {
            return self.opened(&log, &row);
        }
        let id: [u8; 16] = self.entropy.bytes();
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(self.entropy.bytes());
        let place = Place {
            log: &log,
            owner,
            id: &id,
        };
        let wrapped = place.wrap(&self.kek, &secret).ok_or(StoreError::Corrupt {
            table: "audit_subject_keys",
            column: "wrapped",
        })?;
        sqlx::query(sql::ADD_KEY)
            .bind(&log)
            .bind(owner)
            .bind(id.as_slice())
            .bind(wrapped)
            .bind(at.as_micros())
            .execute(tx.connection())
            .await
            .map_err(StoreError::unavailable)?;
        tx.commit().await?;
        Ok(SubjectKey {
            id: SubjectKeyId::from_bytes(id),
            secret: SecretBox::new(Box::new(*secret)),
        })
    }
}

fn failed(error: StoreError) -> SubjectKeyStoreError {
    SubjectKeyStoreError::Unavailable {
        source: Box::new(error),
    }
}

#[async_trait]
impl SubjectKeys for SqliteSubjectKeys {
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
        self.try_find(log, sql::KEY_BY_ID, key.as_bytes())
            .await
            .map_err(failed)
    }
}
