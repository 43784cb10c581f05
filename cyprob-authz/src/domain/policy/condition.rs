//! What a grant asks besides the role.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use cyprob_core::domain::{Aal, ObjectScope, Tag, Timestamp};

use super::{Circumstances, Hours, Object};
use crate::domain::{Cidr, Rule};

/// What must hold for a grant to count: all that is set.
///
/// Some of it is asked of the request, and some of the object that it is about.
/// Where a request is about no object, a condition that asks something of one
/// never holds.
///
/// # Examples
///
/// ```
/// use cyprob_authz::domain::policy::{Circumstances, Condition};
/// use cyprob_authz::domain::Rule;
/// use cyprob_core::domain::{Aal, Timestamp};
///
/// let office = Condition {
///     aal: Some(Aal::Two),
///     addresses: vec!["10.0.0.0/8".parse()?],
///     ..Condition::default()
/// };
/// let mut now = Circumstances {
///     aal: Some(Aal::Two),
///     address: "10.1.2.3".parse().ok(),
///     at: Timestamp::UNIX_EPOCH,
///     object: None,
/// };
/// assert_eq!(office.objection(&now), None);
/// now.address = None;
/// assert_eq!(office.objection(&now), Some(Rule::ConditionAddress));
/// # Ok::<(), cyprob_authz::domain::CidrError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// The sign-in showed at least this; a service account shows none.
    pub aal: Option<Aal>,
    /// The client is in one of these ranges; anywhere, if there are none.
    pub addresses: Vec<Cidr>,
    /// It is one of these times; any, if none are set.
    pub hours: Option<Hours>,
    /// The object is the caller's own.
    pub own: bool,
    /// The object has any of these tags; whichever it has, if there are none.
    pub tags: BTreeSet<Tag>,
}

impl Condition {
    /// The most ranges of one condition.
    pub const MOST_RANGES: usize = 16;

    /// The most tags of one condition.
    pub const MOST_TAGS: usize = 16;

    /// Whether nothing is asked.
    #[must_use]
    pub fn is_none(&self) -> bool {
        !self.asks_request() && !self.asks_object()
    }

    /// Whether something is asked of the request.
    #[must_use]
    pub const fn asks_request(&self) -> bool {
        self.aal.is_some() || !self.addresses.is_empty() || self.hours.is_some()
    }

    /// Whether something is asked of the object.
    #[must_use]
    pub fn asks_object(&self) -> bool {
        self.own || !self.tags.is_empty()
    }

    /// The objects of which all that is asked of one holds: every one, if nothing is.
    #[must_use]
    pub fn scope(&self) -> ObjectScope {
        let tags = || self.tags.iter().cloned();
        match (self.own, self.tags.is_empty()) {
            (false, true) => ObjectScope::ALL,
            (true, true) => ObjectScope::OWN,
            (false, false) => ObjectScope::tagged(tags()),
            (true, false) => ObjectScope::own_tagged(tags()),
        }
    }

    /// The first part of it that does not hold.
    ///
    /// What is asked of the object comes first: no other request would change it.
    #[must_use]
    pub fn objection(&self, now: &Circumstances) -> Option<Rule> {
        if !self.admits_object(now.object.as_ref()) {
            return Some(Rule::ConditionObject);
        }
        self.objection_to_request(now)
    }

    /// The first part of what is asked of the request that does not hold, whatever it is about.
    #[must_use]
    pub fn objection_to_request(&self, now: &Circumstances) -> Option<Rule> {
        if !self.admits_sign_in(now.aal) {
            Some(Rule::ConditionAal)
        } else if !self.admits_address(now.address) {
            Some(Rule::ConditionAddress)
        } else if !self.admits_time(now.at) {
            Some(Rule::ConditionHours)
        } else {
            None
        }
    }

    pub(super) fn admits_sign_in(&self, shown: Option<Aal>) -> bool {
        self.aal.is_none_or(|least| shown >= Some(least))
    }

    pub(super) fn admits_address(&self, address: Option<IpAddr>) -> bool {
        let near = |at| self.addresses.iter().any(|range| range.contains(at));
        self.addresses.is_empty() || address.is_some_and(near)
    }

    pub(super) fn admits_time(&self, at: Timestamp) -> bool {
        self.hours.as_ref().is_none_or(|hours| hours.contains(at))
    }

    pub(super) fn admits_object(&self, object: Option<&Object>) -> bool {
        let Some(Object { own, tag }) = object else {
            return !self.asks_object();
        };
        let marked = |tag: &Tag| self.tags.contains(tag);
        (*own || !self.own) && (self.tags.is_empty() || tag.as_ref().is_some_and(marked))
    }

    /// Whether all of it holds.
    #[must_use]
    pub fn holds(&self, now: &Circumstances) -> bool {
        self.objection(now).is_none()
    }
}

impl Condition {
    /// What is asked of the object: `of one's own objects tagged a or b`.
    pub(super) fn write_object(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.asks_object() {
            f.write_str(if self.own {
                "of one's own objects"
            } else {
                "of objects"
            })?;
        }
        for (number, tag) in self.tags.iter().enumerate() {
            let before = if number == 0 { " tagged" } else { " or" };
            write!(f, "{before} {tag}")?;
        }
        Ok(())
    }

    /// What is asked of the request.
    pub(super) fn write_request(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        if let Some(aal) = self.aal {
            f.write_str(match aal {
                Aal::One => "signed in by a person",
                Aal::Two => "signed in with two factors",
            })?;
            between = ", ";
        }
        for (number, range) in self.addresses.iter().enumerate() {
            let before = if number == 0 { "from " } else { "or " };
            let between = if number == 0 { between } else { " " };
            write!(f, "{between}{before}{range}")?;
        }
        if !self.addresses.is_empty() {
            between = ", ";
        }
        if let Some(hours) = &self.hours {
            write!(f, "{between}on {hours}")?;
        }
        Ok(())
    }
}

/// For people: `signed in with two factors, from 10.0.0.0/8, on mon-fri 08:00-18:00`, and after it what the object must be.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_request(f)?;
        if self.asks_request() && self.asks_object() {
            f.write_str(", ")?;
        }
        self.write_object(f)
    }
}

#[cfg(test)]
mod tests;
