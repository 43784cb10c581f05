//! `cyprob plugin eval`: plugin files on facts, one JSON object per line.
//!
//! Lines come plugin by plugin in the order of the arguments, and within one
//! plugin fact set by fact set in the order of the input. A file that does not
//! load is one line with `error`, without target and port.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use cyprob::plugins::adapters::{FactsFormat, parse_plugin, read_facts};
use cyprob::plugins::domain::{CompiledPlugin, Limits, Mode, Outcome};
use cyprob::plugins::{FactSet, Finding};
use serde::Serialize;

use super::super::Exit;
use super::{complain, files, shown, write_failed};
use crate::bounded;

/// Which plugins to run on which facts.
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// Facts: JSON lines or a JSON list of `{target, port, facts}`, one JSON or
    /// YAML fact map, or Nmap XML; told apart by extension, then by content.
    #[arg(long, value_name = "FILE")]
    facts: PathBuf,
    /// Plugin files, or folders that hold some.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Answer to the letter as Cyprob's engine does.
    #[arg(long)]
    compat: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t = EvalFormat::Json)]
    format: EvalFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EvalFormat {
    /// One JSON object per line.
    Json,
}

#[derive(Serialize)]
struct Line<'a> {
    plugin: &'a str,
    file: &'a str,
    target: Option<&'a str>,
    port: Option<u16>,
    matched: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<&'a Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// Runs the plugins; status 1 when anything matched or failed.
pub(super) fn run(args: &EvalArgs) -> Exit {
    let EvalFormat::Json = args.format;
    let facts = match load_facts(&args.facts) {
        Ok(facts) => facts,
        Err(message) => {
            complain(&shown(&format!(
                "facts {}: {message}",
                args.facts.display()
            )));
            return Exit::BadInput;
        }
    };
    let found = match files::find(&args.paths) {
        Ok(found) => found,
        Err(message) => {
            complain(&shown(&message));
            return Exit::BadInput;
        }
    };
    let mode = if args.compat {
        Mode::Compat
    } else {
        Mode::Fixed
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let mut quiet = true;
    for path in &found {
        match one(path, mode, &facts, &mut out) {
            Ok(plugin_quiet) => quiet &= plugin_quiet,
            Err(error) => return write_failed(&error),
        }
    }
    match out.flush() {
        Err(error) => write_failed(&error),
        Ok(()) if quiet => Exit::Held,
        Ok(()) => Exit::Findings,
    }
}

fn load_facts(path: &Path) -> Result<Vec<FactSet>, String> {
    let limits = Limits::facts();
    let bytes = bounded::read_any(path, limits.bytes).map_err(|e| e.kind().to_string())?;
    let format = FactsFormat::of_file_name(&path.to_string_lossy());
    read_facts(&bytes, format, &limits).map_err(|e| e.to_string())
}

/// One plugin on all facts; answers whether nothing matched and nothing failed.
fn one(path: &Path, mode: Mode, facts: &[FactSet], out: &mut impl Write) -> io::Result<bool> {
    let limits = Limits::plugin();
    let file = path.to_string_lossy();
    let line = |plugin: &str, set: Option<&FactSet>, outcome: &Outcome| {
        let (matched, finding, error) = match outcome {
            Outcome::Match(finding) => (true, Some(&**finding), None),
            Outcome::NoMatch => (false, None, None),
            Outcome::Error(message) => (false, None, Some(message.as_str())),
        };
        serde_json::to_string(&Line {
            plugin,
            file: &file,
            target: set.map(FactSet::target),
            port: set.and_then(FactSet::port),
            matched,
            finding,
            error,
        })
        .map_err(io::Error::other)
    };
    let compiled = match bounded::read(path, limits.bytes) {
        Err(error) => Err((
            String::new(),
            format!("the file cannot be read: {}", error.kind()),
        )),
        Ok(bytes) => {
            let parsed = parse_plugin(&bytes, &file, &limits);
            let id = parsed.id().to_string();
            match parsed.into_plugin(mode) {
                Err(not_loaded) => {
                    let first = not_loaded
                        .diagnostics
                        .iter()
                        .find(|d| d.severity == cyprob::plugins::domain::Level::Error);
                    Err((
                        id,
                        first.map_or_else(
                            || "the file does not load".to_owned(),
                            ToString::to_string,
                        ),
                    ))
                }
                Ok(plugin) => CompiledPlugin::new(plugin, mode, &limits.pattern)
                    .map_err(|d| (id, d.first().map_or_else(String::new, ToString::to_string))),
            }
        }
    };
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err((id, message)) => {
            writeln!(out, "{}", line(&id, None, &Outcome::Error(message))?)?;
            return Ok(false);
        }
    };
    let mut quiet = true;
    for set in facts {
        let outcome = compiled.evaluate(set);
        quiet &= outcome == Outcome::NoMatch;
        writeln!(
            out,
            "{}",
            line(compiled.plugin().id.as_str(), Some(set), &outcome)?
        )?;
    }
    Ok(quiet)
}
