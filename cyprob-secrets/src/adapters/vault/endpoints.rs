//! Calls that the client library lacks, or makes in a way that cannot be used.
//!
//! None of them derives `Debug`: some hold what must not be printed.

use rustify_derive::Endpoint;

use super::writing::Kept;

/// Logs in as a role of machines.
#[derive(Endpoint)]
#[endpoint(path = "auth/{self.mount}/login", method = "POST")]
pub(super) struct LogInByAppRole {
    #[endpoint(skip)]
    pub(super) mount: String,
    pub(super) role_id: String,
    pub(super) secret_id: String,
}

/// Logs in with a signed token.
#[derive(Endpoint)]
#[endpoint(path = "auth/{self.mount}/login", method = "POST")]
pub(super) struct LogInByJwt {
    #[endpoint(skip)]
    pub(super) mount: String,
    pub(super) role: String,
    pub(super) jwt: String,
}

/// Extends the life of the token that it is sent with, by as much as its role allows.
#[derive(Endpoint)]
#[endpoint(path = "auth/token/renew-self", method = "POST")]
pub(super) struct RenewToken {}

/// Ends the token that it is sent with.
#[derive(Endpoint)]
#[endpoint(path = "auth/token/revoke-self", method = "POST")]
pub(super) struct RevokeToken {}

/// Says what a wrapping token wraps, without taking it out.
#[derive(Endpoint)]
#[endpoint(path = "sys/wrapping/lookup", method = "POST")]
pub(super) struct LookUpWrapping {
    pub(super) token: String,
}

/// Takes out what the token wraps that it is sent with.
#[derive(Endpoint)]
#[endpoint(path = "sys/wrapping/unwrap", method = "POST")]
pub(super) struct Unwrap {}

/// Says whether the server serves; a standby that forwards does.
#[derive(Endpoint)]
#[endpoint(path = "sys/health")]
pub(super) struct Health {
    #[endpoint(query)]
    pub(super) standbyok: bool,
    #[endpoint(query)]
    pub(super) perfstandbyok: bool,
}

/// What the token that it is sent with may do at these paths.
#[derive(Endpoint)]
#[endpoint(path = "sys/capabilities-self", method = "POST")]
pub(super) struct Capabilities {
    pub(super) paths: Vec<&'static str>,
}

/// What is mounted there, for whoever may do anything below it.
#[derive(Endpoint)]
#[endpoint(path = "sys/internal/ui/mounts/{self.mount}")]
pub(super) struct UsedMount {
    #[endpoint(skip)]
    pub(super) mount: String,
}

/// What is mounted there, for whoever may look at mounts.
#[derive(Endpoint)]
#[endpoint(path = "sys/mounts/{self.mount}")]
pub(super) struct AnyMount {
    #[endpoint(skip)]
    pub(super) mount: String,
}

/// Extends a lease by as much as its role allows.
#[derive(Endpoint)]
#[endpoint(path = "sys/leases/renew", method = "POST")]
pub(super) struct RenewLease {
    pub(super) lease_id: String,
}

/// Ends a lease.
#[derive(Endpoint)]
#[endpoint(path = "sys/leases/revoke", method = "POST")]
pub(super) struct RevokeLease {
    pub(super) lease_id: String,
    pub(super) sync: bool,
}

/// Writes the next version of a secret, if the last is the stated one.
#[derive(Endpoint)]
#[endpoint(path = "{self.mount}/data/{self.path}", method = "POST")]
pub(super) struct WriteSecret {
    #[endpoint(skip)]
    pub(super) mount: String,
    #[endpoint(skip)]
    pub(super) path: String,
    pub(super) data: Kept,
    pub(super) options: serde_json::Value,
}

/// Makes a namespace below the one that is asked; one that is there stays as it is.
#[derive(Endpoint)]
#[endpoint(path = "sys/namespaces/{self.name}", method = "PUT")]
pub(super) struct MakeNamespace {
    #[endpoint(skip)]
    pub(super) name: String,
}

/// The namespaces below the one that is asked.
#[derive(Endpoint)]
#[endpoint(path = "sys/namespaces", method = "LIST")]
pub(super) struct ListNamespaces {}
