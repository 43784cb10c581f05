//! `cyprob plugin ...`: judge plugin files without a server.

mod eval;
mod files;
mod lint;
mod sarif;

use clap::Subcommand;

use super::Exit;

/// Work on plugin files; no server needed.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Report what is wrong or was repaired in plugin files.
    Lint(lint::LintArgs),
    /// Run plugin files on facts and print one JSON object per line.
    Eval(eval::EvalArgs),
}

impl PluginCommand {
    /// Runs the command.
    pub(crate) fn run(self) -> Exit {
        match self {
            Self::Lint(args) => lint::run(&args),
            Self::Eval(args) => eval::run(&args),
        }
    }
}

/// Says one line on standard error; nobody listening is no failure.
fn complain(message: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "cyprob: {message}");
}

/// The exit status of a failed write: a reader that left early is none.
fn write_failed(error: &std::io::Error) -> Exit {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return Exit::Held;
    }
    complain("standard output cannot be written");
    Exit::Unavailable
}

/// A path for people: control characters escaped.
fn shown(path: &str) -> String {
    path.chars()
        .flat_map(|c| -> Box<dyn Iterator<Item = char>> {
            if c.is_control() {
                Box::new(c.escape_default())
            } else {
                Box::new(std::iter::once(c))
            }
        })
        .collect()
}
