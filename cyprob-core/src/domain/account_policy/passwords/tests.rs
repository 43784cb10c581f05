use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn check_as(password: &str, role: PasswordRole) -> Result<(), WeakPassword> {
    let words = ContextWords::default()
        .with("Ada Lovelace")
        .with("ada@example.org")
        .with("acme");
    let policy = PasswordPolicy::default().with_context("Cyprob");
    policy.check(&password.into(), &words, role)
}

fn check(password: &str) -> Result<(), WeakPassword> {
    check_as(password, PasswordRole::Alone)
}

#[test]
fn asvs_6_2_1_fifteen_characters_alone_and_eight_beside_a_second_factor() {
    let beside = PasswordRole::BesideSecondFactor;
    assert_eq!(check("vier Elefanten"), Err(WeakPassword::TooShort));
    assert_eq!(check("vier Elefanten!"), Ok(()));
    assert_eq!(check("éàüöçéàüöçéàüöx"), Ok(()));
    assert_eq!(check("éàüöçéàüöçéàüöç"), Err(WeakPassword::Pattern));
    assert_eq!(check("früh übt sich wer"), Ok(()));
    assert_eq!(check_as("k7#pq!z", beside), Err(WeakPassword::TooShort));
    assert_eq!(check_as("k7#pq!zm", beside), Ok(()));
    assert_eq!(
        check_as("💡🦆🧊🎷🪁🧲🪴🥁", beside),
        Ok(()),
        "characters, not bytes"
    );
}

#[test]
fn asvs_6_2_4_each_of_the_3000_passwords_that_most_choose_is_refused() {
    let list = include_str!("../../../../data/common-passwords.txt");
    let beside = PasswordRole::BesideSecondFactor;
    let mut seen = 0;
    for word in list.lines().filter(|word| word.len() >= 8) {
        assert!(check_as(word, beside).is_err(), "{word}");
        if seen % 8 == 0 {
            assert!(check_as(&word.to_uppercase(), beside).is_err(), "{word}");
        }
        seen += 1;
    }
    assert!(seen >= 3_000, "{seen}");
    // Of fifteen characters and more: every pair of short ones, which is more than 3,000.
    let short: Vec<&str> = list
        .lines()
        .filter(|word| word.len() == 8)
        .take(56)
        .collect();
    for first in &short {
        for second in &short {
            assert!(
                check(&format!("{first}{second}")).is_err(),
                "{first}{second}"
            );
        }
    }
}

#[test]
fn asvs_6_2_5_nothing_is_asked_of_the_composition() {
    for good in [
        "wo die wilden kerle",
        "GROSSBUCHSTABENALLEIN",
        "84126630197253078",
        "早起きは三文の徳というけれど眠い",
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
}

#[test]
fn asvs_6_2_8_each_character_counts_as_it_came() {
    assert_eq!(check("vier Elefanten"), Err(WeakPassword::TooShort));
    assert_eq!(
        check("vier Elefanten "),
        Ok(()),
        "a space at the end is one"
    );
    assert_eq!(
        check("vier Elefanten\u{301}"),
        Ok(()),
        "nothing is composed"
    );
    assert_eq!(check("vier\0Elefanten\n"), Ok(()));
}

#[test]
fn asvs_6_2_9_passwords_of_64_characters_and_up_to_1024_bytes_are_taken() {
    let phrase = "wer mit Ungeheuern ringt sieht zu dass er selbst keines wird und ";
    assert!(phrase.chars().count() >= 64);
    assert_eq!(check(phrase), Ok(()));
    let long: String = phrase.chars().cycle().take(1_024).collect();
    assert_eq!(long.len(), 1_024);
    assert_eq!(check(&long), Ok(()));
    assert_eq!(check(&format!("{long}x")), Err(WeakPassword::TooLong));
}

#[test]
fn asvs_6_2_11_names_of_person_organization_and_product_are_refused() {
    for bad in [
        "AdaLovelaceAcme2026",
        "Cyprob.acme.2026!",
        "example ada acme 1",
        "4d4 l0v3l4c3 4cm3",
    ] {
        assert_eq!(check(bad), Err(WeakPassword::Context), "{bad}");
    }
    assert_eq!(check("acme pays for nice anvils"), Ok(()));
}

#[test]
fn every_reason_has_its_name() {
    assert_eq!(
        check("aaaaaaaaaaaaaaaa").map_err(WeakPassword::as_str),
        Err("pattern")
    );
    assert_eq!(
        check("footballsunshine").map_err(WeakPassword::as_str),
        Err("common")
    );
    assert_eq!(
        check("short").map_err(WeakPassword::as_str),
        Err("too_short")
    );
    assert_eq!(
        check(&"x".repeat(1_025)).map_err(WeakPassword::as_str),
        Err("too_long")
    );
    assert_eq!(
        check("ada lovelace acme").map_err(WeakPassword::as_str),
        Err("context")
    );
}

/// Anything, and what is close to being refused.
fn passwords() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<String>(),
        "[a-z0-9 !@$]{0,12}",
        prop::sample::select(vec![
            "password",
            "acme",
            "ada",
            "1234",
            "qwerty",
            "2024-07-31",
            "0",
            "é"
        ])
        .prop_map(str::to_owned),
    ];
    vec(part, 0..6).prop_map(|parts| parts.concat())
}

fn words() -> impl Strategy<Value = Vec<String>> {
    vec(prop_oneof![any::<String>(), "[a-z0-9]{1,6}"], 0..6)
}

fn role() -> impl Strategy<Value = PasswordRole> {
    prop::sample::select(vec![PasswordRole::Alone, PasswordRole::BesideSecondFactor])
}

proptest! {
    #[test]
    fn no_password_panics_and_the_answer_is_always_the_same(
        password in passwords(), texts in words(), role in role(),
    ) {
        let words = texts.iter().fold(ContextWords::default(), |all, text| all.with(text));
        let check = || PasswordPolicy::default().check(&password.as_str().into(), &words, role);
        prop_assert_eq!(check(), check());
    }

    #[test]
    fn one_more_word_never_makes_a_refused_password_good(
        password in passwords(), texts in words(), more in "[a-z0-9 ]{1,10}", role in role(),
    ) {
        // Pieces of the password itself are the words that matter.
        let piece: String = password.chars().take(7).collect();
        let words = texts.iter().fold(ContextWords::default(), |all, text| all.with(text));
        let check = |words: &ContextWords| {
            PasswordPolicy::default().check(&password.as_str().into(), words, role)
        };
        let before = check(&words);
        for text in [more, piece] {
            let after = check(&words.clone().with(&text));
            prop_assert!(before.is_ok() || after.is_err());
            prop_assert!(after == before || after == Err(WeakPassword::Context));
        }
    }

    #[test]
    fn a_password_taken_alone_is_taken_beside_a_second_factor(
        password in passwords(),
    ) {
        let words = ContextWords::default();
        let check = |role| PasswordPolicy::default().check(&password.as_str().into(), &words, role);
        if check(PasswordRole::Alone).is_ok() {
            prop_assert!(check(PasswordRole::BesideSecondFactor).is_ok());
        }
    }
}
