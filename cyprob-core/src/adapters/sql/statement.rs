//! Statements, in the words of each database.

/// One statement: the same text for both databases, or one text for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Statement {
    /// A statement that both databases read alike.
    #[must_use]
    pub const fn same(text: &'static str) -> Self {
        Self::each(text, text)
    }

    /// A statement of two texts; an empty one is not run on its database.
    #[must_use]
    pub const fn each(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }

    /// The text for SQLite.
    #[must_use]
    pub const fn sqlite(&self) -> &'static str {
        self.sqlite
    }

    /// The text for PostgreSQL.
    #[must_use]
    pub const fn postgres(&self) -> &'static str {
        self.postgres
    }
}

/// Makes constants of statements, and `ALL`, the list of them for the tests that look at each.
///
/// ```
/// cyprob_core::sql_statements! {
///     NOTE = "SELECT text FROM notes WHERE org_id = $1 AND id = $2";
///     LOCK_NOTE = sqlite "" postgres "SELECT id FROM notes WHERE org_id = $1 AND id = $2 FOR UPDATE";
///     // What several statements have in common is a macro of literals, put together as the code is compiled.
///     NOTES = made cyprob_core::adapters::sql::Statement::same(concat!("SELECT text FROM notes ", "WHERE org_id = $1"));
/// }
/// # fn main() { assert_eq!(ALL.len(), 3); assert_eq!(LOCK_NOTE.sqlite(), ""); assert!(NOTE.postgres().contains("$2")); }
/// ```
#[macro_export]
macro_rules! sql_statements {
    ($($name:ident = $($text:literal)? $(sqlite $sqlite:literal postgres $postgres:literal)? $(made $made:expr)?;)+) => {
        $(pub(crate) const $name: $crate::adapters::sql::Statement =
            $crate::sql_statements!(@ $($text)? $($sqlite, $postgres)? $(made $made)?);)+

        /// All of them, by name.
        #[allow(dead_code, reason = "only tests look at the list")]
        pub(crate) const ALL: &[(&str, $crate::adapters::sql::Statement)] =
            &[$((stringify!($name), $name),)+];
    };
    (@ made $made:expr) => { $made };
    (@ $text:literal) => { $crate::adapters::sql::Statement::same($text) };
    (@ $sqlite:literal, $postgres:literal) => {
        $crate::adapters::sql::Statement::each($sqlite, $postgres)
    };
}
