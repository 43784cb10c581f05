//! E-mail addresses as sign-in names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An e-mail address, in lower case, at most 254 bytes (RFC 5321).
///
/// Two spellings that differ only in case are one address here, so that no
/// second account can be made beside an existing one. Quoted local parts,
/// address literals, white space and control characters are refused.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Email(String);

/// The text is not an e-mail address that this system accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address of the form name@domain, at most 254 bytes")]
pub struct EmailError;

impl Email {
    /// The address in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_local(local: &str) -> bool {
    (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| {
            !c.is_whitespace()
                && !c.is_control()
                && !"\"(),:;<>@[]\\".contains(c)
                && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        })
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        if text.len() > 254 {
            return Err(EmailError);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError)?;
        let email = text.to_lowercase();
        if is_local(local) && domain.split('.').all(is_label) && email.len() <= 254 {
            Ok(Self(email))
        } else {
            Err(EmailError)
        }
    }
}

/// Shows the domain alone, since an address is personal.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domain = self.0.rsplit_once('@').map_or("", |(_, domain)| domain);
        write!(f, "Email(…@{domain})")
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;

    fn try_from(text: String) -> Result<Self, EmailError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_make_a_second_address() {
        let one: Email = "Ada@Example.org".parse().unwrap();
        assert_eq!(one, "ada@EXAMPLE.ORG".parse().unwrap());
        assert_eq!(format!("{one:?}"), "Email(…@example.org)");
    }

    #[test]
    fn refuses_what_is_no_plain_address() {
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c.d",
            "a@b@c",
            "a\u{0}@b.c",
            "a\u{202e}@b.c",
            "\"a\"@b.c",
            "a@[127.0.0.1]",
            "a@-b.c",
            "a@b..c",
            ".a@b.c",
            "a..b@c.d",
            "a@é.org",
            "a@b.c\n",
        ] {
            assert!(bad.parse::<Email>().is_err(), "{bad:?}");
        }
        assert!(format!("{}@b.c", "a".repeat(65)).parse::<Email>().is_err());
    }
}
