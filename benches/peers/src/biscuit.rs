//! biscuit-auth on our own tokens: read alone, and with an authorizer.
//!
//! By default, as its documentation has it: `Biscuit::from_base64` with the root
//! public key, then an authorizer of facts and one policy for each request. It is
//! written by the macro, so that no Datalog is parsed at run time, and knows one
//! right of one role. Its time limit is raised from a millisecond, which a busy
//! machine exceeds, and which costs nothing else.

use std::time::Duration;

use biscuit_auth::builder::Algorithm;
use biscuit_auth::macros::authorizer;
use biscuit_auth::{AuthorizerLimits, Biscuit, PublicKey};

use crate::question::{ASKED, Question, ROLE};

/// The key that signed the tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Library {
    root: PublicKey,
}

impl Library {
    /// Verifies with this key.
    pub(crate) fn new(public: &[u8; 32]) -> Self {
        let root = PublicKey::from_bytes(public, Algorithm::Ed25519).expect("a key");
        Self { root }
    }

    /// Reads a token's bytes: its signatures, and its blocks into Datalog.
    pub(crate) fn read(&self, bytes: &[u8]) -> Option<Biscuit> {
        Biscuit::from(std::hint::black_box(bytes), self.root).ok()
    }

    /// The same from its text.
    pub(crate) fn read_text(&self, token: &str) -> Option<Biscuit> {
        Biscuit::from_base64(std::hint::black_box(token), self.root).ok()
    }

    /// Reads a token's text and decides.
    pub(crate) fn permits(&self, token: &str, question: Question) -> bool {
        self.read_text(token)
            .is_some_and(|token| decides(&token, question))
    }
}

/// Decides with a token that was read before.
pub(crate) fn decides(token: &Biscuit, question: Question) -> bool {
    let limits = AuthorizerLimits {
        max_time: Duration::from_secs(1),
        ..AuthorizerLimits::default()
    };
    let token = std::hint::black_box(token);
    let builder = authorizer!(
        r#"
        permission({permission});
        right({role}, {held});
        allow if slug({org}), role($role), right($role, {permission});
        "#,
        permission = question.permission.as_str(),
        org = question.org,
        role = ROLE,
        held = ASKED.permission.as_str(),
    );
    let authorizer = builder.time().set_limits(limits).build(token);
    authorizer.is_ok_and(|mut authorizer| authorizer.authorize().is_ok())
}
