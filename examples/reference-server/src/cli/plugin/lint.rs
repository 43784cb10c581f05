//! `cyprob plugin lint`: diagnostics with file, line, column and code.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use cyprob::plugins::adapters::parse_plugin;
use cyprob::plugins::domain::{Code, Diagnostic, Level, Limits, Position};
use serde::Serialize;

use super::super::Exit;
use super::{complain, files, sarif, shown, write_failed};
use crate::bounded;

/// What to check, and how to say it.
#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// Plugin files, or folders that hold some.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// How to print; a table for people when not given.
    #[arg(long, value_enum)]
    format: Option<LintFormat>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LintFormat {
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code hosts and editors.
    Sarif,
}

/// What was said about one file.
#[derive(Debug, Serialize)]
pub(super) struct FileReport {
    pub(super) file: String,
    id: String,
    loaded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    triggers: usize,
    rules: usize,
    pub(super) diagnostics: Vec<Diagnostic>,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    files: usize,
    loaded: usize,
    triggers: usize,
    rules: usize,
    errors: usize,
    warnings: usize,
    infos: usize,
}

/// Checks the files; status 1 when any diagnostic is an error.
pub(super) fn run(args: &LintArgs) -> Exit {
    let found = match files::find(&args.paths) {
        Ok(found) => found,
        Err(message) => {
            complain(&shown(&message));
            return Exit::BadInput;
        }
    };
    let mut reports: Vec<FileReport> = found.iter().map(|p| check(p)).collect();
    same_ids(&mut reports);
    let summary = summarize(&reports);
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match args.format {
        None => table(&mut out, &reports, &summary),
        Some(LintFormat::Json) => {
            let document = serde_json::json!({ "files": reports, "summary": summary });
            writeln!(out, "{document:#}")
        }
        Some(LintFormat::Sarif) => writeln!(out, "{:#}", sarif::document(&reports)),
    };
    match written.and_then(|()| out.flush()) {
        Err(error) => write_failed(&error),
        Ok(()) if summary.errors > 0 => Exit::Findings,
        Ok(()) => Exit::Held,
    }
}

fn check(path: &Path) -> FileReport {
    let limits = Limits::plugin();
    let file = path.to_string_lossy().into_owned();
    match bounded::read(path, limits.bytes) {
        Ok(bytes) => {
            let parsed = parse_plugin(&bytes, &file, &limits);
            FileReport {
                file,
                id: parsed.id().to_string(),
                loaded: parsed.loads(),
                digest: parsed.plugin().map(|p| p.digest.to_string()),
                triggers: parsed.plugin().map_or(0, |p| p.triggers.len()),
                rules: parsed.plugin().map_or(0, |p| p.rule_count()),
                diagnostics: parsed.diagnostics().to_vec(),
            }
        }
        Err(error) => FileReport {
            id: String::new(),
            loaded: false,
            digest: None,
            triggers: 0,
            rules: 0,
            diagnostics: vec![Diagnostic::new(
                Code::Unreadable,
                Position::START,
                format!("the file cannot be read: {}", error.kind()),
            )],
            file,
        },
    }
}

/// A second file with the id of an earlier one would replace it.
fn same_ids(reports: &mut [FileReport]) {
    let mut first: HashMap<String, String> = HashMap::new();
    for report in reports.iter_mut().filter(|r| r.loaded) {
        match first.get(&report.id) {
            Some(other) => report.diagnostics.push(Diagnostic::new(
                Code::DuplicateId,
                Position::START,
                format!("the id `{}` is that of {} too", report.id, shown(other)),
            )),
            None => {
                first.insert(report.id.clone(), report.file.clone());
            }
        }
    }
}

fn summarize(reports: &[FileReport]) -> Summary {
    let mut summary = Summary {
        files: reports.len(),
        ..Summary::default()
    };
    for report in reports {
        if report.loaded {
            summary.loaded += 1;
            summary.triggers += report.triggers;
            summary.rules += report.rules;
        }
        for diagnostic in &report.diagnostics {
            match diagnostic.severity {
                Level::Error => summary.errors += 1,
                Level::Warning => summary.warnings += 1,
                Level::Info => summary.infos += 1,
            }
        }
    }
    summary
}

/// Columns as wide as their widest cell; the message comes last.
fn table(out: &mut impl Write, reports: &[FileReport], summary: &Summary) -> io::Result<()> {
    let rows: Vec<(String, &Diagnostic)> = reports
        .iter()
        .flat_map(|r| r.diagnostics.iter().map(|d| (shown(&r.file), d)))
        .collect();
    let width = |of: &dyn Fn(&(String, &Diagnostic)) -> usize, least: usize| {
        rows.iter().map(of).max().unwrap_or(0).max(least)
    };
    let file = width(&|r| r.0.chars().count(), 4);
    let code = width(&|r| r.1.code.as_str().len(), 4);
    if !rows.is_empty() {
        writeln!(
            out,
            "{:file$}  {:>4}  {:>3}  {:code$}  {:8}  MESSAGE",
            "FILE", "LINE", "COL", "CODE", "SEVERITY"
        )?;
    }
    for (name, d) in &rows {
        writeln!(
            out,
            "{name:file$}  {:>4}  {:>3}  {:code$}  {:8}  {}",
            d.line,
            d.column,
            d.code.as_str(),
            d.severity.as_str(),
            d.message
        )?;
    }
    writeln!(
        out,
        "{} of {} files loaded: {} triggers, {} rules; {} errors, {} warnings, {} infos",
        summary.loaded,
        summary.files,
        summary.triggers,
        summary.rules,
        summary.errors,
        summary.warnings,
        summary.infos
    )
}
