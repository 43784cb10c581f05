//! The one table, and which bars were missed.

use crate::measure::Comparison;

/// A ratio that a row must keep: the peer's name, and the most it may be.
pub(crate) type Bar = (&'static str, f64);

/// The rows so far.
#[derive(Debug, Default)]
pub(crate) struct Table {
    lines: Vec<String>,
    notes: Vec<String>,
    missed: Vec<String>,
}

impl Table {
    /// Takes the comparisons of one thing that we do, with the bars among them.
    ///
    /// # Panics
    ///
    /// If a bar is for a peer that was not measured.
    pub(crate) fn add(&mut self, what: &str, found: &[Comparison], bars: &[Bar]) {
        for (peer, _) in bars {
            assert!(
                found.iter().any(|row| row.peer == *peer),
                "no row of {peer}"
            );
        }
        for row in found {
            let bar = bars.iter().find(|(peer, _)| *peer == row.peer);
            let verdict = bar.map_or_else(String::new, |(_, most)| {
                let held = if row.ratio <= *most { "held" } else { "MISSED" };
                format!("<= {most:.2} {held}")
            });
            let Comparison {
                peer,
                ours,
                theirs,
                ratio,
            } = row;
            let line =
                format!("{what:<32} {peer:<52} {ours:>9.2} {theirs:>9.2} {ratio:>8.3}  {verdict}");
            if verdict.ends_with("MISSED") {
                self.missed
                    .push(format!("{what} against {peer}: {ratio:.3}, {verdict}"));
            }
            self.lines.push(line.trim_end().to_owned());
        }
    }

    /// Takes a figure that is printed below the table; whether it held its bar, if it has one.
    pub(crate) fn note(&mut self, figure: String, held: Option<bool>) {
        self.notes.push(match held {
            None => figure,
            Some(true) => format!("{figure}: held"),
            Some(false) => {
                self.missed.push(figure.clone());
                format!("{figure}: MISSED")
            }
        });
    }

    /// Prints the table and what was missed; whether nothing was.
    #[expect(clippy::print_stdout, reason = "the result is for people")]
    pub(crate) fn print(&self) -> bool {
        println!(
            "{:<32} {:<52} {:>9} {:>9} {:>8}  bar",
            "ours", "peer", "ours us", "peer us", "ratio"
        );
        for line in self.lines.iter().chain(&self.notes) {
            println!("{line}");
        }
        for line in &self.missed {
            println!("missed: {line}");
        }
        self.missed.is_empty()
    }
}
