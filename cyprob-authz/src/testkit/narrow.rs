//! Narrowing a token as its holder would, with the Biscuit library alone.

use std::time::{Duration, SystemTime};

use biscuit_auth::builder::BlockBuilder;
use biscuit_auth::builder::{Algorithm, Check, Term};
use biscuit_auth::format::schema;
use biscuit_auth::macros::check;
use biscuit_auth::{KeyPair, PrivateKey, UnverifiedBiscuit};
use cyprob_core::ports::{Entropy, EntropyExt as _};
use ed25519_dalek::{Signer as _, SigningKey};
use prost::Message as _;

use crate::service::token_text;

/// One check of an appended block; `set` writes the list as a set literal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Narrow {
    /// To permissions.
    Permissions {
        /// Their names.
        names: Vec<String>,
        /// As a set.
        set: bool,
    },
    /// To resources.
    Resources {
        /// Their ids.
        ids: Vec<String>,
        /// As a set.
        set: bool,
    },
    /// To address ranges.
    Addresses {
        /// The ranges.
        ranges: Vec<String>,
        /// As a set.
        set: bool,
    },
    /// To the time before a second since the Unix epoch.
    Before {
        /// The second.
        second: u64,
        /// With `<=` in place of `<`.
        inclusive: bool,
    },
    /// To single uses.
    Uses {
        /// Their words.
        words: Vec<String>,
        /// As a set.
        set: bool,
    },
}

/// The checks of one appended block.
pub type NarrowBlock = Vec<Narrow>;

/// Appends a block to a token's text.
///
/// # Errors
///
/// The Biscuit library's own words, if it does not append.
pub fn narrow(token: &str, block: &[Narrow], entropy: &dyn Entropy) -> Result<String, String> {
    let mut builder = BlockBuilder::new();
    for item in block {
        builder = builder.check(item.check()).map_err(|e| e.to_string())?;
    }
    append(token, builder, entropy)
}

/// Seals a token: nobody can narrow it any more.
///
/// # Errors
///
/// The Biscuit library's own words, if it does not seal.
pub fn seal(token: &str) -> Result<String, String> {
    UnverifiedBiscuit::from_base64(token)
        .and_then(|token| token.seal())
        .and_then(|token| token.to_base64())
        .map_err(|e| e.to_string())
}

/// A narrowed token whose last block brings strings that nothing in it names, signed anew with the key of the token it was made from.
///
/// # Errors
///
/// The library's own words, if one of the two is no token that can be narrowed.
pub(super) fn padded(parent: &str, child: &str, strings: &[String]) -> Result<String, String> {
    let decode = |token: &str| {
        let bytes = token_text::decode(token).map_err(|e| e.to_string())?;
        schema::Biscuit::decode(&bytes[..]).map_err(|e| e.to_string())
    };
    let Some(schema::proof::Content::NextSecret(secret)) = decode(parent)?.proof.content else {
        return Err("sealed".to_owned());
    };
    let secret = <[u8; 32]>::try_from(secret).map_err(|_| "no key".to_owned())?;
    let mut token = decode(child)?;
    let last = token.blocks.last_mut().ok_or("no block")?;
    let mut block = schema::Block::decode(&last.block[..]).map_err(|e| e.to_string())?;
    block.symbols.extend_from_slice(strings);
    last.block = block.encode_to_vec();
    // The first of the two forms in which blocks are signed.
    last.version = None;
    let algorithm = last.next_key.algorithm.to_le_bytes();
    let signed = [&last.block[..], &algorithm, &last.next_key.key].concat();
    let signature = SigningKey::from_bytes(&secret).sign(&signed);
    last.signature = signature.to_bytes().to_vec();
    Ok(token_text::encode(&token.encode_to_vec()))
}

fn append(token: &str, builder: BlockBuilder, entropy: &dyn Entropy) -> Result<String, String> {
    let secret = entropy.bytes::<32>();
    let next = PrivateKey::from_bytes(&secret, Algorithm::Ed25519).map_err(|e| e.to_string())?;
    UnverifiedBiscuit::from_base64(token)
        .and_then(|token| token.append_with_keypair(&KeyPair::from(&next), builder))
        .and_then(|token| token.to_base64())
        .map_err(|e| e.to_string())
}

impl Narrow {
    fn check(&self) -> Check {
        match self {
            Self::Permissions { names, set } => {
                let list = list(names, *set);
                check!("check if permission($p), {list}.contains($p)")
            }
            Self::Resources { ids, set } => {
                let list = list(ids, *set);
                check!("check if resource($r), {list}.contains($r)")
            }
            Self::Addresses { ranges, set } => {
                let list = list(ranges, *set);
                check!("check if address_prefix($a), {list}.contains($a)")
            }
            Self::Uses { words, set } => {
                let list = list(words, *set);
                check!("check if nonce($n), {list}.contains($n)")
            }
            Self::Before { second, inclusive } => {
                let date = SystemTime::UNIX_EPOCH + Duration::from_secs(*second);
                if *inclusive {
                    check!("check if time($t), $t <= {date}")
                } else {
                    check!("check if time($t), $t < {date}")
                }
            }
        }
    }
}

fn list(items: &[String], set: bool) -> Term {
    let terms = items.iter().cloned().map(Term::Str);
    if set {
        Term::Set(terms.collect())
    } else {
        Term::Array(terms.collect())
    }
}
