//! Workers that do nothing, die, lie, or are not waited for.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::World;
use crate::support::server::{CYPROB, children};
use crate::{ORG, ended, events, install_all, start_xml, token};

/// A script that stands in for a worker, and the configuration that names it.
fn script(home: &Path, interpreter: &str, text: &str) -> String {
    let path = home.join("worker");
    std::fs::write(&path, text).unwrap();
    format!(
        "worker_command = [{interpreter:?}, {:?}]",
        path.to_str().unwrap()
    )
}

/// Runs a job that must come to nothing, and gives its end.
fn without_result(world: &World) -> (Value, Vec<String>) {
    let run = start_xml(world);
    let done = ended(world, &run);
    let found = world
        .client
        .get(&format!("{ORG}/runs/{run}/findings"), &token(world))
        .expect(200);
    assert_eq!(found.json()["items"], json!([]), "nothing of it was taken");
    let events = events(world, &run);
    (done, events)
}

#[test]
fn a_worker_that_does_nothing_makes_the_run_dead_after_two_attempts() {
    for program in ["/bin/false", "/bin/true", "/nonexistent/worker"] {
        let world = World::new(&format!("worker_command = [\"{program}\"]"));
        install_all(&world);
        let (done, events) = without_result(&world);
        assert_eq!(done["state"], "dead", "{program}: {done}");
        assert!(
            done["error"]
                .as_str()
                .is_some_and(|error| !error.is_empty()),
            "{done}"
        );
        let expected = [
            "run.created",
            "run.started",
            "run.retried",
            "run.started",
            "run.dead",
        ];
        assert_eq!(events, expected, "{program}");
    }
}

#[test]
fn a_worker_that_lies_is_not_believed() {
    let home = tempfile::tempdir().unwrap();
    // Python speaks for the liars here; the workers of cyprob-plugins' own tests lie without it.
    if std::env::var("CYPROB_FULL").is_err() {
        println!("left out: it needs Python, which scripts/test sets up");
        return;
    }
    let python = "/usr/bin/python3";
    let world = World::new(&script(home.path(), python, ""));
    install_all(&world);
    let begin = "import sys, json, struct\n\
        n = struct.unpack('>I', sys.stdin.buffer.read(4))[0]\n\
        job = json.loads(sys.stdin.buffer.read(n))\n\
        def report(**k):\n\
        \x20   r = {'version': 1, 'run': job['run'], 'token': job['token'], 'impossible': None, 'findings': [], 'errors': 0}\n\
        \x20   r.update(k)\n\
        \x20   b = json.dumps(r).encode()\n\
        \x20   sys.stdout.buffer.write(struct.pack('>I', len(b)) + b)\n\
        \x20   sys.stdout.buffer.flush()\n\
        def finding(**k):\n\
        \x20   f = {'target': '192.0.2.10', 'port': 22, 'plugin': 'telnet-open', 'plugin_type': 'evaluation', 'severity': 'high', 'message': 'm', 'remediation': '', 'cve': [], 'cwe': [], 'reference': '', 'matched': []}\n\
        \x20   f.update(k)\n\
        \x20   return json.dumps(f)\n";
    for (what, lie) in [
        ("no token", "report(token='')"),
        (
            "a token with a flipped character",
            "t = job['token']; report(token=t[:40] + ('A' if t[40] != 'A' else 'B') + t[41:])",
        ),
        (
            "another run",
            "report(run='run_01a20b02a9a07894b77eb7cb06a0fbf0')",
        ),
        (
            "a stranger's target",
            "report(findings=[finding(target='203.0.113.9')])",
        ),
        (
            "a stranger's plugin",
            "report(findings=[finding(plugin='not-in-the-job')])",
        ),
        ("an unknown field", "report(findings=[finding(extra=1)])"),
        (
            "a severity of its own",
            "report(findings=[finding(severity='apocalyptic')])",
        ),
        ("no JSON", "report(findings=['{'])"),
        ("more than can be", "report(errors=10**15)"),
        ("another version", "report(version=2)"),
        (
            "a huge frame",
            "sys.stdout.buffer.write(b'\\xff\\xff\\xff\\xff'); sys.stdout.buffer.flush()",
        ),
        (
            "half a frame",
            "sys.stdout.buffer.write(b'\\0\\0\\1\\0abc'); sys.stdout.buffer.flush()",
        ),
        (
            "its own job",
            "b = json.dumps(job).encode(); sys.stdout.buffer.write(struct.pack('>I', len(b)) + b); sys.stdout.buffer.flush()",
        ),
    ] {
        script(home.path(), python, &format!("{begin}{lie}\n"));
        let (done, _) = without_result(&world);
        assert_eq!(done["state"], "dead", "{what}: {done}");
        println!("{what}: {}", done["error"]);
    }
}

#[test]
fn a_worker_that_dies_once_is_replaced() {
    let home = tempfile::tempdir().unwrap();
    let text = format!(
        "if [ ! -e {0:?} ]; then : >{0:?}; kill -9 $$; fi\nexec {1:?} worker\n",
        home.path().join("first"),
        CYPROB,
    );
    let world = World::new(&script(home.path(), "/bin/sh", &text));
    install_all(&world);
    let run = start_xml(&world);
    let done = ended(&world, &run);
    assert_eq!(
        (&done["state"], &done["counts"]["findings"]),
        (&json!("succeeded"), &json!(8)),
        "{done}"
    );
    let expected = [
        "run.created",
        "run.started",
        "run.retried",
        "run.started",
        "run.succeeded",
    ];
    assert_eq!(events(&world, &run), expected);
}

/// What this suite itself starts does not stay behind.
#[test]
fn a_worker_that_never_ends_is_ended_with_its_test() {
    let world = World::new("worker_command = [\"/bin/sleep\", \"1000\"]");
    install_all(&world);
    start_xml(&world);
    let deadline = Instant::now() + Duration::from_secs(20);
    let workers = loop {
        let workers = children(world.server.pid());
        if !workers.is_empty() {
            break workers;
        }
        assert!(Instant::now() < deadline, "no worker was started");
        std::thread::sleep(Duration::from_millis(20));
    };
    drop(world);
    let runs = |pid: &u32| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline"));
        command.is_ok_and(|command| command.starts_with(b"/bin/sleep\0"))
    };
    while workers.iter().any(runs) {
        assert!(Instant::now() < deadline, "{workers:?} are left");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_cancelled_run_takes_no_result() {
    let world = World::new("worker_command = [\"/bin/sleep\", \"20\"]");
    install_all(&world);
    let run = start_xml(&world);
    let cancelled = world.client.call(
        "POST",
        &format!("{ORG}/runs/{run}/cancel"),
        Some(&token(&world)),
        None,
    );
    assert_eq!(cancelled.expect(200).json()["state"], "cancelled");
    let again = world.client.call(
        "POST",
        &format!("{ORG}/runs/{run}/cancel"),
        Some(&token(&world)),
        None,
    );
    assert_eq!(again.expect(409).code(), "conflict");
    assert_eq!(ended(&world, &run)["state"], "cancelled");
}
