//! Identifiers: one type per thing, so that none stands in for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Timestamp;

/// A typed identifier: a UUIDv7 (RFC 9562) written as a prefix and 32 hex digits.
pub trait Id: Sized + Copy + Send {
    /// The prefix of the text form, without its underscore.
    const PREFIX: &'static str;

    /// Makes an identifier of this moment from random bytes.
    fn from_random(at: Timestamp, random: [u8; 10]) -> Self;

    /// Reads the 16 bytes that a database column holds.
    ///
    /// # Errors
    ///
    /// [`IdError`] if there are not 16 bytes or they are no UUIDv7.
    fn from_slice(bytes: &[u8]) -> Result<Self, IdError>;

    /// The 16 bytes.
    fn to_bytes(self) -> [u8; 16];

    /// When it was made, in whole milliseconds.
    fn made_at(self) -> Timestamp;
}

/// The text or bytes are not an identifier of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_ and 32 lower-case hex digits")]
pub struct IdError {
    prefix: &'static str,
}

fn v7(at: Timestamp, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(at.as_micros().div_euclid(1_000)).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// The time of a UUIDv7: its first 48 bits, in milliseconds.
fn made_at(uuid: &Uuid) -> Timestamp {
    let millis = i64::try_from(uuid.as_u128() >> 80).unwrap_or(i64::MAX);
    Timestamp::from_micros(millis.saturating_mul(1_000))
}

fn parse(text: &str, prefix: &'static str) -> Result<Uuid, IdError> {
    let hex = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|hex| {
            hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        })
        .ok_or(IdError { prefix })?;
    let mut bytes = [0; 16];
    hex::decode_to_slice(hex, &mut bytes).map_err(|_| IdError { prefix })?;
    checked(Uuid::from_bytes(bytes), prefix)
}

fn checked(uuid: Uuid, prefix: &'static str) -> Result<Uuid, IdError> {
    if uuid.get_version_num() == 7 {
        Ok(uuid)
    } else {
        Err(IdError { prefix })
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident $prefix:literal;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// The 16 bytes that a database column holds.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl Id for $name {
            const PREFIX: &'static str = $prefix;

            fn from_random(at: Timestamp, random: [u8; 10]) -> Self {
                Self(v7(at, random))
            }

            fn from_slice(bytes: &[u8]) -> Result<Self, IdError> {
                let uuid = Uuid::from_slice(bytes).map_err(|_| IdError { prefix: $prefix })?;
                checked(uuid, $prefix).map(Self)
            }

            fn to_bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }

            fn made_at(self) -> Timestamp {
                made_at(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Every answer names its request, so the text is written without the formatter's machinery.
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(self.0.simple().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text, $prefix).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }
    )+};
}

ids! {
    /// A person who can sign in.
    UserId "usr";
    /// An organization: the tenant that data belongs to.
    OrgId "org";
    /// One sign-in of one person.
    SessionId "ses";
    /// One run of plugins over facts.
    RunId "run";
    /// A key of a service account.
    KeyId "key";
    /// A machine that acts in one organization.
    ServiceAccountId "sva";
    /// A role that an organization defined.
    RoleId "rol";
    /// An invitation into an organization.
    InvitationId "inv";
    /// A review of an organization's roles.
    ReviewId "rev";
    /// One finding of a run.
    FindingId "fnd";
    /// One audit event.
    EventId "evt";
    /// One change of an account's address.
    EmailChangeId "ech";
    /// One request, as the answer's `X-Request-Id` names it.
    RequestId "req";
    /// One access token (its `jti`).
    TokenId "tok";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_round_trip() {
        let id = OrgId::from_random(Timestamp::from_seconds(1_700_000_000), [7; 10]);
        assert_eq!(id.to_string().parse::<OrgId>().unwrap(), id);
        assert_eq!(id.made_at(), Timestamp::from_seconds(1_700_000_000));
        assert_eq!(OrgId::from_slice(id.as_bytes()).unwrap(), id);
        assert_eq!(id.to_string().len(), 36);
    }

    #[test]
    fn one_spelling_only() {
        let id = OrgId::from_random(Timestamp::UNIX_EPOCH, [0xab; 10]).to_string();
        for bad in [
            id.to_uppercase(),
            id.replace("org_", "usr_"),
            id.replace("org_", ""),
            format!("{id} "),
            format!("{id}0"),
            "org_00000000000000000000000000000000".to_owned(),
            String::new(),
            "org_é".to_owned(),
        ] {
            assert!(bad.parse::<OrgId>().is_err(), "{bad}");
        }
    }
}
