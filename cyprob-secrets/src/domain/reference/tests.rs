use super::*;

fn fault(text: &str) -> (RefPart, RefFault) {
    let error = text.parse::<SecretRef>().expect_err(text);
    (error.part(), error.fault())
}

#[test]
fn canonical_texts_come_back_unchanged() {
    for text in [
        "vault://kv/app/db#password",
        "vault://kv/app/db#password?version=7",
        "vault://kv/a..b/.c/Z-9#f",
        "awssm://prod/db",
        "awssm://prod/db+a=b@c#user",
        "awssm://prod/db#user?stage=AWSPREVIOUS",
        "awssm://prod/db#user?version=3f2a8c1e-0b54-4d0e-9f6e-6b8f7c1d2e3f",
        "awssm://prod/db?version=AWSCURRENT",
        "file:///etc/cyprob/key",
        "file:///a/b@c,d:e~f=g+h",
        "env://CYPROB_KEY_1",
        "env://_x",
        "local://signing/root",
        "local://signing/root?version=18446744073709551615",
    ] {
        assert_eq!(text.parse::<SecretRef>().expect(text).to_string(), text);
    }
}

#[test]
fn the_current_stage_is_the_default() {
    let written: SecretRef = "awssm://a?stage=AWSCURRENT".parse().unwrap();
    assert_eq!(written, "awssm://a".parse().unwrap());
    assert_eq!(written.to_string(), "awssm://a");
}

#[test]
fn a_secret_of_aws_has_a_stage_or_a_version() {
    let read = |text: &str| match text.parse() {
        Ok(SecretRef::AwsSm(reference)) => reference,
        other => panic!("{other:?}"),
    };
    let current = read("awssm://a");
    assert_eq!(
        (current.stage(), current.version()),
        (Some("AWSCURRENT"), None)
    );
    let pinned = read("awssm://a?version=v-1");
    assert_eq!(pinned.stage(), None);
    assert_eq!(pinned.version().map(|id| id.as_str()), Some("v-1"));
    // A version may be called like a stage; it is another secret all the same.
    assert_ne!(read("awssm://a?version=AWSCURRENT"), current);
}

#[test]
fn every_refusal_names_its_part() {
    use RefFault as F;
    use RefPart as P;
    let long = format!("env://{}", "A".repeat(1_100));
    let long_segment = format!("local://{}", "a".repeat(201));
    for (text, expected) in [
        ("", (P::Scheme, F::UnknownScheme)),
        ("kv/a#b", (P::Scheme, F::UnknownScheme)),
        ("VAULT://kv/a#b", (P::Scheme, F::UnknownScheme)),
        (" env://A", (P::Scheme, F::UnknownScheme)),
        ("http://a/b", (P::Scheme, F::UnknownScheme)),
        ("vault:kv/a#b", (P::Scheme, F::UnknownScheme)),
        ("vault://", (P::Mount, F::Missing)),
        ("vault:///kv/a#b", (P::Mount, F::Missing)),
        ("vault://../a#b", (P::Mount, F::DotSegment)),
        ("vault://user@kv/a#b", (P::Mount, F::BadCharacter)),
        ("vault://kv#b", (P::Path, F::Missing)),
        ("vault://kv/#b", (P::Path, F::Missing)),
        ("vault://kv//a#b", (P::Path, F::EmptySegment)),
        ("vault://kv/a/#b", (P::Path, F::EmptySegment)),
        ("vault://kv/a//b#c", (P::Path, F::EmptySegment)),
        ("vault://kv/./a#b", (P::Path, F::DotSegment)),
        ("vault://kv/a/..#b", (P::Path, F::DotSegment)),
        ("vault://kv/a\\..\\b#c", (P::Path, F::BadCharacter)),
        ("vault://kv/a b#c", (P::Path, F::BadCharacter)),
        ("vault://kv/a\n#c", (P::Path, F::BadCharacter)),
        ("vault://kv/a\0#c", (P::Path, F::BadCharacter)),
        ("vault://kv/a;b#c", (P::Path, F::BadCharacter)),
        ("vault://kv/a", (P::Field, F::Missing)),
        ("vault://kv/a#", (P::Field, F::Missing)),
        ("vault://kv/a#b#c", (P::Field, F::BadCharacter)),
        ("vault://kv/a#b/c", (P::Field, F::BadCharacter)),
        ("vault://kv/a#..", (P::Field, F::DotSegment)),
        ("vault://kv/a%2fb#c", (P::Reference, F::PercentEncoded)),
        ("vault://kv/%2e%2e/b#c", (P::Reference, F::PercentEncoded)),
        ("vault://kv/a#b%", (P::Reference, F::PercentEncoded)),
        (
            "vault://kv/\u{ff0e}\u{ff0e}/a#b",
            (P::Reference, F::NotAscii),
        ),
        ("vault://kv/a\u{2215}b#c", (P::Reference, F::NotAscii)),
        (
            "vault://kv/a?version=1#b",
            (P::Parameters, F::FieldAfterParameters),
        ),
        ("vault://kv/a#b?", (P::Parameters, F::BadParameter)),
        ("vault://kv/a#b?version", (P::Parameters, F::BadParameter)),
        ("vault://kv/a#b?Version=1", (P::Parameters, F::BadParameter)),
        ("vault://kv/a#b?stage=1", (P::Parameters, F::BadParameter)),
        (
            "vault://kv/a#b?version=1&version=2",
            (P::Parameters, F::BadParameter),
        ),
        (
            "vault://kv/a#b?version=1&x=2",
            (P::Parameters, F::BadParameter),
        ),
        ("vault://kv/a#b?version=", (P::Version, F::NotAVersion)),
        ("vault://kv/a#b?version=0", (P::Version, F::NotAVersion)),
        ("vault://kv/a#b?version=01", (P::Version, F::NotAVersion)),
        (
            "vault://kv/a#b?version=1?version=2",
            (P::Parameters, F::BadParameter),
        ),
        ("awssm://", (P::Name, F::Missing)),
        ("awssm:///a", (P::Name, F::EmptySegment)),
        ("awssm://a/../b", (P::Name, F::DotSegment)),
        ("awssm://a#", (P::Field, F::Missing)),
        ("awssm://a?stage=", (P::Stage, F::Missing)),
        ("awssm://a?stage=a/b", (P::Stage, F::BadCharacter)),
        ("awssm://a?version=", (P::Version, F::Missing)),
        ("awssm://a?version=a/b", (P::Version, F::BadCharacter)),
        ("awssm://a?Version=a", (P::Parameters, F::BadParameter)),
        (
            "awssm://a?stage=b&version=c",
            (P::Parameters, F::BadParameter),
        ),
        (
            "awssm://a?version=c&stage=b",
            (P::Parameters, F::BadParameter),
        ),
        (
            "awssm://a?version=c?stage=b",
            (P::Parameters, F::BadParameter),
        ),
        (
            "awssm://a?stage=b?version=c",
            (P::Parameters, F::BadParameter),
        ),
        ("awssm://arn:aws:x", (P::Name, F::BadCharacter)),
        ("file://", (P::Path, F::NotAbsolute)),
        ("file://etc/passwd", (P::Path, F::NotAbsolute)),
        ("file:///", (P::Path, F::Missing)),
        ("file:////etc", (P::Path, F::EmptySegment)),
        ("file:///etc/", (P::Path, F::EmptySegment)),
        ("file:///etc/../x", (P::Path, F::DotSegment)),
        ("file:///etc/x#f", (P::Field, F::Unexpected)),
        ("file:///etc/x?version=1", (P::Parameters, F::Unexpected)),
        ("env://", (P::Name, F::Missing)),
        ("env://1A", (P::Name, F::BadStart)),
        ("env://A-B", (P::Name, F::BadCharacter)),
        ("env://A/B", (P::Name, F::BadCharacter)),
        ("env://A#b", (P::Field, F::Unexpected)),
        ("local://", (P::Name, F::Missing)),
        ("local:///a", (P::Name, F::EmptySegment)),
        ("local://A", (P::Name, F::BadCharacter)),
        ("local://.a", (P::Name, F::BadStart)),
        ("local://a#b", (P::Field, F::Unexpected)),
        (long.as_str(), (P::Reference, F::TooLong { max: 1_024 })),
        (long_segment.as_str(), (P::Name, F::TooLong { max: 200 })),
    ] {
        assert_eq!(fault(text), expected, "{text:?}");
    }
}

#[test]
fn an_error_repeats_nothing_of_the_text() {
    for text in [
        "hunter2",
        "vault://hunter2/..#x",
        "env://hunter2-",
        "file://hunter2",
    ] {
        let error = text.parse::<SecretRef>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
