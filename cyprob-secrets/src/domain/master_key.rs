//! The key under which a local store seals everything.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};
use zeroize::Zeroize;

use super::SecretValue;

/// A key of 32 bytes from which the keys of a local store are derived.
pub struct MasterKey(SecretBox<[u8; 32]>);

/// A value that cannot be a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MasterKeyError {
    /// It is neither 32 bytes nor 64 hexadecimal digits.
    #[error("a master key is 32 bytes or 64 hexadecimal digits")]
    Shape,
    /// All its bytes are the same, which no random source gives.
    #[error("the master key is one repeated byte; make it with a random source")]
    Trivial,
}

impl MasterKey {
    /// The number of bytes.
    pub const LEN: usize = 32;

    /// Reads 32 raw bytes, or 64 hexadecimal digits with or without a line ending.
    ///
    /// # Errors
    ///
    /// [`MasterKeyError`] for anything else.
    pub fn from_value(value: &SecretValue) -> Result<Self, MasterKeyError> {
        let mut key = Box::new([0_u8; Self::LEN]);
        let read = read_into(value, &mut key);
        let key = Self(SecretBox::new(key));
        read?;
        let bytes = key.0.expose_secret();
        if bytes.iter().all(|b| Some(b) == bytes.first()) {
            return Err(MasterKeyError::Trivial);
        }
        Ok(key)
    }

    /// Makes a key from a random source's fill function.
    pub(crate) fn generate(fill: impl FnOnce(&mut [u8])) -> Self {
        let mut key = Box::new([0_u8; Self::LEN]);
        fill(key.as_mut_slice());
        Self(SecretBox::new(key))
    }

    pub(crate) fn expose(&self) -> &[u8; Self::LEN] {
        self.0.expose_secret()
    }
}

fn read_into(value: &SecretValue, key: &mut [u8; 32]) -> Result<(), MasterKeyError> {
    let bytes = value.expose_secret();
    if bytes.len() == MasterKey::LEN {
        key.copy_from_slice(bytes);
        return Ok(());
    }
    let line = value.to_line().map_err(|_| MasterKeyError::Shape)?;
    let digits = line.expose_secret().as_bytes();
    if digits.len() != 2 * MasterKey::LEN {
        return Err(MasterKeyError::Shape);
    }
    for (out, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let mut byte = 0;
        for &digit in pair {
            let value = char::from(digit)
                .to_digit(16)
                .ok_or(MasterKeyError::Shape)?;
            byte = byte << 4 | u8::try_from(value).map_err(|_| MasterKeyError::Shape)?;
        }
        *out = byte;
        byte.zeroize();
    }
    Ok(())
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(bytes: &[u8]) -> Result<MasterKey, MasterKeyError> {
        MasterKey::from_value(&SecretValue::new(bytes.to_vec()).unwrap())
    }

    #[test]
    fn raw_bytes_and_digits_give_the_same_key() {
        let raw: Vec<u8> = (0..32).collect();
        let digits: String = raw.iter().map(|b| format!("{b:02x}")).collect();
        let upper = digits.to_uppercase() + "\n";
        for text in [digits.as_str(), upper.as_str()] {
            assert_eq!(key(text.as_bytes()).unwrap().expose(), raw.as_slice());
        }
        assert_eq!(key(&raw).unwrap().expose(), raw.as_slice());
    }

    #[test]
    fn other_shapes_and_trivial_keys_are_refused() {
        for bad in [
            &b"x"[..],
            &[1; 31],
            &[1; 33],
            &[b'g'; 64],
            &[b'0'; 63],
            &[0xff; 64],
        ] {
            assert_eq!(key(bad).unwrap_err(), MasterKeyError::Shape);
        }
        assert_eq!(key(&[0; 32]).unwrap_err(), MasterKeyError::Trivial);
        assert_eq!(key(&[b'a'; 64]).unwrap_err(), MasterKeyError::Trivial);
    }
}
