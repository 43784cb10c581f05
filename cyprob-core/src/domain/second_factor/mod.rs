//! The second factor: time-based codes, recovery codes, and the form in which they are kept.

mod base32;
mod code;
mod factor;
mod recovery;
mod sealed;
mod totp;

pub use code::{FactorCode, FactorCodeError, FactorUse};
pub use factor::{FactorEnrolment, SecondFactor};
pub use recovery::RecoveryCode;
pub use sealed::{FactorKey, FactorKeyId, FactorKeys, SealedSecret};
pub use totp::{TotpCode, TotpSecret, TotpStep};
