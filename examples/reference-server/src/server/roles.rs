//! The roles of the deployment, as the operator wrote them.

use std::path::Path;

use cyprob::authz::adapters::read_policy;
use cyprob::authz::domain::RoleCatalog;

use super::ServeError;
use crate::bounded;

/// More than a policy may have, so that a longer one is told as such.
const MAX_BYTES: usize = 1 << 20;

/// The built-in roles, and those of a file, if one is named.
pub(crate) fn catalog(path: Option<&Path>) -> Result<RoleCatalog, ServeError> {
    let builtin = RoleCatalog::builtin();
    let Some(path) = path else {
        return Ok(builtin);
    };
    let bytes = bounded::read(path, MAX_BYTES).map_err(|source| ServeError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    read_policy(&bytes, builtin).map_err(|source| ServeError::PolicyFile {
        path: path.to_owned(),
        source,
    })
}
