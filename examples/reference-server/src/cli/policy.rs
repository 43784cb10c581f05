//! `cyprob policy ...`: judge the roles of a deployment without a server.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use cyprob::authz::domain::Permission;
use cyprob::authz::domain::policy::{Difference, Findings};
use cyprob::core::domain::RoleName;

use super::{Exit, routes, runtime};
use crate::server::{ServeError, roles};

/// Judge the roles of a deployment; no server needed.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say everything that is wrong with a policy, and what is odd about it.
    Check(CheckArgs),
    /// Say what a second policy opens and closes; status 1 if it opens anything.
    Diff(DiffArgs),
    /// Name the roles that have a permission, and under which conditions.
    WhoCan(WhoCanArgs),
    /// Name the routes that a role passes, and under which conditions.
    WhatCan(WhatCanArgs),
}

/// Which policy.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The roles of the deployment, in YAML.
    file: PathBuf,
}

/// Which policies.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The policy that is in force.
    before: PathBuf,
    /// The policy that is to come.
    after: PathBuf,
}

/// Which permission.
#[derive(Debug, Args)]
pub(crate) struct WhoCanArgs {
    /// The permission, such as `runs:create`.
    permission: Permission,
    /// The roles of the deployment, in YAML; only the built-in ones when not given.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// Which role.
#[derive(Debug, Args)]
pub(crate) struct WhatCanArgs {
    /// The role, such as `auditor`.
    role: RoleName,
    /// The roles of the deployment, in YAML; only the built-in ones when not given.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

impl PolicyCommand {
    /// Runs the command.
    pub(crate) fn run(self) -> Exit {
        match self {
            Self::Check(args) => runtime::run(check(args)),
            Self::Diff(args) => match diff(&args) {
                Ok(exit) => exit,
                Err(error) => runtime::run(async { Err(error) }),
            },
            Self::WhoCan(args) => runtime::run(async move { who_can(&args) }),
            Self::WhatCan(args) => runtime::run(what_can(args)),
        }
    }
}

async fn check(args: CheckArgs) -> Result<(), ServeError> {
    let (catalog, written) = roles::written(&args.file)?;
    let inventory = routes::inventory().await?;
    let found = Findings::of(&catalog, inventory.asked());
    let mut text = String::new();
    for role in catalog.roles().into_iter().filter(|role| !role.builtin) {
        text.push_str(&format!("{}\n", role.name));
        for permission in role.rights.at_most().iter() {
            let extent = role.rights.extent(permission);
            text.push_str(&format!("  {permission}: {extent}\n"));
        }
    }
    for permission in found.never_granted.iter() {
        text.push_str(&format!("no role permits {permission}\n"));
    }
    for permission in found.unused.iter() {
        text.push_str(&format!("no route asks {permission}\n"));
    }
    for (narrow, wide) in &found.subsumed {
        text.push_str(&format!("{narrow} permits nothing that {wide} does not\n"));
    }
    for grant in Findings::of_no_object(&written, inventory.asked_of_objects()) {
        for permission in grant.it.iter() {
            text.push_str(&format!(
                "{}: no route of objects asks {permission}: given of some objects alone, it opens nothing\n",
                grant.at
            ));
        }
    }
    print(&text)
}

fn diff(args: &DiffArgs) -> Result<Exit, ServeError> {
    let load = |path: &Path| roles::catalog(Some(path));
    let difference = Difference::between(&load(&args.before)?, &load(&args.after)?);
    let (opened, closed) = (difference.opened.len(), difference.closed.len());
    print(&format!(
        "{difference}this opens {opened} and closes {closed} cells of role and permission\n"
    ))?;
    Ok(match opened {
        0 => Exit::Held,
        _ => Exit::Findings,
    })
}

fn who_can(args: &WhoCanArgs) -> Result<(), ServeError> {
    let catalog = roles::catalog(args.policy.as_deref())?;
    let mut text = String::new();
    for role in catalog.who_can(args.permission) {
        let extent = role.rights.extent(args.permission);
        text.push_str(&format!("{}: {extent}\n", role.name));
    }
    print(&text)
}

async fn what_can(args: WhatCanArgs) -> Result<(), ServeError> {
    let catalog = roles::catalog(args.policy.as_deref())?;
    let Some(role) = catalog.get(&args.role) else {
        return Err(ServeError::NoRole(args.role));
    };
    let inventory = routes::inventory().await?;
    let mut text = String::new();
    for (route, extent) in inventory.what_can(&role.rights) {
        text.push_str(&format!("{} {}: {extent}\n", route.method, route.path));
    }
    print(&text)
}

fn print(text: &str) -> Result<(), ServeError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).map_err(ServeError::System)
}
