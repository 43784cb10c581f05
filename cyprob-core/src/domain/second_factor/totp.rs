//! Time-based one-time passwords (RFC 6238): HMAC-SHA-1, steps of 30 seconds, six digits.

use std::fmt;
use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::base32;
use crate::domain::Timestamp;

/// Seconds of a step.
const STEP_SECONDS: i64 = 30;
/// Digits of a code.
const DIGITS: usize = 6;

/// The number of a span of 30 seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TotpStep(i64);

impl TotpStep {
    /// The step that a time lies in.
    #[must_use]
    pub const fn at(at: Timestamp) -> Self {
        Self(at.as_seconds().div_euclid(STEP_SECONDS))
    }

    /// Makes a step from a stored number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number that is stored.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// A code as typed: six digits. `Debug` does not show it.
#[derive(Clone, Copy)]
pub struct TotpCode(u32);

impl TotpCode {
    /// Reads exactly six digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        text.parse().ok().map(Self)
    }

    /// The code as an application shows it.
    #[must_use]
    pub fn text(self) -> SecretString {
        format!("{:0width$}", self.0, width = DIGITS).into()
    }
}

impl fmt::Debug for TotpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpCode(…)")
    }
}

/// What an authenticator application and the server share: 160 random bits.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<[u8; Self::LEN]>);

impl TotpSecret {
    /// The number of bytes: as many as the hash has (RFC 4226, 4, R6).
    pub const LEN: usize = 20;

    /// Takes 160 random bits.
    #[must_use]
    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(super) fn expose_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The secret as people type it into an application: base32, 32 characters.
    #[must_use]
    pub fn base32(&self) -> SecretString {
        let text = base32::encode(self.0.as_slice(), base32::RFC_4648);
        text.as_str().into()
    }

    /// The `otpauth` URI that an application reads from a picture.
    #[must_use]
    pub fn uri(&self, issuer: &str, account: &str) -> SecretString {
        let (issuer, account) = (escaped(issuer), escaped(account));
        let secret = base32::encode(self.0.as_slice(), base32::RFC_4648);
        let uri = Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}",
            secret.as_str()
        ));
        uri.as_str().into()
    }

    /// The code of a step; none before the epoch.
    #[must_use]
    pub fn code(&self, step: TotpStep) -> Option<TotpCode> {
        let counter = u64::try_from(step.0).ok()?;
        let mut mac = Hmac::<Sha1>::new_from_slice(self.0.as_slice()).ok()?;
        mac.update(&counter.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        // Dynamic truncation (RFC 4226, 5.3).
        let offset = usize::from(hash.last()? & 15);
        let four = hash.get(offset..)?.first_chunk::<4>()?;
        let number = u32::from_be_bytes(*four) & 0x7fff_ffff;
        Some(TotpCode(number % 1_000_000))
    }

    /// The step of which this is the code, among the present one and `drift` to either side, if it
    /// comes after the last accepted one.
    ///
    /// All of them are computed and compared in constant time, whichever it is. The store
    /// advances to the step by compare-and-swap, so that no step is accepted twice.
    #[must_use]
    pub fn step_of(
        &self,
        shown: TotpCode,
        at: Timestamp,
        drift: u32,
        accepted: Option<TotpStep>,
    ) -> Option<TotpStep> {
        let (now, drift) = (TotpStep::at(at).0, i64::from(drift));
        let mut found = None;
        for step in (now - drift..=now + drift).map(TotpStep) {
            let same = self
                .code(step)
                .is_some_and(|code| code.0.ct_eq(&shown.0).into());
            if same && accepted.is_none_or(|accepted| step > accepted) && found.is_none() {
                found = Some(step);
            }
        }
        found
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

/// Percent-encodes everything but the unreserved characters (RFC 3986, 2.3).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// The seed of RFC 6238, appendix B, for SHA-1.
    fn rfc() -> TotpSecret {
        TotpSecret::new(*b"12345678901234567890")
    }

    #[test]
    fn the_vectors_of_rfc_6238_appendix_b_hold() {
        // The appendix shows eight digits; six are its last six.
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let at = Timestamp::from_seconds(seconds);
            let found = rfc().code(TotpStep::at(at)).unwrap().text();
            assert_eq!(found.expose_secret(), &code[2..], "{seconds}");
            let shown = TotpCode::parse(&code[2..]).unwrap();
            assert_eq!(rfc().step_of(shown, at, 0, None), Some(TotpStep::at(at)));
        }
    }

    /// A code lives for its own 30 seconds, with one step for clocks that differ (ASVS 6.5.5),
    /// and the time is the server's alone (6.5.8).
    #[test]
    fn asvs_6_5_5_a_code_is_good_for_its_step_and_one_to_either_side() {
        let step = TotpStep::new(1_000_000);
        let shown = rfc().code(step).unwrap();
        let at = |number: i64, seconds: i64| Timestamp::from_seconds(number * 30 + seconds);
        for (number, seconds, good) in [
            (999_998, 29, false),
            (999_999, 0, true),
            (1_000_000, 15, true),
            (1_000_001, 29, true),
            (1_000_002, 0, false),
        ] {
            let found = |drift| rfc().step_of(shown, at(number, seconds), drift, None);
            assert_eq!(found(1).is_some(), good, "step {number}, second {seconds}");
            assert!(found(1).is_none_or(|found| found == step));
            assert_eq!(found(0).is_some(), number == 1_000_000, "step {number}");
        }
    }

    #[test]
    fn asvs_6_5_1_no_step_is_found_at_or_before_the_last_accepted_one() {
        let at = Timestamp::from_seconds(30_000_000);
        let now = TotpStep::at(at);
        for drift in -1..=1 {
            let step = TotpStep::new(now.get() + drift);
            let shown = rfc().code(step).unwrap();
            assert_eq!(rfc().step_of(shown, at, 1, Some(step)), None);
            let later = Some(TotpStep::new(step.get() + 1));
            assert_eq!(rfc().step_of(shown, at, 1, later), None);
            let before = Some(TotpStep::new(step.get() - 1));
            assert_eq!(rfc().step_of(shown, at, 1, before), Some(step));
        }
    }

    #[test]
    fn a_code_is_six_digits_and_nothing_else() {
        assert!(TotpCode::parse("000000").is_some());
        for bad in [
            "", "12345", "1234567", "+12345", "12345a", "１23456", "12 456",
        ] {
            assert!(TotpCode::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(
            TotpCode::parse("000042").unwrap().text().expose_secret(),
            "000042"
        );
        let early = Timestamp::from_seconds(-31);
        assert_eq!(rfc().step_of(TotpCode(0), early, 1, None), None);
    }

    #[test]
    fn the_uri_is_what_applications_read() {
        let uri = rfc().uri("cyprob: test", "ada@example.org");
        assert_eq!(
            uri.expose_secret(),
            "otpauth://totp/cyprob%3A%20test:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=cyprob%3A%20test&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(rfc().base32().expose_secret().len(), 32);
    }

    #[test]
    fn nothing_shows_in_debug() {
        assert_eq!(format!("{:?}", rfc()), "TotpSecret(…)");
        assert_eq!(format!("{:?}", TotpCode(123_456)), "TotpCode(…)");
    }
}
