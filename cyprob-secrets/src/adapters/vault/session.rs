//! The token of a connection: taken, kept alive, and taken anew.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Duration;

use cyprob_core::domain::Timestamp;
use cyprob_core::ports::{Clock, Entropy, EntropyExt};
use tokio::sync::watch;
use vaultrs::api::token::requests::LookupTokenSelfRequest;

use super::endpoints::{RenewToken, RevokeToken};
use super::fault::{Fault, Outage};
use super::login::{LoginRefusal, VaultLogin};
use super::reply::Reply;
use super::risk::Accepted;
use super::token::{Issued, Token};
use super::transport::{Prepared, Transport};
use crate::domain::Backoff;

/// How often the time to renew is looked at: a machine may have slept in between.
const LOOK: Duration = Duration::from_secs(15);
/// How often at most.
const SOONEST: Duration = Duration::from_millis(500);
/// For how long a token is not looked at after one that was new was denied as the one before.
const UNLOOKED: Duration = Duration::from_secs(60);
/// The pause before a node that is behind is asked again, and how often it is.
const BEHIND: (Duration, u32) = (Duration::from_millis(50), 3);

#[derive(Debug)]
pub(super) struct Session {
    pub(super) transport: Transport,
    login: VaultLogin,
    accepted: Accepted,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    current: RwLock<Option<Arc<Token>>>,
    /// Held by whoever logs in.
    turn: tokio::sync::Mutex<()>,
    failed: Mutex<Failed>,
    refused: watch::Sender<Option<LoginRefusal>>,
    /// Until when a token that was denied is not looked at: it may not even look at itself.
    unlooked_until: AtomicI64,
    /// Whether it was logged out, and was not used since.
    rests: AtomicBool,
}

/// The logins in a row that came to nothing.
#[derive(Debug, Default)]
struct Failed {
    backoff: Backoff,
    /// The last of them, and until when it counts as the answer to everybody.
    last: Option<(Fault, Timestamp)>,
}

impl Session {
    pub(super) fn new(
        transport: Transport,
        login: VaultLogin,
        accepted: Accepted,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            transport,
            login,
            accepted,
            clock,
            entropy,
            current: RwLock::new(None),
            turn: tokio::sync::Mutex::new(()),
            failed: Mutex::new(Failed::default()),
            refused: watch::Sender::new(None),
            unlooked_until: AtomicI64::new(i64::MIN),
            rests: AtomicBool::new(false),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sends a request with the token; once again with a new one, if the token is dead.
    pub(super) async fn call(self: &Arc<Self>, request: &Prepared) -> Result<Reply, Fault> {
        let token = self.token().await?;
        match self.send(request, &token).await {
            Err(Fault::Denied) if self.is_looked_at() && self.is_dead(&token).await => {}
            other => return other,
        }
        self.drop_token(&token);
        let token = self.token().await?;
        let answer = self.send(request, &token).await;
        if matches!(answer, Err(Fault::Denied)) {
            // The one before was not dead, or this one is denied all the same.
            let until = self.now().after(UNLOOKED);
            self.unlooked_until
                .store(until.as_micros(), Ordering::Release);
        }
        answer
    }

    fn is_looked_at(&self) -> bool {
        self.now().as_micros() >= self.unlooked_until.load(Ordering::Acquire)
    }

    async fn send(&self, request: &Prepared, token: &Token) -> Result<Reply, Fault> {
        let (pause, times) = BEHIND;
        for _ in 0..times {
            match self.transport.send(request, Some(token.header())).await {
                Err(Fault::Outage(Outage::Behind)) => tokio::time::sleep(pause).await,
                other => return other,
            }
        }
        self.transport.send(request, Some(token.header())).await
    }

    /// Whether a token that was answered with 403 may not even look at itself.
    ///
    /// Where nobody says, it is not: what was denied is denied, and no outage.
    async fn is_dead(&self, token: &Token) -> bool {
        let Ok(lookup) = self.transport.prepare(LookupTokenSelfRequest::default()) else {
            return false;
        };
        matches!(self.send(&lookup, token).await, Err(Fault::Denied))
    }

    /// The token in use, or a new one.
    pub(super) async fn token(self: &Arc<Self>) -> Result<Arc<Token>, Fault> {
        if let Some(token) = self.usable() {
            return Ok(token);
        }
        // In a task of its own: whoever leaves ends no login in the middle, and loses no
        // secret id that can be taken out once.
        let session = Arc::clone(self);
        let logging_in = tokio::spawn(async move { session.token_in_turn().await });
        logging_in.await.unwrap_or(Err(Outage::Broken.into()))
    }

    async fn token_in_turn(&self) -> Result<Arc<Token>, Fault> {
        let _turn = self.turn.lock().await;
        match self.usable() {
            Some(token) => Ok(token),
            None => self.log_in().await,
        }
    }

    pub(super) fn current(&self) -> Option<Arc<Token>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    fn usable(&self) -> Option<Arc<Token>> {
        let at = self.now();
        self.current()
            .filter(|token| token.lease().is_none_or(|lease| !lease.is_over(at)))
    }

    /// INVARIANT: only in one's turn
    async fn log_in(&self) -> Result<Arc<Token>, Fault> {
        let at = self.now();
        if let Some((fault, until)) = &self.failures().last
            && at < *until
        {
            return Err(fault.clone());
        }
        let issued = self.login.log_in(&self.transport).await;
        let token = issued.and_then(|issued| issued.accept(&self.accepted, at, self.chance()));
        match token {
            Ok(token) => {
                *self.failures() = Failed::default();
                self.tell(None);
                Ok(self.adopt(token))
            }
            Err(fault) => {
                if let Fault::Login(refusal) = &fault {
                    tracing::warn!(refusal = %refusal, "vault login refused");
                    self.tell(Some(*refusal));
                }
                let mut failures = self.failures();
                let until = self.now().after(failures.backoff.next());
                failures.last = Some((fault.clone(), until));
                Err(fault)
            }
        }
    }

    /// Why logins are refused now, as it changes.
    pub(super) fn refusals(&self) -> watch::Receiver<Option<LoginRefusal>> {
        self.refused.subscribe()
    }

    fn tell(&self, refusal: Option<LoginRefusal>) {
        self.refused.send_if_modified(|known| {
            let changed = *known != refusal;
            *known = refusal;
            changed
        });
    }

    fn chance(&self) -> u16 {
        u16::from_be_bytes(self.entropy.bytes())
    }

    fn failures(&self) -> MutexGuard<'_, Failed> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why there is no token, or none anew.
    pub(super) fn last_failure(&self) -> Option<Fault> {
        self.failures()
            .last
            .as_ref()
            .map(|(fault, _)| fault.clone())
    }

    /// Ends the token at the server, and takes no other before it is used again.
    pub(super) async fn end(&self) -> Result<(), Fault> {
        // A renewal that is on its way would put another token in its place.
        let _turn = self.turn.lock().await;
        self.rests.store(true, Ordering::Release);
        let Some(token) = self.current() else {
            return Ok(());
        };
        let revoke = self.transport.prepare(RevokeToken {})?;
        let sent = self.transport.send(&revoke, Some(token.header())).await;
        self.drop_token(&token);
        sent.map(drop)
    }

    fn adopt(&self, token: Token) -> Arc<Token> {
        self.rests.store(false, Ordering::Release);
        let token = Arc::new(token);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Arc::clone(&token));
        token
    }

    fn drop_token(&self, dead: &Arc<Token>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current
            .as_ref()
            .is_some_and(|token| Arc::ptr_eq(token, dead))
        {
            *current = None;
        }
    }

    /// Renews the token; logs in anew where it cannot be, or not for long enough.
    async fn renew(&self) -> Result<(), Fault> {
        let _turn = self.turn.lock().await;
        let Some(token) = self.current() else {
            return match self.rests.load(Ordering::Acquire) {
                true => Ok(()),
                false => self.log_in().await.map(drop),
            };
        };
        let over = token.lease().is_some_and(|lease| lease.is_over(self.now()));
        if token.is_renewable() && !over {
            let renew = self.transport.prepare(RenewToken {})?;
            let at = self.now();
            match self.send(&renew, &token).await {
                Ok(reply) => {
                    let renewed = Issued::of_login(&reply)
                        .and_then(|issued| issued.accept(&self.accepted, at, self.chance()));
                    if let Ok(renewed) = renewed {
                        let terms = (renewed.lease(), token.lease());
                        self.adopt(renewed);
                        // Near the end of all renewing it is granted less and less.
                        if let (Some(now), Some(before)) = terms
                            && now.term().saturating_mul(2) > before.term()
                        {
                            return Ok(());
                        }
                    }
                }
                Err(outage @ Fault::Outage(_)) => return Err(outage),
                Err(_) => {}
            }
        }
        self.log_in().await.map(drop)
    }

    /// How long until the token is to be renewed; nothing if there is none.
    fn until_renewal(&self) -> Duration {
        match self.current() {
            Some(token) => token.renews_at().map_or(LOOK, |at| at.since(self.now())),
            None if self.rests.load(Ordering::Acquire) => LOOK,
            None => Duration::ZERO,
        }
    }

    /// Keeps the token alive until the session is dropped.
    pub(super) async fn keep_alive(session: Weak<Self>) {
        let mut backoff = Backoff::default();
        loop {
            let Some(wait) = session.upgrade().map(|session| session.until_renewal()) else {
                return;
            };
            tokio::time::sleep(wait.clamp(SOONEST, LOOK)).await;
            let Some(session) = session.upgrade() else {
                return;
            };
            if !session.until_renewal().is_zero() {
                continue;
            }
            match session.renew().await {
                Ok(()) => backoff.reset(),
                Err(fault) => {
                    tracing::warn!(%fault, "vault token not renewed");
                    drop(session);
                    tokio::time::sleep(backoff.next()).await;
                }
            }
        }
    }
}
