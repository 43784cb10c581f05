//! What conditions look at.

use std::fmt;
use std::net::IpAddr;

use cyprob_core::domain::{Aal, Tag, Timestamp};

/// A request, as far as conditions look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// How strong the sign-in was; none for a service account.
    pub aal: Option<Aal>,
    /// The client's address, where known.
    pub address: Option<IpAddr>,
    /// When.
    pub at: Timestamp,
    /// What it is about; nothing on routes that concern no object.
    pub object: Option<Object>,
}

/// An object, as far as conditions look at it.
///
/// One of several tags is permitted if it would be with one of them alone or
/// with none, so no condition needs to see more than one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Whether it is the caller's own.
    pub own: bool,
    /// Its tag, if it has one.
    pub tag: Option<Tag>,
}

/// For people: `signed in with two factors, from 10.0.0.1, on mon at 08:00, of one's own object tagged a`.
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
        write!(f, ", on {}", super::hours::Moment::of(self.at))?;
        match &self.object {
            None => Ok(()),
            Some(object) => write!(f, ", {object}"),
        }
    }
}

/// `of one's own object tagged a`.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.own {
            true => "of one's own object",
            false => "of another's object",
        })?;
        match &self.tag {
            None => f.write_str(" without tags"),
            Some(tag) => write!(f, " tagged {tag}"),
        }
    }
}
