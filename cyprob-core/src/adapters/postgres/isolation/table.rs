//! What a table is said to hold.

/// A table, and whose rows it holds.
///
/// ```
/// use cyprob_core::adapters::postgres::Table;
///
/// const SCANS: Table = Table::tenant("public.scans");
/// assert_eq!(SCANS.schema(), "public");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    name: &'static str,
    pub(super) kind: Kind,
    pub(super) own: bool,
}

/// Whose rows a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Each row is of one organization.
    Tenant,
    /// A row is of one organization or of none.
    Mixed,
    /// No row is of an organization.
    Global,
}

impl Table {
    const fn of(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            own: false,
        }
    }

    /// Each row is of one organization: the column `org_id` is never null.
    ///
    /// The owner calls `cyprob.hold_to_organization(table, false)` once. A name
    /// without a schema is in the schema `cyprob`.
    #[must_use]
    pub const fn tenant(name: &'static str) -> Self {
        Self::of(name, Kind::Tenant)
    }

    /// A row is of one organization, or of none where `org_id` is null.
    ///
    /// The owner calls `cyprob.hold_to_organization(table, true)` once.
    #[must_use]
    pub const fn mixed(name: &'static str) -> Self {
        Self::of(name, Kind::Mixed)
    }

    /// No row is of an organization.
    #[must_use]
    pub const fn global(name: &'static str) -> Self {
        Self::of(name, Kind::Global)
    }

    /// People see their own rows as well, by the column `user_id`.
    #[must_use]
    pub const fn and_own(mut self) -> Self {
        self.own = true;
        self
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &'static str {
        self.name
            .split_once('.')
            .map_or(super::super::options::SCHEMA, |(schema, _)| schema)
    }

    /// The name within the schema.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
            .split_once('.')
            .map_or(self.name, |(_, name)| name)
    }
}
