//! A block's parts, read strictly.

use super::reader::Reader;
use super::shape::ShapeError;

/// The versions of the Datalog that the templates are written in.
const VERSIONS: std::ops::RangeInclusive<u64> = 3..=6;

/// What our blocks are made of; the facts and checks are yet to be read.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) symbols: Vec<&'a str>,
    pub(super) facts: Vec<Reader<'a>>,
    pub(super) checks: Vec<Reader<'a>>,
}

impl<'a> Block<'a> {
    /// Splits a block; a context, rules, scopes, keys or anything unknown is refused.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, ShapeError> {
        split(Reader::new(bytes)).ok_or(ShapeError::BlockPart)
    }
}

fn split(mut at: Reader<'_>) -> Option<Block<'_>> {
    let mut block = Block {
        symbols: Vec::new(),
        facts: Vec::new(),
        checks: Vec::new(),
    };
    while let Some(text) = at.bytes_if(1)? {
        block.symbols.push(std::str::from_utf8(text).ok()?);
    }
    if !VERSIONS.contains(&at.number(3)?) {
        return None;
    }
    while let Some(fact) = at.bytes_if(4)? {
        block.facts.push(Reader::new(fact));
    }
    while let Some(check) = at.bytes_if(6)? {
        block.checks.push(Reader::new(check));
    }
    at.end()?;
    Some(block)
}
