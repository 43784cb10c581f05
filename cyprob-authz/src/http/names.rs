//! The names in a request's path.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use super::problem::{Problem, ProblemCode};

/// What the path says under each `{name}` of its route, decoded, as the policy was checked with it.
///
/// Behind a [`PolicyLayer`](super::PolicyLayer) it is in the request's
/// extensions: whoever reads the path once more might read it otherwise.
#[derive(Clone, Debug)]
pub struct PathNames(Arc<RawPathParams>);

impl PathNames {
    pub(super) async fn of(parts: &mut Parts) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, &()).await;
        let params = params.map_err(|_| Problem::new(ProblemCode::NotFound))?;
        Ok(Self(Arc::new(params)))
    }

    /// What stands at the place of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter();
        all.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// What is named beside the organization.
    pub(super) fn resources(&self) -> Vec<&str> {
        let all = self.0.iter().filter(|(key, _)| *key != "org");
        all.map(|(_, value)| value).collect()
    }
}
