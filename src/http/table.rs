//! The table of routes: path and method here, the policy in each handler's first argument.

use cyprob_authz::http::{Endpoint, Method, SecureRouter};

use super::{ApiState, auth, console, health, me, members, orgs, system, well_known};

/// Adds every route.
pub(crate) fn routes(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    let router = public(router);
    let router = person(router);
    let router = organization(router);
    deployment(router)
}

fn public(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    router
        .get("/", console::page)
        .get("/healthz", health::healthz)
        .get("/readyz", health::readyz)
        .get("/openapi.json", well_known::openapi)
        .get("/.well-known/cyprob", well_known::cyprob)
        .post("/api/v1/auth/login", auth::login)
        .post("/api/v1/auth/refresh", auth::refresh)
        .post("/api/v1/bootstrap", auth::bootstrap)
        .post("/api/v1/invitations/accept", members::accept)
}

fn person(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    let org_token = Endpoint::new(Method::Post, "/api/v1/orgs/{org}/token", me::org_token);
    router
        .post("/api/v1/auth/logout", auth::logout)
        .get("/api/v1/me", me::me)
        .post("/api/v1/me/password", me::password)
        .get("/api/v1/sessions", me::sessions)
        .delete("/api/v1/sessions", me::end_other_sessions)
        .delete("/api/v1/sessions/{id}", me::end_session)
        .add(org_token.names_any_org())
}

fn organization(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    router
        .get("/api/v1/orgs/{org}", orgs::read)
        .patch("/api/v1/orgs/{org}", orgs::update)
        .get("/api/v1/orgs/{org}/members", members::list)
        .put("/api/v1/orgs/{org}/members/{user}", members::set_role)
        .delete("/api/v1/orgs/{org}/members/{user}", members::remove)
        .get("/api/v1/orgs/{org}/invitations", members::invitations)
        .post("/api/v1/orgs/{org}/invitations", members::invite)
        .delete(
            "/api/v1/orgs/{org}/invitations/{id}",
            members::revoke_invitation,
        )
        .get("/api/v1/orgs/{org}/roles", orgs::roles)
        .get("/api/v1/orgs/{org}/sessions", orgs::sessions)
        .delete("/api/v1/orgs/{org}/sessions/{id}", orgs::end_session)
}

fn deployment(router: SecureRouter<ApiState>) -> SecureRouter<ApiState> {
    router
        .get("/api/v1/system/orgs", system::orgs)
        .post("/api/v1/system/orgs", system::create_org)
        .get("/api/v1/system/routes", system::routes)
}
