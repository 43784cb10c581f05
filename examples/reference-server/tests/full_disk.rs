//! A disk that is full for a while: refusals, nothing acknowledged lost, and no restart needed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use support::server::CYPROB;
use support::world::{PASSWORD, found, login};
use support::{Client, Server};

/// The longest file that the server may write from now on, or none.
fn limit_files(server: &Server, bytes: Option<u64>) {
    let soft = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let status = Command::new("prlimit")
        .args(["--pid", &server.pid().to_string()])
        .arg(format!("--fsize={soft}:unlimited"))
        .status();
    assert!(status.unwrap().success());
}

fn rename(client: &Client, token: &str, name: &str) -> u16 {
    let body = json!({ "name": name });
    let answer = client.call("PATCH", "/api/v1/orgs/acme", Some(token), Some(&body));
    if answer.status != 200 {
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (503, "unavailable")
        );
        assert!(answer.header("retry-after").is_some());
    }
    answer.status
}

/// How many renames the published trail has.
fn renames(client: &Client, token: &str) -> usize {
    let path = "/api/v1/orgs/acme/audit?action=org.updated&limit=100";
    let (mut count, mut next) = (0, String::new());
    loop {
        let page = client
            .get(&format!("{path}{next}"), token)
            .expect(200)
            .json();
        count += page["items"].as_array().unwrap().len();
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return count,
        }
    }
}

#[test]
fn a_full_disk_refuses_loses_nothing_and_heals() {
    let home = tempfile::tempdir().unwrap();
    // A write beyond the limit is then an error, as on a full disk, and not the end.
    let mut shell = Command::new("bash");
    shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "bash", CYPROB]);
    let server = Server::launch(shell, &home.path().join("data"), "").unwrap();
    let client = server.client();
    found(&server, "root@example.com");
    let token = login(&client, "root@example.com", PASSWORD, None)
        .expect(200)
        .json();
    let token = token["access_token"].as_str().unwrap().to_owned();

    let (mut done, mut unclear) = (0, 0);
    let mut last = String::new();
    for round in 0..3 {
        let wal = server.data.join("cyprob.db-wal").metadata().unwrap().len();
        limit_files(&server, Some(wal + 400_000));
        let mut refused = 0;
        for number in 0..2_000 {
            let name = format!("Acme {round}.{number}");
            match rename(&client, &token, &name) {
                200 => (done, last) = (done + 1, name),
                _ => refused += 1,
            }
            if refused == 10 {
                break;
            }
        }
        assert_eq!(refused, 10, "the disk never was full");
        unclear += refused;
        // What is there can still be read.
        let org = client.get("/api/v1/orgs/acme", &token).expect(200).json();
        assert_eq!(org["name"], json!(last));

        limit_files(&server, None);
        let begun = Instant::now();
        while rename(&client, &token, "Healed") != 200 {
            unclear += 1;
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "it does not heal"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        done += 1;
    }
    let begun = Instant::now();
    let settled = loop {
        let page = client
            .get("/api/v1/orgs/acme/audit?limit=100", &token)
            .expect(200)
            .json();
        let items = page["items"].as_array().unwrap();
        // Each look is recorded itself, so the newest may still wait.
        if items.iter().skip(5).all(|item| item["index"].is_u64()) {
            break true;
        }
        if begun.elapsed() > Duration::from_secs(20) {
            break false;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    assert!(settled, "the log stands still");
    let found = renames(&client, &token);
    println!("{done} acknowledged, {unclear} refused, {found} in the trail");
    assert!(
        (done..=done + unclear).contains(&found),
        "{done} {unclear} {found}"
    );

    let known = client.get("/.well-known/cyprob", &token).json();
    let key = known["audit"]["deployment"]["vkey"]
        .as_str()
        .unwrap()
        .to_owned();
    let audit = server.data.join("audit");
    assert!(server.interrupt().success());
    for log in std::fs::read_dir(audit).unwrap() {
        let log = log.unwrap().path();
        let verified = Command::new(CYPROB)
            .args(["audit", "verify", log.to_str().unwrap(), "--key", &key])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&verified.stdout).into_owned();
        assert!(verified.status.success(), "{told}");
    }
}
