//! The routes of organizations' secrets.

use cyprob_authz::http::{Endpoint, Method, SecureRouter};

use crate::http::{ApiState, secrets};

pub(super) fn routes(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    let all = "/api/v1/orgs/{org}/secrets";
    let one = format!("{all}/{{name}}");
    router
        .add(Endpoint::new(Method::Get, all, secrets::list).operation::<secrets::__path_list>())
        .add(Endpoint::new(Method::Put, &one, secrets::put).operation::<secrets::__path_put>())
        .add(
            Endpoint::new(Method::Delete, &one, secrets::delete)
                .operation::<secrets::__path_delete>(),
        )
        .add(
            Endpoint::new(Method::Post, &format!("{one}/rotate"), secrets::rotate)
                .operation::<secrets::__path_rotate>(),
        )
}
