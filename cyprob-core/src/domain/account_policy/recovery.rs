//! How long the tokens that go by mail live.

use std::time::Duration;

use super::setting::{days, hours, minutes, seconds, settings};

settings! {
    /// How long the tokens that go by mail live, and how often they go.
    #[derive(Copy)]
    RecoveryPolicy {
        /// How long a password can be reset by a token: 5 minutes to 1 hour, 30 minutes by default.
        reset_ttl / with_reset_ttl: Duration = minutes(30), within minutes(5), hours(1), "password_reset_seconds";
        /// How long a new address can be confirmed: 5 minutes to 3 days, 1 day by default.
        email_ttl / with_email_ttl: Duration = days(1), within minutes(5), days(3), "email_change_seconds";
        /// How long the address of before can object to a change: 1 hour to 30 days, 3 days by default.
        objection_ttl / with_objection_ttl: Duration = days(3), within hours(1), days(30), "email_objection_seconds";
        /// How far two mails with a token to one account lie apart: 10 seconds to 1 hour, 1 minute by default.
        interval / with_interval: Duration = minutes(1), within seconds(10), hours(1), "mail_interval_seconds";
    }
}
