//! Two nodes on one database and one directory.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cyprob::authz::domain::{KEY_LEAD, KeyPurpose, RootKeyId};
use cyprob::core::adapters::system::SystemClock;
use cyprob::core::domain::Caller;
use cyprob::core::ports::Clock as _;
use serde_json::json;

use crate::logs;
use crate::support::attenuate::narrowed;
use crate::support::database::block_on;
use crate::support::world::{PASSWORD, found, login};
use crate::support::{Client, Database, Server};

/// A node that dies is followed by the other within this.
const TAKEN_OVER: Duration = Duration::from_secs(4);

fn checkpoint(data: &Path) -> PathBuf {
    data.join("audit/system/checkpoint")
}

/// The size of the deployment's published log.
fn published(data: &Path) -> u64 {
    let Ok(text) = std::fs::read_to_string(checkpoint(data)) else {
        return 0;
    };
    text.lines().nth(1).unwrap().parse().unwrap()
}

#[track_caller]
fn grows(data: &Path, from: u64, within: Duration) -> Duration {
    let begun = Instant::now();
    while published(data) <= from {
        assert!(begun.elapsed() < within, "nobody publishes");
        std::thread::sleep(Duration::from_millis(10));
    }
    begun.elapsed()
}

fn token(client: &Client) -> String {
    let answer = login(client, "root@example.com", PASSWORD, Some("acme")).expect(200);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn one_node_writes_the_logs_and_the_next_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let database = Database::new();
    let first = Server::start_with(&data, &database.config());
    let second = Server::start_with(&data, &database.config());
    // A token of the newer node is the one that is in the file.
    found(&second, "root@example.com");
    // What the second node records is published by the first.
    let (one, two) = (first.client(), second.client());
    let size = published(&data);
    let signed_in = token(&two);
    grows(&data, size, Duration::from_secs(3));
    one.get("/api/v1/me", &signed_in).expect(200);

    let mut node = second;
    let mut leader = Some(first);
    for round in 0..3 {
        let size = published(&data);
        // A node that is killed in the middle of its work.
        leader.take().unwrap().kill();
        let client = node.client();
        let began = Instant::now();
        let body = json!({ "email": format!("p{round}@example.com"), "role": "viewer" });
        client
            .post("/api/v1/orgs/acme/invitations", &signed_in, &body)
            .expect(201);
        token(&client);
        grows(&data, size, TAKEN_OVER);
        println!("taken over after {:?}", began.elapsed());
        leader = Some(std::mem::replace(
            &mut node,
            Server::start_with(&data, &database.config()),
        ));
    }
    // An orderly end hands over at once.
    let size = published(&data);
    assert!(leader.take().unwrap().interrupt().success());
    token(&node.client());
    grows(&data, size, TAKEN_OVER);
    let list = node
        .client()
        .get("/api/v1/orgs/acme/invitations?limit=100", &signed_in);
    assert_eq!(
        list.expect(200).json()["items"].as_array().unwrap().len(),
        3
    );
    let key = logs::key(&node.client(), &signed_in);
    assert!(node.interrupt().success());
    logs::hold(&data, &key, 2);
}

/// Signs out on one node; gives how long the other still took the token.
fn revoked_elsewhere(check: &str, within: Duration) {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let database = Database::new();
    let config = format!("revocation_check = \"{check}\"\n{}", database.config());
    let first = Server::start_with(&data, &config);
    let second = Server::start_with(&data, &config);
    found(&second, "root@example.com");
    let (one, two) = (first.client(), second.client());
    let mut longest = Duration::ZERO;
    for _ in 0..10 {
        let signed_in = token(&one);
        for client in [&one, &two] {
            client.get("/api/v1/me", &signed_in).expect(200);
            client
                .get("/api/v1/orgs/acme/members", &signed_in)
                .expect(200);
        }
        one.call("POST", "/api/v1/auth/logout", Some(&signed_in), None)
            .expect(204);
        let begun = Instant::now();
        one.get("/api/v1/me", &signed_in).expect(401);
        loop {
            let answer = two.get("/api/v1/me", &signed_in);
            if answer.status == 401 {
                assert_eq!(answer.code(), "invalid_token");
                break;
            }
            answer.expect(200);
            assert!(begun.elapsed() < within, "it is taken for {within:?}");
        }
        longest = longest.max(begun.elapsed());
    }
    println!("{check}: dead everywhere after {longest:?} at most");
    assert!(first.interrupt().success());
    assert!(second.interrupt().success());
}

/// A token for three uses, asked for on both nodes at once and one after the other.
#[test]
fn a_use_that_one_node_took_is_taken_on_all() {
    const RUNS: &str = "/api/v1/orgs/acme/runs";
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let database = Database::new();
    let first = Server::start_with(&data, &database.config());
    let second = Server::start_with(&data, &database.config());
    found(&second, "root@example.com");
    let clients = [first.client(), second.client()];
    let signed_in = token(&clients[0]);
    for _ in 0..5 {
        let thrice = narrowed(&signed_in, &["--uses", "3"]);
        let asking = clients.iter().cycle().take(12).cloned().map(|client| {
            let token = thrice.clone();
            std::thread::spawn(move || client.get(RUNS, &token).status)
        });
        let asking: Vec<_> = asking.collect();
        let mut statuses: Vec<u16> = asking.into_iter().map(|it| it.join().unwrap()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![200; 3], vec![401; 9]].concat());
        let once = narrowed(&signed_in, &["--uses", "1"]);
        clients[0].get(RUNS, &once).expect(200);
        clients[1].get(RUNS, &once).expect(401);
    }
    assert!(first.interrupt().success());
    assert!(second.interrupt().success());
}

#[test]
fn what_one_node_revokes_the_others_hear_of() {
    revoked_elsewhere("feed", Duration::from_secs(1));
}

#[test]
fn what_one_node_revokes_no_strict_one_takes() {
    revoked_elsewhere("strict", Duration::ZERO);
}

/// Every token of either node is taken by the other, while the key that signs is rotated and then revoked.
#[test]
fn a_key_that_is_rotated_once_is_rotated_everywhere() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let database = Database::new();
    let first = Server::start_with(&data, &database.config());
    let second = Server::start_with(&data, &database.config());
    found(&second, "root@example.com");
    let (one, two) = (first.client(), second.client());
    let keys = cyprob::token_keys(&data, &data.join("master-key")).unwrap();
    // By a clock that is behind, so that the new key signs ten seconds from now.
    let at = SystemClock.now().before(KEY_LEAD);
    let at = at.after(Duration::from_secs(10));
    block_on(keys.rotate(KeyPurpose::User, &Caller::operator(), at)).unwrap();
    let taken = |until: Duration| {
        let begun = Instant::now();
        let mut tokens = Vec::new();
        while begun.elapsed() < until {
            for (here, there) in [(&one, &two), (&two, &one)] {
                let token = token(here);
                there.get("/api/v1/me", &token).expect(200);
                tokens.push(token);
            }
        }
        tokens
    };
    let old = taken(Duration::from_secs(5));
    taken(Duration::from_secs(8));
    let first_key = RootKeyId::new(1);
    let now = SystemClock.now();
    let operator = Caller::operator();
    block_on(keys.revoke(KeyPurpose::User, first_key, &operator, now)).unwrap();
    // Nobody signs with it any more, so nothing is lost before both know.
    taken(Duration::from_secs(7));
    for client in [&one, &two] {
        client.get("/api/v1/me", &old[0]).expect(401);
    }
    assert!(first.interrupt().success());
    assert!(second.interrupt().success());
}
