use super::*;

const LIFETIME: Duration = Duration::from_secs(90 * 86_400);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

fn device() -> Device {
    Device {
        id: DeviceId([5; 16]),
        user: "usr_01a20b02a9c8797b8ebd0672f15f608c".parse().unwrap(),
        epoch: Epoch::new(3),
        expires_at: at(0).after(LIFETIME),
    }
}

fn ada() -> SignInName {
    SignInName::of("ada@example.com")
}

fn shown(keys: &DeviceKeys, text: &str, name: &SignInName, at: Timestamp) -> Option<Device> {
    keys.recognise(&text.into(), name, LIFETIME, at)
}

#[test]
fn a_token_is_recognised_for_its_name_until_its_time() {
    let keys = DeviceKeys::new(1, [1; 32]);
    let token = keys.mint(&device(), &ada());
    let text = token.expose_secret();
    assert!(text.len() < MAX_BYTES, "{}", text.len());
    assert_eq!(shown(&keys, text, &ada(), at(0)), Some(device()));
    let last = Timestamp::from_micros(device().expires_at.as_micros() - 1);
    assert_eq!(shown(&keys, text, &ada(), last), Some(device()));
    assert_eq!(shown(&keys, text, &ada(), device().expires_at), None);
    let bob = SignInName::of("bob@example.com");
    assert_eq!(shown(&keys, text, &bob, at(0)), None);
    let spelt = SignInName::of("ADA@example.com");
    assert_eq!(shown(&keys, text, &spelt, at(0)), Some(device()));
}

#[test]
fn a_token_of_a_clock_that_ran_ahead_is_none() {
    let keys = DeviceKeys::new(1, [1; 32]);
    let text = keys.mint(&device(), &ada());
    assert_eq!(shown(&keys, text.expose_secret(), &ada(), at(-1)), None);
}

#[test]
fn every_other_text_is_none() {
    let keys = DeviceKeys::new(1, [1; 32]);
    let token = keys.mint(&device(), &ada());
    let text = token.expose_secret();
    for position in 0..text.len() {
        for bit in 0..7 {
            let mut bytes = text.as_bytes().to_vec();
            bytes[position] ^= 1 << bit;
            let spoilt = String::from_utf8(bytes).unwrap();
            assert_eq!(shown(&keys, &spoilt, &ada(), at(0)), None, "{spoilt}");
        }
        assert_eq!(shown(&keys, &text[..position], &ada(), at(0)), None);
    }
    for (other, spoilt) in [
        (
            "a number written otherwise",
            text.replace("cyd1_1.", "cyd1_01."),
        ),
        ("a sign", text.replace("cyd1_1.", "cyd1_+1.")),
        ("another key", text.replace("cyd1_1.", "cyd1_2.")),
        ("one part more", text.replace(".3.", ".3.3.")),
        (
            "an epoch that is none",
            text.replace(".3.", ".99999999999."),
        ),
        (
            "what is too long",
            format!("{text}{}", "A".repeat(MAX_BYTES)),
        ),
        ("nothing", String::new()),
        ("dots", ".".repeat(6)),
    ] {
        assert_ne!(spoilt, text, "{other}");
        assert_eq!(shown(&keys, &spoilt, &ada(), at(0)), None, "{other}");
    }
    let stranger = DeviceKeys::new(1, [2; 32]);
    assert_eq!(shown(&stranger, text, &ada(), at(0)), None);
}

#[test]
fn a_new_server_key_recognises_what_the_old_one_made() {
    let old = DeviceKeys::new(1, [1; 32]);
    let text = old.mint(&device(), &ada());
    let text = text.expose_secret();
    let both = DeviceKeys::new(2, [2; 32]).with_accepted(1, [1; 32]);
    assert_eq!(shown(&both, text, &ada(), at(0)), Some(device()));
    let new = DeviceKeys::new(2, [2; 32]);
    assert_eq!(shown(&new, text, &ada(), at(0)), None);
    assert_eq!(format!("{new:?}"), "DeviceKeys(2, …)");
}

#[test]
fn times_at_their_ends_do_not_overflow() {
    let keys = DeviceKeys::new(u32::MAX, [1; 32]);
    for expires_at in [i64::MIN, -1, 0, i64::MAX].map(Timestamp::from_micros) {
        let device = Device {
            expires_at,
            epoch: Epoch::new(u32::MAX),
            ..device()
        };
        let text = keys.mint(&device, &ada());
        for now in [i64::MIN, 0, i64::MAX].map(Timestamp::from_micros) {
            for lifetime in [Duration::ZERO, LIFETIME, Duration::MAX] {
                let found = keys.recognise(&text, &ada(), lifetime, now);
                assert_eq!(
                    found.is_some(),
                    now < expires_at && expires_at <= now.after(lifetime)
                );
            }
        }
    }
}
