//! Who gets what answer on which route, from the inventory alone.

use cyprob_core::domain::RoleName;
use serde::Serialize;

use super::inventory::{Inventory, RouteEntry};
use super::policy::RoutePolicy;
use crate::domain::policy::{Extent, Rights};
use crate::domain::{PermissionSet, RoleCatalog};

/// The organization in the path, as the caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The token's own.
    Own,
    /// Another one, or one that does not exist.
    Foreign,
}

/// What a call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// The handler runs.
    Allowed,
    /// The handler runs where a condition of the role holds; else it is 403.
    Conditional,
    /// The handler runs, for some of the objects.
    Scoped,
    /// 401.
    Unauthenticated,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
}

impl Expected {
    /// The status of a refusal; none where the handler may answer.
    #[must_use]
    pub const fn status(self) -> Option<u16> {
        match self {
            Self::Allowed | Self::Conditional | Self::Scoped => None,
            Self::Unauthenticated => Some(401),
            Self::Forbidden => Some(403),
            Self::NotFound => Some(404),
        }
    }

    /// In a table: the status of a refusal, else the given words for always, under a condition and for some objects.
    fn cell(self, [allowed, conditional, scoped]: [&str; 3]) -> String {
        match (self, self.status()) {
            (_, Some(status)) => status.to_string(),
            (Self::Conditional, None) => conditional.to_owned(),
            (Self::Scoped, None) => scoped.to_owned(),
            (_, None) => allowed.to_owned(),
        }
    }
}

/// One cell: a caller at a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatrixRow {
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// `anonymous`, a role's name, `no_organization`, `administrator` (without an organization, freshly signed in), or `service_account` (in the role `admin`).
    pub caller: String,
    /// Which organization the path names.
    pub place: Place,
    /// What comes of it, with a living token fresh enough for the route.
    pub expected: Expected,
    /// Under which conditions the handler runs and of which objects, where some are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// All cells: every route, every caller, own and foreign organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Matrix {
    /// The cells.
    pub rows: Vec<MatrixRow>,
    /// What each route asks: `GET /runs`, and `organization runs:read`.
    #[serde(skip)]
    pub asked: Vec<(String, String)>,
}

enum Who<'a> {
    Anonymous,
    Role(&'a RoleName, Held<'a>),
    NoOrg,
    Administrator,
    Service(Held<'a>),
}

/// What a role permits, and what of it always of some objects.
struct Held<'a> {
    rights: &'a Rights,
    of_some: PermissionSet,
}

impl<'a> Held<'a> {
    fn new(rights: &'a Rights) -> Self {
        let of_some = rights.always_of_some();
        Self { rights, of_some }
    }

    fn at(&self, rule: RoutePolicy) -> Expected {
        let objects = matches!(rule, RoutePolicy::Objects { .. });
        let some = |permission| objects && self.of_some.contains(permission);
        match rule.extent(self.rights) {
            None | Some(Extent::Never) => Expected::Forbidden,
            Some(Extent::Always) => Expected::Allowed,
            Some(Extent::Conditional(_)) => match rule.org_permission().is_some_and(some) {
                true => Expected::Scoped,
                false => Expected::Conditional,
            },
        }
    }
}

impl Inventory {
    /// The matrix of this inventory for the roles of a catalogue.
    #[must_use]
    pub fn matrix(&self, roles: &RoleCatalog) -> Matrix {
        let mut callers = vec![Who::Anonymous];
        for role in roles.roles() {
            callers.push(Who::Role(&role.name, Held::new(&role.rights)));
        }
        let service = Who::Service(Held::new(roles.rights(&RoleName::ADMIN)));
        callers.extend([Who::NoOrg, Who::Administrator, service]);
        let mut rows = Vec::new();
        for route in self.routes() {
            let places: &[Place] = match route.rule {
                RoutePolicy::Org { .. } | RoutePolicy::Objects { .. } => {
                    &[Place::Own, Place::Foreign]
                }
                _ => &[Place::Own],
            };
            for who in &callers {
                for place in places {
                    let expected = who.at(route, *place);
                    rows.push(MatrixRow {
                        method: route.method,
                        path: route.path.clone(),
                        caller: who.name(),
                        place: *place,
                        expected,
                        when: who.when(route, expected),
                    });
                }
            }
        }
        let asked = self.routes().iter().map(|route| {
            let permission = route.permission.unwrap_or_default();
            let fresh = if route.step_up { " freshly" } else { "" };
            let asked = format!("{} {permission}", route.policy);
            let route = format!("{} {}", route.method, route.path);
            (route, format!("{}{fresh}", asked.trim_end()))
        });
        let asked = asked.collect();
        Matrix { rows, asked }
    }
}

impl Matrix {
    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self.rows)
    }

    /// As comma-separated values with a header.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = "method,path,caller,place,expected\r\n".to_owned();
        for r in &self.rows {
            let place = if r.place == Place::Own {
                "own"
            } else {
                "foreign"
            };
            let expected = r.expected.cell(["allowed", "conditional", "scoped"]);
            text.push_str(&format!(
                "{},{},{},{place},{expected}\r\n",
                r.method, r.path, r.caller
            ));
        }
        text
    }

    /// As a Markdown table: a line for each route, a column for each caller in its own organization.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let own = || self.rows.iter().filter(|r| r.place == Place::Own);
        let mut callers: Vec<&str> = Vec::new();
        for row in own() {
            if !callers.contains(&row.caller.as_str()) {
                callers.push(&row.caller);
            }
        }
        let mut text = format!("| route | {} |\n|", callers.join(" | "));
        text.push_str(&" --- |".repeat(callers.len() + 1));
        let mut route = None;
        for row in own() {
            if route != Some((row.method, row.path.as_str())) {
                route = Some((row.method, row.path.as_str()));
                text.push_str(&format!("\n| {} `{}` |", row.method, row.path));
            }
            text.push_str(&format!(" {} |", row.expected.cell(["yes", "if", "some"])));
        }
        text.push('\n');
        text
    }
}

impl Who<'_> {
    fn name(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Role(name, _) => name.to_string(),
            Self::NoOrg => "no_organization".to_owned(),
            Self::Administrator => "administrator".to_owned(),
            Self::Service(_) => "service_account".to_owned(),
        }
    }

    fn when(&self, route: &RouteEntry, expected: Expected) -> Option<String> {
        match (self, expected) {
            (
                Self::Role(_, Held { rights, .. }) | Self::Service(Held { rights, .. }),
                Expected::Conditional | Expected::Scoped,
            ) => route.rule.extent(rights).map(|extent| extent.to_string()),
            _ => None,
        }
    }

    fn at(&self, route: &RouteEntry, place: Place) -> Expected {
        match (route.rule, self) {
            (RoutePolicy::Public, _) => Expected::Allowed,
            (_, Self::Anonymous) | (RoutePolicy::Worker, _) => Expected::Unauthenticated,
            (RoutePolicy::Authenticated { .. }, Self::Service(_)) => Expected::Forbidden,
            (RoutePolicy::Authenticated { .. }, _)
            | (RoutePolicy::System { .. }, Self::Administrator) => Expected::Allowed,
            (RoutePolicy::System { .. }, _) => Expected::Forbidden,
            (
                RoutePolicy::Org { step_up, .. } | RoutePolicy::Objects { step_up, .. },
                Self::Role(_, held) | Self::Service(held),
            ) => match place {
                Place::Foreign => Expected::NotFound,
                Place::Own if step_up && matches!(self, Self::Service(_)) => Expected::Forbidden,
                Place::Own => held.at(route.rule),
            },
            (
                RoutePolicy::Org { .. } | RoutePolicy::Objects { .. },
                Self::NoOrg | Self::Administrator,
            ) => Expected::NotFound,
        }
    }
}
