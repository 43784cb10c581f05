//! The statements that a pool of leased credentials makes of its own.

/// As whom a connection is signed in.
pub(super) const SIGNED_IN_AS: &str = "SELECT session_user::text";

/// How many connections a role has open, of this pool or another.
pub(super) const CONNECTIONS_OF: &str = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1";
