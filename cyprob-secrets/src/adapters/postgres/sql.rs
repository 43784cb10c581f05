//! The statements that a pool of leased credentials makes of its own.

/// As whom a connection is signed in; an error if there is no such user any more.
pub(super) const SIGNED_IN_AS: &str = "SELECT session_user::text";

/// Whether the user of a connection may sign in now.
pub(super) const MAY_SIGN_IN: &str = "SELECT rolcanlogin AND COALESCE(rolvaliduntil > now(), TRUE) FROM pg_roles WHERE rolname = session_user";

/// How many connections a role has open, of this pool or another.
pub(super) const CONNECTIONS_OF: &str = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1";
