//! The facts of authority blocks.

use std::collections::BTreeMap;

use cyprob_core::domain::{Aal, Epoch, RoleVersion, Timestamp};

use super::block::Block;
use super::reader::{Reader, Value};
use super::shape::ShapeError;
use super::symbols::Symbols;
use super::templates;
use crate::domain::{AccessClaims, JobClaims, OrgClaims, RuleSetDigest, ServiceClaims};

/// What an authority block of one kind says.
pub(super) trait Authority: Sized {
    /// Whether tokens of this kind are sealed.
    const SEALED: bool;

    /// Reads the block; every fact exactly once, none unknown.
    fn read(block: &Block<'_>, symbols: &Symbols<'_>) -> Result<Self, ShapeError>;
}

/// The `kind` fact of a person's access token.
pub(super) const KIND_USER: &str = "user";
/// The `kind` fact of a service account's access token.
pub(super) const KIND_SERVICE: &str = "service";
/// The `kind` fact of a worker's job token.
pub(super) const KIND_JOB: &str = "job";

/// What the token of a caller says, before its signatures are looked at.
#[derive(Debug)]
pub(super) enum CallerClaims {
    Person(AccessClaims),
    Service(ServiceClaims),
}

impl Authority for CallerClaims {
    const SEALED: bool = false;

    fn read(block: &Block<'_>, symbols: &Symbols<'_>) -> Result<Self, ShapeError> {
        let mut facts = Facts::of(block, symbols)?;
        let claims = match facts.text("kind")? {
            KIND_USER => Self::Person(person(&mut facts)?),
            KIND_SERVICE => Self::Service(service(&mut facts)?),
            _ => return Err(ShapeError::AuthorityFacts),
        };
        facts.done()?;
        Ok(claims)
    }
}

fn person(facts: &mut Facts<'_>) -> Result<AccessClaims, ShapeError> {
    let org = if facts.has("org") {
        Some(org(facts, "member_epoch")?)
    } else {
        None
    };
    Ok(AccessClaims {
        id: facts.parsed("jti")?,
        user: facts.parsed("user")?,
        org,
        session: facts.parsed("session")?,
        user_epoch: facts.epoch("epoch")?,
        audience: facts.parsed("aud")?,
        aal: facts.aal("aal")?,
        auth_time: facts.date("auth_time")?,
        expires_at: facts.expiry,
        administrator: facts.bool("administrator")?,
    })
}

fn service(facts: &mut Facts<'_>) -> Result<ServiceClaims, ShapeError> {
    Ok(ServiceClaims {
        id: facts.parsed("jti")?,
        account: facts.parsed("service")?,
        key: facts.parsed("key")?,
        on_behalf_of: facts.parsed("on_behalf_of")?,
        org: org(facts, "epoch")?,
        audience: facts.parsed("aud")?,
        expires_at: facts.expiry,
    })
}

fn org(facts: &mut Facts<'_>, epoch: &str) -> Result<OrgClaims, ShapeError> {
    let version = if facts.has("role_id") {
        Some(RoleVersion {
            id: facts.parsed("role_id")?,
            epoch: facts.epoch("role_epoch")?,
        })
    } else {
        None
    };
    Ok(OrgClaims {
        id: facts.parsed("org")?,
        slug: facts.parsed("slug")?,
        role: facts.parsed("role")?,
        version,
        member_epoch: facts.epoch(epoch)?,
    })
}

impl Authority for JobClaims {
    const SEALED: bool = true;

    fn read(block: &Block<'_>, symbols: &Symbols<'_>) -> Result<Self, ShapeError> {
        let mut facts = Facts::of(block, symbols)?;
        if facts.text("kind")? != KIND_JOB {
            return Err(ShapeError::AuthorityFacts);
        }
        let claims = Self {
            id: facts.parsed("jti")?,
            run: facts.parsed("run")?,
            fence: facts.number("fence")?,
            rule_set: facts.digest("rule_set")?,
            org: facts.parsed("org")?,
            on_behalf_of: facts.parsed("on_behalf_of")?,
            audience: facts.parsed("aud")?,
            deadline: facts.expiry,
        };
        facts.done()?;
        Ok(claims)
    }
}

/// The facts of a block by name, each of one value, and its expiry.
struct Facts<'a> {
    by_name: BTreeMap<&'a str, Value<'a>>,
    symbols: &'a Symbols<'a>,
    expiry: Timestamp,
}

impl<'a> Facts<'a> {
    fn of(block: &Block<'a>, symbols: &'a Symbols<'a>) -> Result<Self, ShapeError> {
        let mut by_name = BTreeMap::new();
        for fact in &block.facts {
            let (name, value) = of_one_value(*fact).ok_or(ShapeError::AuthorityFacts)?;
            if by_name.insert(symbols.get(name)?, value).is_some() {
                return Err(ShapeError::AuthorityFacts);
            }
        }
        let [check] = block.checks.as_slice() else {
            return Err(ShapeError::AuthorityFacts);
        };
        Ok(Self {
            by_name,
            symbols,
            expiry: timestamp(templates::expiry(*check, symbols)?)?,
        })
    }

    fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    fn take(&mut self, name: &str) -> Result<Value<'a>, ShapeError> {
        self.by_name.remove(name).ok_or(ShapeError::AuthorityFacts)
    }

    fn text(&mut self, name: &str) -> Result<&'a str, ShapeError> {
        match self.take(name)? {
            Value::String(index) => self.symbols.get(index),
            _ => Err(ShapeError::AuthorityFacts),
        }
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &str) -> Result<T, ShapeError> {
        self.text(name)?
            .parse()
            .map_err(|_| ShapeError::AuthorityFacts)
    }

    fn number<N: TryFrom<i64>>(&mut self, name: &str) -> Result<N, ShapeError> {
        match self.take(name)? {
            Value::Integer(number) => N::try_from(number).map_err(|_| ShapeError::AuthorityFacts),
            _ => Err(ShapeError::AuthorityFacts),
        }
    }

    fn epoch(&mut self, name: &str) -> Result<Epoch, ShapeError> {
        self.number(name).map(Epoch::new)
    }

    fn aal(&mut self, name: &str) -> Result<Aal, ShapeError> {
        Aal::new(self.number(name)?).ok_or(ShapeError::AuthorityFacts)
    }

    fn bool(&mut self, name: &str) -> Result<bool, ShapeError> {
        match self.take(name)? {
            Value::Bool(value) => Ok(value),
            _ => Err(ShapeError::AuthorityFacts),
        }
    }

    fn date(&mut self, name: &str) -> Result<Timestamp, ShapeError> {
        match self.take(name)? {
            Value::Date(second) => timestamp(second),
            _ => Err(ShapeError::AuthorityFacts),
        }
    }

    fn digest(&mut self, name: &str) -> Result<RuleSetDigest, ShapeError> {
        match self.take(name)? {
            Value::Bytes(bytes) => <[u8; 32]>::try_from(bytes)
                .map(RuleSetDigest::new)
                .map_err(|_| ShapeError::AuthorityFacts),
            _ => Err(ShapeError::AuthorityFacts),
        }
    }

    fn done(self) -> Result<(), ShapeError> {
        if self.by_name.is_empty() {
            Ok(())
        } else {
            Err(ShapeError::AuthorityFacts)
        }
    }
}

/// A fact of one value, as its name's place in the symbols and the value.
fn of_one_value(mut fact: Reader<'_>) -> Option<(u64, Value<'_>)> {
    let mut predicate = fact.message(1)?;
    fact.end()?;
    let name = predicate.number(1)?;
    let value = Value::read(predicate.message(2)?)?;
    predicate.end()?;
    Some((name, value))
}

/// A whole second as a time; one past the last representable time is refused.
fn timestamp(second: u64) -> Result<Timestamp, ShapeError> {
    let signed = i64::try_from(second).map_err(|_| ShapeError::AuthorityFacts)?;
    let at = Timestamp::from_seconds(signed);
    if at.as_seconds() == signed {
        Ok(at)
    } else {
        Err(ShapeError::AuthorityFacts)
    }
}
