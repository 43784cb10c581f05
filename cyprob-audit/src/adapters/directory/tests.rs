use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use cyprob_core::domain::Timestamp;

use super::*;
use crate::domain::{LogFile, LogId, TileFile, VerifierKey};
use crate::ports::{LogFiles as _, LogFilesError, TileSink as _, TileSinkError};
use crate::service::verify::{Judged, Options, Verdict, verify_log};
use crate::testkit::{TestLog, sealed_leaves};

const ORIGIN: &str = "log.example/system";

fn at() -> Timestamp {
    Timestamp::from_seconds(1_767_229_200)
}

fn verify(path: &Path, key: &VerifierKey) -> Option<Judged> {
    let log = DirectoryLog::open(path).unwrap();
    let options = Options::new(key.clone(), at());
    verify_log(&log, &options, &mut |_| {})
        .unwrap()
        .first_failure()
}

/// Files and the checkpoint that needs them.
type Step = (Vec<TileFile>, Vec<u8>);

/// What a log gives to publish at each of these sizes.
fn steps(sizes: &[usize]) -> (TestLog, Vec<Step>) {
    let mut log = TestLog::new(ORIGIN, 7).unwrap();
    let leaves = sealed_leaves(log.key().name(), 700).unwrap();
    let mut from = 0;
    let steps = sizes
        .iter()
        .map(|to| {
            let files = log.append(&leaves[from..*to], at()).unwrap();
            from = *to;
            (files, log.files.get(LogFile::Checkpoint).unwrap().to_vec())
        })
        .collect();
    (log, steps)
}

#[tokio::test]
async fn every_publication_verifies_and_full_tiles_are_written_once() {
    let base = tempfile::tempdir().unwrap();
    let sink = DirectorySink::new(base.path());
    let path = sink.path_of(LogId::System);
    let (log, steps) = steps(&[0, 1, 2, 255, 256, 257, 600]);
    assert_eq!(sink.checkpoint(LogId::System).await.unwrap(), None);
    for (files, checkpoint) in steps {
        let count = files.len() as u64;
        let done = sink
            .publish(LogId::System, files, checkpoint.clone())
            .await
            .unwrap();
        assert_eq!((done.written, done.present, done.repaired), (count, 0, 0));
        assert_eq!(
            sink.checkpoint(LogId::System).await.unwrap(),
            Some(checkpoint)
        );
        assert_eq!(verify(&path, log.key()), None);
    }
    // Partial files of tiles that are full by now are gone, the others stay.
    assert!(!path.join("tile/0/000.p").exists());
    assert!(path.join("tile/0/002.p/88").exists());
    assert!(path.join("tile/1/000.p/1").exists());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("tile/entries")), 0o700);
    assert_eq!(mode(&path.join("tile/entries/000")), 0o600);
}

#[tokio::test]
async fn an_interrupted_publication_is_repeated() {
    let (log, steps) = steps(&[100, 300]);
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("system");
    let first = DirectorySink::new(base.path());
    first
        .publish(LogId::System, steps[0].0.clone(), steps[0].1.clone())
        .await
        .unwrap();
    // A crash in the middle: one file came whole, one torn, one under its temporary name.
    let (files, checkpoint) = steps[1].clone();
    for (at, file) in files.iter().enumerate().take(2) {
        let to = path.join(file.path.to_string());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, &file.bytes[..file.bytes.len() / (at + 1)]).unwrap();
    }
    fs::write(path.join(".tmp-3"), b"torn").unwrap();
    assert_eq!(verify(&path, log.key()), Some(Judged::Completeness));
    let second = DirectorySink::new(base.path());
    assert_eq!(
        second.checkpoint(LogId::System).await.unwrap(),
        Some(steps[0].1.clone())
    );
    assert!(!path.join(".tmp-3").exists());
    let done = second
        .publish(LogId::System, files.clone(), checkpoint.clone())
        .await
        .unwrap();
    assert_eq!((done.present, done.repaired), (1, 1));
    assert_eq!(done.written, files.len() as u64 - 2);
    assert_eq!(verify(&path, log.key()), None);
    let again = second
        .publish(LogId::System, files.clone(), checkpoint)
        .await
        .unwrap();
    assert_eq!(again.present, files.len() as u64);
}

#[tokio::test]
async fn replaced_and_removed_files_are_noticed() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 6] = [
        ("checkpoint", |path| {
            fs::remove_file(path.join("checkpoint")).unwrap()
        }),
        ("checkpoint", |path| {
            fs::write(path.join("checkpoint"), b"other").unwrap()
        }),
        ("checkpoint", |path| {
            // The same bytes in another file.
            let bytes = fs::read(path.join("checkpoint")).unwrap();
            fs::write(path.join("new"), bytes).unwrap();
            fs::rename(path.join("new"), path.join("checkpoint")).unwrap();
        }),
        ("tile/0/000.p/100", |path| {
            fs::remove_file(path.join("tile/0/000.p/100")).unwrap()
        }),
        ("tile/entries/000.p/100", |path| {
            fs::write(path.join("tile/entries/000.p/100"), b"").unwrap();
        }),
        ("tile/0/000.p/100", |path| {
            fs::remove_dir_all(path.join("tile")).unwrap()
        }),
    ];
    for (file, damage) in damages {
        let (_, steps) = steps(&[100, 300]);
        let base = tempfile::tempdir().unwrap();
        let sink = DirectorySink::new(base.path());
        sink.publish(LogId::System, steps[0].0.clone(), steps[0].1.clone())
            .await
            .unwrap();
        damage(&sink.path_of(LogId::System));
        let refused = sink
            .publish(LogId::System, steps[1].0.clone(), steps[1].1.clone())
            .await;
        match refused {
            Err(TileSinkError::Replaced { file: found, .. }) => {
                assert!(
                    found.to_string() == file || file.starts_with("tile"),
                    "{file}: {found}"
                );
            }
            other => panic!("{file}: {other:?}"),
        }
    }
    let (_, steps) = steps(&[100, 300]);
    let base = tempfile::tempdir().unwrap();
    let sink = DirectorySink::new(base.path());
    sink.publish(LogId::System, steps[0].0.clone(), steps[0].1.clone())
        .await
        .unwrap();
    let path = sink.path_of(LogId::System);
    fs::rename(&path, base.path().join("elsewhere")).unwrap();
    fs::create_dir(&path).unwrap();
    let refused = sink
        .publish(LogId::System, steps[1].0.clone(), steps[1].1.clone())
        .await;
    assert!(
        matches!(refused, Err(TileSinkError::Gone { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_writer_follows_no_link() {
    let (_, steps) = steps(&[100]);
    let base = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(base.path().join("system")).unwrap();
    symlink(outside.path(), base.path().join("system/tile")).unwrap();
    let sink = DirectorySink::new(base.path());
    let refused = sink
        .publish(LogId::System, steps[0].0.clone(), steps[0].1.clone())
        .await;
    assert!(
        matches!(refused, Err(TileSinkError::Unavailable { .. })),
        "{refused:?}"
    );
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    assert!(!base.path().join("system/checkpoint").exists());
}

fn written() -> (tempfile::TempDir, TestLog) {
    let log = TestLog::of_events(ORIGIN, 300).unwrap();
    let directory = tempfile::tempdir().unwrap();
    log.write_to(directory.path()).unwrap();
    assert_eq!(verify(directory.path(), log.key()), None);
    (directory, log)
}

#[test]
fn what_is_no_regular_file_is_found_and_never_waited_for() {
    let swaps: [fn(&Path); 4] = [
        |path| symlink("/dev/zero", path).unwrap(),
        |path| symlink(path.with_extension("gone"), path).unwrap(),
        |path| fs::create_dir(path).unwrap(),
        |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
    ];
    for swap in swaps {
        for file in [
            "checkpoint",
            "tile/0/000",
            "tile/entries/001.p/44",
            "tile/1/000.p/1",
        ] {
            let (directory, log) = written();
            fs::remove_file(directory.path().join(file)).unwrap();
            swap(&directory.path().join(file));
            let first = verify(directory.path(), log.key());
            assert_eq!(first, Some(Judged::Integrity), "{file}");
        }
    }
}

#[test]
fn links_and_strange_trees_are_found() {
    let (directory, log) = written();
    // A valid tile under a linked directory is not where it belongs.
    fs::rename(
        directory.path().join("tile/0"),
        directory.path().join("zero"),
    )
    .unwrap();
    symlink(
        directory.path().join("zero"),
        directory.path().join("tile/0"),
    )
    .unwrap();
    assert_eq!(verify(directory.path(), log.key()), Some(Judged::Integrity));
    let strange: [fn(&Path); 5] = [
        |path| fs::write(path.join("README"), b"").unwrap(),
        |path| fs::write(path.join("tile/0/000.p/256"), b"").unwrap(),
        |path| symlink(path, path.join("tile/loop")).unwrap(),
        |path| {
            let mut deep = path.to_owned();
            for _ in 0..40 {
                deep.push("d");
            }
            fs::create_dir_all(&deep).unwrap();
        },
        |path| {
            use std::os::unix::ffi::OsStrExt as _;
            fs::write(path.join(std::ffi::OsStr::from_bytes(b"\xff\n")), b"").unwrap();
        },
    ];
    for put in strange {
        let (directory, log) = written();
        put(directory.path());
        assert_eq!(
            verify(directory.path(), log.key()),
            Some(Judged::Completeness)
        );
    }
    let (directory, log) = written();
    fs::write(directory.path().join(".tmp-9"), b"left by a crash").unwrap();
    assert_eq!(verify(directory.path(), log.key()), None);
    fs::write(directory.path().join("tile/.tmp-9"), b"not left by us").unwrap();
    assert_eq!(
        verify(directory.path(), log.key()),
        Some(Judged::Completeness)
    );
}

/// A sparse file of a terabyte is refused by its length.
#[test]
fn an_enormous_tile_is_not_read() {
    for file in ["checkpoint", "tile/0/000", "tile/entries/000"] {
        let (directory, log) = written();
        let opened = fs::File::options()
            .write(true)
            .open(directory.path().join(file))
            .unwrap();
        opened.set_len(1 << 40).unwrap();
        assert_eq!(
            verify(directory.path(), log.key()),
            Some(Judged::Integrity),
            "{file}"
        );
        let reader = DirectoryLog::open(directory.path()).unwrap();
        let read = reader.read(file.parse().unwrap(), 100);
        assert!(matches!(read, Err(LogFilesError::TooLong)));
    }
}

#[test]
fn every_kind_of_file_in_a_directory_counts() {
    let (directory, log) = written();
    let files: Vec<_> = log.files.iter().map(|(file, _)| file.to_string()).collect();
    assert!(files.len() >= 10);
    for file in files {
        let path = directory.path().join(&file);
        let bytes = fs::read(&path).unwrap();
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 0x10;
        fs::write(&path, changed).unwrap();
        assert_eq!(
            verify(directory.path(), log.key()),
            Some(Judged::Integrity),
            "{file}"
        );
        fs::write(&path, bytes).unwrap();
    }
    let options = Options::new(log.key().clone(), at());
    let reader = DirectoryLog::open(directory.path()).unwrap();
    let report = verify_log(&reader, &options, &mut |_| {}).unwrap();
    assert_eq!(report.completeness, Verdict::Held);
}
