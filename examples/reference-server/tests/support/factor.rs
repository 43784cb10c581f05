//! An authenticator application.

use std::time::{SystemTime, UNIX_EPOCH};

use cyprob::core::domain::{Timestamp, TotpSecret, TotpStep};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Client;
use super::world::login_with;

/// A factor in force.
#[derive(Clone, Debug)]
pub(crate) struct Factor {
    /// What the application keeps, in base32.
    pub(crate) secret: String,
    /// The recovery codes.
    pub(crate) codes: Vec<String>,
    /// The token of the session that went on.
    pub(crate) token: String,
}

/// Begins to set one up; the secret.
#[track_caller]
pub(crate) fn begin(client: &Client, token: &str) -> String {
    let begun = client
        .post("/api/v1/me/totp", token, &json!({}))
        .expect(201);
    begun.json()["secret"].as_str().unwrap().to_owned()
}

/// Begins to set one up in place of another, by one of its codes.
#[track_caller]
pub(crate) fn begin_with(client: &Client, token: &str, code: &str) -> String {
    let body = json!({ "totp": code });
    let begun = client.post("/api/v1/me/totp", token, &body).expect(201);
    begun.json()["secret"].as_str().unwrap().to_owned()
}

/// Sets one up.
#[track_caller]
pub(crate) fn set_up(client: &Client, token: &str) -> Factor {
    let secret = begin(client, token);
    let path = "/api/v1/me/totp/confirm?reissue=true";
    let body = json!({ "code": code(&secret) });
    let answer = client.post(path, token, &body).expect(200).json();
    let codes = answer["recovery_codes"].as_array().unwrap();
    Factor {
        secret,
        codes: codes
            .iter()
            .map(|code| code.as_str().unwrap().to_owned())
            .collect(),
        token: answer["tokens"]["access_token"]
            .as_str()
            .unwrap()
            .to_owned(),
    }
}

/// Takes it away again by two of its recovery codes.
#[track_caller]
pub(crate) fn drop_with(client: &Client, email: &str, password: &str, codes: &[Value]) {
    let signed_in = login_with(client, email, password, None, codes[0].as_str());
    let token = signed_in.expect(200).json()["access_token"].clone();
    let body = json!({ "password": password, "totp": codes[1] });
    client
        .call("DELETE", "/api/v1/me/totp", token.as_str(), Some(&body))
        .expect(204);
}

/// What the application shows now.
pub(crate) fn code(secret: &str) -> String {
    code_in(secret, 0)
}

/// What it shows so many steps from now.
pub(crate) fn code_in(secret: &str, steps: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = Timestamp::from_seconds(i64::try_from(now.as_secs()).unwrap());
    let step = TotpStep::new(TotpStep::at(now).get() + steps);
    let code = TotpSecret::new(bytes(secret)).code(step).unwrap().text();
    code.expose_secret().to_owned()
}

/// Reads base32 (RFC 4648).
pub(crate) fn bytes(secret: &str) -> [u8; 20] {
    let mut bits = 0_u64;
    let mut held = 0;
    let mut bytes = Vec::new();
    for letter in secret.bytes() {
        let five = match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        };
        bits = bits << 5 | u64::from(five);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 255).unwrap());
        }
    }
    bytes.try_into().unwrap()
}
