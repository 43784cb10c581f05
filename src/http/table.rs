//! The table of routes: path and method here, the policy in each handler's first argument.

mod credentials;
mod keys;
mod machines;
mod secrets;

use cyprob_authz::http::{Endpoint, Method, SecureRouter};

use super::{
    ApiState, accounts, audit, auth, console, health, me, members, orgs, plugins, role_reviews,
    runs, service_accounts, system, well_known,
};

/// Adds every route.
pub(crate) fn routes(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    let router = public(router);
    let router = person(router);
    let router = credentials::second_factor(router);
    let router = organization(router);
    let router = machines::routes(router);
    let router = secrets::routes(router);
    let router = logs(router);
    let router = reviews(router);
    let router = plugin_runs(router);
    let router = credentials::recovered(router);
    let router = administered(router);
    keys::routes(deployment(router))
}

fn administered(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    let users = "/api/v1/system/users";
    let one = |below: &str| format!("{users}/{{user}}/{below}");
    router
        .add(
            Endpoint::new(Method::Get, users, accounts::users)
                .operation::<accounts::__path_users>()
                .audited(),
        )
        .add(
            Endpoint::new(Method::Post, &one("disable"), accounts::disable)
                .operation::<accounts::__path_disable>(),
        )
        .add(
            Endpoint::new(Method::Post, &one("enable"), accounts::enable)
                .operation::<accounts::__path_enable>(),
        )
        .add(
            Endpoint::new(
                Method::Post,
                "/api/v1/system/sessions/end",
                accounts::end_sessions,
            )
            .operation::<accounts::__path_end_sessions>(),
        )
}

fn public(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    router
        .add(Endpoint::new(Method::Get, "/", console::page).operation::<console::__path_page>())
        .add(
            Endpoint::new(Method::Get, "/healthz", health::healthz)
                .operation::<health::__path_healthz>(),
        )
        .add(
            Endpoint::new(Method::Get, "/readyz", health::readyz)
                .operation::<health::__path_readyz>(),
        )
        .add(
            Endpoint::new(Method::Get, "/openapi.json", well_known::openapi)
                .operation::<well_known::__path_openapi>(),
        )
        .add(
            Endpoint::new(Method::Get, "/.well-known/cyprob", well_known::cyprob)
                .operation::<well_known::__path_cyprob>(),
        )
        .add(
            Endpoint::new(Method::Post, "/api/v1/auth/login", auth::login)
                .operation::<auth::__path_login>(),
        )
        .add(
            Endpoint::new(Method::Post, "/api/v1/auth/refresh", auth::refresh)
                .operation::<auth::__path_refresh>(),
        )
        .add(
            Endpoint::new(
                Method::Post,
                "/api/v1/auth/service-token",
                service_accounts::exchange,
            )
            .operation::<service_accounts::__path_exchange>(),
        )
        .add(
            Endpoint::new(Method::Post, "/api/v1/bootstrap", auth::bootstrap)
                .operation::<auth::__path_bootstrap>(),
        )
        .add(
            Endpoint::new(Method::Post, "/api/v1/invitations/accept", members::accept)
                .operation::<members::__path_accept>(),
        )
}

fn person(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    let org_token = Endpoint::new(Method::Post, "/api/v1/orgs/{org}/token", me::org_token)
        .operation::<me::__path_org_token>();
    router
        .add(
            Endpoint::new(Method::Post, "/api/v1/auth/logout", auth::logout)
                .operation::<auth::__path_logout>(),
        )
        .add(Endpoint::new(Method::Get, "/api/v1/me", me::me).operation::<me::__path_me>())
        .add(
            Endpoint::new(Method::Post, "/api/v1/me/password", me::password)
                .operation::<me::__path_password>(),
        )
        .add(
            Endpoint::new(Method::Get, "/api/v1/sessions", me::sessions)
                .operation::<me::__path_sessions>(),
        )
        .add(
            Endpoint::new(Method::Delete, "/api/v1/sessions", me::end_other_sessions)
                .operation::<me::__path_end_other_sessions>(),
        )
        .add(
            Endpoint::new(Method::Delete, "/api/v1/sessions/{id}", me::end_session)
                .operation::<me::__path_end_session>(),
        )
        .add(org_token.names_any_org())
}

fn organization(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    router
        .add(
            Endpoint::new(Method::Get, "/api/v1/orgs/{org}", orgs::read)
                .operation::<orgs::__path_read>(),
        )
        .add(
            Endpoint::new(Method::Patch, "/api/v1/orgs/{org}", orgs::update)
                .operation::<orgs::__path_update>(),
        )
        .add(
            Endpoint::new(Method::Get, "/api/v1/orgs/{org}/members", members::list)
                .operation::<members::__path_list>(),
        )
        .add(
            Endpoint::new(
                Method::Put,
                "/api/v1/orgs/{org}/members/{user}",
                members::set_role,
            )
            .operation::<members::__path_set_role>(),
        )
        .add(
            Endpoint::new(
                Method::Delete,
                "/api/v1/orgs/{org}/members/{user}",
                members::remove,
            )
            .operation::<members::__path_remove>(),
        )
        .add(
            Endpoint::new(
                Method::Get,
                "/api/v1/orgs/{org}/invitations",
                members::invitations,
            )
            .operation::<members::__path_invitations>(),
        )
        .add(
            Endpoint::new(
                Method::Post,
                "/api/v1/orgs/{org}/invitations",
                members::invite,
            )
            .operation::<members::__path_invite>(),
        )
        .add(
            Endpoint::new(
                Method::Delete,
                "/api/v1/orgs/{org}/invitations/{id}",
                members::revoke_invitation,
            )
            .operation::<members::__path_revoke_invitation>(),
        )
        .add(
            Endpoint::new(Method::Get, "/api/v1/orgs/{org}/sessions", orgs::sessions)
                .operation::<orgs::__path_sessions>(),
        )
        .add(
            Endpoint::new(
                Method::Delete,
                "/api/v1/orgs/{org}/sessions/{id}",
                orgs::end_session,
            )
            .operation::<orgs::__path_end_session>(),
        )
}

fn reviews(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    let all = "/api/v1/orgs/{org}/role-reviews";
    let one = format!("{all}/{{id}}");
    router
        .add(
            Endpoint::new(Method::Get, all, role_reviews::list)
                .operation::<role_reviews::__path_list>(),
        )
        .add(
            Endpoint::new(Method::Post, all, role_reviews::open)
                .operation::<role_reviews::__path_open>(),
        )
        .add(
            Endpoint::new(Method::Get, &one, role_reviews::read)
                .operation::<role_reviews::__path_read>(),
        )
        .add(
            Endpoint::new(
                Method::Post,
                &format!("{one}/sign-off"),
                role_reviews::sign_off,
            )
            .operation::<role_reviews::__path_sign_off>(),
        )
        .add(
            Endpoint::new(
                Method::Get,
                &format!("{one}/changes"),
                role_reviews::changes,
            )
            .operation::<role_reviews::__path_changes>(),
        )
}

fn deployment(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    router
        .add(
            Endpoint::new(Method::Get, "/api/v1/system/orgs", system::orgs)
                .operation::<system::__path_orgs>(),
        )
        .add(
            Endpoint::new(Method::Post, "/api/v1/system/orgs", system::create_org)
                .operation::<system::__path_create_org>(),
        )
        .add(
            Endpoint::new(Method::Get, "/api/v1/system/routes", system::routes)
                .operation::<system::__path_routes>(),
        )
        .add(
            Endpoint::new(
                Method::Post,
                "/api/v1/system/users/{user}/sign-in/reset",
                system::reset_sign_in,
            )
            .operation::<system::__path_reset_sign_in>(),
        )
}

fn logs(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    let org = "/api/v1/orgs/{org}/audit";
    let system = "/api/v1/system/audit";
    let get = |base: &str, below: &str| format!("{base}{below}");
    router
        .add(
            Endpoint::new(Method::Get, org, audit::list)
                .operation::<audit::__path_list>()
                .audited(),
        )
        .add(
            Endpoint::new(Method::Get, &get(org, "/checkpoint"), audit::checkpoint)
                .operation::<audit::__path_checkpoint>(),
        )
        .add(
            Endpoint::new(Method::Get, &get(org, "/export"), audit::export)
                .operation::<audit::__path_export>()
                .audited(),
        )
        .add(
            Endpoint::new(Method::Get, &get(org, "/{index}/proof"), audit::proof)
                .operation::<audit::__path_proof>(),
        )
        .add(
            Endpoint::new(Method::Get, &get(org, "/{index}/entry"), audit::entry)
                .operation::<audit::__path_entry>(),
        )
        .add(
            Endpoint::new(Method::Get, system, audit::system_list)
                .operation::<audit::__path_system_list>()
                .audited(),
        )
        .add(
            Endpoint::new(
                Method::Get,
                &get(system, "/checkpoint"),
                audit::system_checkpoint,
            )
            .operation::<audit::__path_system_checkpoint>(),
        )
        .add(
            Endpoint::new(
                Method::Get,
                &get(system, "/{index}/proof"),
                audit::system_proof,
            )
            .operation::<audit::__path_system_proof>(),
        )
        .add(
            Endpoint::new(
                Method::Get,
                &get(system, "/{index}/entry"),
                audit::system_entry,
            )
            .operation::<audit::__path_system_entry>(),
        )
}

fn plugin_runs(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    let base = "/api/v1/orgs/{org}";
    let at = |below: &str| format!("{base}{below}");
    router
        .add(
            Endpoint::new(Method::Get, &at("/plugins"), plugins::list)
                .operation::<plugins::__path_list>(),
        )
        .add(
            Endpoint::new(Method::Post, &at("/plugins"), plugins::install)
                .operation::<plugins::__path_install>()
                .body_limit(plugins::MAX_PLUGIN),
        )
        .add(
            Endpoint::new(Method::Get, &at("/plugins/{id}"), plugins::read)
                .operation::<plugins::__path_read>(),
        )
        .add(
            Endpoint::new(Method::Delete, &at("/plugins/{id}"), plugins::remove)
                .operation::<plugins::__path_remove>(),
        )
        .add(
            Endpoint::new(Method::Put, &at("/plugins/{id}/enabled"), plugins::enable)
                .operation::<plugins::__path_enable>(),
        )
        .add(Endpoint::new(Method::Get, &at("/runs"), runs::list).operation::<runs::__path_list>())
        .add(
            Endpoint::new(Method::Post, &at("/runs"), runs::create)
                .operation::<runs::__path_create>()
                .body_limit(runs::MAX_FACTS),
        )
        .add(
            Endpoint::new(Method::Get, &at("/runs/{id}"), runs::read)
                .operation::<runs::__path_read>(),
        )
        .add(
            Endpoint::new(Method::Post, &at("/runs/{id}/cancel"), runs::cancel)
                .operation::<runs::__path_cancel>(),
        )
        .add(
            Endpoint::new(Method::Get, &at("/runs/{id}/findings"), runs::findings)
                .operation::<runs::__path_findings>(),
        )
}
