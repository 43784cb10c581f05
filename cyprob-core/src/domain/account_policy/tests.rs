use std::time::Duration;

use super::*;

#[test]
fn the_defaults_are_no_dangerous_choices() {
    assert_eq!(AccountPolicy::default().dangerous_choices(), []);
}

#[test]
fn what_lies_beyond_its_bounds_is_refused_with_its_floor_and_the_remedy() {
    let refused = PasswordPolicy::default().with_min_chars(8).unwrap_err();
    assert_eq!(refused.setting(), "password_min_chars");
    assert_eq!(
        refused.to_string(),
        "password_min_chars is 8, below its floor of 15: choose 15 to 64; \
         only a call of `.dangerous()` goes further"
    );
    let recovery = RecoveryPolicy::default();
    let refused = recovery.with_reset_ttl(Duration::from_secs(3_601));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "password_reset_seconds is 3601, above its ceiling of 3600: choose 300 to 3600; \
         only a call of `.dangerous()` goes further"
    );
    let fraction = Duration::from_secs(3_600) + Duration::from_nanos(1);
    assert!(recovery.with_reset_ttl(fraction).is_err());
    assert!(recovery.with_reset_ttl(Duration::MAX).is_err());
    let changed = recovery.with_reset_ttl(Duration::from_secs(300)).unwrap();
    assert_eq!(changed.reset_ttl(), Duration::from_secs(300));
    assert_eq!(changed.email_ttl(), recovery.email_ttl());
}

#[test]
fn a_dangerous_choice_is_listed_by_name() {
    let mut policy = AccountPolicy::default();
    policy.passwords = policy.passwords.dangerous().with_min_chars(6);
    policy.throttling = policy.throttling.dangerous().with_switch_off_after(1_000);
    let listed: Vec<_> = policy
        .dangerous_choices()
        .iter()
        .map(|choice| (choice.setting(), choice.value(), choice.to_string()))
        .collect();
    assert_eq!(
        listed,
        [
            (
                "password_min_chars",
                6,
                "password_min_chars is 6, below its floor of 15".to_owned()
            ),
            (
                "switch_off_after_failures",
                1_000,
                "switch_off_after_failures is 1000, above its ceiling of 100".to_owned()
            ),
        ]
    );
}

#[test]
fn a_safe_value_set_dangerously_is_no_dangerous_choice() {
    let mut policy = AccountPolicy::default();
    policy.passwords = policy.passwords.dangerous().with_min_chars(20);
    assert_eq!(policy.dangerous_choices(), []);
}
