//! The routes of what people sign in with: second factors, forgotten passwords, addresses.

use cyprob_authz::http::{Endpoint, Method, SecureRouter};

use crate::http::{ApiState, auth, factor, recovery};

pub(super) fn second_factor(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    let totp = "/api/v1/me/totp";
    let below = |name: &str| format!("{totp}/{name}");
    router
        .add(
            Endpoint::new(Method::Post, "/api/v1/auth/step-up", auth::step_up)
                .operation::<auth::__path_step_up>(),
        )
        .add(Endpoint::new(Method::Get, totp, factor::read).operation::<factor::__path_read>())
        .add(Endpoint::new(Method::Post, totp, factor::begin).operation::<factor::__path_begin>())
        .add(
            Endpoint::new(Method::Delete, totp, factor::remove)
                .operation::<factor::__path_remove>(),
        )
        .add(
            Endpoint::new(Method::Post, &below("confirm"), factor::confirm)
                .operation::<factor::__path_confirm>(),
        )
        .add(
            Endpoint::new(
                Method::Post,
                &below("recovery-codes"),
                factor::recovery_codes,
            )
            .operation::<factor::__path_recovery_codes>(),
        )
        .add(
            Endpoint::new(
                Method::Post,
                "/api/v1/system/users/{user}/factor/reset",
                factor::reset,
            )
            .operation::<factor::__path_reset>(),
        )
}

pub(super) fn recovered(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    let post = Method::Post;
    router
        .add(
            Endpoint::new(post, "/api/v1/auth/password-reset", recovery::request_reset)
                .operation::<recovery::__path_request_reset>(),
        )
        .add(
            Endpoint::new(
                post,
                "/api/v1/auth/password-reset/confirm",
                recovery::confirm_reset,
            )
            .operation::<recovery::__path_confirm_reset>(),
        )
        .add(
            Endpoint::new(
                post,
                "/api/v1/auth/email-change/confirm",
                recovery::confirm_email,
            )
            .operation::<recovery::__path_confirm_email>(),
        )
        .add(
            Endpoint::new(
                post,
                "/api/v1/auth/email-change/object",
                recovery::object_to_email,
            )
            .operation::<recovery::__path_object_to_email>(),
        )
        .add(
            Endpoint::new(post, "/api/v1/me/email", recovery::change_email)
                .operation::<recovery::__path_change_email>(),
        )
        .add(
            Endpoint::new(post, "/api/v1/me/email/verify", recovery::verify_email)
                .operation::<recovery::__path_verify_email>(),
        )
}
