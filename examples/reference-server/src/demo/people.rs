//! People: bootstrap, organizations, sign-in, roles, isolation, revocation.

use http::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::client::{Client, text};
use super::steps::{Failed, Steps, Unexpected};
use crate::server::Running;

/// Who owns the first organization.
pub(super) const OWNER: &str = "ada@acme.example";
/// The password of everybody in the demo.
pub(super) const PASSWORD: &str = "a pass phrase for the demo alone";

/// Tokens of those who take part.
pub(super) struct People {
    /// The owner of acme, who is the deployment's administrator.
    pub(super) owner: String,
    /// The owner of globex.
    pub(super) rival: String,
    /// The organizations' ids.
    pub(super) acme: String,
    pub(super) globex: String,
}

async fn sign_in(client: &Client, email: &str) -> Result<Value, Unexpected> {
    let body = json!({ "email": email, "password": PASSWORD });
    let answer = client
        .call(Method::POST, "/api/v1/auth/login", None, &body)
        .await?;
    Ok(answer.expect(200)?.json())
}

async fn accept(client: &Client, token: &str, name: &str) -> Result<(), Unexpected> {
    let body = json!({ "token": token, "name": name, "password": PASSWORD });
    let path = "/api/v1/invitations/accept";
    client
        .call(Method::POST, path, None, &body)
        .await?
        .expect(201)
        .map(drop)
}

/// From nothing to two organizations that cannot see each other.
pub(super) async fn walk(
    steps: &mut Steps,
    client: &Client,
    running: &Running,
) -> Result<People, Failed> {
    let token = running
        .bootstrap_token()
        .map(ExposeSecret::expose_secret)
        .unwrap_or_default();
    let bootstrap = async {
        let body = json!({
            "token": token, "email": OWNER, "password": PASSWORD, "name": "Ada",
            "org": { "slug": "acme", "name": "Acme" },
        });
        let path = "/api/v1/bootstrap";
        let made = client
            .call(Method::POST, path, None, &body)
            .await?
            .expect(201)?
            .json();
        client
            .call(Method::POST, path, None, &body)
            .await?
            .expect(404)?;
        text(&made, "/org/id")
    };
    let claim = "the one-time token makes the administrator once, then the door is closed";
    let acme = steps.check("bootstrap", claim, bootstrap).await?;

    let owner = async { text(&sign_in(client, OWNER).await?, "/access_token") };
    let claim = "a password gives a capability token and a refresh token";
    let owner = steps.check("sign-in", claim, owner).await?;

    let second = async {
        let body =
            json!({ "slug": "globex", "name": "Globex", "owner_email": "bo@globex.example" });
        let made = client
            .post("/api/v1/system/orgs", &owner, &body)
            .await?
            .expect(201)?
            .json();
        accept(client, &text(&made, "/invitation/token")?, "Bo").await?;
        let rival = text(
            &sign_in(client, "bo@globex.example").await?,
            "/access_token",
        )?;
        Ok::<_, Unexpected>((text(&made, "/id")?, rival))
    };
    let claim = "made by the administrator, owned by who accepts the invitation";
    let (globex, rival) = steps.check("second organization", claim, second).await?;

    let roles = async {
        let body = json!({ "email": "vi@acme.example", "role": "viewer" });
        let path = "/api/v1/orgs/acme/invitations";
        let made = client.post(path, &owner, &body).await?.expect(201)?.json();
        accept(client, &text(&made, "/token")?, "Vi").await?;
        let viewer = text(&sign_in(client, "vi@acme.example").await?, "/access_token")?;
        client
            .get("/api/v1/orgs/acme/plugins", &viewer)
            .await?
            .expect(200)?;
        client
            .post("/api/v1/orgs/acme/runs", &viewer, &json!({ "facts": [] }))
            .await?
            .expect(403)
    };
    steps
        .check(
            "roles",
            "a viewer sees plugins and may not start a run",
            roles,
        )
        .await?;

    let people = People {
        owner,
        rival,
        acme,
        globex,
    };
    let isolation = async {
        let foreign = [&people.globex, "globex"];
        let below = [
            "",
            "/members",
            "/plugins",
            "/runs",
            "/audit",
            "/sessions",
            "/audit/checkpoint",
        ];
        for org in foreign {
            for below in below {
                let path = format!("/api/v1/orgs/{org}{below}");
                client.get(&path, &people.owner).await?.expect(404)?;
            }
        }
        client
            .get("/api/v1/orgs/no-such-organization", &people.owner)
            .await?
            .expect(404)
    };
    let claim = "what is globex's looks to acme as what does not exist, 15 times";
    steps.check("isolation", claim, isolation).await?;
    Ok(people)
}

/// A session that ends takes its tokens with it.
pub(super) async fn revocation(steps: &mut Steps, client: &Client) -> Result<(), Failed> {
    let revoked = async {
        let session = sign_in(client, OWNER).await?;
        let access = text(&session, "/access_token")?;
        client.get("/api/v1/me", &access).await?.expect(200)?;
        let path = "/api/v1/auth/logout";
        client
            .call(Method::POST, path, Some(&access), &json!({}))
            .await?
            .expect(204)?;
        client.get("/api/v1/me", &access).await?.expect(401)?;
        let refresh = json!({ "refresh_token": text(&session, "/refresh_token")? });
        client
            .call(Method::POST, "/api/v1/auth/refresh", None, &refresh)
            .await?
            .expect(401)
    };
    let claim = "after sign-out the access token and the refresh token are dead at once";
    steps.check("revocation", claim, revoked).await.map(drop)
}
