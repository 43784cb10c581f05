//! What a person types as a second factor, and what it uses up.

use secrecy::{ExposeSecret, SecretString};

use super::{RecoveryCode, SecondFactor, TotpCode, TotpSecret, TotpStep};
use crate::domain::{Timestamp, TokenDigest};

/// A second factor as typed: either kind serves wherever one is asked.
#[derive(Clone, Debug)]
pub enum FactorCode {
    /// Six digits from the application.
    Totp(TotpCode),
    /// One of the recovery codes.
    Recovery(RecoveryCode),
}

/// The text is neither six digits nor a recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither six digits nor a recovery code")]
pub struct FactorCodeError;

/// What a right code uses up; the store takes it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorUse {
    /// The step of a time-based code and all before it.
    Step(TotpStep),
    /// The recovery code with this digest.
    Recovery(TokenDigest),
}

impl FactorCode {
    /// Reads a code; white space does not matter.
    ///
    /// # Errors
    ///
    /// [`FactorCodeError`] if it is of neither kind.
    pub fn parse(text: &SecretString) -> Result<Self, FactorCodeError> {
        let text = text.expose_secret();
        if text.len() > 100 {
            return Err(FactorCodeError);
        }
        let text = zeroize::Zeroizing::new(text.replace(|c: char| c.is_whitespace(), ""));
        if let Some(code) = TotpCode::parse(&text) {
            return Ok(Self::Totp(code));
        }
        let code = RecoveryCode::parse(&text).ok_or(FactorCodeError)?;
        Ok(Self::Recovery(code))
    }

    /// What it would use up of a factor whose secret was opened; `None` if it is wrong or used.
    ///
    /// Whether a recovery code is one of the person's is for the store to say.
    #[must_use]
    pub fn uses(
        &self,
        factor: &SecondFactor,
        secret: &TotpSecret,
        at: Timestamp,
        drift: u32,
    ) -> Option<FactorUse> {
        match self {
            Self::Totp(code) => secret
                .step_of(*code, at, drift, Some(factor.last_step))
                .map(FactorUse::Step),
            Self::Recovery(code) => Some(FactorUse::Recovery(code.digest(factor.user))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_told_apart_by_their_form() {
        let read = |text: &str| FactorCode::parse(&text.into());
        assert!(matches!(read(" 123 456\n"), Ok(FactorCode::Totp(_))));
        let recovery = RecoveryCode::new([7; 15]).text();
        assert!(matches!(
            FactorCode::parse(&recovery),
            Ok(FactorCode::Recovery(_))
        ));
        for bad in ["", "12345", "password", &"1".repeat(101)] {
            assert_eq!(read(bad).unwrap_err(), FactorCodeError, "{bad}");
        }
    }
}
