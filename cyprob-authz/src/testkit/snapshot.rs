//! The committed matrix.

use std::path::Path;

use crate::http::Matrix;

/// The environment variable that has the snapshot written anew.
pub const BLESS: &str = "CYPROB_BLESS";

/// Holds the matrix to the committed file, so that no change opens a cell unseen.
///
/// One line in a test of the host's own:
///
/// ```no_run
/// # fn test(inventory: cyprob_authz::http::Inventory, roles: cyprob_authz::domain::RoleCatalog) {
/// cyprob_authz::testkit::matrix_is_committed("tests/matrix.txt", &inventory.matrix(&roles));
/// # }
/// ```
///
/// With `CYPROB_BLESS=1` in the environment the file is written anew; the change
/// is reviewed as the file's own difference.
///
/// # Panics
///
/// If a cell is otherwise than in the file: the message counts and names what
/// opens and closes. Also if the file is not there, or cannot be written.
pub fn matrix_is_committed(file: impl AsRef<Path>, matrix: &Matrix) {
    let file = file.as_ref();
    let shown = file.display();
    if std::env::var_os(BLESS).is_some_and(|set| set == "1") {
        let written = std::fs::write(file, matrix.to_snapshot());
        written.unwrap_or_else(|error| panic!("cannot write {shown}: {error}"));
        return;
    }
    let remedy = format!("if that is meant, run with {BLESS}=1 and commit {shown}");
    let committed = std::fs::read_to_string(file)
        .unwrap_or_else(|error| panic!("cannot read the snapshot {shown}: {error}; {remedy}"));
    let changes = matrix.changes_since(&committed);
    assert!(changes.is_empty(), "{changes}{remedy}");
}
