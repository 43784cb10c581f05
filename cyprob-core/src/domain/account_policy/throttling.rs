//! How fast strangers may try, and what repeated failures lead to.

use super::setting::settings;

settings! {
    /// How fast strangers may try, and what repeated failures lead to (ASVS 5.0, 6.3.1).
    ///
    /// A stranger is who shows no device token of an earlier sign-in. Each value
    /// has a bound that protects accounts and one that protects people.
    #[derive(Copy)]
    ThrottlingPolicy {
        /// How many failed sign-ins one address may have at once: 5 to 1000, 60 by default.
        failures_at_once / with_failures_at_once: u32 = 60, within 5, 1_000, "failures_at_once_per_address";
        /// How many failed sign-ins one address may have in a minute after those: 1 to 1000, 60 by default.
        failures_per_minute / with_failures_per_minute: u32 = 60, within 1, 1_000, "failures_per_minute_per_address";
        /// After how many failures in a row strangers cannot use an account's password: 10 to 100, 100 by default.
        switch_off_after / with_switch_off_after: u32 = 100, within 10, 100, "switch_off_after_failures";
        /// From how many names that fail within a minute it may be an attack: 10 to 10000, 50 by default.
        surge_floor / with_surge_floor: u32 = 50, within 10, 10_000, "surge_floor_names";
    }
}
