//! A value with bounds: what sets it, what refuses it, and how it is listed.

use std::fmt;
use std::time::Duration;

/// A value that lies beyond its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DangerousChoice {
    pub(super) setting: &'static str,
    pub(super) value: u64,
    pub(super) min: u64,
    pub(super) max: u64,
}

impl DangerousChoice {
    /// The setting's stable name, which ends with its unit.
    #[must_use]
    pub const fn setting(&self) -> &'static str {
        self.setting
    }

    /// The value that was chosen.
    #[must_use]
    pub const fn value(&self) -> u64 {
        self.value
    }
}

impl fmt::Display for DangerousChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            setting,
            value,
            min,
            max,
        } = self;
        if value < min {
            write!(f, "{setting} is {value}, below its floor of {min}")
        } else {
            write!(f, "{setting} is {value}, above its ceiling of {max}")
        }
    }
}

/// A value was refused because it lies beyond its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{choice}: choose {} to {}; only a call of `.dangerous()` goes further", choice.min, choice.max)]
pub struct PolicyError {
    choice: DangerousChoice,
}

impl PolicyError {
    /// The setting's stable name, which ends with its unit.
    #[must_use]
    pub const fn setting(&self) -> &'static str {
        self.choice.setting
    }
}

/// Sets one value of a policy without its bounds.
///
/// Each call goes back to the policy, so that every such choice is a call of
/// `.dangerous()` of its own, which a review finds.
#[derive(Debug)]
#[must_use]
pub struct Dangerous<P>(pub(super) P);

/// A kind of value that has bounds.
pub(super) trait Value: Copy {
    /// The number that bounds are compared with.
    fn number(self) -> u64;
}

impl Value for u32 {
    fn number(self) -> u64 {
        self.into()
    }
}

impl Value for Duration {
    /// Whole seconds, rounded up: a fraction over a ceiling is over it.
    fn number(self) -> u64 {
        self.as_secs()
            .saturating_add(u64::from(self.subsec_nanos() > 0))
    }
}

/// The value with its bounds, if it lies beyond them.
pub(super) fn beyond<V: Value>(
    setting: &'static str,
    value: V,
    min: V,
    max: V,
) -> Option<DangerousChoice> {
    let (value, min, max) = (value.number(), min.number(), max.number());
    (value < min || value > max).then_some(DangerousChoice {
        setting,
        value,
        min,
        max,
    })
}

/// The value, if it lies within its bounds.
pub(super) fn within<V: Value>(
    setting: &'static str,
    value: V,
    min: V,
    max: V,
) -> Result<V, PolicyError> {
    match beyond(setting, value, min, max) {
        None => Ok(value),
        Some(choice) => Err(PolicyError { choice }),
    }
}

pub(super) const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) const fn minutes(n: u64) -> Duration {
    seconds(n * 60)
}

pub(super) const fn hours(n: u64) -> Duration {
    minutes(n * 60)
}

pub(super) const fn days(n: u64) -> Duration {
    hours(n * 24)
}

/// Declares the policy of one subject: a struct with a default, and for each value what reads and sets it.
///
/// `getter / setter: type = default, within floor, ceiling, "stable_name_with_unit";`
/// Values without bounds stand in a second pair of braces; their default is their type's.
macro_rules! settings {
    (
        $(#[$doc:meta])*
        $policy:ident {
            $(
                $(#[$about:meta])*
                $value:ident / $with:ident: $kind:ty = $default:expr, within $min:expr, $max:expr, $name:literal;
            )+
        }
        $({
            $( $field:ident: $type:ty; )+
        })?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $policy {
            $( $value: $kind, )+
            $($( $field: $type, )+)?
        }

        impl Default for $policy {
            fn default() -> Self {
                Self {
                    $( $value: $default, )+
                    $($( $field: <$type>::default(), )+)?
                }
            }
        }

        impl $policy {
            $(
                $(#[$about])*
                #[must_use]
                pub const fn $value(&self) -> $kind {
                    self.$value
                }

                #[doc = concat!("Sets what [`Self::", stringify!($value), "`] reads.")]
                ///
                /// # Errors
                ///
                /// [`PolicyError`](super::PolicyError) beyond the bounds.
                pub fn $with(mut self, value: $kind) -> Result<Self, super::PolicyError> {
                    self.$value = super::setting::within($name, value, $min, $max)?;
                    Ok(self)
                }
            )+

            /// Sets the next value without its bounds.
            pub fn dangerous(self) -> super::Dangerous<Self> {
                super::setting::Dangerous(self)
            }

            /// The values that lie beyond their bounds.
            pub(super) fn choices(&self) -> Vec<super::DangerousChoice> {
                [$( super::setting::beyond($name, self.$value, $min, $max), )+]
                    .into_iter()
                    .flatten()
                    .collect()
            }
        }

        impl super::Dangerous<$policy> {
            $(
                #[doc = concat!("Sets what [`", stringify!($policy), "::", stringify!($value), "`] reads, whatever it is.")]
                #[must_use]
                pub fn $with(self, value: $kind) -> $policy {
                    let mut policy = self.0;
                    policy.$value = value;
                    policy
                }
            )+
        }
    };
}

pub(super) use settings;
