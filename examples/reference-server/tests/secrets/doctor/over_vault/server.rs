//! The server: with TLS, and sealed.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::stand::Stand;
use crate::doctor::Patient;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/test"))
}

fn at(address: &str, ca_file: Option<&str>) -> Patient {
    let mut patient = Patient::new();
    // Of the other server: nobody knows it here.
    let token = patient.keep("token", &Stand::new().token(json!({})));
    let ca_file = ca_file.map_or(String::new(), |path| format!("ca_file = {path:?}\n"));
    patient.configure(&format!(
        "[vault]\naddress = \"{address}\"\n{ca_file}token_file = {{ path = {token:?} }}\n"
    ));
    patient
}

#[test]
fn a_server_is_asked_by_the_authority_that_is_named() {
    let address = variable("CYPROB_VAULT_TLS");
    let ca = variable("CYPROB_VAULT_CA");
    let unknown: &[&str] = &["vault token", "does not accept the login"];
    at(&address, Some(&ca))
        .doctor()
        .refuses(&[unknown, &["vault policy", "lookup-self"]])
        .praises(&["vault certificates", "vault server"]);
    // The system's authorities, if it has any, do not vouch for it.
    let said = at(&address, None).doctor();
    said.refuses(&[&["vault "]]);
    assert!(
        !said.text.contains("well     vault server"),
        "{}",
        said.text
    );
}

/// A server that ends with the test.
struct Own {
    process: Child,
    address: String,
}

impl Own {
    fn start(root: &str) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        drop(socket);
        let address = format!("127.0.0.1:{port}");
        let mut command = Command::new(variable("CYPROB_BAO"));
        command.args(["server", "-dev", "-dev-no-store-token"]);
        command.arg(format!("-dev-listen-address={address}"));
        command.arg(format!("-dev-root-token-id={root}"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if rustix::process::geteuid().is_root() {
            command.uid(65_534).gid(65_534);
        }
        let process = command.spawn().unwrap();
        Self { process, address }
    }

    /// One call; its status, or nothing if nobody answers.
    fn ask(&self, token: &str, method: &str, path: &str) -> Option<u16> {
        let mut socket = TcpStream::connect(&self.address).ok()?;
        let length = "Content-Length: 0\r\nConnection: close";
        let head = format!("{method} /v1/{path} HTTP/1.1\r\nHost: {}", self.address);
        write!(
            socket,
            "{head}\r\nX-Vault-Token: {token}\r\n{length}\r\n\r\n"
        )
        .ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).ok()?;
        answer.split(' ').nth(1)?.parse().ok()
    }

    fn until(&self, token: &str, path: &str, status: u16) {
        let begun = Instant::now();
        while self.ask(token, "GET", path) != Some(status) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{path}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn a_sealed_server_is_told() {
    let root = "canary-of-a-root-token";
    let server = Own::start(root);
    server.until(root, "auth/token/lookup-self", 200);
    assert_eq!(server.ask(root, "PUT", "sys/seal"), Some(204));
    server.until(root, "sys/health", 503);
    let sealed: &[&str] = &["vault server: sealed, or not initialized; unseal it"];
    let patient = at(&format!("http://{}", server.address), None);
    patient.doctor().refuses(&[sealed]);
}
