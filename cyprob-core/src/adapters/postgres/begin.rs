//! The message that begins a transaction.
//!
//! BEGIN and the scope go in one message, so that no statement can come before
//! the scope and a round trip is saved. Such a message takes no parameters, so
//! this is the one place where a statement is built: from typed identifiers
//! printed as hex, and from numbers. Settings are local to the transaction: on a
//! pooled connection a setting of the session would meet the next user of it.

use std::fmt::Write as _;
use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::super::sql::{Mode, Scope};
use crate::domain::Id;

/// The statements that begin a transaction in a scope.
pub(super) fn begin(mode: Mode, scope: &Scope, limit: Duration) -> AssertSqlSafe<String> {
    let begin = match mode {
        Mode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ",
        Mode::Write => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ",
    };
    AssertSqlSafe(format!("{begin}{}", settings(scope, limit)))
}

/// The statement that binds the rest of a transaction to another scope.
pub(super) fn rescope(scope: &Scope, limit: Duration) -> AssertSqlSafe<String> {
    AssertSqlSafe(settings(scope, limit))
}

fn settings(scope: &Scope, limit: Duration) -> String {
    // INVARIANT: hex digits, digits and one word of this function make up the text
    let org = scope.of_org().map(digits).unwrap_or_default();
    let user = scope.of_user().map(digits).unwrap_or_default();
    let system = if scope.reason().is_some() { "on" } else { "" };
    let millis = limit.as_millis();
    format!(
        "SELECT set_config('cyprob.org', '{org}', true), \
         set_config('cyprob.user', '{user}', true), \
         set_config('cyprob.system', '{system}', true), \
         set_config('statement_timeout', '{millis}', true)"
    )
}

fn digits(id: impl Id) -> String {
    id.to_bytes()
        .iter()
        .fold(String::with_capacity(32), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{OrgId, Timestamp, UserId};

    #[test]
    fn the_text_is_made_of_digits_alone() {
        let at = Timestamp::from_seconds(1_700_000_000);
        let org = OrgId::from_random(at, *b"'; DROP --");
        let user = UserId::from_random(at, [0xff; 10]);
        let scope = Scope::user_in(user, Some(org));
        let text = begin(Mode::Write, &scope, Duration::from_millis(1_500)).0;
        let (_, org_hex) = text.split_once("'cyprob.org', '").unwrap();
        let (org_hex, _) = org_hex.split_once('\'').unwrap();
        assert_eq!(org_hex, hex::encode(org.as_bytes()));
        assert_eq!(text.matches('\'').count(), 16);
        assert!(text.contains("set_config('cyprob.system', '', true)"));
        assert!(text.contains("'statement_timeout', '1500', true"));
        let reason = Scope::system("x'; DROP TABLE users; --");
        let text = begin(Mode::Read, &reason, Duration::MAX).0;
        assert!(!text.contains("DROP"));
        assert!(text.contains("set_config('cyprob.system', 'on', true)"));
    }
}
