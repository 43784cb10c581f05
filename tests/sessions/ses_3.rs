//! SES-3: after an end returns, no request with an earlier token succeeds; and what did not end goes on.

use std::time::{Duration, Instant};

use cyprob::core::ports::EntropyExt as _;
use cyprob::core::testkit::{SeededEntropy, Tally};
use serde_json::{Value, json};

use crate::site::{PASSWORD, Site, ask, expect, sign_in, text};

const CASES: u32 = 256;
/// Two people a case.
const PEOPLE: usize = 2;
/// Within this a node knows what another one ended, or answers nobody.
const BOUND: Duration = Duration::from_secs(5);

/// An access token, and what the model says of it.
struct Token {
    text: String,
    person: usize,
    session: String,
    in_org: bool,
    good: bool,
}

struct Person {
    id: String,
    email: String,
    password: String,
    role: &'static str,
    member: bool,
    disabled: bool,
}

struct Case<'a> {
    site: &'a Site,
    dice: &'a SeededEntropy,
    people: Vec<Person>,
    tokens: Vec<Token>,
    refresh: Vec<(String, String)>,
    tally: &'a mut Tally,
}

/// Runs the cases on a site.
///
/// # Panics
///
/// At the first token that is good when it should not be, or not when it should.
pub(crate) async fn holds(site: Site) -> Tally {
    let dice = SeededEntropy::new(3);
    let mut tally = Tally::default();
    for number in 0..CASES {
        let mut people = Vec::new();
        for n in 0..PEOPLE {
            let email = format!("p{n}.{number}@example.com");
            people.push(Person {
                id: site.person(&email).await,
                email,
                password: PASSWORD.to_owned(),
                role: "analyst",
                member: true,
                disabled: false,
            });
        }
        let mut case = Case {
            site: &site,
            dice: &dice,
            people,
            tokens: Vec::new(),
            refresh: Vec::new(),
            tally: &mut tally,
        };
        for person in 0..PEOPLE {
            case.sign_in(person).await;
            case.sign_in(person).await;
        }
        for _ in 0..6 {
            case.step().await;
            case.check().await;
        }
    }
    site.end().await;
    tally
}

impl Case<'_> {
    fn roll(&self, sides: usize) -> usize {
        let bytes: [u8; 4] = self.dice.bytes();
        u32::from_le_bytes(bytes) as usize % sides
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let node = &self.site.nodes[self.roll(self.site.nodes.len())];
        ask(node, method, path, Some(token), body).await
    }

    /// By the deployment's administrator, who owns the organization.
    async fn administer(&self, status: u16, method: &str, path: &str, body: &Value) {
        expect(
            status,
            self.ask(method, path, &self.site.founder, body).await,
        );
    }

    fn take(&mut self, person: usize, pair: &Value) {
        let session = text(pair, "session_id");
        self.refresh.retain(|(of, _)| *of != session);
        self.refresh
            .push((session.clone(), text(pair, "refresh_token")));
        self.tokens.push(Token {
            text: text(pair, "access_token"),
            person,
            session,
            in_org: !pair["org"].is_null(),
            good: true,
        });
    }

    async fn sign_in(&mut self, person: usize) {
        let who = &self.people[person];
        let node = &self.site.nodes[self.roll(self.site.nodes.len())];
        let answer = sign_in(node, &who.email, &who.password).await;
        if who.disabled {
            assert_eq!(answer.0, 401, "{}", answer.1);
            return;
        }
        let pair = expect(200, answer);
        self.take(person, &pair);
    }

    /// Those tokens end.
    fn end(&mut self, which: impl Fn(&Token) -> bool) {
        for token in self.tokens.iter_mut().filter(|token| which(token)) {
            token.good = false;
        }
    }

    async fn step(&mut self) {
        let person = self.roll(PEOPLE);
        let good = |token: &&Token| token.good && token.person == person;
        let (Some(by), false) = (self.tokens.iter().rfind(good), self.people[person].disabled)
        else {
            return self.without_a_token(person).await;
        };
        let (token, session) = (by.text.clone(), by.session.clone());
        let id = self.people[person].id.clone();
        let member = self.people[person].member;
        let member_path = format!("/api/v1/orgs/acme/members/{id}");
        let why = json!({ "user": id, "reason": "a test" });
        match self.roll(10) {
            0 => {
                expect(
                    204,
                    self.ask("POST", "/api/v1/auth/logout", &token, &Value::Null)
                        .await,
                );
                self.end(|token| token.session == session);
                self.tally.count("signed out");
            }
            1 => {
                // A session of hers, of this one too.
                let of = self
                    .tokens
                    .iter()
                    .filter(good)
                    .map(|token| token.session.clone());
                let of: Vec<String> = of.collect();
                let ended = of[self.roll(of.len())].clone();
                let path = format!("/api/v1/sessions/{ended}");
                expect(204, self.ask("DELETE", &path, &token, &Value::Null).await);
                self.end(|token| token.session == ended);
                self.tally.count("session revoked");
            }
            2 => {
                expect(
                    204,
                    self.ask("DELETE", "/api/v1/sessions", &token, &Value::Null)
                        .await,
                );
                self.end(|token| token.person == person && token.session != session);
                self.tally.count("other sessions revoked");
            }
            3 => self.change_password(person, &token).await,
            4 => {
                let path = format!("/api/v1/system/users/{id}/disable");
                self.administer(204, "POST", &path, &json!({ "reason": "a test" }))
                    .await;
                self.people[person].disabled = true;
                self.end(|token| token.person == person);
                self.tally.count("disabled");
            }
            5 if member => {
                let role =
                    ["analyst", "viewer"][usize::from(self.people[person].role == "analyst")];
                self.administer(200, "PUT", &member_path, &json!({ "role": role }))
                    .await;
                self.people[person].role = role;
                self.end(|token| token.person == person && token.in_org);
                self.tally.count("role changed");
            }
            6 if member => {
                self.administer(204, "DELETE", &member_path, &Value::Null)
                    .await;
                self.people[person].member = false;
                self.end(|token| token.person == person && token.in_org);
                self.tally.count("member removed");
            }
            7 if member
                && self
                    .tokens
                    .iter()
                    .any(|of| of.session == session && of.in_org) =>
            {
                let path = format!("/api/v1/orgs/acme/sessions/{session}");
                let (status, _) = self
                    .ask("DELETE", &path, &self.site.founder, &Value::Null)
                    .await;
                // A grant ends once: 404 says that it had ended before.
                assert!(status == 204 || status == 404, "{status}");
                self.end(|token| token.session == session && token.in_org);
                self.tally.count("access to the organization ended");
            }
            8 => {
                self.administer(200, "POST", "/api/v1/system/sessions/end", &why)
                    .await;
                self.end(|token| token.person == person);
                self.tally.count("all sessions ended by the administrator");
            }
            _ => self.refresh(person, &session).await,
        }
    }

    async fn without_a_token(&mut self, person: usize) {
        if self.people[person].disabled {
            let path = format!("/api/v1/system/users/{}/enable", self.people[person].id);
            self.administer(204, "POST", &path, &Value::Null).await;
            self.people[person].disabled = false;
            self.tally.count("enabled: nothing comes back");
        } else {
            self.sign_in(person).await;
        }
    }

    async fn change_password(&mut self, person: usize, token: &str) {
        let changed = format!("{PASSWORD} {}", self.roll(1_000_000));
        let body = json!({ "current": self.people[person].password, "new": changed });
        let path = "/api/v1/me/password?reissue=true";
        let pair = expect(200, self.ask("POST", path, token, &body).await);
        self.people[person].password = changed;
        self.end(|token| token.person == person);
        self.take(person, &pair);
        self.tally.count("password changed");
    }

    async fn refresh(&mut self, person: usize, session: &str) {
        let found = self.refresh.iter().find(|(of, _)| of == session);
        let body = json!({ "refresh_token": found.unwrap().1 });
        let node = &self.site.nodes[self.roll(self.site.nodes.len())];
        let (status, pair) = ask(node, "POST", "/api/v1/auth/refresh", None, &body).await;
        // A session may have no organization left that it could be refreshed for.
        if status == 200 {
            self.take(person, &pair);
            self.tally.count("refreshed: earlier tokens go on");
        }
    }

    /// Every node refuses every token that ended, and takes every other one.
    async fn check(&self) {
        for node in &self.site.nodes {
            for token in &self.tokens {
                let begun = Instant::now();
                loop {
                    let asked = begun.elapsed();
                    let text = Some(token.text.as_str());
                    let (status, body) = ask(node, "GET", "/api/v1/me", text, &Value::Null).await;
                    match (token.good, status) {
                        (true, 200) | (false, 401) => break,
                        // Another node ended it, or made it known, and this one has not heard yet.
                        (false, 200) if !self.site.at_once && asked < BOUND => {}
                        _ => panic!("good: {}, {status} after {asked:?}: {body}", token.good),
                    }
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
        }
    }
}
