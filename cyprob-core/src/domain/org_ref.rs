//! How a request names an organization.

use std::fmt;
use std::str::FromStr;

use super::{Membership, OrgId, OrgSlug, SlugError};

/// An organization by id or by slug; no text is both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OrgRef {
    /// By id.
    Id(OrgId),
    /// By slug.
    Slug(OrgSlug),
}

impl OrgRef {
    /// Whether it names this membership's organization.
    #[must_use]
    pub fn names(&self, membership: &Membership) -> bool {
        match self {
            Self::Id(id) => *id == membership.org,
            Self::Slug(slug) => *slug == membership.slug,
        }
    }
}

impl FromStr for OrgRef {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, SlugError> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Slug),
        }
    }
}

impl fmt::Display for OrgRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Slug(slug) => slug.fmt(f),
        }
    }
}
