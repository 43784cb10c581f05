//! Consistent reads.

use std::fmt;
use std::sync::Arc;

use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::open::Opened;
use crate::domain::OrgId;
use crate::ports::store::StoreError;

/// A transaction on a connection that cannot write, and what keeps the database open.
struct Read {
    tx: Transaction<'static, Sqlite>,
    _opened: Arc<Opened>,
}

impl Read {
    async fn begin(opened: Arc<Opened>) -> Result<Self, StoreError> {
        let tx = opened.reader.begin().await;
        Ok(Self {
            tx: tx.map_err(StoreError::unavailable)?,
            _opened: opened,
        })
    }
}

/// A consistent read of one organization's data, as of its first statement.
///
/// A host's own adapter runs its statements on [`connection`](Self::connection),
/// each bound to `org_id = $1`. Dropping it ends it.
pub struct OrgRead {
    read: Read,
    org: OrgId,
}

impl fmt::Debug for OrgRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrgRead({})", self.org)
    }
}

impl OrgRead {
    pub(super) async fn begin(opened: Arc<Opened>, org: OrgId) -> Result<Self, StoreError> {
        Ok(Self {
            read: Read::begin(opened).await?,
            org,
        })
    }

    /// The organization; the value that `$1` is bound to.
    #[must_use]
    pub const fn org(&self) -> OrgId {
        self.org
    }

    /// The connection that the transaction is open on.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.read.tx
    }
}

/// A consistent read across organizations, as of its first statement.
pub struct SystemRead {
    read: Read,
}

impl fmt::Debug for SystemRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemRead")
    }
}

impl SystemRead {
    pub(super) async fn begin(opened: Arc<Opened>) -> Result<Self, StoreError> {
        Ok(Self {
            read: Read::begin(opened).await?,
        })
    }

    /// The connection that the transaction is open on.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.read.tx
    }
}
