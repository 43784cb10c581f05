use std::os::unix::fs::PermissionsExt;

use super::*;

fn line(index: u64) -> Vec<u8> {
    format!("{{\"index\":{index},\"x\":\"{}\"}}", "y".repeat(40)).into_bytes()
}

fn lines(range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    range.map(line).collect()
}

/// Every index in every file, in the order of the files.
fn indexes(directory: &Path) -> Vec<u64> {
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
        .collect();
    // `system.jsonl` is the newest; rotated ones sort by their index.
    files.sort_by_key(|path| (path.ends_with("system.jsonl"), path.clone()));
    let text: String = files
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    text.lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["index"]
                .as_u64()
                .unwrap()
        })
        .collect()
}

#[tokio::test]
async fn lines_go_on_where_they_ended_through_rotations_and_restarts() {
    let home = tempfile::tempdir().unwrap();
    let mut next = 0;
    for _ in 0..20 {
        let sink = JsonLinesSink::rotating(home.path(), 500);
        assert_eq!(sink.next(LogId::System).await.unwrap(), next);
        sink.deliver(LogId::System, next, lines(next..next + 3))
            .await
            .unwrap();
        next += 3;
    }
    assert_eq!(indexes(home.path()), (0..60).collect::<Vec<_>>());
    let files = std::fs::read_dir(home.path()).unwrap().count();
    assert!(files > 5, "{files} files: nothing was rotated");
    let mode = home
        .path()
        .join("system.jsonl")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_torn_line_is_cut_off_and_comes_again() {
    let home = tempfile::tempdir().unwrap();
    let sink = JsonLinesSink::new(home.path());
    sink.deliver(LogId::System, 0, lines(0..5)).await.unwrap();
    let file = home.path().join("system.jsonl");
    let whole = std::fs::read(&file).unwrap();
    for cut in 1..line(4).len() + 1 {
        // The cursor may be behind the file, never ahead of what was synced.
        std::fs::write(&file, &whole[..whole.len() - cut]).unwrap();
        std::fs::write(home.path().join("system.cursor"), "4\n").unwrap();
        assert_eq!(
            sink.next(LogId::System).await.unwrap(),
            4,
            "{cut} bytes torn"
        );
        sink.deliver(LogId::System, 4, lines(4..5)).await.unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), whole);
    }
}

#[tokio::test]
async fn a_crash_before_the_cursor_moved_repeats_nothing() {
    let home = tempfile::tempdir().unwrap();
    let sink = JsonLinesSink::new(home.path());
    sink.deliver(LogId::System, 0, lines(0..5)).await.unwrap();
    std::fs::write(home.path().join("system.cursor"), "2\n").unwrap();
    assert_eq!(sink.next(LogId::System).await.unwrap(), 5);
    std::fs::remove_file(home.path().join("system.cursor")).unwrap();
    assert_eq!(sink.next(LogId::System).await.unwrap(), 5);
    // A file that was taken away is not written again.
    sink.deliver(LogId::System, 5, lines(5..6)).await.unwrap();
    std::fs::remove_file(home.path().join("system.jsonl")).unwrap();
    assert_eq!(sink.next(LogId::System).await.unwrap(), 6);
}

#[tokio::test]
async fn what_is_no_plain_file_is_refused_and_never_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let sink = JsonLinesSink::new(home.path());
    let file = home.path().join("system.jsonl");
    std::os::unix::fs::symlink("/dev/null", &file).unwrap();
    sink.next(LogId::System).await.unwrap_err();
    sink.deliver(LogId::System, 0, lines(0..1))
        .await
        .unwrap_err();
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    sink.next(LogId::System).await.unwrap_err();
    std::fs::remove_dir(&file).unwrap();
    std::fs::write(home.path().join("system.cursor"), "many").unwrap();
    sink.next(LogId::System).await.unwrap_err();
}
