//! Finds plugin files, bounded in count and depth.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Most files of one run.
const MAX_FILES: usize = 20_000;
/// Deepest folder below a named one.
const MAX_DEPTH: usize = 16;

/// The plugin files behind these paths, in the order of the arguments; folders
/// are walked in the order of their names. Links inside folders are skipped.
///
/// A path that does not exist, and a run over too many files, is an error text.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut out = Vec::new();
    for path in paths {
        let metadata =
            fs::metadata(path).map_err(|e| format!("{}: {}", path.display(), e.kind()))?;
        if metadata.is_dir() {
            walk(path, 0, &mut out)?;
        } else {
            out.push(path.clone());
        }
    }
    if out.is_empty() {
        return Err("no plugin file (.yaml, .yml or .json) was found".to_owned());
    }
    Ok(out)
}

fn walk(folder: &Path, depth: usize, out: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |e: io::Error| format!("{}: {}", folder.display(), e.kind());
    if depth > MAX_DEPTH {
        return Err(format!(
            "{}: folders nest deeper than {MAX_DEPTH}",
            folder.display()
        ));
    }
    let mut entries = fs::read_dir(folder)
        .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
        .map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        // Of the entry itself, not of what a link points to.
        let kind = entry.file_type().map_err(failed)?;
        let path = entry.path();
        if kind.is_dir() {
            walk(&path, depth + 1, out)?;
        } else if kind.is_file() && is_plugin(&path) {
            if out.len() >= MAX_FILES {
                return Err(format!("more than {MAX_FILES} files; name fewer folders"));
            }
            out.push(path);
        }
    }
    Ok(())
}

fn is_plugin(path: &Path) -> bool {
    path.extension()
        .and_then(|e| e.to_str())
        .is_some_and(|e| ["yaml", "yml", "json"].contains(&e.to_ascii_lowercase().as_str()))
}
