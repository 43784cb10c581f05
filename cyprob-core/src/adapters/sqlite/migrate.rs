//! Bringing a schema up to date, or refusing to.

use sqlx::SqlitePool;
use sqlx::migrate::{Migrate, Migrator};

use super::open::OpenError;
use crate::ports::store::BoxError;

/// Applies what is missing, after looking whether the database is from a newer version.
pub(super) async fn run(
    writer: &SqlitePool,
    component: &'static str,
    table: &'static str,
    mut migrator: Migrator,
) -> Result<(), OpenError> {
    let failed = |source: BoxError| OpenError::Migration { component, source };
    migrator.dangerous_set_table_name(table);
    let newest = |versions: &mut dyn Iterator<Item = i64>| versions.max().unwrap_or(0);
    let known = newest(&mut migrator.iter().map(|migration| migration.version));
    let mut connection = writer
        .acquire()
        .await
        .map_err(|error| failed(error.into()))?;
    connection
        .ensure_migrations_table(table)
        .await
        .map_err(|error| failed(error.into()))?;
    let applied = connection
        .list_applied_migrations(table)
        .await
        .map_err(|error| failed(error.into()))?;
    let found = newest(&mut applied.iter().map(|migration| migration.version));
    if found > known {
        return Err(OpenError::Newer {
            component,
            found,
            known,
        });
    }
    drop(connection);
    migrator
        .run(writer)
        .await
        .map_err(|error| failed(error.into()))
}
