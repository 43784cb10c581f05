//! A control plane in an application: one organization, one protected route of the host's own.
//!
//! `cargo run --example quickstart -- DIR` serves on a free loopback port and prints how to call it.
#![allow(clippy::print_stdout, reason = "a program for people")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use cyprob::Embedded;
use cyprob::authz::http::{Auth, Org, SecureRouter, perm};
use cyprob::core::domain::Caller;
use cyprob::core::service::{Bootstrap, FirstAdministrator};
use serde_json::{Value, json};

/// Whoever may see runs sees the scans of their own organization; nobody else gets in here.
async fn scans(org: Auth<Org<perm::RunsRead>>) -> Json<Value> {
    Json(json!({ "organization": org.org().to_string(), "scans": [] }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).ok_or("usage: quickstart DIR")?);
    let embedded = Embedded::open(&directory).await?;
    let plane = embedded.builder().build().await?;
    let background = plane.start().await?;

    // The first start makes the administrator, who owns the first organization.
    if let Bootstrap::Open(token) = plane.identity().arm_bootstrap().await? {
        let first = FirstAdministrator {
            email: "ada@example.com".parse()?,
            password: "correct horse battery staple".into(),
            name: "Ada".parse()?,
            org_slug: "acme".parse()?,
            org_name: "Acme".parse()?,
        };
        plane
            .identity()
            .bootstrap(&token, first, &Caller::system("quickstart"))
            .await?;
    }

    // The host's routes stand beside the control plane's, under the same guard.
    let own = SecureRouter::new(Arc::clone(plane.access()), ()).get("/orgs/{org}/scans", scans);
    let (app, _) = cyprob::http::routes(plane)
        .merge(own)
        .seal(&cyprob::http::public_routes()?)?;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/orgs/acme/scans", listener.local_addr()?);
    let ended = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, app)
        .with_graceful_shutdown(ended)
        .await?;
    background.stop().await?;
    embedded.close().await;
    Ok(())
}
