//! How long keys of service accounts and the tokens made from them live.

use std::time::Duration;

use super::setting::{days, hours, minutes, seconds, settings};

settings! {
    /// How long keys of service accounts and the tokens made from them live; each has an end.
    #[derive(Copy)]
    ServiceKeyPolicy {
        /// The longest life that a key can be given: 1 hour to 366 days, 90 days by default.
        max_lifetime / with_max_lifetime: Duration = days(90), within hours(1), days(366), "service_key_seconds";
        /// How long a token lives that a key was exchanged for: 30 seconds to 15 minutes, 5 minutes by default.
        token_ttl / with_token_ttl: Duration = minutes(5), within seconds(30), minutes(15), "service_token_seconds";
    }
}
