//! The bytes of a secret.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretBox, SecretString};
use zeroize::Zeroize;

/// The bytes of a secret: 1 to 65,536 of them, wiped when the last clone drops.
///
/// It has no `Display`, `PartialEq` or serialization; `Debug` prints a fixed
/// text. A clone shares the bytes instead of copying them.
#[derive(Clone)]
pub struct SecretValue(Arc<SecretBox<[u8]>>);

/// A value that no secret may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretValueError {
    /// There are no bytes; an empty secret is a misconfiguration.
    #[error("the secret is empty")]
    Empty,
    /// There are more than [`SecretValue::MAX_LEN`] bytes.
    #[error("the secret is longer than {} bytes", SecretValue::MAX_LEN)]
    TooLong,
}

/// The secret is not UTF-8 text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret is not UTF-8 text")]
pub struct NotText;

impl SecretValue {
    /// The most bytes a value may have.
    pub const MAX_LEN: usize = 65_536;

    /// Takes over the bytes; they are wiped even when refused.
    ///
    /// # Errors
    ///
    /// [`SecretValueError`] if there are no bytes or too many.
    pub fn new(mut bytes: Vec<u8>) -> Result<Self, SecretValueError> {
        let checked = match bytes.len() {
            0 => Err(SecretValueError::Empty),
            1..=Self::MAX_LEN => Ok(()),
            _ => Err(SecretValueError::TooLong),
        };
        if let Err(error) = checked {
            bytes.zeroize();
            return Err(error);
        }
        // Shrinking a vector may move it and leave the old bytes behind; copy
        // into a box of the exact size and wipe the original instead.
        let exact: Box<[u8]> = bytes.as_slice().into();
        bytes.zeroize();
        Ok(Self(Arc::new(SecretBox::new(exact))))
    }

    /// Takes over a text.
    ///
    /// # Errors
    ///
    /// [`SecretValueError`] if it is empty or too long.
    pub fn from_text(text: &SecretString) -> Result<Self, SecretValueError> {
        Self::new(text.expose_secret().as_bytes().to_vec())
    }

    /// The number of bytes, at least 1.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a value is never empty")]
    pub fn len(&self) -> usize {
        self.0.expose_secret().len()
    }

    /// The value as text, without one line ending (`\n` or `\r\n`) at its end.
    ///
    /// Files usually end in a line ending that is no part of the secret; the
    /// bytes of [`ExposeSecret`] keep it.
    ///
    /// # Errors
    ///
    /// [`NotText`] if the bytes are not UTF-8.
    pub fn to_line(&self) -> Result<SecretString, NotText> {
        let text = std::str::from_utf8(self.0.expose_secret()).map_err(|_| NotText)?;
        let line = text
            .strip_suffix("\r\n")
            .or_else(|| text.strip_suffix('\n'))
            .unwrap_or(text);
        Ok(SecretString::from(line))
    }
}

impl ExposeSecret<[u8]> for SecretValue {
    fn expose_secret(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bounded_at_both_ends() {
        assert_eq!(
            SecretValue::new(vec![]).unwrap_err(),
            SecretValueError::Empty
        );
        assert_eq!(
            SecretValue::new(vec![0; SecretValue::MAX_LEN])
                .unwrap()
                .len(),
            65_536
        );
        assert_eq!(
            SecretValue::new(vec![0; SecretValue::MAX_LEN + 1]).unwrap_err(),
            SecretValueError::TooLong
        );
    }

    #[test]
    fn a_line_loses_one_line_ending_and_nothing_else() {
        for (bytes, line) in [
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            (" a ", " a "),
            ("\n", ""),
        ] {
            let value = SecretValue::new(bytes.as_bytes().to_vec()).unwrap();
            assert_eq!(value.to_line().unwrap().expose_secret(), line);
            assert_eq!(value.expose_secret(), bytes.as_bytes());
        }
        assert!(SecretValue::new(vec![0xff]).unwrap().to_line().is_err());
    }

    #[test]
    fn debug_prints_a_fixed_text() {
        let value = SecretValue::from_text(&"hunter2".into()).unwrap();
        assert_eq!(format!("{value:?}"), "SecretValue([REDACTED])");
    }
}
