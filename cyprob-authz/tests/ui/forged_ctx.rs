use cyprob_authz::http::{Auth, Org, perm};
use cyprob_core::domain::{OrgCtx, OrgId};

fn forge(org: OrgId) -> OrgCtx {
    OrgCtx { org }
}

fn borrow(auth: Auth<Org<perm::RunsRead>>) -> Auth<Org<perm::RunsCreate>> {
    auth
}

fn main() {}
