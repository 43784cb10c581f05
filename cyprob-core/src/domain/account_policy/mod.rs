//! What a deployment asks of accounts: one policy, one file per subject.
//!
//! Every value has a default and bounds that keep accounts safe. A setter refuses
//! what lies beyond them; only `.dangerous()` goes further, and what was chosen
//! there can be listed by name.

mod devices;
mod passwords;
mod recovery;
mod second_factor;
mod service_keys;
mod setting;
mod throttling;

pub use devices::DevicePolicy;
pub use passwords::PasswordPolicy;
pub use recovery::RecoveryPolicy;
pub use second_factor::SecondFactorPolicy;
pub use service_keys::ServiceKeyPolicy;
pub use setting::{Dangerous, DangerousChoice, PolicyError};
pub use throttling::ThrottlingPolicy;

/// What a deployment asks of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountPolicy {
    /// What new passwords must be.
    pub passwords: PasswordPolicy,
    /// How fast strangers may try.
    pub throttling: ThrottlingPolicy,
    /// How long a client is recognised.
    pub devices: DevicePolicy,
    /// How long the tokens that go by mail live.
    pub recovery: RecoveryPolicy,
    /// What a second factor accepts.
    pub second_factor: SecondFactorPolicy,
    /// How long keys of service accounts live.
    pub service_keys: ServiceKeyPolicy,
}

impl AccountPolicy {
    /// Every value that lies beyond its bounds, by name; none unless somebody said `.dangerous()`.
    #[must_use]
    pub fn dangerous_choices(&self) -> Vec<DangerousChoice> {
        [
            self.passwords.choices(),
            self.throttling.choices(),
            self.devices.choices(),
            self.recovery.choices(),
            self.second_factor.choices(),
            self.service_keys.choices(),
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests;
