//! Narrowing a token without a server, and what is left of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports by panicking"
)]

use cyprob_authz::domain::{Decision, Demand, Narrowing, Need, Permission, Rule, decide};
use cyprob_authz::service::{AttenuateError, ShapeError, TokenError, attenuate, random_uses};
use cyprob_authz::testkit::{Narrow, Stand, narrow, seal};
use cyprob_core::domain::RoleName;
use secrecy::{ExposeSecret as _, SecretString};

fn token(stand: &Stand) -> SecretString {
    let claims = stand.claims(Some(stand.org("acme", RoleName::OWNER)));
    stand.mint(&claims).into()
}

fn permissions(names: &[&str]) -> Narrowing {
    Narrowing::Permissions(names.iter().map(|name| (*name).to_owned()).collect())
}

fn permits(stand: &Stand, token: &SecretString, permission: Permission, run: &str) -> bool {
    let principal = stand
        .access
        .authenticate(token.expose_secret(), stand.now())
        .unwrap();
    let demand = Demand {
        need: Need::Org(permission),
        step_up: false,
        org: Some("acme"),
        resources: &[run],
        address: "10.1.2.3".parse().ok(),
        at: stand.now(),
        used: None,
    };
    decide(&principal, &demand).is_permit()
}

#[test]
fn every_template_narrows_and_two_blocks_do_together() {
    let stand = Stand::new(5);
    let second = u64::try_from(stand.now().as_seconds()).unwrap();
    let all = [
        permissions(&["runs:read", "runs:create"]),
        Narrowing::Resources(vec!["run_a".to_owned()]),
        Narrowing::Addresses(vec!["10.0.0.0/8".parse().unwrap()]),
        Narrowing::Before(second + 60),
    ];
    let token = token(&stand);
    let first = attenuate(&token, &all, &*stand.entropy).unwrap();
    assert!(permits(&stand, &first, Permission::RunsCreate, "run_a"));
    assert!(!permits(&stand, &first, Permission::RunsCreate, "run_b"));
    assert!(!permits(&stand, &first, Permission::OrgRead, "run_a"));

    let second = attenuate(&first, &[permissions(&["runs:read"])], &*stand.entropy).unwrap();
    assert!(permits(&stand, &second, Permission::RunsRead, "run_a"));
    assert!(!permits(&stand, &second, Permission::RunsCreate, "run_a"));
    assert!(permits(&stand, &first, Permission::RunsCreate, "run_a"));
    assert!(permits(&stand, &token, Permission::OrgRead, "run_b"));

    // There is no room for a third.
    let third = attenuate(&second, &[permissions(&["runs:read"])], &*stand.entropy);
    assert_eq!(
        third.unwrap_err(),
        AttenuateError::Refused(ShapeError::TooManyBlocks)
    );
}

/// The rule that refuses what only a use is missing for; none where it is permitted.
fn refusal(stand: &Stand, token: &SecretString) -> Option<Rule> {
    let token = token.expose_secret();
    let principal = stand.access.authenticate(token, stand.now()).unwrap();
    let demand = Demand {
        need: Need::Org(Permission::RunsRead),
        step_up: false,
        org: Some("acme"),
        resources: &[],
        address: None,
        at: stand.now(),
        used: None,
    };
    match decide(&principal, &demand) {
        Decision::Permit => None,
        Decision::Deny { rule, .. } => Some(rule),
    }
}

#[test]
fn no_decision_permits_a_token_of_which_no_use_was_taken() {
    let stand = Stand::new(9);
    let token = token(&stand);
    let narrower = |token: &SecretString, uses| {
        let by = [random_uses(uses, &*stand.entropy)];
        attenuate(token, &by, &*stand.entropy)
    };
    assert_eq!(refusal(&stand, &token), None);
    let one = narrower(&token, 1).unwrap();
    assert_eq!(refusal(&stand, &one), Some(Rule::UseNotTaken));
    // Other words leave nothing, and that needs no store to be known.
    let none = narrower(&one, 3).unwrap();
    assert_eq!(refusal(&stand, &none), Some(Rule::Spent));
    let most = narrower(&token, 8).unwrap();
    assert_eq!(refusal(&stand, &most), Some(Rule::UseNotTaken));
    for (token, uses) in [(&token, 9), (&most, 1)] {
        assert_eq!(
            narrower(token, uses).unwrap_err(),
            AttenuateError::Refused(ShapeError::ListTooLong)
        );
    }
    let Narrowing::OneUse(words) = random_uses(8, &*stand.entropy) else {
        panic!("a narrowing to uses");
    };
    let different: std::collections::BTreeSet<_> = words.iter().collect();
    assert_eq!(different.len(), 8);
    assert!(words.iter().all(|word| word.len() == 32));
}

/// What the shape firewall says of a token, whoever narrowed it.
fn refused(stand: &Stand, token: &str) -> Option<ShapeError> {
    match stand.access.authenticate(token, stand.now()) {
        Ok(_) => None,
        Err(TokenError::Shape(error)) => Some(error),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn takes_eight_uses_of_plain_words_over_all_blocks() {
    let stand = Stand::new(1);
    let token = stand.token("acme", RoleName::OWNER);
    let uses = |words: &[&str]| Narrow::Uses {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        set: false,
    };
    let with = |token: &str, block: &[Narrow]| narrow(token, block, &*stand.entropy).unwrap();
    let four = uses(&["a", "b", "c", "d"]);
    let five = [four.clone(), uses(&["a"])];
    let once = with(&token, std::slice::from_ref(&four));
    let eight = with(&once, std::slice::from_ref(&four));
    assert_eq!(refused(&stand, &eight), None);
    let [nine, twice] = [with(&once, &five), with(&with(&token, &five), &[four])];
    assert_eq!(refused(&stand, &nine), Some(ShapeError::ListTooLong));
    assert_eq!(refused(&stand, &twice), Some(ShapeError::ListTooLong));

    let longest = "x".repeat(64);
    for word in ["a", "~", "permission", &longest] {
        assert_eq!(refused(&stand, &with(&token, &[uses(&[word])])), None);
    }
    let long = "x".repeat(65);
    let huge = "x".repeat(3_000);
    for word in [
        "", " ", "a b", "a\n", "a\0", "\u{7f}", "\u{e9}", &long, &huge,
    ] {
        let token = with(&token, &[uses(&["a", word])]);
        assert_eq!(
            refused(&stand, &token),
            Some(ShapeError::UseWord),
            "{word:?}"
        );
    }
}

#[test]
fn it_writes_what_the_text_of_the_templates_says() {
    // The same narrowing, by the library's parser of the text, permits the same.
    let stand = Stand::new(6);
    let token = token(&stand);
    let names = vec!["runs:read".to_owned()];
    let ours = attenuate(
        &token,
        &[Narrowing::Permissions(names.clone())],
        &*stand.entropy,
    );
    let text = [Narrow::Permissions { names, set: false }];
    let theirs = narrow(token.expose_secret(), &text, &*stand.entropy).unwrap();
    let (ours, theirs) = (ours.unwrap(), SecretString::from(theirs));
    for permission in Permission::ALL {
        let [ours, theirs] =
            [&ours, &theirs].map(|token| permits(&stand, token, *permission, "run_a"));
        assert_eq!(ours, theirs);
        assert_eq!(ours, *permission == Permission::RunsRead);
    }
}

#[test]
fn what_cannot_be_narrowed_is_told() {
    let stand = Stand::new(7);
    let token = token(&stand);
    let reads = [permissions(&["runs:read"])];
    let by = |token: &str, by: &[Narrowing]| {
        attenuate(&SecretString::from(token), by, &*stand.entropy).unwrap_err()
    };
    assert_eq!(by(token.expose_secret(), &[]), AttenuateError::Nothing);
    assert_eq!(
        by(token.expose_secret(), &[permissions(&["runs:raed"])]),
        AttenuateError::UnknownPermission("`runs:raed`".to_owned())
    );
    let sealed = seal(token.expose_secret()).unwrap();
    assert_eq!(by(&sealed, &reads), AttenuateError::Sealed);
    for text in ["", "no token", "eyJhbGciOiJFZERTQSJ9.e30.AAAA"] {
        assert!(
            matches!(by(text, &reads), AttenuateError::Token(_)),
            "{text}"
        );
    }
    let many: Vec<String> = (0..65).map(|number| format!("run_{number}")).collect();
    assert_eq!(
        by(token.expose_secret(), &[Narrowing::Resources(many)]),
        AttenuateError::Refused(ShapeError::ListTooLong)
    );
    let long = vec!["x".repeat(4_000)];
    assert_eq!(
        by(token.expose_secret(), &[Narrowing::Resources(long)]),
        AttenuateError::Refused(ShapeError::TooLong)
    );
    // A worker's token is sealed, and none of a caller.
    let job = stand.mint_job(&stand.job());
    assert!(matches!(by(&job, &reads), AttenuateError::Token(_)));
}

#[test]
fn no_message_tells_the_token() {
    let stand = Stand::new(8);
    let token = token(&stand);
    let cut: String = token.expose_secret().chars().skip(1).collect();
    let error = attenuate(
        &SecretString::from(cut.clone()),
        &[permissions(&["runs:read"])],
        &*stand.entropy,
    );
    let told = format!("{0} {0:?}", error.unwrap_err());
    assert!(!told.contains(&cut[10..40]), "{told}");
}
