//! The matrix as a committed file, and what a change makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::matrix::{Expected, Matrix, MatrixRow, Place};

/// One cell that two matrices see differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellChange {
    /// The route, the caller and the place: `GET /runs | viewer | own`.
    pub cell: String,
    /// What it was; none if there was no such cell.
    pub from: Option<String>,
    /// What it is; none if there is no such cell any more.
    pub to: Option<String>,
}

/// What a change of routes or roles makes of the matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatrixChanges {
    /// Cells where the handler runs, or may run under other conditions or for other objects, and did not before.
    pub opened: Vec<CellChange>,
    /// Cells where the handler runs no more, or only under conditions.
    pub closed: Vec<CellChange>,
    /// Cells that refuse otherwise than before, and new ones that refuse.
    pub other: Vec<CellChange>,
}

impl Matrix {
    /// One line for what each route asks, and one for each cell, sorted: `GET /runs: asks organization runs:read`,
    /// `GET /runs | viewer | own: allowed`.
    #[must_use]
    pub fn to_snapshot(&self) -> String {
        let cells = cells(self).into_iter();
        let lines = cells.map(|(cell, answer)| format!("{cell}: {answer}\n"));
        lines.collect()
    }

    /// What is otherwise than in a snapshot; a line that is none counts as a cell that is gone.
    #[must_use]
    pub fn changes_since(&self, snapshot: &str) -> MatrixChanges {
        let lines = snapshot.lines().filter(|line| !line.is_empty());
        let before: BTreeMap<&str, &str> = lines
            .map(|line| line.split_once(": ").unwrap_or((line, "")))
            .collect();
        let now = cells(self);
        let named: BTreeSet<&str> = before.keys().copied().collect();
        let named = named.into_iter().chain(now.keys().map(String::as_str));
        let mut changes = MatrixChanges::default();
        for cell in named.collect::<BTreeSet<_>>() {
            let (from, to) = (before.get(cell).copied(), now.get(cell).map(String::as_str));
            if from == to {
                continue;
            }
            let list = match (openness(from), openness(to)) {
                (before, now) if now > before => &mut changes.opened,
                (before, now) if now < before => &mut changes.closed,
                // Other conditions, or another permission, may let in whom those before did not.
                (Openness::Conditional, _) => &mut changes.opened,
                _ if [from, to]
                    .iter()
                    .all(|it| it.is_some_and(|it| it.starts_with(ASKS))) =>
                {
                    &mut changes.opened
                }
                _ => &mut changes.other,
            };
            list.push(CellChange {
                cell: cell.to_owned(),
                from: from.map(str::to_owned),
                to: to.map(str::to_owned),
            });
        }
        changes
    }
}

const ALLOWED: &str = "allowed";
const IF: &str = "if ";
/// Some of the objects.
const OF: &str = "of ";
const ASKS: &str = "asks ";

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Openness {
    Refused,
    Conditional,
    Allowed,
}

fn openness(answer: Option<&str>) -> Openness {
    match answer {
        Some(ALLOWED) => Openness::Allowed,
        Some(answer) if answer.starts_with(IF) || answer.starts_with(OF) => Openness::Conditional,
        _ => Openness::Refused,
    }
}

fn cells(matrix: &Matrix) -> BTreeMap<String, String> {
    let cell = |row: &MatrixRow| {
        let place = match row.place {
            Place::Own => "own",
            Place::Foreign => "foreign",
        };
        let cell = format!("{} {} | {} | {place}", row.method, row.path, row.caller);
        let answer = match (row.expected, row.expected.status()) {
            (_, Some(status)) => status.to_string(),
            // The extent says `if` or `of` by itself.
            (Expected::Conditional | Expected::Scoped, None) => {
                row.when.clone().unwrap_or_else(|| IF.to_owned())
            }
            (_, None) => ALLOWED.to_owned(),
        };
        (cell, answer)
    };
    let asked = matrix.asked.iter();
    let asked = asked.map(|(route, asked)| (route.clone(), format!("{ASKS}{asked}")));
    matrix.rows.iter().map(cell).chain(asked).collect()
}

impl MatrixChanges {
    /// Whether nothing changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.opened.is_empty() && self.closed.is_empty() && self.other.is_empty()
    }
}

/// `this change opens 2 cells, closes 1 and has 0 answer otherwise`, then one line for each.
impl fmt::Display for MatrixChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (opened, closed) = (self.opened.len(), self.closed.len());
        let s = if opened == 1 { "" } else { "s" };
        let other = self.other.len();
        writeln!(
            f,
            "this change opens {opened} cell{s}, closes {closed} and has {other} answer otherwise"
        )?;
        let lists = [
            ("opens ", &self.opened),
            ("closes", &self.closed),
            ("alters", &self.other),
        ];
        for (word, changes) in lists {
            for CellChange { cell, from, to } in changes {
                let [from, to] = [from, to].map(|it| it.as_deref().unwrap_or("nothing"));
                writeln!(f, "{word} {cell}: {from} -> {to}")?;
            }
        }
        Ok(())
    }
}
