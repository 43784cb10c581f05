//! The roles of the deployment, as the operator wrote them.

use std::path::Path;

use cyprob::authz::adapters::written_roles;
use cyprob::authz::domain::RoleCatalog;
use cyprob::authz::domain::policy::{PolicyError, RoleSource};

use super::ServeError;
use crate::bounded;

/// More than a policy may have, so that a longer one is told as such.
const MAX_BYTES: usize = 1 << 20;

/// The built-in roles, and those of a file, if one is named.
pub(crate) fn catalog(path: Option<&Path>) -> Result<RoleCatalog, ServeError> {
    let Some(path) = path else {
        return Ok(RoleCatalog::builtin());
    };
    written(path).map(|(catalog, _)| catalog)
}

/// The built-in roles and those of a file, and the latter as they are written.
pub(crate) fn written(path: &Path) -> Result<(RoleCatalog, Vec<RoleSource>), ServeError> {
    let bytes = bounded::read(path, MAX_BYTES).map_err(|source| ServeError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let refused = |source: PolicyError| ServeError::PolicyFile {
        path: path.to_owned(),
        source,
    };
    let roles = written_roles(&bytes).map_err(refused)?;
    let catalog = RoleCatalog::builtin().with_policy(&roles);
    Ok((catalog.map_err(refused)?, roles))
}
