//! Who calls, once the token is verified.

use std::sync::{Arc, OnceLock};

use cyprob_core::domain::Aal;

use super::policy::Rights;
use super::{AccessClaims, Claims, Narrowings, OrgClaims, PermissionSet, RootKeyId, ServiceClaims};

/// A token whose shape and signatures held: what the cache keeps.
#[derive(Debug)]
pub struct Verified<C> {
    pub(crate) key: RootKeyId,
    /// The bytes of that key: an id may be given to another one.
    pub(crate) public: [u8; 32],
    pub(crate) claims: C,
    pub(crate) narrowings: Narrowings,
    /// What the role permits, once it is known.
    ///
    /// INVARIANT: a built-in role never changes while the process runs, nor does
    /// a version of an organization's own; so what was found holds as long as the token.
    pub(crate) role: OnceLock<Arc<Rights>>,
}

impl<C> Verified<C> {
    pub(crate) const fn new(
        key: RootKeyId,
        public: [u8; 32],
        claims: C,
        narrowings: Narrowings,
    ) -> Self {
        Self {
            key,
            public,
            claims,
            narrowings,
            role: OnceLock::new(),
        }
    }
}

/// A verified token of either kind. Clones share it.
#[derive(Clone, Debug)]
pub enum VerifiedToken {
    /// A person's.
    Person(Arc<Verified<AccessClaims>>),
    /// A service account's.
    Service(Arc<Verified<ServiceClaims>>),
}

impl VerifiedToken {
    /// What it says.
    #[must_use]
    pub fn claims(&self) -> Claims<'_> {
        match self {
            Self::Person(token) => Claims::Person(&token.claims),
            Self::Service(token) => Claims::Service(&token.claims),
        }
    }

    /// The key that signed it.
    #[must_use]
    pub fn key(&self) -> RootKeyId {
        match self {
            Self::Person(token) => token.key,
            Self::Service(token) => token.key,
        }
    }

    pub(crate) fn narrowings(&self) -> &Narrowings {
        match self {
            Self::Person(token) => &token.narrowings,
            Self::Service(token) => &token.narrowings,
        }
    }

    pub(crate) fn role(&self) -> &OnceLock<Arc<Rights>> {
        match self {
            Self::Person(token) => &token.role,
            Self::Service(token) => &token.role,
        }
    }
}

/// A person who calls.
#[derive(Clone, Debug)]
pub struct Person(Arc<Verified<AccessClaims>>);

impl Person {
    /// What the token says.
    #[must_use]
    pub fn claims(&self) -> &AccessClaims {
        &self.0.claims
    }

    /// How the holder narrowed the token.
    #[must_use]
    pub fn narrowings(&self) -> &Narrowings {
        &self.0.narrowings
    }

    /// The same caller, not known to be a person.
    #[must_use]
    pub fn principal(&self) -> Principal {
        Principal::new(VerifiedToken::Person(Arc::clone(&self.0)))
    }
}

/// A caller: a verified token whose role is known.
#[derive(Clone, Debug)]
pub struct Principal {
    token: VerifiedToken,
}

impl Principal {
    pub(crate) const fn new(token: VerifiedToken) -> Self {
        Self { token }
    }

    pub(crate) const fn token(&self) -> &VerifiedToken {
        &self.token
    }

    /// What the token says.
    #[must_use]
    pub fn claims(&self) -> Claims<'_> {
        self.token.claims()
    }

    /// The organization the token is for, if any.
    #[must_use]
    pub fn org(&self) -> Option<&OrgClaims> {
        self.claims().org()
    }

    /// How strongly the caller showed who they are; none for a service account.
    #[must_use]
    pub fn aal(&self) -> Option<Aal> {
        match self.claims() {
            Claims::Person(claims) => Some(claims.aal),
            Claims::Service(_) => None,
        }
    }

    /// The person who calls; none for a service account.
    #[must_use]
    pub fn person(&self) -> Option<Person> {
        match &self.token {
            VerifiedToken::Person(token) => Some(Person(Arc::clone(token))),
            VerifiedToken::Service(_) => None,
        }
    }

    /// How the holder narrowed the token.
    #[must_use]
    pub fn narrowings(&self) -> &Narrowings {
        self.token.narrowings()
    }

    /// What the role permits, narrowings apart; nothing while its version was not read.
    #[must_use]
    pub fn rights(&self) -> &Rights {
        match self.token.role().get() {
            Some(rights) => rights,
            None => Rights::NOTHING,
        }
    }

    /// What the caller may do in the token's organization whatever the circumstances: what the role always permits, less what the holder took away.
    #[must_use]
    pub fn permissions(&self) -> PermissionSet {
        let always = self.rights().always();
        always.and(self.narrowings().permissions())
    }
}
