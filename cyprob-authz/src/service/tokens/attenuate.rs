//! Narrowing a token, by its holder.

use std::collections::BTreeSet;

use biscuit_auth::builder::{
    Algorithm, Binary, BlockBuilder, Check, CheckKind, Expression, Op, Predicate, Rule, Term,
};
use biscuit_auth::{KeyPair, PrivateKey, UnverifiedBiscuit};
use cyprob_core::domain::excerpt;
use cyprob_core::ports::{Entropy, EntropyExt as _};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::authority::CallerClaims;
use super::shape::{self, ShapeError};
use super::text;
use crate::domain::{Narrowing, Permission, SystemPermission};

/// The token was not narrowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttenuateError {
    /// Nothing was to be taken away.
    #[error("say to what the token is to be narrowed")]
    Nothing,
    /// It is none of this control plane's access tokens.
    #[error("not an access token of a control plane")]
    Token(#[source] ShapeError),
    /// It is sealed: nobody can narrow it any more.
    #[error("the token is sealed and cannot be narrowed")]
    Sealed,
    /// A permission that there is not would leave nothing; its name, shortened and escaped.
    #[error("there is no permission {0}")]
    UnknownPermission(String),
    /// The narrower token would be refused, being too long or of too many blocks or lists.
    #[error("the narrower token would be refused; take fewer or shorter lists")]
    Refused(#[source] ShapeError),
}

/// Narrows a token to all of these, offline: the holder needs no key and no server.
///
/// The narrower token permits what the given one permits and the narrowings let
/// through, until the given one ends. It is to be had from the given one and
/// not the other way round. A token takes two such blocks.
///
/// # Errors
///
/// [`AttenuateError`]; the token stays as it is.
///
/// # Examples
///
/// ```no_run
/// use cyprob_authz::domain::Narrowing;
/// use cyprob_authz::service::attenuate;
/// # fn f(token: secrecy::SecretString, entropy: &dyn cyprob_core::ports::Entropy)
/// # -> Result<(), cyprob_authz::service::AttenuateError> {
/// let reads = Narrowing::Permissions(vec!["runs:read".to_owned()]);
/// let for_the_script = attenuate(&token, &[reads], entropy)?;
/// # Ok(())
/// # }
/// ```
///
/// Any Biscuit implementation can do the same: the checks are those of
/// [`Narrowing`]'s documentation, as text.
pub fn attenuate(
    token: &SecretString,
    by: &[Narrowing],
    entropy: &dyn Entropy,
) -> Result<SecretString, AttenuateError> {
    if by.is_empty() {
        return Err(AttenuateError::Nothing);
    }
    let given = text::decode(token.expose_secret()).map_err(AttenuateError::Token)?;
    let given = Zeroizing::new(given);
    shape::judge::<CallerClaims>(&given).map_err(AttenuateError::Token)?;
    let mut block = BlockBuilder::new();
    for narrowing in by {
        let check = check(narrowing)?;
        // A check without parameters is always taken.
        block = block.check(check).map_err(|_| not_appended())?;
    }
    let narrowed = append(&given, block, entropy)?;
    // What is given out is what a verifier takes.
    shape::judge::<CallerClaims>(&narrowed).map_err(AttenuateError::Refused)?;
    Ok(SecretString::from(text::encode(&narrowed)))
}

/// The narrowing to so many uses, each by a word of 128 random bits; a token takes eight.
///
/// Whoever checks the token must remember spent uses: the control plane does,
/// and a verifier that does not refuses the token.
#[must_use]
pub fn random_uses(number: u8, entropy: &dyn Entropy) -> Narrowing {
    let word = |_| hex::encode(entropy.bytes::<16>());
    Narrowing::OneUse((0..number).map(word).collect())
}

fn append(
    token: &[u8],
    block: BlockBuilder,
    entropy: &dyn Entropy,
) -> Result<Zeroizing<Vec<u8>>, AttenuateError> {
    let seed = Zeroizing::new(entropy.bytes::<32>());
    let next = PrivateKey::from_bytes(seed.as_slice(), Algorithm::Ed25519);
    let next = next.map_err(|_| not_appended())?;
    let token = UnverifiedBiscuit::from(token).map_err(|_| not_appended())?;
    // Of a token of the right shape, only a sealed one takes no block.
    let narrowed = token.append_with_keypair(&KeyPair::from(&next), block);
    let narrowed = narrowed.map_err(|_| AttenuateError::Sealed)?;
    let bytes = narrowed.to_vec().map_err(|_| not_appended())?;
    Ok(Zeroizing::new(bytes))
}

const fn not_appended() -> AttenuateError {
    AttenuateError::Refused(ShapeError::Protobuf)
}

/// The check of a narrowing, as its template says it.
fn check(narrowing: &Narrowing) -> Result<Check, AttenuateError> {
    let texts = |list: &[String]| list.iter().cloned().map(Term::Str).collect();
    Ok(match narrowing {
        Narrowing::Permissions(names) => {
            let unknown = names.iter().find(|name| !is_known(name));
            if let Some(name) = unknown {
                return Err(AttenuateError::UnknownPermission(excerpt(name)));
            }
            contained("permission", texts(names))
        }
        Narrowing::Resources(ids) => contained("resource", texts(ids)),
        Narrowing::Addresses(ranges) => {
            let ranges = ranges.iter().map(ToString::to_string);
            contained("address_prefix", ranges.map(Term::Str).collect())
        }
        Narrowing::OneUse(words) => contained("nonce", texts(words)),
        Narrowing::Before(second) => {
            template("time", [variable(), Term::Date(*second)], Binary::LessThan)
        }
    })
}

fn is_known(name: &str) -> bool {
    name.parse::<Permission>().is_ok() || name.parse::<SystemPermission>().is_ok()
}

/// Written as a set: arrays are of a later version of the Datalog, and not every implementation reads it.
fn contained(predicate: &str, list: BTreeSet<Term>) -> Check {
    template(predicate, [Term::Set(list), variable()], Binary::Contains)
}

fn variable() -> Term {
    Term::Variable("x".to_owned())
}

/// `check if PREDICATE($x), LEFT OPERATOR RIGHT`.
fn template(predicate: &str, [left, right]: [Term; 2], operator: Binary) -> Check {
    let ops = vec![Op::Value(left), Op::Value(right), Op::Binary(operator)];
    let head = Predicate::new("query".to_owned(), Vec::new());
    let body = Predicate::new(predicate.to_owned(), vec![variable()]);
    Check {
        queries: vec![Rule::new(
            head,
            vec![body],
            vec![Expression { ops }],
            Vec::new(),
        )],
        kind: CheckKind::One,
    }
}
