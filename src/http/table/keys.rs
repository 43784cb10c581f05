//! The routes of the keys that sign tokens.

use cyprob_authz::http::{Endpoint, Method, SecureRouter};

use crate::http::{ApiState, keys};

pub(super) fn routes(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    let all = "/api/v1/system/keys";
    router
        .add(Endpoint::new(Method::Get, all, keys::list).operation::<keys::__path_list>())
        .add(
            Endpoint::new(Method::Post, &format!("{all}/rotate"), keys::rotate)
                .operation::<keys::__path_rotate>(),
        )
        .add(
            Endpoint::new(Method::Post, &format!("{all}/revoke"), keys::revoke)
                .operation::<keys::__path_revoke>(),
        )
}
