//! The shape firewall: what a token may look like, judged before any signature or Datalog.
//!
//! A general Datalog engine can be made to run for seconds by a token of a
//! kilobyte, whatever its time limit says. So the protobuf is decoded and
//! anything but the control plane's own shape refused: the authority block
//! holds facts and an expiry check, the blocks after it hold checks of the
//! templates, every message is in its one canonical encoding.

use biscuit_auth::format::schema;
use prost::Message;
use schema::proof::Content as Proof;
use schema::public_key::Algorithm;

use super::authority::Authority;
use super::block::Block;
use super::symbols::Symbols;
use super::templates::{self, Room};
use crate::domain::{Narrowing, RootKeyId};

/// How long a token may be, decoded.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// How many blocks it may have, the authority block included.
///
/// Each costs a signature, and a sealed token one more; with a fourth block the
/// costliest token would pass the promise of six Ed25519 verifications.
const MAX_BLOCKS: usize = 3;

/// How many checks an appended block may have.
const MAX_CHECKS: usize = 16;

/// How many strings the lists of all appended blocks may hold together.
pub(crate) const MAX_LISTED: usize = 128;

/// How many of them may be address ranges, which cost the most to read.
pub(crate) const MAX_RANGES: usize = 32;

/// How many words of single uses.
pub(crate) const MAX_USES: usize = 8;

/// The token does not have the shape of the control plane's own tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The text is not canonical URL-safe base64 with padding.
    #[error("not url-safe base64 in canonical form")]
    Base64,
    /// It is longer than [`MAX_TOKEN_BYTES`].
    #[error("longer than 4096 bytes")]
    TooLong,
    /// It is no Biscuit.
    #[error("no biscuit")]
    Protobuf,
    /// It is not in the one encoding that its content has.
    #[error("not in canonical encoding")]
    NotCanonical,
    /// It names no root key.
    #[error("no root key id")]
    NoKeyId,
    /// It has more than three blocks.
    #[error("more than three blocks")]
    TooManyBlocks,
    /// A block is signed by a third party.
    #[error("a third party's block")]
    ThirdParty,
    /// A next key or the proof is not Ed25519's.
    #[error("a key that is not ed25519")]
    Algorithm,
    /// A block is written in a version that is not known, or has a context, keys or scopes.
    #[error("a block with a part that is not admitted")]
    BlockPart,
    /// It has too many strings.
    #[error("too many strings")]
    TooManySymbols,
    /// It has one string twice.
    #[error("a repeated string")]
    RepeatedSymbol,
    /// It names a string that it does not have.
    #[error("an unknown string")]
    UnknownSymbol,
    /// The authority block is not made of the known facts and one expiry check.
    #[error("not the facts of an access token")]
    AuthorityFacts,
    /// An appended block holds facts or rules, or no check, or too many.
    #[error("an appended block that is not made of checks")]
    NotChecks,
    /// A check is none of the templates.
    #[error("a check that is none of the templates")]
    NoTemplate,
    /// A list holds more than 64 strings, or all lists together more than 128, or 32 address ranges, or 8 uses.
    #[error("a list of too many strings")]
    ListTooLong,
    /// An address range is not in its canonical spelling.
    #[error("an address range that is not in canonical spelling")]
    AddressRange,
    /// The word of a use is not 1 to 64 printable ASCII characters.
    #[error("a use whose word is not 1 to 64 printable characters")]
    UseWord,
    /// The token must be sealed and is not.
    #[error("not sealed")]
    NotSealed,
}

/// A token of the right shape whose signatures nobody has looked at yet.
#[derive(Debug)]
pub(super) struct Shape<A> {
    /// The key that it says has signed it.
    pub(super) key: RootKeyId,
    /// What the authority block says.
    pub(super) authority: A,
    /// What the appended blocks say.
    pub(super) narrowings: Vec<Narrowing>,
}

/// Judges the bytes of a token.
pub(super) fn judge<A: Authority>(bytes: &[u8]) -> Result<Shape<A>, ShapeError> {
    if bytes.len() > MAX_TOKEN_BYTES {
        return Err(ShapeError::TooLong);
    }
    let token: schema::Biscuit = canonical(bytes)?;
    let key = RootKeyId::new(token.root_key_id.ok_or(ShapeError::NoKeyId)?);
    if token.blocks.len() >= MAX_BLOCKS {
        return Err(ShapeError::TooManyBlocks);
    }
    match &token.proof.content {
        Some(Proof::FinalSignature(signature)) if signature.len() == 64 => {}
        Some(Proof::NextSecret(_)) if A::SEALED => return Err(ShapeError::NotSealed),
        Some(Proof::NextSecret(secret)) if secret.len() == 32 => {}
        Some(_) => return Err(ShapeError::Algorithm),
        None => return Err(ShapeError::Protobuf),
    }
    if A::SEALED && !token.blocks.is_empty() {
        return Err(ShapeError::TooManyBlocks);
    }
    envelope(&token.authority)?;
    let first = Block::read(&token.authority.block)?;
    let mut symbols = Symbols::default();
    symbols.extend(&first.symbols)?;
    let authority = A::read(&first, &symbols)?;
    let mut narrowings = Vec::new();
    let mut room = Room {
        strings: MAX_LISTED,
        ranges: MAX_RANGES,
        uses: MAX_USES,
    };
    for signed in &token.blocks {
        envelope(signed)?;
        let block = Block::read(&signed.block)?;
        let checks = 1..=MAX_CHECKS;
        if !block.facts.is_empty() || !checks.contains(&block.checks.len()) {
            return Err(ShapeError::NotChecks);
        }
        symbols.extend(&block.symbols)?;
        for check in block.checks {
            narrowings.push(templates::narrowing(check, &symbols, &mut room)?);
        }
    }
    Ok(Shape {
        key,
        authority,
        narrowings,
    })
}

/// Decodes a message that is in its canonical encoding: no unknown or repeated fields, no long numbers.
fn canonical<M: Message + Default>(bytes: &[u8]) -> Result<M, ShapeError> {
    let message = M::decode(bytes).map_err(|_| ShapeError::Protobuf)?;
    if message.encoded_len() != bytes.len() || message.encode_to_vec() != bytes {
        return Err(ShapeError::NotCanonical);
    }
    Ok(message)
}

/// What stands around a block.
fn envelope(signed: &schema::SignedBlock) -> Result<(), ShapeError> {
    if signed.external_signature.is_some() {
        return Err(ShapeError::ThirdParty);
    }
    if signed.next_key.algorithm != Algorithm::Ed25519 as i32
        || signed.next_key.key.len() != 32
        || signed.signature.len() != 64
    {
        return Err(ShapeError::Algorithm);
    }
    // the two forms in which a block is signed; `Some(0)` would be a second spelling of none
    match signed.version {
        None | Some(1) => Ok(()),
        Some(_) => Err(ShapeError::BlockPart),
    }
}
