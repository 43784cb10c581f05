//! Consistent reads.

use std::fmt;

use super::{Arg, Backend, Statement, Transaction};
use crate::domain::OrgId;
use crate::ports::store::StoreError;

/// A transaction that only reads; dropping it ends it.
pub(in crate::adapters) struct Read<B: Backend>(pub(super) B::Tx);

impl<B: Backend> Read<B> {
    pub(in crate::adapters) async fn fetch_all(
        &mut self,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<Vec<B::Row>, StoreError> {
        self.0.fetch(statement, args).await
    }

    pub(in crate::adapters) async fn fetch_optional(
        &mut self,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<Option<B::Row>, StoreError> {
        Ok(self.0.fetch(statement, args).await?.pop())
    }
}

/// The methods that both kinds of reads have.
macro_rules! reads {
    ($read:ident) => {
        impl<B: Backend> $read<B> {
            /// The connection that the transaction is open on.
            pub fn connection(&mut self) -> &mut B::Connection {
                self.read.0.connection()
            }

            /// The rows of a statement.
            ///
            /// # Errors
            ///
            /// [`StoreError`].
            pub async fn fetch_all(
                &mut self,
                statement: &Statement,
                args: &[Arg<'_>],
            ) -> Result<Vec<B::Row>, StoreError> {
                self.read.fetch_all(statement, args).await
            }

            /// The last row of a statement that has one or none.
            ///
            /// # Errors
            ///
            /// [`StoreError`].
            pub async fn fetch_optional(
                &mut self,
                statement: &Statement,
                args: &[Arg<'_>],
            ) -> Result<Option<B::Row>, StoreError> {
                self.read.fetch_optional(statement, args).await
            }
        }
    };
}

/// A consistent read of one organization's data, as of its first statement.
///
/// A host's own adapter runs its statements on [`connection`](Self::connection),
/// each bound to `org_id = $1`. Dropping it ends it.
pub struct OrgRead<B: Backend> {
    pub(super) read: Read<B>,
    pub(super) org: OrgId,
}

impl<B: Backend> fmt::Debug for OrgRead<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrgRead({})", self.org)
    }
}

impl<B: Backend> OrgRead<B> {
    /// The organization; the value that `$1` is bound to.
    #[must_use]
    pub const fn org(&self) -> OrgId {
        self.org
    }
}

/// A consistent read across organizations, as of its first statement.
pub struct SystemRead<B: Backend> {
    pub(super) read: Read<B>,
}

impl<B: Backend> fmt::Debug for SystemRead<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemRead")
    }
}

reads!(OrgRead);
reads!(SystemRead);
