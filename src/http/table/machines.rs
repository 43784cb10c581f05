//! Own roles, service accounts and their keys.

use cyprob_authz::http::{Endpoint, Method, SecureRouter};

use crate::http::{ApiState, roles, service_accounts};

pub(super) fn routes(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    let roles = "/api/v1/orgs/{org}/roles";
    let role = "/api/v1/orgs/{org}/roles/{name}";
    let accounts = "/api/v1/orgs/{org}/service-accounts";
    let account = "/api/v1/orgs/{org}/service-accounts/{id}";
    let keys = "/api/v1/orgs/{org}/service-accounts/{id}/keys";
    let key = "/api/v1/orgs/{org}/service-accounts/{id}/keys/{key}";
    router
        .add(Endpoint::new(Method::Get, roles, roles::list).operation::<roles::__path_list>())
        .add(Endpoint::new(Method::Post, roles, roles::create).operation::<roles::__path_create>())
        .add(Endpoint::new(Method::Put, role, roles::edit).operation::<roles::__path_edit>())
        .add(Endpoint::new(Method::Delete, role, roles::delete).operation::<roles::__path_delete>())
        .add(
            Endpoint::new(Method::Get, accounts, service_accounts::list)
                .operation::<service_accounts::__path_list>(),
        )
        .add(
            Endpoint::new(Method::Post, accounts, service_accounts::create)
                .operation::<service_accounts::__path_create>(),
        )
        .add(
            Endpoint::new(Method::Put, account, service_accounts::change)
                .operation::<service_accounts::__path_change>(),
        )
        .add(
            Endpoint::new(Method::Delete, account, service_accounts::delete)
                .operation::<service_accounts::__path_delete>(),
        )
        .add(
            Endpoint::new(Method::Post, keys, service_accounts::create_key)
                .operation::<service_accounts::__path_create_key>(),
        )
        .add(
            Endpoint::new(Method::Delete, key, service_accounts::revoke_key)
                .operation::<service_accounts::__path_revoke_key>(),
        )
}
