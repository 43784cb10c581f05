//! How long a client is recognised that signed in before.

use std::time::Duration;

use super::setting::{days, settings};

settings! {
    /// How long a client is recognised that signed in before, and how often it may fail.
    #[derive(Copy)]
    DevicePolicy {
        /// How long a client is recognised after it signed in: 1 to 365 days, 90 by default.
        lifetime / with_lifetime: Duration = days(90), within days(1), days(365), "device_seconds";
        /// After how many failures in a row a device token counts as none: 3 to 20, 10 by default.
        failures / with_failures: u32 = 10, within 3, 20, "device_failures";
    }
}
