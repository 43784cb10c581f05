//! The first administrator.

use async_trait::async_trait;

use super::state::broken;
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{RoleName, Timestamp, TokenDigest};
use crate::ports::store::{BootstrapOutcome, BootstrapStore, Founding, StoreError};

#[async_trait]
impl BootstrapStore for MemoryStore {
    async fn is_bootstrapped(&self) -> Result<bool, StoreError> {
        Ok(self.read(|state| state.door.closed))
    }

    async fn arm(&self, token: TokenDigest, expires_at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.write(|state| {
            if !state.door.closed {
                state.door.armed = Some((token, expires_at));
            }
            !state.door.closed
        }))
    }

    async fn found(
        &self,
        founding: &Founding,
        events: &[AuditEvent],
    ) -> Result<BootstrapOutcome, StoreError> {
        self.write(|state| {
            if state.door.closed {
                return Ok(BootstrapOutcome::Closed);
            }
            let good = state.door.armed.is_some_and(|(token, expires_at)| {
                token.matches(&founding.token) && founding.at < expires_at
            });
            if !good {
                return Ok(BootstrapOutcome::BadToken);
            }
            let (user, org) = (&founding.user, &founding.org);
            state.may_add_user(user)?;
            if state.orgs.contains_key(&org.id) || state.slugs.contains_key(&org.slug) {
                return Err(broken("an organization's id and slug are unique"));
            }
            state.outbox.admit(events)?;
            state.add_user(user);
            state.add_org(org);
            state.join(org.id, user.id, &RoleName::OWNER, None, founding.at);
            state.door.closed = true;
            state.door.armed = None;
            state.outbox.record(events);
            Ok(BootstrapOutcome::Done)
        })
    }
}
