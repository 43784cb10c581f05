//! The library against its own samples.
//!
//! What they state is compared whole: blocks, revocation ids, result, and what
//! the authorizer then holds, but for which block each fact came from.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use biscuit_auth::builder::Term;
use biscuit_auth::datalog::ExternFunc;
use biscuit_auth::{Authorizer, AuthorizerBuilder, AuthorizerLimits, Biscuit, PublicKey, error};
use serde_json::{Value, json};

use crate::Samples;

/// The function that the sample of external functions calls.
fn test(left: Term, right: Option<Term>) -> Result<Term, String> {
    match (left, right) {
        (left, None) => Ok(left),
        (Term::Str(left), Some(Term::Str(right))) => {
            let equal = if left == right { "equal" } else { "different" };
            Ok(Term::Str(format!("{equal} strings")))
        }
        _ => Err("unsupported operands".to_owned()),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the samples' policies are text, and not ours"
)]
fn authorizer(token: &Biscuit, code: &str) -> Result<Authorizer, error::Token> {
    let limits = AuthorizerLimits {
        max_facts: 10_000,
        max_iterations: 1_000,
        max_time: Duration::from_secs(60),
    };
    let functions = HashMap::from([("test".to_owned(), ExternFunc::new(Arc::new(test)))]);
    AuthorizerBuilder::new()
        .set_limits(limits)
        .set_extern_funcs(functions)
        .code(code)
        .unwrap()
        .build(token)
}

fn err(error: &error::Token) -> Value {
    json!({ "Err": error })
}

fn sorted(texts: impl Iterator<Item = String>) -> Value {
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    json!(texts)
}

/// What the library says of a token and an authorizer, as the samples write it.
fn judged(bytes: &[u8], root: PublicKey, code: &str) -> Value {
    let mut said = json!({ "world": null, "revocation_ids": [] });
    let token = match Biscuit::from(bytes, root) {
        Ok(token) => token,
        Err(error) => {
            said["result"] = err(&error);
            return said;
        }
    };
    let ids = token.revocation_identifiers();
    said["revocation_ids"] = ids.iter().map(hex::encode).collect();
    let mut authorizer = match authorizer(&token, code) {
        Ok(authorizer) => authorizer,
        Err(error) => {
            said["result"] = err(&error);
            return said;
        }
    };
    said["result"] = match authorizer.authorize() {
        Ok(policy) => json!({ "Ok": policy }),
        Err(error) => err(&error),
    };
    let (facts, rules, checks, policies) = authorizer.dump();
    said["world"] = json!({
        "facts": sorted(facts.iter().map(ToString::to_string)),
        "rules": sorted(rules.iter().map(ToString::to_string)),
        "checks": sorted(checks.iter().map(ToString::to_string)),
        "policies": sorted(policies.iter().map(ToString::to_string)),
    });
    said
}

/// What a sample states, with its facts, rules and checks in one list each.
fn stated(validation: &Value) -> Value {
    let world = &validation["world"];
    let all = |part: &str| {
        let groups = world[part].as_array().unwrap().iter();
        let texts = groups.flat_map(|group| match group {
            Value::String(_) => vec![group],
            _ => group[part].as_array().unwrap().iter().collect(),
        });
        sorted(texts.map(|text| text.as_str().unwrap().to_owned()))
    };
    let parts = ["facts", "rules", "checks", "policies"];
    let world: Option<HashMap<_, _>> =
        (!world.is_null()).then(|| parts.map(|part| (part, all(part))).into());
    json!({
        "world": world,
        "revocation_ids": validation["revocation_ids"],
        "result": validation["result"],
    })
}

/// The blocks of a token, as the samples write them.
fn blocks(token: &Biscuit) -> Value {
    let block = |index| {
        let keys = token.block_public_keys(index).unwrap().into_inner();
        json!({
            "symbols": token.block_symbols(index).unwrap(),
            "public_keys": keys.iter().map(PublicKey::print).collect::<Vec<_>>(),
            "external_key": token.block_external_key(index).unwrap().map(|key| key.print()),
            "code": token.print_block_source(index).unwrap(),
            "version": token.block_version(index).unwrap(),
        })
    };
    (0..token.block_count()).map(block).collect()
}

#[test]
fn the_library_does_what_its_samples_say() {
    let samples = Samples::read();
    let (mut validations, mut read) = (0, 0);
    for case in &samples.cases {
        let (name, bytes) = (&case["filename"], samples.bytes(case));
        for (which, validation) in case["validations"].as_object().unwrap() {
            let code = validation["authorizer_code"].as_str().unwrap();
            let said = judged(&bytes, samples.root, code);
            assert_eq!(said, stated(validation), "{name}, {which}");
            validations += 1;
        }
        // A sample that is broken on purpose describes what it was before.
        if let Ok(token) = Biscuit::from(&bytes, samples.root) {
            assert_eq!(blocks(&token), case["token"], "{name}");
            read += 1;
        }
    }
    let counts = (samples.cases.len(), validations, read);
    println!(
        "{} samples, {} validations, {} read",
        counts.0, counts.1, counts.2
    );
    assert_eq!(counts, (38, 50, 33));
}
