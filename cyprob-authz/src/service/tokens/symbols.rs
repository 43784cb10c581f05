//! The strings of a token: Biscuit's default symbols, then each block's own.

use std::collections::HashSet;

use super::shape::ShapeError;

/// The symbols that every Biscuit knows (specification, section "Symbol table").
const DEFAULTS: [&str; 28] = [
    "read",
    "write",
    "resource",
    "operation",
    "right",
    "time",
    "role",
    "owner",
    "tenant",
    "namespace",
    "user",
    "team",
    "service",
    "admin",
    "email",
    "group",
    "member",
    "ip_address",
    "client",
    "client_ip",
    "domain",
    "path",
    "version",
    "cluster",
    "node",
    "hostname",
    "nonce",
    "query",
];

/// The place of a string among them.
pub(super) fn default_symbol(text: &str) -> Option<u64> {
    let place = DEFAULTS.iter().position(|known| *known == text)?;
    Some(place as u64)
}

/// Where a token's own symbols begin.
pub(super) const OFFSET: u64 = 1024;

/// How many strings of its own a token may have.
const MAX_SYMBOLS: usize = 160;

/// The symbols known so far; a later block sees those of the blocks before it.
#[derive(Debug, Default)]
pub(super) struct Symbols<'a> {
    own: Vec<&'a str>,
    // INVARIANT: the strings of `own`; a stranger picks them, so the hasher is seeded
    seen: HashSet<&'a str>,
}

impl<'a> Symbols<'a> {
    /// Adds a block's strings; none may be known already.
    pub(super) fn extend(&mut self, strings: &[&'a str]) -> Result<(), ShapeError> {
        if self.own.len() + strings.len() > MAX_SYMBOLS {
            return Err(ShapeError::TooManySymbols);
        }
        for string in strings {
            if DEFAULTS.contains(string) || !self.seen.insert(string) {
                return Err(ShapeError::RepeatedSymbol);
            }
            self.own.push(string);
        }
        Ok(())
    }

    /// The string of an index.
    pub(super) fn get(&self, index: u64) -> Result<&'a str, ShapeError> {
        let found = if index < OFFSET {
            usize::try_from(index)
                .ok()
                .and_then(|at| DEFAULTS.get(at).copied())
        } else {
            usize::try_from(index - OFFSET)
                .ok()
                .and_then(|at| self.own.get(at).copied())
        };
        found.ok_or(ShapeError::UnknownSymbol)
    }
}
