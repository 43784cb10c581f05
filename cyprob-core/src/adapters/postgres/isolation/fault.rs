//! What may be wrong.

use std::fmt;

use super::super::options::OpenError;

/// A way past the isolation of organizations; its text names the place and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The server has known holes (CVE-2025-8713: statistics tell of rows that policies hide).
    #[error(
        "the server has version {found}: update it to {needed} or later of its line (CVE-2025-8713)"
    )]
    OldServer {
        /// The version found, as `server_version_num` says it.
        found: i32,
        /// The first version without the holes.
        needed: i32,
    },
    /// The runtime role is not held to policies.
    #[error("role {role} is {what}, which no policy holds: connect as a role that is not")]
    Role {
        /// The role.
        role: String,
        /// What it is.
        what: &'static str,
    },
    /// The runtime role can become one that is not held to policies.
    #[error("role {role} may become {other}, which {why}: REVOKE {other} FROM {role}")]
    Membership {
        /// The role.
        role: String,
        /// The role it may become.
        other: String,
        /// What that one is.
        why: &'static str,
    },
    /// The runtime role may change a table or a schema itself.
    #[error("role {role} owns {thing}: ALTER TABLE or ALTER SCHEMA … OWNER TO the owner's role")]
    Owner {
        /// The role.
        role: String,
        /// The table or schema.
        thing: String,
    },
    /// A right that row level security does not hold.
    #[error(
        "role {role} may {right} {thing}, which no policy holds: REVOKE {right} ON {thing} FROM {role}"
    )]
    Right {
        /// The role.
        role: String,
        /// The right.
        right: &'static str,
        /// The table or schema.
        thing: String,
    },
    /// A table that nobody declared.
    #[error(
        "table {table} is not declared: declare it to verify_isolation, or move it to another schema"
    )]
    Forgotten {
        /// The table.
        table: String,
    },
    /// A declared table is not there.
    #[error("table {table} is declared and not there: run the migrations")]
    Missing {
        /// The table.
        table: String,
    },
    /// A table without an organization, or whose organization may be missing.
    #[error("table {table} has no column org_id of type uuid that is never null: add it")]
    NoOrganization {
        /// The table.
        table: String,
    },
    /// Row level security is off.
    #[error(
        "table {table} has no row level security: ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    )]
    NotEnabled {
        /// The table.
        table: String,
    },
    /// Row level security does not hold the owner.
    #[error(
        "row level security of {table} does not hold its owner: ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
    )]
    NotForced {
        /// The table.
        table: String,
    },
    /// A policy that is not the one there must be, or one more.
    #[error(
        "policy {policy} of {table} is another one than it must be: drop it and call cyprob.hold_to_organization"
    )]
    Policy {
        /// The table.
        table: String,
        /// The policy.
        policy: String,
    },
    /// The policy is missing.
    #[error("table {table} has no policy {policy}: call cyprob.hold_to_organization")]
    NoPolicy {
        /// The table.
        table: String,
        /// The policy.
        policy: &'static str,
    },
    /// A unique key tells of other organizations' rows.
    #[error(
        "unique key {key} of {table} does not begin with org_id, so it tells of other organizations' rows: put org_id first"
    )]
    Key {
        /// The table.
        table: String,
        /// The key.
        key: String,
    },
    /// A foreign key tells of other organizations' rows.
    #[error(
        "foreign key {key} of {table} does not begin with org_id, so it tells of other organizations' rows: put org_id first on both sides"
    )]
    ForeignKey {
        /// The table.
        table: String,
        /// The key.
        key: String,
    },
    /// A materialized view holds rows of all organizations.
    #[error("materialized view {view} holds rows of {table} past row level security: drop it")]
    MaterializedView {
        /// The view.
        view: String,
        /// The table.
        table: String,
    },
    /// A view reads with its owner's rights.
    #[error(
        "view {view} reads {table} with its owner's rights: ALTER VIEW {view} SET (security_invoker = true)"
    )]
    View {
        /// The view.
        view: String,
        /// The table.
        table: String,
    },
    /// A function runs with the rights of a role that is not held to policies.
    #[error(
        "function {function} runs as {owner}, which no policy holds: REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC and from the runtime role"
    )]
    Function {
        /// The function.
        function: String,
        /// Its owner.
        owner: String,
    },
    /// A table that holds rows of a tenant table under another name.
    #[error("table {child} holds rows of {table} and has policies of its own: detach it")]
    Child {
        /// The table.
        table: String,
        /// The one that inherits from it.
        child: String,
    },
}

/// The database does not keep organizations apart, or it could not be seen whether it does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IsolationError {
    /// Every fault that was found.
    #[error("{}", Listed(.0))]
    Faults(Vec<Fault>),
    /// The database did not answer.
    #[error("the isolation of organizations cannot be verified")]
    Database(#[from] OpenError),
}

struct Listed<'a>(&'a [Fault]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the database does not keep organizations apart, {} faults",
            self.0.len()
        )?;
        self.0.iter().try_for_each(|fault| write!(f, "; {fault}"))
    }
}
