//! What a grant asks besides the role.

use std::fmt;
use std::net::IpAddr;

use cyprob_core::domain::{Aal, Timestamp};

use super::Hours;
use crate::domain::{Cidr, Rule};

/// What must hold for a grant to count: all that is set.
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
}

/// A request, as far as conditions look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// How strong the sign-in was; none for a service account.
    pub aal: Option<Aal>,
    /// The client's address, where known.
    pub address: Option<IpAddr>,
    /// When.
    pub at: Timestamp,
}

impl Condition {
    /// The most ranges of one condition.
    pub const MOST_RANGES: usize = 16;

    /// Whether nothing is asked.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.aal.is_none() && self.addresses.is_empty() && self.hours.is_none()
    }

    /// The first part of it that does not hold.
    #[must_use]
    pub fn objection(&self, now: &Circumstances) -> Option<Rule> {
        if self.aal.is_some_and(|least| now.aal < Some(least)) {
            return Some(Rule::ConditionAal);
        }
        let near = |at| self.addresses.iter().any(|range| range.contains(at));
        if !self.addresses.is_empty() && !now.address.is_some_and(near) {
            return Some(Rule::ConditionAddress);
        }
        let open = |hours: &Hours| hours.contains(now.at);
        if !self.hours.as_ref().is_none_or(open) {
            return Some(Rule::ConditionHours);
        }
        None
    }

    /// Whether all of it holds.
    #[must_use]
    pub fn holds(&self, now: &Circumstances) -> bool {
        self.objection(now).is_none()
    }
}

/// For people: `a sign-in with two factors, from 10.0.0.0/8, on mon-fri 08:00-18:00`.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

/// For people: `signed in with two factors, from 10.0.0.1, on mon at 08:00`.
impl fmt::Display for Circumstances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.aal {
            None => "a service account",
            Some(Aal::One) => "signed in with one factor",
            Some(Aal::Two) => "signed in with two factors",
        })?;
        match self.address {
            None => f.write_str(", from an unknown address")?,
            Some(address) => write!(f, ", from {address}")?,
        }
        write!(f, ", on {}", super::hours::Moment::of(self.at))
    }
}
