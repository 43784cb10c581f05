//! The list of routes with their policies.

use std::sync::{Arc, OnceLock};

use serde::Serialize;

use super::policy::RoutePolicy;
use super::router::{Endpoint, Method};
use crate::domain::PermissionSet;
use crate::domain::policy::{Extent, Rights};

/// One route as `system/routes` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteEntry {
    /// The method's name.
    pub method: &'static str,
    /// The path with its `{names}`.
    pub path: String,
    /// `public`, `authenticated`, `organization`, `organization objects`, `system` or `worker`.
    pub policy: &'static str,
    /// The permission asked, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<&'static str>,
    /// Whether a fresh sign-in is asked.
    pub step_up: bool,
    /// Whether a call is recorded in the trail.
    pub audited: bool,
    /// The policy as a value.
    #[serde(skip)]
    pub rule: RoutePolicy,
}

/// Every route of a sealed router, by path and method.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    routes: Vec<RouteEntry>,
    #[cfg(feature = "openapi")]
    pub(super) documented: Vec<super::openapi::Documented>,
}

/// Where a sealed router leaves its inventory; clones share it.
#[derive(Clone, Debug, Default)]
pub struct InventoryHandle(Arc<OnceLock<Inventory>>);

impl InventoryHandle {
    /// The inventory, once the router is sealed.
    #[must_use]
    pub fn get(&self) -> Option<&Inventory> {
        self.0.get()
    }

    pub(super) fn publish(&self, inventory: Inventory) {
        // the first router to be sealed with this handle is the one it shows
        let _ = self.0.set(inventory);
    }
}

impl Inventory {
    pub(super) fn of<S>(endpoints: &[Endpoint<S>]) -> Self {
        let mut sorted: Vec<_> = endpoints.iter().collect();
        sorted.sort_by_key(|e| (e.path.clone(), e.method));
        let entry = |e: &&Endpoint<S>| RouteEntry {
            method: e.method.as_str(),
            path: e.path.clone(),
            policy: e.policy.name(),
            permission: e.policy.permission(),
            step_up: e.policy.step_up(),
            audited: e.audited || e.method != Method::Get,
            rule: e.policy,
        };
        Self {
            routes: sorted.iter().map(entry).collect(),
            #[cfg(feature = "openapi")]
            documented: sorted.iter().map(|e| super::openapi::of(e)).collect(),
        }
    }

    /// The routes.
    #[must_use]
    pub fn routes(&self) -> &[RouteEntry] {
        &self.routes
    }

    /// The permissions that routes of organizations ask.
    #[must_use]
    pub fn asked(&self) -> PermissionSet {
        let rules = self.routes.iter().map(|route| route.rule);
        rules.filter_map(RoutePolicy::org_permission).collect()
    }

    /// The permissions that routes of organizations ask of objects.
    #[must_use]
    pub fn asked_of_objects(&self) -> PermissionSet {
        let rules = self.routes.iter().map(|route| route.rule);
        let objects = rules.filter(|rule| matches!(rule, RoutePolicy::Objects { .. }));
        objects.filter_map(RoutePolicy::org_permission).collect()
    }

    /// The routes of its organization that a holder of these rights passes, and how far.
    pub fn what_can<'a>(
        &'a self,
        rights: &'a Rights,
    ) -> impl Iterator<Item = (&'a RouteEntry, Extent<'a>)> {
        self.routes.iter().filter_map(|route| {
            let extent = route.rule.extent(rights)?;
            (extent != Extent::Never).then_some((route, extent))
        })
    }

    /// As a JSON array.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self.routes)
    }

    /// As a Markdown table.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = "| method | path | policy | permission | step up | audited |\n\
                        | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
        for r in &self.routes {
            let [permission, step_up, audited] = cells(r);
            text.push_str(&format!(
                "| {} | `{}` | {} | {permission} | {step_up} | {audited} |\n",
                r.method, r.path, r.policy
            ));
        }
        text
    }

    /// As comma-separated values with a header (RFC 4180).
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = "method,path,policy,permission,step_up,audited\r\n".to_owned();
        for r in &self.routes {
            let [permission, step_up, audited] = cells(r);
            // INVARIANT: paths have no comma or quote, the seal refuses them
            text.push_str(&format!(
                "{},{},{},{permission},{step_up},{audited}\r\n",
                r.method, r.path, r.policy
            ));
        }
        text
    }
}

fn cells(route: &RouteEntry) -> [&'static str; 3] {
    let yes = |is| if is { "yes" } else { "no" };
    [
        route.permission.unwrap_or(""),
        yes(route.step_up),
        yes(route.audited),
    ]
}
