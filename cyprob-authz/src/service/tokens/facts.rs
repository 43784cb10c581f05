//! Authority blocks on their way: facts, and the check that ends the token.
//!
//! Byte for byte what `biscuit-auth` writes of the same Datalog, at a fraction
//! of the cost: see the test.

use std::ops::Range;

use cyprob_core::domain::Timestamp;

use super::symbols::{OFFSET, default_symbol};
use super::templates::LESS_THAN;
use super::writer::Writer;

/// The version of the Datalog that a block of facts and such a check needs.
const VERSION: u64 = 3;
/// About what a person's token in an organization has.
const CAPACITY: usize = 512;

/// Facts in the order in which they are added, each of one value.
#[derive(Debug)]
pub(super) struct Facts {
    symbols: Writer,
    /// Where the text of each symbol lies.
    texts: Vec<Range<usize>>,
    facts: Writer,
}

impl Facts {
    pub(super) fn new() -> Self {
        Self {
            symbols: Writer::with_capacity(CAPACITY),
            texts: Vec::with_capacity(32),
            facts: Writer::with_capacity(CAPACITY),
        }
    }

    pub(super) fn text(&mut self, name: &str, value: impl AsRef<str>) -> &mut Self {
        // The name's symbol comes before the value's.
        let name = self.symbol(name);
        let value = self.symbol(value.as_ref());
        self.fact(name, |term| term.number(3, value))
    }

    pub(super) fn number(&mut self, name: &str, value: i64) -> &mut Self {
        let name = self.symbol(name);
        self.fact(name, |term| term.number(2, value.cast_unsigned()))
    }

    /// Whole seconds; what is finer is dropped.
    pub(super) fn date(&mut self, name: &str, value: Timestamp) -> &mut Self {
        let name = self.symbol(name);
        self.fact(name, |term| term.number(4, seconds(value)))
    }

    pub(super) fn bytes(&mut self, name: &str, value: &[u8]) -> &mut Self {
        let name = self.symbol(name);
        self.fact(name, |term| term.bytes(5, value))
    }

    pub(super) fn truth(&mut self, name: &str, value: bool) -> &mut Self {
        let name = self.symbol(name);
        self.fact(name, |term| term.number(6, value.into()))
    }

    fn fact(&mut self, name: u64, term: impl FnOnce(&mut Writer)) -> &mut Self {
        self.facts.message(4, |fact| {
            fact.message(1, |predicate| {
                predicate.number(1, name);
                predicate.message(2, term);
            });
        });
        self
    }

    /// The place of a string in the symbols.
    fn symbol(&mut self, text: &str) -> u64 {
        if let Some(place) = default_symbol(text) {
            return place;
        }
        let known = self.symbols.as_bytes();
        let same = |at: &Range<usize>| known.get(at.clone()) == Some(text.as_bytes());
        let place = self.texts.iter().position(same).unwrap_or_else(|| {
            self.symbols.bytes(1, text.as_bytes());
            let end = self.symbols.as_bytes().len();
            self.texts.push(end.saturating_sub(text.len())..end);
            self.texts.len() - 1
        });
        OFFSET + place as u64
    }

    /// The block, with `check if time($time), $time < {ends}`.
    pub(super) fn block(&mut self, ends: Timestamp) -> Vec<u8> {
        let (time, query) = (self.symbol("time"), self.symbol("query"));
        let room = self.symbols.as_bytes().len() + self.facts.as_bytes().len() + 64;
        let mut block = Writer::with_capacity(room);
        block.append(&self.symbols);
        block.number(3, VERSION);
        block.append(&self.facts);
        block.message(6, |check| {
            check.message(1, |rule| {
                rule.message(1, |head| head.number(1, query));
                rule.message(2, |predicate| {
                    predicate.number(1, time);
                    predicate.message(2, |term| term.number(1, time));
                });
                rule.message(3, |expression| {
                    expression.message(1, |op| op.message(1, |term| term.number(1, time)));
                    expression.message(1, |op| {
                        op.message(1, |term| term.number(4, seconds(ends)));
                    });
                    expression.message(1, |op| {
                        op.message(3, |binary| binary.number(1, LESS_THAN));
                    });
                });
            });
        });
        block.into_bytes()
    }
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_seconds()).unwrap_or(0)
}
