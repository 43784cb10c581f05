//! The database is gone, hangs, is full: every route answers in time, nothing is half done, and it comes back by itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::Executor as _;
use tempfile::TempDir;

use crate::logs;
use crate::server::Postgres;
use crate::support::database::block_on;
use crate::support::server::CYPROB;
use crate::support::world::{PASSWORD, found, login};
use crate::support::{Answer, Client, Database, Server};

/// How long an answer may take while the database does not answer.
const IN_TIME: Duration = Duration::from_secs(2);

/// A server over a database, with an owner of `acme` signed in.
struct House {
    server: Server,
    client: Client,
    token: String,
    _home: TempDir,
}

impl House {
    fn new(database: &Database, more: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let config = format!("access_ttl_seconds = 900\n{}{more}", database.config());
        let server = Server::start_with(&home.path().join("data"), &config);
        let client = server.client();
        found(&server, "root@example.com");
        let answer = login(&client, "root@example.com", PASSWORD, Some("acme")).expect(200);
        Self {
            token: answer.json()["access_token"].as_str().unwrap().to_owned(),
            server,
            client,
            _home: home,
        }
    }

    fn invite(&self, name: &str) -> Answer {
        let body = json!({ "email": format!("{name}@example.com"), "role": "viewer" });
        self.client
            .post("/api/v1/orgs/acme/invitations", &self.token, &body)
    }

    /// The addresses that are invited.
    fn invited(&self) -> Vec<String> {
        let path = "/api/v1/orgs/acme/invitations?limit=100";
        let list = self.client.get(path, &self.token).expect(200).json();
        let items = list["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["email"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Every route once: in time, and never an error other than 503 with a time to come back.
    fn ask_every_route(&self) {
        let output = std::process::Command::new(CYPROB)
            .args(["routes", "--format", "json"])
            .output();
        let routes: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
        let mut unavailable = 0;
        for route in routes["routes"].as_array().unwrap() {
            let (method, path) = (
                route["method"].as_str().unwrap(),
                route["path"].as_str().unwrap(),
            );
            let path = path.replace("{org}", "acme").replace(['{', '}'], "");
            let answer = self.in_time(|| self.client.call(method, &path, Some(&self.token), None));
            match answer.status {
                503 => {
                    assert!(answer.header("retry-after").is_some(), "{method} {path}");
                    unavailable += 1;
                }
                status => assert!(status < 500, "{method} {path}: {}", answer.text()),
            }
        }
        println!("{unavailable} routes answered 503");
        assert!(unavailable > 15, "{unavailable}");
    }

    fn in_time(&self, ask: impl FnOnce() -> Answer) -> Answer {
        let begun = Instant::now();
        let answer = ask();
        assert!(
            begun.elapsed() < IN_TIME,
            "{:?}: {}",
            begun.elapsed(),
            answer.text()
        );
        answer
    }

    fn nothing_answers(&self) {
        let down = |answer: Answer| {
            assert!(answer.header("retry-after").is_some());
            assert_eq!(answer.expect(503).code(), "unavailable");
        };
        let client = &self.client;
        down(self.in_time(|| login(client, "root@example.com", PASSWORD, None)));
        down(self.in_time(|| client.get("/api/v1/me", &self.token)));
        down(self.in_time(|| client.get("/api/v1/orgs/acme/members", &self.token)));
        down(self.in_time(|| self.invite("nobody")));
        let ready = self
            .in_time(|| client.call("GET", "/readyz", None, None))
            .expect(503);
        assert_eq!(ready.json()["components"]["store"], "down");
        self.in_time(|| client.call("GET", "/healthz", None, None))
            .expect(200);
    }

    fn everything_answers(&self) {
        let begun = Instant::now();
        while self.client.call("GET", "/readyz", None, None).status != 200 {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "it does not come back"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        self.client.get("/api/v1/me", &self.token).expect(200);
        login(&self.client, "root@example.com", PASSWORD, None).expect(200);
        assert!(!self.invited().contains(&"nobody@example.com".to_owned()));
    }

    /// The published logs hold; ends the server.
    fn logs_hold(self) {
        let data = self.server.data.clone();
        let key = logs::key(&self.client, &self.token);
        // A node that was cut off leads again only after a while, and publishes then.
        logs::appear(&data, 2);
        assert!(self.server.interrupt().success());
        logs::hold(&data, &key, 2);
    }
}

#[test]
fn a_killed_server_is_503_and_comes_back_with_what_was_committed() {
    let mut postgres = Postgres::start();
    let database = Database::on(&postgres.address());
    let house = House::new(&database, "");
    let done = AtomicBool::new(false);
    // Someone invites all the while.
    let (said, unknown) = std::thread::scope(|scope| {
        let inviting = scope.spawn(|| {
            let (mut said, mut unknown) = (Vec::new(), Vec::new());
            for number in 0.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let name = format!("p{number}");
                let answer = house.invite(&name);
                match answer.status {
                    201 => said.push(format!("{name}@example.com")),
                    503 => unknown.push(format!("{name}@example.com")),
                    _ => panic!("{}", answer.text()),
                }
                if said.len() + unknown.len() > 80 {
                    break;
                }
            }
            (said, unknown)
        });
        std::thread::sleep(Duration::from_millis(300));
        postgres.kill();
        std::thread::sleep(Duration::from_millis(200));
        done.store(true, Ordering::Relaxed);
        inviting.join().unwrap()
    });
    assert!(!said.is_empty());
    house.nothing_answers();
    house.ask_every_route();
    postgres.restart();
    house.everything_answers();
    let invited = house.invited();
    println!(
        "{} invited, {} unknown, {} there",
        said.len(),
        unknown.len(),
        invited.len()
    );
    for email in &said {
        assert!(invited.contains(email), "{email} was said to be invited");
    }
    // Of those that got no answer only the one under way may be there.
    let more = unknown
        .iter()
        .filter(|email| invited.contains(email))
        .count();
    assert_eq!(invited.len(), said.len() + more);
    assert!(more <= 1, "{more}");
    let events = recorded(&database, "invitation.created");
    assert_eq!(
        events,
        invited.len(),
        "each with its event, and no event without one"
    );
    house.logs_hold();
}

/// How many events of an action there are, placed or waiting.
fn recorded(database: &Database, action: &str) -> usize {
    let count = "SELECT (SELECT count(*) FROM cyprob.audit_entries WHERE action = $1) \
                 + (SELECT count(*) FROM cyprob.audit_outbox \
                    WHERE body::json ->> 'action' = $1)";
    block_on(async {
        let mut connection = database.superuser().await;
        let count: i64 = sqlx::query_scalar(count)
            .bind(action)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        usize::try_from(count).unwrap()
    })
}

#[test]
fn a_server_that_hangs_is_503_and_comes_back() {
    let postgres = Postgres::start();
    let database = Database::on(&postgres.address());
    let house = House::new(&database, "");
    postgres.hang();
    house.nothing_answers();
    postgres.go_on();
    house.everything_answers();
    house.logs_hold();
}

#[test]
fn connections_that_were_ended_cost_no_request() {
    let postgres = Postgres::start();
    let database = Database::on(&postgres.address());
    let house = House::new(&database, "");
    for round in 0..5 {
        database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        house
            .client
            .get("/api/v1/orgs/acme/members", &house.token)
            .expect(200);
        house.invite(&format!("p{round}")).expect(201);
        login(&house.client, "root@example.com", PASSWORD, None).expect(200);
    }
    assert_eq!(house.invited().len(), 5);
    house.logs_hold();
}

#[test]
fn a_pool_that_is_used_up_is_503_in_time() {
    let database = Database::new();
    let house = House::new(&database, "connections = 2\n");
    block_on(async {
        let mut connection = database.superuser().await;
        connection
            .execute("BEGIN; LOCK TABLE cyprob.users IN ACCESS EXCLUSIVE MODE")
            .await
            .unwrap();
        std::thread::scope(|scope| {
            let house = &house;
            let asks = (0..8).map(|number| {
                scope.spawn(move || {
                    let path = if number % 2 == 0 {
                        "members"
                    } else {
                        "invitations"
                    };
                    let path = format!("/api/v1/orgs/acme/{path}");
                    house.in_time(|| house.client.get(&path, &house.token))
                })
            });
            let asks: Vec<_> = asks.collect();
            let answers: Vec<_> = asks.into_iter().map(|ask| ask.join().unwrap()).collect();
            let shed = answers.iter().filter(|answer| answer.status == 503).count();
            println!("{shed} of 8 were shed");
            // Those who need the table, and whoever waits behind them.
            assert!(shed >= 4);
            for answer in &answers {
                assert!(answer.status == 200 || answer.header("retry-after").is_some());
            }
        });
        connection.execute("ROLLBACK").await.unwrap();
    });
    house.everything_answers();
    house.logs_hold();
}
