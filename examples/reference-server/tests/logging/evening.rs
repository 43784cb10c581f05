//! One evening of a server with hostile guests, and everything it wrote.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::server::CYPROB;
use crate::support::world::{PASSWORD, found, login};
use crate::support::{Client, Server};

/// What the guests want to see as a line of its own.
pub(crate) const FORGED: &str = "all is well";
/// A part of every secret that the guests choose.
pub(crate) const SECRET_MARK: &str = "canary-7c1f";

/// What was written.
#[derive(Debug)]
pub(crate) struct Evening {
    /// The process log, at its most talkative.
    pub(crate) log: String,
    /// The items of the organization's trail and of the system's.
    pub(crate) items: Vec<Value>,
    /// The organization's trail as lines.
    pub(crate) export: String,
    /// Every file in the data directory, by its path below it.
    pub(crate) files: Vec<(PathBuf, Vec<u8>)>,
    /// Passwords and tokens that were sent or given.
    pub(crate) secrets: Vec<String>,
    /// The id of one who may little.
    pub(crate) viewer: String,
}

/// The name of a file in the inventory: ids and numbers are left out.
pub(crate) fn place_of(path: &Path) -> String {
    let mut parts = path.iter().map(|part| part.to_str().unwrap());
    let first = parts.next().unwrap().to_owned();
    if parts.next().is_some() {
        format!("{first}/")
    } else {
        first
    }
}

impl Evening {
    pub(crate) fn passed() -> &'static Self {
        static EVENING: OnceLock<Evening> = OnceLock::new();
        EVENING.get_or_init(pass)
    }
}

fn forged_line() -> String {
    json!({ "level": "INFO", "fields": { "message": FORGED } }).to_string()
}

fn configuration(home: &Path) -> String {
    let complaint = format!("printf 'no\\n%s\\n' '{}' >&2; exit 1", forged_line());
    // What stands in the way of this sink's file is no file.
    let sink = home.join("sink");
    std::fs::create_dir_all(sink.join("system.jsonl")).unwrap();
    std::fs::set_permissions(&sink, PermissionsExt::from_mode(0o700)).unwrap();
    format!("worker_command = [\"/bin/sh\", \"-c\", {complaint:?}]\naudit_jsonl = {sink:?}\n")
}

fn launch(home: &Path) -> Server {
    let mut shell = Command::new("bash");
    let script = format!(
        "exec env CYPROB_LOG=trace \"$@\" 2>{}",
        log_file(home).display()
    );
    shell.args(["-c", &script, "bash", CYPROB]);
    Server::launch(shell, &home.join("data"), &configuration(home)).unwrap()
}

fn log_file(home: &Path) -> PathBuf {
    home.join("log")
}

/// The guest's client: its name is a line of a log, as far as a header can carry one.
/// Who is told to slow down comes back when they may.
fn send(client: &Client, method: &str, path: &str, token: Option<&str>, body: &Value) -> Value {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let agent = format!("x\t{}", forged_line());
    let mut headers = vec![
        ("content-type", "application/json"),
        ("user-agent", agent.as_str()),
    ];
    if let Some(bearer) = &bearer {
        headers.push(("authorization", bearer));
    }
    let body = body.to_string();
    for _ in 0..5 {
        let answer = client.send(method, path, &headers, Some(body.as_bytes()));
        if answer.status != 429 {
            return answer.json();
        }
        let seconds = answer.header("retry-after").unwrap().parse().unwrap();
        std::thread::sleep(Duration::from_secs(seconds));
    }
    panic!("{method} {path} is slowed down for ever");
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn pass() -> Evening {
    let home = tempfile::tempdir().unwrap();
    let server = launch(home.path());
    let client = server.client();
    let mut secrets = vec![server.bootstrap_token(), PASSWORD.to_owned()];
    found(&server, "root@example.com");

    let own = format!("{SECRET_MARK} is the pass phrase");
    let viewer = joined(&client, &own, &mut secrets);
    sign_ins(&client, &own, &mut secrets);
    let root = login(&client, "root@example.com", PASSWORD, None).expect(200);
    let root = text(&root.json(), "access_token");
    secrets.push(root.clone());
    secrets_of_the_organization(&client, &root, &mut secrets);
    run(&client, &root);
    wait_for(home.path(), "a worker complained");
    wait_for(home.path(), "an audit sink stands still");
    // Counted refusals are written every ten seconds.
    let items = wait_for_items(&client, &root, "session.refused");
    let export = client.get("/api/v1/orgs/acme/audit/export?format=jsonl", &root);
    let export = export.expect(200).text();
    assert!(server.interrupt().success());
    let data = home.path().join("data");
    let mut files = Vec::new();
    collect(&data, &data, &mut files);
    Evening {
        log: std::fs::read_to_string(log_file(home.path())).unwrap(),
        items,
        export,
        files,
        secrets,
        viewer,
    }
}

/// A viewer of the organization, who tries what a viewer may not.
fn joined(client: &Client, own: &str, secrets: &mut Vec<String>) -> String {
    let root = login(client, "root@example.com", PASSWORD, None).expect(200);
    let root = text(&root.json(), "access_token");
    let invited = json!({ "email": "guest@example.com", "role": "viewer" });
    let path = "/api/v1/orgs/acme/invitations";
    let invitation = client.post(path, &root, &invited).expect(201).json();
    let accept = json!({ "token": invitation["token"], "name": "Guest", "password": own });
    send(client, "POST", "/api/v1/invitations/accept", None, &accept);
    let pair = login(client, "guest@example.com", own, None).expect(200);
    let (id, token) = (
        pair.json()["user"].clone(),
        text(&pair.json(), "access_token"),
    );
    let name = json!({ "name": format!("Acme\n{}", forged_line()) });
    let refused = send(client, "PATCH", "/api/v1/orgs/acme", Some(&token), &name);
    assert_eq!(refused["code"], "forbidden");
    let refused = send(client, "PATCH", "/api/v1/orgs/acme", Some(&root), &name);
    assert_eq!(refused["code"], "invalid_field");
    let hex = |byte: u8| format!("%{byte:02x}");
    let line: String = forged_line().bytes().map(hex).collect();
    for path in ["/api/v1/orgs/x%0a", "/api/v1/orgs/acme/runs/%0a", "/%0a"] {
        client.get(&format!("{path}{line}"), &token);
    }
    secrets.extend([root, token, text(&invitation, "token"), own.to_owned()]);
    text(&id, "id")
}

/// Every way of signing in, staying and leaving, right and wrong.
fn sign_ins(client: &Client, own: &str, secrets: &mut Vec<String>) {
    let wrong = format!("{SECRET_MARK} is another one");
    let new = format!("{SECRET_MARK} is the new pass phrase");
    let login_path = "/api/v1/auth/login";
    let guest = "guest@example.com";
    let hostile = format!("guest@example.com\n{}", forged_line());
    for (email, password) in [(guest, &wrong), (hostile.as_str(), &wrong)] {
        let body = json!({ "email": email, "password": password });
        let refused = send(client, "POST", login_path, None, &body);
        assert_eq!(refused["code"], "invalid_credentials");
    }
    let body = json!({ "email": guest, "password": own });
    let pair = send(client, "POST", login_path, None, &body);
    let first = text(&pair, "refresh_token");
    let refresh = |token: &str| {
        let body = json!({ "refresh_token": token });
        send(client, "POST", "/api/v1/auth/refresh", None, &body)
    };
    let second = text(&refresh(&first), "refresh_token");
    let third = text(&refresh(&second), "refresh_token");
    // Two generations old: the session is over.
    assert_eq!(refresh(&first)["code"], "invalid_grant");
    let forged = format!("{third}{SECRET_MARK}");
    assert_eq!(refresh(&forged)["code"], "invalid_grant");
    let pair = send(client, "POST", login_path, None, &body);
    let token = text(&pair, "access_token");
    let change = |current: &str| {
        let body = json!({ "current": current, "new": new });
        send(
            client,
            "POST",
            "/api/v1/me/password?reissue=true",
            Some(&token),
            &body,
        )
    };
    assert_eq!(change(&wrong)["code"], "invalid_credentials");
    let pair = change(own);
    let last = text(&pair, "access_token");
    assert!(!last.is_empty(), "{pair}");
    let bearer = client.call("POST", "/api/v1/auth/logout", Some(&last), None);
    bearer.expect(204);
    let refresh_token = text(&pair, "refresh_token");
    secrets.extend([
        wrong,
        new,
        first,
        second,
        third,
        forged,
        token,
        last,
        refresh_token,
    ]);
}

/// Every way of keeping a secret, right and wrong; no answer repeats it.
fn secrets_of_the_organization(client: &Client, root: &str, secrets: &mut Vec<String>) {
    let path = "/api/v1/orgs/acme/secrets/db~password";
    let value = format!("{SECRET_MARK} is the secret");
    // In hexadecimal no part of it looks like the text.
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let bearer = format!("Bearer {root}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let bodies = [
        (json!({ "value": value }).to_string(), 200),
        (json!({ "value": hex }).to_string(), 200),
        (json!({ "value": value, "version": 7 }).to_string(), 409),
        (
            json!({ "value": value, "encoding": "base64" }).to_string(),
            422,
        ),
        (
            json!({ "value": value, "encoding": value }).to_string(),
            422,
        ),
        (json!({ "value": [value] }).to_string(), 422),
        (format!("{{\"value\":\"{value}"), 400),
        (format!("{{\"value\":{value}}}"), 400),
    ];
    for (body, status) in bodies {
        let answer = client.send("PUT", path, &headers, Some(body.as_bytes()));
        let answer = answer.expect(status);
        assert!(!answer.text().contains(SECRET_MARK), "{}", answer.text());
    }
    client
        .post(&format!("{path}/rotate"), root, &json!({}))
        .expect(200);
    let list = client.get("/api/v1/orgs/acme/secrets", root).expect(200);
    assert!(!list.text().contains(SECRET_MARK));
    client.call("DELETE", path, Some(root), None).expect(204);
    let kept = format!("{path}-kept");
    let body = json!({ "value": value });
    client
        .call("PUT", &kept, Some(root), Some(&body))
        .expect(200);
    secrets.extend([value, hex]);
}

/// A run, whose worker only complains.
fn run(client: &Client, root: &str) {
    let file = "id: telnet\nname: Telnet\nversion: 1.0.0\ntype: evaluation\nauthor: test\n\
         metadata: {severity: high}\n\
         triggers: [{data_key: telnet.banner, condition: exists, value: true}]\n\
         output: {vulnerability: true, message: telnet is open}\n";
    let bearer = format!("Bearer {root}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/yaml"),
    ];
    let path = "/api/v1/orgs/acme/plugins?name=telnet.yaml";
    client
        .send("POST", path, &headers, Some(file.as_bytes()))
        .expect(201);
    let path = "/api/v1/orgs/acme/plugins/telnet/enabled";
    let body = json!({ "enabled": true });
    client
        .call("PUT", path, Some(root), Some(&body))
        .expect(200);
    let facts = json!({ "facts": [{ "target": "192.0.2.1", "port": 23, "facts": { "telnet.banner": "login:" } }] });
    client
        .post("/api/v1/orgs/acme/runs", root, &facts)
        .expect(202);
}

fn wait_for(home: &Path, words: &str) {
    let begun = Instant::now();
    while !std::fs::read_to_string(log_file(home))
        .unwrap()
        .contains(words)
    {
        assert!(begun.elapsed() < Duration::from_secs(60), "no `{words}`");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The items of both logs, once one of this action is among them.
fn wait_for_items(client: &Client, root: &str, action: &str) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let mut items = Vec::new();
        for log in ["/api/v1/orgs/acme/audit", "/api/v1/system/audit"] {
            items.extend(all(client, root, log));
        }
        if items.iter().any(|item| item["action"] == action) {
            return items;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no {action}");
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn all(client: &Client, root: &str, log: &str) -> Vec<Value> {
    let (mut items, mut next) = (Vec::new(), String::new());
    loop {
        let path = format!("{log}?limit=100{next}");
        let page = client.get(&path, root).expect(200).json();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return items,
        }
    }
}

fn collect(root: &Path, directory: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let below = path.strip_prefix(root).unwrap().to_owned();
            found.push((below, std::fs::read(&path).unwrap()));
        }
    }
}
