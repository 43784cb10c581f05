//! What waits to be sent, and its sending, beside every request.
//!
//! Messages with a token wait in memory: whoever asked for one asks again if it
//! is lost, and no token rests in the database. Notices wait in the store,
//! written with the change they tell of: they hold no secret and must not be
//! lost.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::{Identity, secret_token};
use crate::domain::{
    Caller, Email, EmailChange, Message, Notice, NoticeKind, Notification, Timestamp,
};
use crate::ports::store::StoreError;
use crate::ports::{Notifier, NotifyError};

/// Most requests and most messages that wait; what comes beyond is dropped.
const MAX_WAITING: usize = 1_024;
/// How many wait at most when a stranger's is taken: the other half is for those who are signed in.
const OF_STRANGERS: usize = MAX_WAITING / 2;
/// Notices that are looked at in one round.
const ROUND: u8 = 16;
/// How long somebody else leaves a notice alone that one took.
const CLAIM: Duration = Duration::from_secs(120);
/// The waits between the attempts of one message: the first, and the longest.
const RETRY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(15 * 60));
/// A notice that nobody took for this long is given up.
const GIVE_UP: Duration = Duration::from_secs(3 * 86_400);

/// What somebody asked for and was answered already.
#[derive(Debug)]
pub(super) enum Ask {
    /// A token that resets the password of this address's account.
    Reset(Email, Caller),
    /// The mail of a stored change of address, unless another account has the address.
    Confirm(EmailChange, Notification),
}

#[derive(Debug)]
struct Waiting {
    notification: Notification,
    due_at: Timestamp,
    attempts: u32,
}

/// What waits in memory.
#[derive(Debug, Default)]
pub(super) struct Post {
    asks: Mutex<VecDeque<Ask>>,
    letters: Mutex<VecDeque<Waiting>>,
    came: Notify,
}

fn wait_after(attempts: u32) -> Duration {
    let factor = 4_u32.saturating_pow(attempts.min(8));
    RETRY.0.saturating_mul(factor).min(RETRY.1)
}

impl Post {
    /// Takes a request, or drops it: the answer is the same.
    pub(super) fn ask(&self, ask: Ask) {
        let mut asks = self.asks.lock().unwrap_or_else(PoisonError::into_inner);
        let places = match ask {
            Ask::Reset(..) => OF_STRANGERS,
            Ask::Confirm(..) => MAX_WAITING,
        };
        if asks.len() < places {
            asks.push_back(ask);
        } else {
            tracing::warn!("too many requests for mail wait; one was dropped");
        }
        drop(asks);
        self.came.notify_one();
    }

    fn next_ask(&self) -> Option<Ask> {
        let mut asks = self.asks.lock().unwrap_or_else(PoisonError::into_inner);
        asks.pop_front()
    }

    fn put(&self, notification: Notification, due_at: Timestamp, attempts: u32) {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        if letters.len() < MAX_WAITING {
            letters.push_back(Waiting {
                notification,
                due_at,
                attempts,
            });
        } else {
            let kind = notification.message.kind();
            tracing::warn!(kind, "too many messages wait; one was dropped");
        }
    }

    /// The first that is due, and not past its use.
    fn next_letter(&self, at: Timestamp) -> Option<Waiting> {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters.retain(|letter| {
            let until = letter.notification.message.expires_at();
            until.is_none_or(|until| at < until)
        });
        let due = letters.iter().position(|letter| letter.due_at <= at)?;
        letters.remove(due)
    }
}

impl Identity {
    /// Waits until something was asked for; the wait may end for nothing.
    pub async fn post_came(&self) {
        self.post.came.notified().await;
    }

    /// Does the work of what was asked for and answered already; gives how much.
    ///
    /// # Errors
    ///
    /// The first [`StoreError`]; that request is lost, and the next call goes on.
    #[tracing::instrument(name = "core.post.answer_asks", skip_all)]
    pub async fn answer_asks(&self) -> Result<usize, StoreError> {
        let mut done = 0;
        while let Some(ask) = self.post.next_ask() {
            let notification = match ask {
                Ask::Reset(email, caller) => self.arm_reset(&email, &caller).await?,
                Ask::Confirm(change, notification) => {
                    let owner = self.store().user_by_email(&change.to).await?;
                    let free = owner.is_none_or(|owner| owner.id == change.user);
                    free.then_some(notification)
                }
            };
            if let Some(notification) = notification {
                self.post.put(notification, self.now(), 0);
            }
            done += 1;
        }
        Ok(done)
    }

    /// Sends what is due of the messages that wait in memory; gives how many were taken.
    ///
    /// Several calls may run at once.
    #[tracing::instrument(name = "core.post.send_letters", skip_all)]
    pub async fn send_letters(&self, notifier: &dyn Notifier) -> usize {
        let mut sent = 0;
        while let Some(letter) = self.post.next_letter(self.now()) {
            let kind = letter.notification.message.kind();
            match notifier.send(&letter.notification).await {
                Ok(()) => sent += 1,
                Err(NotifyError::Refused { source }) => {
                    tracing::warn!(kind, cause = %source, "a message was refused");
                }
                Err(NotifyError::Unavailable { source }) => {
                    tracing::warn!(kind, cause = %source, "a message waits to be sent");
                    let due_at = self.now().after(wait_after(letter.attempts));
                    let attempts = letter.attempts.saturating_add(1);
                    self.post.put(letter.notification, due_at, attempts);
                }
            }
        }
        sent
    }

    /// Sends the notices that are due; gives how many were taken. Several calls, and nodes, may run at once.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; what was not sent stays.
    #[tracing::instrument(name = "core.post.send_notices", skip_all)]
    pub async fn send_notices(&self, notifier: &dyn Notifier) -> Result<usize, StoreError> {
        let mut sent = 0;
        let due = self.store().due_notices(self.now(), ROUND).await?;
        for notice in due {
            let at = self.now();
            let next = at.after(CLAIM.max(wait_after(notice.attempts)));
            if !self.store().claim_notice(&notice, next).await? {
                continue;
            }
            let kind = notice.kind.as_str();
            let Some(notification) = self.notification(&notice, at).await? else {
                self.store().drop_notice(notice.id).await?;
                continue;
            };
            match notifier.send(&notification).await {
                Ok(()) => {
                    sent += 1;
                    self.store().drop_notice(notice.id).await?;
                }
                Err(NotifyError::Refused { source }) => {
                    tracing::warn!(user.id = %notice.user, kind, cause = %source, "a notice was refused");
                    self.store().drop_notice(notice.id).await?;
                }
                Err(NotifyError::Unavailable { source }) => {
                    tracing::warn!(user.id = %notice.user, kind, cause = %source, "a notice waits to be sent");
                    if at.since(notice.at) > GIVE_UP {
                        tracing::error!(user.id = %notice.user, kind, "a notice was given up");
                        self.store().drop_notice(notice.id).await?;
                    }
                }
            }
        }
        Ok(sent)
    }

    /// Addresses a notice; none if nobody is there to be told.
    async fn notification(
        &self,
        notice: &Notice,
        at: Timestamp,
    ) -> Result<Option<Notification>, StoreError> {
        let (to, message) = match notice.kind {
            NoticeKind::EmailChanged(change) => {
                let (objection, digest) =
                    secret_token::draw(self.parts.entropy.as_ref(), super::emails::OBJECTION);
                let armed = self.store().arm_objection(change, digest, at).await?;
                let Some((change, expires_at)) = armed else {
                    return Ok(None);
                };
                let message = Message::EmailChanged {
                    objection,
                    expires_at,
                };
                (change.from, message)
            }
            kind => {
                let Some(user) = self.store().user(notice.user).await? else {
                    return Ok(None);
                };
                let at = notice.at;
                let message = match kind {
                    NoticeKind::FactorChanged => Message::FactorChanged { at },
                    NoticeKind::AccountDisabled => Message::AccountDisabled { at },
                    NoticeKind::NewDevice => Message::NewDevice { at },
                    NoticeKind::PasswordChanged | NoticeKind::EmailChanged(_) => {
                        Message::PasswordChanged { at }
                    }
                };
                (user.email, message)
            }
        };
        Ok(Some(Notification {
            id: notice.id,
            user: notice.user,
            to,
            message,
        }))
    }
}
