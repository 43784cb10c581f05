//! What `migrate` and `serve` say of a database, and the remedy they name.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::server::CYPROB;
use crate::support::{Database, Server};

fn cyprob(command: &str, config: &Path, more: &[&str]) -> Output {
    let output = Command::new(CYPROB)
        .arg(command)
        .arg("--config")
        .arg(config)
        .args(more)
        .env("CYPROB_LOG", "off")
        .output();
    output.unwrap()
}

#[track_caller]
fn says(output: &Output, status: i32, words: &str) {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert_eq!(output.status.code(), Some(status), "{text}");
    assert!(text.contains(words), "{text}");
}

/// A configuration in a directory of its own.
fn written(home: &Path, text: &str) -> std::path::PathBuf {
    let file = home.join("config.toml");
    std::fs::write(&file, text).unwrap();
    file
}

fn serve(home: &Path, text: &str) -> Output {
    let data = home.join("data");
    let data = data.to_str().unwrap();
    let more = ["--listen", "127.0.0.1:0", "--data", data];
    cyprob("serve", &written(home, text), &more)
}

#[test]
fn tables_are_made_once_and_by_their_owner() {
    let home = tempfile::tempdir().unwrap();
    let database = Database::new();
    let (runtime, owner) = (database.url("cyprob_runtime"), database.url("cyprob_owner"));
    let section = format!("[postgres]\nurl = \"{runtime}\"\nowner_url = \"{owner}\"\n");
    says(&serve(home.path(), &section), 3, "cyprob migrate");

    let file = written(home.path(), &section);
    let first = cyprob("migrate", &file, &[]);
    for component in ["core", "audit", "plugins"] {
        says(&first, 0, &format!("cyprob-{component}: schema 0 to "));
    }
    says(
        &first,
        0,
        "cyprob_runtime may work and cyprob_auditor may read",
    );
    let second = cyprob("migrate", &file, &[]);
    for component in ["core", "audit", "plugins"] {
        says(&second, 0, &format!("cyprob-{component}: schema"));
        says(&second, 0, "up to date");
    }
    let server = Server::start_with(&home.path().join("data"), &section);
    server
        .client()
        .call("GET", "/readyz", None, None)
        .expect(200);
    assert!(server.interrupt().success());

    // Who owns the tables is held to nothing, and must not serve.
    let as_owner = format!("[postgres]\nurl = \"{owner}\"\n");
    says(&serve(home.path(), &as_owner), 3, "cyprob_owner");
    database.run("UPDATE cyprob._cyprob_core_migrations SET version = 9999 WHERE version = 1");
    says(&serve(home.path(), &section), 3, "newer");
}

#[test]
fn what_cannot_be_reached_is_named_with_its_remedy() {
    let home = tempfile::tempdir().unwrap();
    let section = |keys: &str| serve(home.path(), &format!("[postgres]\n{keys}"));
    let gone = "url = \"postgres://cyprob_runtime@127.0.0.1:1/cyprob\"\n";
    says(&section(gone), 3, "look at its address, role and password");
    let database = Database::new();
    let stranger = format!("url = \"{}\"\n", database.url("nobody_of_this_name"));
    says(&section(&stranger), 3, "nobody_of_this_name");
    for (keys, words) in [
        ("", "url"),
        (
            "url = \"mysql://a@b/c\"\n",
            "[postgres] url must be postgres://",
        ),
        (
            &format!("{gone}connections = 1\n"),
            "connections must lie between 2 and 1000",
        ),
        (
            &format!("{gone}wait_ms = 5\n"),
            "wait_ms must lie between 100 and 60000",
        ),
        (
            &format!("{gone}password_file = \"/no/such\"\n"),
            "cannot read the password file /no/such",
        ),
        (
            &format!("{gone}migrate_on_start = true\n"),
            "owner_url is missing",
        ),
        (&format!("{gone}zzz = 1\n"), "zzz"),
    ] {
        says(&section(keys), 2, words);
    }
    let secret = "url = \"postgres://a:hunter2@127.0.0.1:1/cyprob\"\n";
    let output = section(secret);
    says(&output, 3, "cannot be used");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
    says(
        &cyprob("migrate", &written(home.path(), ""), &[]),
        2,
        "no section [postgres]",
    );
}

/// The SQL that `--print-roles` gives makes roles that a node can work as.
#[test]
fn the_printed_roles_are_those_that_are_needed() {
    let output = Command::new(CYPROB)
        .args(["migrate", "--print-roles"])
        .output()
        .unwrap();
    let sql = String::from_utf8(output.stdout).unwrap();
    for role in ["cyprob_owner", "cyprob_runtime", "cyprob_auditor"] {
        assert!(sql.contains(&format!("CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS")));
    }
    // Under other names, so that the server's own roles stay as they are.
    let own = format!("own_{}", std::process::id());
    let database = Database::new();
    for statement in sql.replace("cyprob", &own).split_inclusive(";\n") {
        database.run(statement);
    }
    for name in ["owner", "runtime", "auditor"] {
        database.run(&format!(
            "SELECT 1 / count(*) FROM pg_roles WHERE rolname = '{own}_{name}'"
        ));
    }
    database.run(&format!("DROP DATABASE {own}"));
    for name in ["owner", "runtime", "auditor"] {
        database.run(&format!("DROP ROLE {own}_{name}"));
    }
}
