//! What every handler has at hand.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use cyprob_audit::service::AuditTrail;
use cyprob_authz::http::InventoryHandle;
use cyprob_core::domain::{Session, Timestamp, User};
use cyprob_core::service::{Identity, Scope, SignedIn};
use cyprob_secrets::service::OrgSecrets;

use super::ApiError;
use super::dto::{RoleAnswer, TokenAnswer, TokenPair};
use super::late::Late;
use super::places::Places;
use crate::ControlPlane;

/// The control plane and the inventory of its routes. Clones share both.
#[derive(Clone, Debug)]
pub(crate) struct ApiState {
    plane: ControlPlane,
    inventory: InventoryHandle,
    document: Arc<OnceLock<Bytes>>,
    places: Places,
    late: Late,
}

impl ApiState {
    pub(crate) fn new(plane: ControlPlane, inventory: InventoryHandle) -> Self {
        Self {
            plane,
            inventory,
            document: Arc::default(),
            places: Places::default(),
            late: Late::default(),
        }
    }

    pub(crate) const fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    pub(crate) fn trail(&self) -> &AuditTrail {
        self.plane.trail()
    }

    pub(crate) fn identity(&self) -> &Identity {
        self.plane.identity()
    }

    /// The secrets of organizations; not found where the host gave no store for them.
    pub(crate) fn secrets(&self) -> Result<&OrgSecrets, ApiError> {
        self.plane.secrets().ok_or(ApiError::NotFound)
    }

    pub(crate) const fn inventory(&self) -> &InventoryHandle {
        &self.inventory
    }

    /// The places for requests with large bodies.
    pub(crate) const fn places(&self) -> &Places {
        &self.places
    }

    /// Holds back the refusals of those who try too often.
    pub(crate) const fn late(&self) -> &Late {
        &self.late
    }

    /// The OpenAPI document, made at the first call; none before the routes are sealed.
    pub(crate) fn document(&self) -> Option<Bytes> {
        if let Some(made) = self.document.get() {
            return Some(made.clone());
        }
        let inventory = self.inventory.get()?;
        let document = inventory.openapi("cyprob", env!("CARGO_PKG_VERSION"));
        let bytes = Bytes::from(serde_json::to_vec(&document).ok()?);
        Some(self.document.get_or_init(|| bytes).clone())
    }

    /// The roles of the deployment with what they permit, in the catalogue's order.
    pub(crate) fn roles(&self) -> Vec<RoleAnswer> {
        let roles = self.plane.access().roles().roles().into_iter();
        roles.map(RoleAnswer::of_deployment).collect()
    }

    /// The answer to a sign-in or a refresh.
    pub(crate) async fn token_pair(&self, signed_in: &SignedIn) -> Result<TokenPair, ApiError> {
        let SignedIn {
            user,
            session,
            scope,
            at,
            ..
        } = signed_in;
        let access_token = self.plane.mint(user, session, scope, *at).await?;
        Ok(TokenPair::new(signed_in, &access_token))
    }

    /// The answer to one who asked for a token for an organization.
    pub(crate) async fn org_token(
        &self,
        user: &User,
        session: &Session,
        scope: &Scope,
        at: Timestamp,
    ) -> Result<TokenAnswer, ApiError> {
        let access_token = self.plane.mint(user, session, scope, at).await?;
        Ok(TokenAnswer::new(&access_token, session.id, scope, at))
    }
}
