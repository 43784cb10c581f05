//! How the server stands to the user of a connection.

use std::borrow::Cow;

use sqlx::postgres::PgExecutor;

use super::sql;

/// What a server says clearly of a user; that it cannot be asked is neither of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The user may work.
    Holds,
    /// The user may not sign in; sessions that are open go on.
    Refused,
    /// There is no such user: no session of it can do anything.
    Gone,
}

/// The codes of SQL for a user that is not there, and for one who may not sign in.
const NO_SUCH_USER: &str = "42704";
const NOT_LET_IN: [&str; 2] = ["28000", "28P01"];

/// Asks a server how it stands to the user of a connection.
pub(super) async fn asked(connection: impl PgExecutor<'_>) -> Result<Standing, sqlx::Error> {
    let may = sqlx::query_scalar::<_, bool>(sql::MAY_SIGN_IN);
    match may.fetch_optional(connection).await {
        Ok(Some(true)) => Ok(Standing::Holds),
        Ok(Some(false)) => Ok(Standing::Refused),
        Ok(None) => Ok(Standing::Gone),
        Err(error) => said(error),
    }
}

/// What a failure says of the user, if it says anything.
pub(super) fn said(error: sqlx::Error) -> Result<Standing, sqlx::Error> {
    let code = error.as_database_error().and_then(|error| error.code());
    match code.map(Cow::into_owned).as_deref() {
        Some(NO_SUCH_USER) => Ok(Standing::Gone),
        Some(code) if NOT_LET_IN.contains(&code) => Ok(Standing::Refused),
        _ => Err(error),
    }
}
