//! Tokens by description: narrowed up to what the firewall admits, changed a little, or crossed.

use cyprob_core::ports::EntropyExt as _;

use super::narrow::{Narrow, narrow, padded, seal};
use super::stand::Stand;

/// Random numbers of a stand.
pub(super) struct Dice<'a> {
    stand: &'a Stand,
}

impl<'a> Dice<'a> {
    pub(super) const fn new(stand: &'a Stand) -> Self {
        Self { stand }
    }

    /// 0 to `limit` - 1.
    pub(super) fn upto(&self, limit: u16) -> u16 {
        u16::from_le_bytes(self.stand.entropy.bytes()) % limit.max(1)
    }

    fn index(&self, of: usize) -> usize {
        usize::from(self.upto(u16::try_from(of).unwrap_or(u16::MAX)))
    }

    fn coin(&self) -> bool {
        self.upto(2) == 0
    }
}

/// One appended block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Gene {
    checks: Vec<Narrow>,
    /// Strings that the block brings and no check names.
    padding: Vec<String>,
}

/// How a token is narrowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Genome {
    blocks: Vec<Gene>,
    sealed: bool,
}

/// The strings that a genome draws from.
struct Words<'a, 'b> {
    dice: &'b Dice<'a>,
    /// How many there are: few make lists that repeat them.
    many: u16,
    /// How long each is.
    length: usize,
}

impl<'a, 'b> Words<'a, 'b> {
    /// Few short strings make many terms, many long ones a large table.
    fn draw(dice: &'b Dice<'a>) -> Self {
        Self {
            dice,
            many: 1 + dice.upto(64),
            length: 1 + usize::from(dice.upto(40)),
        }
    }

    fn word(&self) -> String {
        let (which, length) = (self.dice.upto(self.many), self.length);
        format!("{which:0length$}")
    }

    fn range(&self) -> String {
        let n = self.dice.upto(self.many);
        if self.length.is_multiple_of(2) {
            format!("2001:db8:{:x}:1:5555:6666:7777:{n:x}/128", n + 1)
        } else {
            format!("10.{}.{}.0/24", n / 256, n % 256)
        }
    }

    fn check(&self) -> Narrow {
        let (dice, set) = (self.dice, self.dice.coin());
        let kind = dice.upto(5);
        let most = match (dice.upto(3), kind) {
            (0, 2) => 33,
            (_, 3) => 9,
            (0, _) => 65,
            _ => 8,
        };
        let length = dice.upto(most);
        let words = || (0..length).map(|_| self.word()).collect();
        match kind {
            0 => Narrow::Permissions {
                names: words(),
                set,
            },
            1 => Narrow::Resources { ids: words(), set },
            2 => Narrow::Addresses {
                ranges: (0..length).map(|_| self.range()).collect(),
                set,
            },
            3 => Narrow::Uses {
                words: words(),
                set,
            },
            _ => Narrow::Before {
                second: u64::from(dice.upto(u16::MAX)) << 17,
                inclusive: set,
            },
        }
    }
}

impl Genome {
    /// One that takes as much as the firewall may admit, and at times more.
    pub(super) fn greedy(dice: &Dice<'_>) -> Self {
        let words = Words::draw(dice);
        let blocks = dice.upto(4).min(2) + u16::from(dice.upto(16) == 0);
        let gene = |_| {
            let checks = 1 + dice.upto(if dice.coin() { 16 } else { 4 });
            Gene {
                checks: (0..checks).map(|_| words.check()).collect(),
                padding: Vec::new(),
            }
        };
        Self {
            blocks: (0..blocks).map(gene).collect(),
            sealed: dice.coin(),
        }
    }

    /// The same with one thing changed.
    pub(super) fn mutated(&self, dice: &Dice<'_>) -> Self {
        let mut child = self.clone();
        let words = Words::draw(dice);
        if child.blocks.is_empty() || dice.upto(12) == 0 {
            child.blocks.push(Gene {
                checks: vec![words.check()],
                padding: Vec::new(),
            });
            return child;
        }
        if dice.upto(12) == 0 {
            child.sealed = !child.sealed;
            return child;
        }
        let at = dice.index(child.blocks.len());
        if dice.upto(24) == 0 {
            child.blocks.remove(at);
            return child;
        }
        if let Some(gene) = child.blocks.get_mut(at) {
            gene.mutate(dice, &words);
        }
        child
    }

    /// The first blocks of one and the last of another.
    pub(super) fn crossed(&self, other: &Self, dice: &Dice<'_>) -> Self {
        let head = dice.index(self.blocks.len() + 1);
        let tail = dice.index(other.blocks.len() + 1);
        let blocks = self.blocks.iter().take(head);
        let blocks = blocks.chain(other.blocks.iter().skip(tail)).cloned();
        Self {
            blocks: blocks.collect(),
            sealed: if dice.coin() { self } else { other }.sealed,
        }
    }

    /// The token; a block that the library does not take is left out.
    pub(super) fn token(&self, stand: &Stand, parent: &str) -> String {
        let mut token = parent.to_owned();
        for gene in &self.blocks {
            let Ok(narrower) = narrow(&token, &gene.checks, &*stand.entropy) else {
                continue;
            };
            token = match gene.padding.as_slice() {
                [] => narrower,
                padding => padded(&token, &narrower, padding).unwrap_or(narrower),
            };
        }
        if self.sealed {
            token = seal(&token).unwrap_or(token);
        }
        token
    }

    /// Its form in few words.
    pub(super) fn form(&self) -> String {
        let each = |gene: &Gene| {
            let listed: usize = gene.checks.iter().map(Narrow::listed).sum();
            let (checks, padding) = (gene.checks.len(), gene.padding.len());
            format!("{checks} checks of {listed} strings, {padding} unused")
        };
        let blocks: Vec<String> = self.blocks.iter().map(each).collect();
        let seal = if self.sealed { "sealed" } else { "open" };
        format!("{seal}: {}", blocks.join("; "))
    }
}

impl Gene {
    fn mutate(&mut self, dice: &Dice<'_>, words: &Words<'_, '_>) {
        let at = dice.index(self.checks.len());
        match dice.upto(8) {
            0 | 1 => self.checks.push(words.check()),
            2 if self.checks.len() > 1 => drop(self.checks.remove(at)),
            3 => {
                // The same check once more: strings that are known, one more walk.
                if let Some(check) = self.checks.get(at).cloned() {
                    self.checks.push(check);
                }
            }
            4 => self.padding.push(words.word()),
            5 => drop(self.padding.pop()),
            _ => {
                if let Some(check) = self.checks.get_mut(at) {
                    check.mutate(dice, words);
                }
            }
        }
    }
}

impl Narrow {
    fn mutate(&mut self, dice: &Dice<'_>, words: &Words<'_, '_>) {
        let (list, set) = match self {
            Self::Before { second, inclusive } => {
                *inclusive = !*inclusive;
                *second = u64::from(dice.upto(u16::MAX)) << 17;
                return;
            }
            Self::Addresses { ranges, set } => {
                let at = dice.index(ranges.len() + 1);
                match dice.upto(4) {
                    0 => *set = !*set,
                    1 if at < ranges.len() => drop(ranges.remove(at)),
                    _ => ranges.insert(at, words.range()),
                }
                return;
            }
            Self::Permissions { names: list, set }
            | Self::Resources { ids: list, set }
            | Self::Uses { words: list, set } => (list, set),
        };
        let at = dice.index(list.len() + 1);
        match dice.upto(5) {
            0 => *set = !*set,
            1 if at < list.len() => drop(list.remove(at)),
            2 => {
                // A known string once more.
                if let Some(known) = list.get(at).cloned() {
                    list.push(known);
                }
            }
            _ => list.insert(at, words.word()),
        }
    }

    /// How many strings its list has.
    const fn listed(&self) -> usize {
        match self {
            Self::Permissions { names: list, .. }
            | Self::Resources { ids: list, .. }
            | Self::Addresses { ranges: list, .. }
            | Self::Uses { words: list, .. } => list.len(),
            Self::Before { .. } => 0,
        }
    }
}
