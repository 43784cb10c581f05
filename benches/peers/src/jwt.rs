//! jsonwebtoken: an EdDSA token with the claims that ours states, and a check by hand.
//!
//! `decode` verifies signature, expiry and audience with keys and validation made
//! once, as its documentation asks; then the organization is compared and the
//! role's permission looked up. Of its two backends it has the one in Rust, which
//! is the arithmetic that `biscuit-auth` has too.

use std::collections::{HashMap, HashSet};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::question::{ASKED, Question, ROLE};

const AUDIENCE: &str = "https://cyprob.test";

/// An Ed25519 secret in PKCS #8 up to the secret's 32 bytes.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

#[derive(Serialize, Deserialize)]
struct Claims {
    jti: String,
    sub: String,
    sid: String,
    org: String,
    slug: String,
    role: String,
    epoch: u32,
    member_epoch: u32,
    kind: String,
    aal: u8,
    auth_time: u64,
    administrator: bool,
    aud: String,
    exp: u64,
}

/// A key, what is validated, what roles permit, and one token.
pub(crate) struct Jwt {
    key: DecodingKey,
    validation: Validation,
    roles: HashMap<&'static str, HashSet<&'static str>>,
    token: String,
}

impl Jwt {
    /// A verifier, and the token of somebody.
    pub(crate) fn new() -> Self {
        let secret = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
        let pkcs8 = [&PKCS8[..], secret.as_bytes()].concat();
        let claims = Claims {
            jti: "tok_019b76da880070008000000000000001".to_owned(),
            sub: "usr_019b76da880070008000000000000002".to_owned(),
            sid: "ses_019b76da880070008000000000000003".to_owned(),
            org: "org_019b76da880070008000000000000004".to_owned(),
            slug: ASKED.org.to_owned(),
            role: ROLE.to_owned(),
            epoch: 1,
            member_epoch: 1,
            kind: "user".to_owned(),
            aal: 1,
            auth_time: 1_800_000_000,
            administrator: false,
            aud: AUDIENCE.to_owned(),
            exp: 4_000_000_000,
        };
        let header = Header::new(Algorithm::EdDSA);
        let token = encode(&header, &claims, &EncodingKey::from_ed_der(&pkcs8));
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        Self {
            key: DecodingKey::from_ed_der(secret.verifying_key().as_bytes()),
            validation,
            roles: HashMap::from([(ROLE, HashSet::from([ASKED.permission.as_str()]))]),
            token: token.expect("a token"),
        }
    }

    /// Verifies the token and looks its role up.
    pub(crate) fn permits(&self, question: Question) -> bool {
        let token = std::hint::black_box(&self.token);
        let Ok(found) = decode::<Claims>(token, &self.key, &self.validation) else {
            return false;
        };
        let claims = std::hint::black_box(found.claims);
        let role = self.roles.get(claims.role.as_str());
        claims.slug == question.org
            && role.is_some_and(|role| role.contains(question.permission.as_str()))
    }
}
