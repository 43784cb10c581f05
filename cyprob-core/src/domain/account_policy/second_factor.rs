//! What a second factor accepts.

use std::time::Duration;

use super::setting::{minutes, settings};

settings! {
    /// What a second factor accepts.
    #[derive(Copy)]
    SecondFactorPolicy {
        /// How many steps of 30 seconds a clock may be off, to either side: 0 or 1 (RFC 6238, 5.2), 1 by default.
        drift_steps / with_drift_steps: u32 = 1, within 0, 1, "totp_drift_steps";
        /// How long an enrolment can be finished: 1 to 30 minutes, 10 by default.
        enrolment_ttl / with_enrolment_ttl: Duration = minutes(10), within minutes(1), minutes(30), "factor_enrolment_seconds";
        /// How many recovery codes a person gets: 8 to 16, 10 by default.
        recovery_codes / with_recovery_codes: u32 = 10, within 8, 16, "recovery_codes";
    }
}
