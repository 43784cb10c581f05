//! Credentials that are lent, in use.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use cyprob_core::domain::Timestamp;
use secrecy::SecretString;
use tokio::sync::watch;

use super::Lease;

type GiveBack = Box<dyn Fn(&LeaseId) + Send + Sync>;

/// Credentials that their source made for us, and lends for a time.
pub struct Lent {
    /// The name to sign in with.
    pub username: String,
    /// The password that goes with it.
    pub password: SecretString,
    /// By what they are renewed and taken back.
    pub lease: LeaseId,
    /// For how long they are lent, from the moment at which they were asked for.
    pub term: Duration,
    /// Whether they can be renewed.
    pub renewable: bool,
}

/// The name of a lease at its source; it is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaseId(Arc<str>);

/// Credentials that are lent to this process, until the last who holds them lets go.
///
/// Then they are taken back at their source. Whoever has a connection open
/// that was made with them holds them.
pub struct Credentials {
    generation: u64,
    username: String,
    password: SecretString,
    lease_id: LeaseId,
    renewable: bool,
    /// When they were asked for, and when they end, in microseconds.
    asked_at: AtomicI64,
    ends_at: AtomicI64,
    doubted: watch::Sender<bool>,
    given_back: GiveBack,
}

impl Credentials {
    /// Takes over what was lent to one who asked at that time.
    ///
    /// `give_back` is called once, when the last who holds them lets go; it must not block.
    #[must_use]
    pub fn new(
        lent: Lent,
        generation: u64,
        asked_at: Timestamp,
        give_back: impl Fn(&LeaseId) + Send + Sync + 'static,
    ) -> Self {
        Self {
            generation,
            username: lent.username,
            password: lent.password,
            lease_id: lent.lease,
            renewable: lent.renewable,
            asked_at: AtomicI64::new(asked_at.as_micros()),
            ends_at: AtomicI64::new(asked_at.after(lent.term).as_micros()),
            doubted: watch::Sender::new(false),
            given_back: Box::new(give_back),
        }
    }

    /// The number of these credentials: 1 for the first, and one more for each that replaced others.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The name to sign in with.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The password that goes with it.
    #[must_use]
    pub const fn password(&self) -> &SecretString {
        &self.password
    }

    /// The lease by which they are held.
    #[must_use]
    pub const fn lease_id(&self) -> &LeaseId {
        &self.lease_id
    }

    /// When they end unless they are renewed before.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        Timestamp::from_micros(self.ends_at.load(Ordering::Acquire))
    }

    /// The lease as it stands.
    #[must_use]
    pub fn lease(&self) -> Lease {
        let asked_at = Timestamp::from_micros(self.asked_at.load(Ordering::Acquire));
        Lease::new(asked_at, self.ends_at().since(asked_at))
    }

    /// Whether the lease can be renewed.
    #[must_use]
    pub const fn is_renewable(&self) -> bool {
        self.renewable
    }

    /// Says that the server where one signs in with them refuses them.
    ///
    /// Their keeper renews or replaces them then. Repeating it changes nothing until it has, nor
    /// does it once they are replaced. That the server is out of reach is no doubt.
    pub fn doubt(&self) {
        self.doubted
            .send_if_modified(|doubted| !std::mem::replace(doubted, true));
    }

    /// Whether they are in doubt, and their keeper has no answer yet.
    #[must_use]
    pub fn is_doubted(&self) -> bool {
        *self.doubted.borrow()
    }

    /// Waits until they are in doubt, or are not any more.
    pub(crate) fn doubted(&self, doubted: bool) -> impl Future<Output = ()> + Send + use<> {
        let mut now = self.doubted.subscribe();
        async move {
            let _ = now.wait_for(|now| *now == doubted).await;
        }
    }

    /// Their source says that they hold: the doubt was answered.
    pub(crate) fn believe(&self) {
        self.doubted
            .send_if_modified(|doubted| std::mem::replace(doubted, false));
    }

    /// The lease was renewed for one who asked at that time.
    ///
    /// INVARIANT: only the keeper's own task calls it
    pub(crate) fn renewed(&self, asked_at: Timestamp, term: Duration) {
        self.asked_at.store(asked_at.as_micros(), Ordering::Release);
        let ends_at = asked_at.after(term);
        self.ends_at.store(ends_at.as_micros(), Ordering::Release);
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        (self.given_back)(&self.lease_id);
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("generation", &self.generation)
            .field("username", &self.username)
            .field("lease_id", &self.lease_id)
            .field("ends_at", &self.ends_at())
            .field("doubted", &self.is_doubted())
            .finish_non_exhaustive()
    }
}

impl LeaseId {
    /// Takes the name that the source gave.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent")
            .field("username", &self.username)
            .field("lease", &self.lease)
            .field("term", &self.term)
            .field("renewable", &self.renewable)
            .finish_non_exhaustive()
    }
}
