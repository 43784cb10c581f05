//! `cyprob serve` from outside: what it refuses, how it ends, what it keeps.
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

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;
use support::server::CYPROB;
use support::world::{PASSWORD, found, login};
use support::{Server, World};

fn serve(arguments: &[&str], data: &Path) -> Output {
    let mut command = Command::new(CYPROB);
    command
        .arg("serve")
        .arg("--data")
        .arg(data)
        .args(arguments)
        .output()
        .unwrap()
}

#[track_caller]
fn refused(output: &Output, status: i32, words: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{text}");
    assert!(text.contains(words), "{text}");
}

#[test]
fn refuses_what_would_be_unsafe_and_names_the_remedy() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.7:0", "[::ffff:192.0.2.7]:0"] {
        refused(&serve(&["--listen", address], &data), 2, "TLS");
    }
    assert!(!data.exists(), "a refused start makes nothing");

    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o755)).unwrap();
    refused(&serve(&["--listen", "127.0.0.1:0"], &data), 2, "chmod 700");

    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o500)).unwrap();
    refused(&serve(&["--listen", "127.0.0.1:0"], &data), 2, "read-only");
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o700)).unwrap();

    let config = home.path().join("config.toml");
    let config_argument = config.to_str().unwrap();
    for (text, words) in [
        ("listne = \"127.0.0.1:0\"", "listne"),
        (
            "access_ttl_seconds = 86400",
            "access_ttl_seconds must lie between",
        ),
        ("access_ttl_seconds = \"1\"", "access_ttl_seconds"),
        ("= ", "not a valid configuration"),
        ("worker_command = []", "a program comes first"),
        ("worker_command = [\"\"]", "a program comes first"),
        (
            "password_min_chars = 8",
            "below its floor of 15: choose 15 to 64",
        ),
        (
            "breached_passwords_file = \"/dev/zero\"",
            "not a plain file",
        ),
    ] {
        std::fs::write(&config, text).unwrap();
        let output = serve(
            &["--listen", "127.0.0.1:0", "--config", config_argument],
            &data,
        );
        refused(&output, 2, words);
    }
    let missing = home.path().join("none.toml");
    let output = serve(&["--config", missing.to_str().unwrap()], &data);
    refused(&output, 2, "cannot read the configuration file");
    for endless in ["/dev/zero", "/dev/null"] {
        let output = serve(&["--config", endless], &data);
        refused(&output, 2, "not a regular file");
    }
    std::fs::write(&config, vec![b'#'; 2 << 20]).unwrap();
    let output = serve(&["--config", config_argument], &data);
    refused(&output, 2, "longer than 1048576 bytes");
}

#[test]
fn asvs_6_2_12_a_weak_or_disclosed_password_is_refused_with_its_reason() {
    let home = tempfile::tempdir().unwrap();
    let list = home.path().join("disclosed.txt");
    // The SHA-1 of "a pass phrase of many breaches", between two others.
    let lines = [
        "0000000000000000000000000000000000000000:1",
        "EEBBF676BF50B7E53F6BCA7C9FF699932460008B:17",
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF:2",
    ];
    std::fs::write(&list, lines.join("\r\n") + "\r\n").unwrap();
    let config = format!(
        "breached_passwords_file = {list:?}\npassword_context_words = [\"Wunderwerk\"]\npassword_min_chars = 16"
    );
    let server = Server::start_with(&home.path().join("data"), &config);
    let client = server.client();
    let token = server.bootstrap_token();
    let long = "x y".repeat(400);
    for (password, reason) in [
        ("fifteen letters", "too_short"),
        (long.as_str(), "too_long"),
        ("qwertyuiop12345678", "pattern"),
        ("Wunderwerk.Ada.2026", "context"),
        ("football-sunshine", "common"),
        ("a pass phrase of many breaches", "breached"),
    ] {
        let body = json!({
            "token": token, "email": "ada@example.com", "password": password,
            "name": "Ada", "org": { "slug": "acme", "name": "Acme" },
        });
        let answer = client
            .call("POST", "/api/v1/bootstrap", None, Some(&body))
            .expect(422);
        assert_eq!(answer.code(), "weak_password");
        assert_eq!(answer.json()["reason"], reason, "{password}");
        assert!(!answer.text().contains(password), "{password}");
    }
    found(&server, "ada@example.com");
}

#[test]
fn a_second_process_says_so_and_ends() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"));
    refused(
        &serve(&["--listen", "127.0.0.1:0"], &server.data),
        3,
        "another process uses",
    );
    let client = server.client();
    client.call("GET", "/readyz", None, None).expect(200);
    assert!(server.interrupt().success());
}

/// Writes into a database that nobody serves.
fn run_sql(database: &Path, sql: &'static str) {
    use sqlx::Connection as _;
    let url = format!("sqlite://{}", database.display());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn a_newer_schema_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    assert!(Server::start(&data).interrupt().success());
    let sql = "INSERT INTO _cyprob_core_migrations \
               (version, description, success, checksum, execution_time) \
               VALUES (9999, 'of the future', 1, x'00', 0)";
    run_sql(&data.join("cyprob.db"), sql);
    refused(&serve(&["--listen", "127.0.0.1:0"], &data), 3, "newer");
}

#[test]
fn the_bootstrap_token_works_once_and_its_file_goes() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"));
    let file = server.data.join("bootstrap-token");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let client = server.client();
    let mut body = json!({
        "token": "cyb_wrong", "email": "ada@example.com", "password": PASSWORD, "name": "Ada",
        "org": { "slug": "acme", "name": "Acme" },
    });
    let answer = client
        .call("POST", "/api/v1/bootstrap", None, Some(&body))
        .expect(401);
    assert_eq!(answer.code(), "invalid_token");
    body["token"] = json!(server.bootstrap_token());
    client
        .call("POST", "/api/v1/bootstrap", None, Some(&body))
        .expect(201);
    client
        .call("POST", "/api/v1/bootstrap", None, Some(&body))
        .expect(404);
    client
        .send("POST", "/api/v1/bootstrap", &[], None)
        .expect(404);
    for _ in 0..100 {
        if !file.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(!file.exists(), "a used token's file is deleted");
    login(&client, "ada@example.com", PASSWORD, None).expect(200);
}

#[test]
fn sessions_outlive_a_restart_and_ended_ones_stay_ended() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let server = Server::start(&data);
    let client = server.client();
    found(&server, "ada@example.com");
    let token =
        |answer: &support::Answer| answer.json()["access_token"].as_str().unwrap().to_owned();
    let kept = login(&client, "ada@example.com", PASSWORD, None).expect(200);
    let ended = login(&client, "ada@example.com", PASSWORD, None).expect(200);
    client
        .call("POST", "/api/v1/auth/logout", Some(&token(&ended)), None)
        .expect(204);
    client.get("/api/v1/me", &token(&ended)).expect(401);
    server.kill();

    let server = Server::start(&data);
    let client = server.client();
    client.get("/api/v1/me", &token(&kept)).expect(200);
    client.get("/api/v1/me", &token(&ended)).expect(401);
    let refresh = json!({ "refresh_token": ended.json()["refresh_token"] });
    client
        .call("POST", "/api/v1/auth/refresh", None, Some(&refresh))
        .expect(401);
    let refresh = json!({ "refresh_token": kept.json()["refresh_token"] });
    client
        .call("POST", "/api/v1/auth/refresh", None, Some(&refresh))
        .expect(200);
    assert!(server.interrupt().success());
}

#[test]
fn a_world_has_everyone_in_their_place() {
    let world = World::new("");
    for ((org, role), account) in &world.members {
        let me = world
            .client
            .get("/api/v1/me", &account.token)
            .expect(200)
            .json();
        assert_eq!(
            (me["org"]["slug"].as_str(), me["org"]["role"].as_str()),
            (Some(*org), Some(*role))
        );
    }
    let me = world
        .client
        .get("/api/v1/me", &world.administrator.token)
        .expect(200)
        .json();
    assert_eq!(
        (&me["org"], &me["administrator"]),
        (&json!(null), &json!(true))
    );
    let me = world
        .client
        .get("/api/v1/me", &world.stranger.token)
        .expect(200)
        .json();
    assert_eq!((&me["org"], &me["orgs"]), (&json!(null), &json!([])));
}

#[test]
fn the_document_describes_every_route_and_its_answers() {
    let world = World::new("");
    let answer = world.client.call("GET", "/openapi.json", None, None);
    let document = answer.expect(200).json();
    let routes = Command::new(CYPROB)
        .args(["routes", "--format", "json"])
        .output();
    let routes: serde_json::Value = serde_json::from_slice(&routes.unwrap().stdout).unwrap();
    let mut ids = std::collections::BTreeSet::new();
    for route in routes["routes"].as_array().unwrap() {
        let (method, path) = (
            route["method"].as_str().unwrap(),
            route["path"].as_str().unwrap(),
        );
        let operation = &document["paths"][path][method.to_lowercase()];
        let id = operation["operationId"].as_str().expect(path);
        assert!(ids.insert(id.to_owned()), "{id} twice");
        let answers = operation["responses"].as_object().expect(path);
        assert!(
            answers.keys().any(|status| status.starts_with('2')),
            "{method} {path}"
        );
        let open = route["policy"] == "public";
        let secured = operation["security"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
        assert_eq!(secured, !open, "{method} {path}");
    }
    assert!(ids.len() > 40);
}

/// What is published says what there was: an older copy of the database does not pass for the newest.
#[test]
fn an_older_or_lost_database_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let database = data.join("cyprob.db");
    // Each start and each end are events.
    assert!(Server::start(&data).interrupt().success());
    let older = std::fs::read(&database).unwrap();
    assert!(Server::start(&data).interrupt().success());
    let newest = std::fs::read(&database).unwrap();
    let put = |bytes: Option<&[u8]>| {
        let _ = std::fs::remove_file(data.join("bootstrap-token"));
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(data.join(format!("cyprob.db{ending}")));
        }
        if let Some(bytes) = bytes {
            std::fs::write(&database, bytes).unwrap();
            let private = PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&database, private).unwrap();
        }
    };
    let words = "older than the published log system";
    for bytes in [Some(older.as_slice()), None] {
        put(bytes);
        for _ in 0..2 {
            refused(&serve(&["--listen", "127.0.0.1:0"], &data), 3, words);
        }
        assert!(!data.join("bootstrap-token").exists());
    }
    put(Some(&newest));
    assert!(Server::start(&data).interrupt().success());
    // An operator who knows that the newest is lost keeps the files elsewhere.
    put(Some(&older));
    std::fs::rename(data.join("audit/system"), home.path().join("kept")).unwrap();
    assert!(Server::start(&data).interrupt().success());
}
