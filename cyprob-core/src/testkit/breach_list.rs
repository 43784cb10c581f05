//! The conformance suite of [`BreachList`]: one function per behaviour.

#![allow(clippy::panic, reason = "a suite reports by panicking")]

use std::sync::Arc;

use crate::domain::BreachDigest;
use crate::ports::BreachList;

/// Lists of these lengths are asked for.
const LENGTHS: [usize; 5] = [1, 2, 3, 10, 1_000];

fn digest(name: &str, number: usize) -> BreachDigest {
    BreachDigest::of(&format!("{name} {number}").into())
}

async fn holds(list: &dyn BreachList, password: &BreachDigest) -> bool {
    match list.holds(password).await {
        Ok(held) => held,
        Err(error) => panic!("{error}"),
    }
}

/// Every password that the list was made of is held, wherever it stands.
pub async fn every_listed_password_is_held(make: impl Fn(&[BreachDigest]) -> Arc<dyn BreachList>) {
    for length in LENGTHS {
        let listed: Vec<_> = (0..length).map(|n| digest("listed", n)).collect();
        let list = make(&listed);
        for (number, password) in listed.iter().enumerate() {
            assert!(holds(list.as_ref(), password).await, "{number} of {length}");
        }
    }
}

/// No other password is held.
pub async fn no_other_password_is_held(make: impl Fn(&[BreachDigest]) -> Arc<dyn BreachList>) {
    for length in LENGTHS {
        let listed: Vec<_> = (0..length).map(|n| digest("listed", n)).collect();
        let list = make(&listed);
        for number in 0..100 {
            let other = digest("other", number);
            assert!(!holds(list.as_ref(), &other).await, "{number}, {length}");
        }
    }
}
