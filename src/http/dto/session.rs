//! Sessions in lists.

use std::net::IpAddr;

use cyprob_core::domain::{SessionId, SessionView};
use serde::Serialize;
use utoipa::ToSchema;

use super::PersonAnswer;

/// A session of the caller's own.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionAnswer {
    #[schema(value_type = String)]
    id: SessionId,
    created_at: String,
    last_used_at: String,
    expires_at: String,
    auth_time: String,
    aal: u8,
    client: Option<String>,
    #[schema(value_type = Option<String>)]
    ip_address: Option<IpAddr>,
    current: bool,
}

impl SessionAnswer {
    pub(crate) fn of(view: SessionView, current: Option<SessionId>) -> Self {
        Self {
            id: view.id,
            created_at: view.created_at.to_string(),
            last_used_at: view.last_used_at.to_string(),
            expires_at: view.expires_at.to_string(),
            auth_time: view.auth_time.to_string(),
            aal: view.aal.get(),
            client: view.client,
            ip_address: view.ip_address,
            current: current == Some(view.id),
        }
    }
}

/// A session with access to the caller's organization.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrgSessionAnswer {
    #[serde(flatten)]
    session: SessionAnswer,
    user: PersonAnswer,
}

impl OrgSessionAnswer {
    pub(crate) fn of(view: SessionView, current: Option<SessionId>) -> Self {
        let user = PersonAnswer {
            id: view.user,
            email: view.email.clone(),
            name: view.name.clone(),
        };
        Self {
            session: SessionAnswer::of(view, current),
            user,
        }
    }
}
