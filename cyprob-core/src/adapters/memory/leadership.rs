//! The lead of the only process of a deployment.

use std::sync::Arc;

use async_trait::async_trait;

use crate::ports::store::StoreError;
use crate::ports::{Leadership, Term};

/// For the only process of a deployment: it always leads.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnlyProcess;

#[async_trait]
impl Leadership for OnlyProcess {
    async fn take(&self) -> Result<Option<Arc<dyn Term>>, StoreError> {
        Ok(Some(Arc::new(*self)))
    }
}

#[async_trait]
impl Term for OnlyProcess {
    async fn lasts(&self) -> bool {
        true
    }

    async fn over(&self) {
        std::future::pending().await
    }

    async fn resign(&self) {}
}
