//! Logging in as a service account of Kubernetes, whose reviews of tokens are a stand-in's.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use cyprob_secrets::adapters::vault::{Kubernetes, LoginRefusal, Vault, VaultError};
use cyprob_secrets::testkit::canary::shows;
use cyprob_secrets::testkit::fault_proxy::{Fault, FaultProxy};
use serde_json::json;
use tempfile::TempDir;

use crate::listening::listening;
use crate::reviewer::{Reviewer, unissued};
use crate::stand::{Stand, until, variable};

/// A cluster of which the server knows, and the directory of one pod.
struct Cluster {
    stand: Stand,
    reviewer: Reviewer,
    /// Between the server and the cluster.
    way: FaultProxy,
    pod: TempDir,
}

impl Cluster {
    /// The role `app` is for the account `app` of the namespace `prod`.
    async fn new() -> Self {
        let stand = Stand::new();
        let reviewer = Reviewer::start().await;
        let way = FaultProxy::start(reviewer.addr).await.unwrap();
        let cluster = Self {
            stand,
            reviewer,
            way,
            pod: tempfile::tempdir().unwrap(),
        };
        let (admin, mount) = (&cluster.stand.admin, cluster.mount());
        let kind = json!({"type": "kubernetes"});
        admin.make("POST", &format!("sys/auth/{mount}"), kind);
        let config = json!({
            "kubernetes_host": cluster.way.url(),
            // Not used over plain HTTP, and required all the same.
            "kubernetes_ca_cert": std::fs::read_to_string(variable("CYPROB_VAULT_CA")).unwrap(),
            "disable_local_ca_jwt": true,
        });
        admin.make("POST", &format!("auth/{mount}/config"), config);
        let role = json!({
            "bound_service_account_names": "app",
            "bound_service_account_namespaces": "prod",
            "token_policies": [cluster.stand.name],
            "token_ttl": "1h",
        });
        admin.make("POST", &format!("auth/{mount}/role/app"), role);
        cluster.stand.put("a", json!({"x": "y"}));
        cluster
    }

    /// As for one of several clusters: of more than one segment.
    fn mount(&self) -> String {
        format!("{}-clusters/eu-1", self.stand.name)
    }

    fn token_file(&self) -> PathBuf {
        self.pod.path().join("token")
    }

    /// Puts a token in place as the platform does: by a link to a directory of its own.
    fn project(&self, jwt: &str, generation: u32) {
        let (pod, name) = (self.pod.path(), format!("..{generation}"));
        std::fs::create_dir(pod.join(&name)).unwrap();
        std::fs::write(pod.join(&name).join("token"), jwt).unwrap();
        let (next, data) = (pod.join("..data_tmp"), pod.join("..data"));
        symlink(&name, &next).unwrap();
        std::fs::rename(next, data).unwrap();
        if generation == 1 {
            symlink("..data/token", self.token_file()).unwrap();
        }
    }

    fn login(&self, role: &str) -> Kubernetes {
        Kubernetes::new(role.parse().unwrap())
            .mount(self.mount().parse().unwrap())
            .token_file(self.token_file())
    }

    async fn connect(&self) -> Result<Vault, VaultError> {
        self.stand.connect(self.login("app")).await
    }

    async fn said(&self, vault: &Vault) -> String {
        self.stand.said(&self.stand.kv(vault), "a#x").await
    }
}

fn refusal(connected: Result<Vault, VaultError>) -> LoginRefusal {
    match connected {
        Err(VaultError::Login(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_account_of_the_role_signs_in_and_reads() {
    let cluster = Cluster::new().await;
    let jwt = cluster.reviewer.issue("prod", "app", 1);
    cluster.project(&jwt, 1);
    let vault = cluster.connect().await.unwrap();
    assert_eq!(cluster.said(&vault).await, "y v1");
    assert_eq!(cluster.reviewer.reviewed(), [jwt]);
    assert!(vault.standing().logged_in && vault.standing().ends_at.is_some());
}

#[tokio::test]
async fn another_account_and_whatever_is_no_token_of_it_are_refused() {
    let cluster = Cluster::new().await;
    assert_eq!(refusal(cluster.connect().await), LoginRefusal::FileMissing);
    let issue = |namespace, account| cluster.reviewer.issue(namespace, account, 1);
    let good = issue("prod", "app");
    let (front, _) = good.rsplit_once('.').unwrap();
    let refused = [
        issue("prod", "other"),
        issue("dev", "app"),
        // Right in all it says, and not issued: with another signature, too old, or with none.
        unissued("prod", "app", 7, 3_600),
        unissued("prod", "app", 1, -30),
        format!("{front}."),
        "no-token".to_owned(),
    ];
    for (jwt, generation) in refused.iter().zip(1..) {
        cluster.project(jwt, generation);
        let said = refusal(cluster.connect().await);
        assert_eq!(said, LoginRefusal::NotAccepted, "{generation}");
    }
    for (text, generation) in ["", "two\nlines", "a b"].into_iter().zip(20..) {
        cluster.project(text, generation);
        assert_eq!(refusal(cluster.connect().await), LoginRefusal::NotAToken);
    }
    cluster.project(&good, 30);
    let other_role = cluster.stand.connect(cluster.login("other")).await;
    assert_eq!(refusal(other_role), LoginRefusal::NotAccepted);
    let elsewhere = cluster.login("app").mount("nowhere/eu-1".parse().unwrap());
    let elsewhere = cluster.stand.connect(elsewhere).await;
    assert_eq!(refusal(elsewhere), LoginRefusal::NotAccepted);
    cluster.connect().await.unwrap();
}

#[tokio::test]
async fn a_token_that_was_replaced_is_read_again_at_the_next_login() {
    let cluster = Cluster::new().await;
    let first = cluster.reviewer.issue("prod", "app", 1);
    cluster.project(&first, 1);
    let vault = cluster.connect().await.unwrap();
    cluster.reviewer.forget(&first);
    // What it is logged in by lives on,
    assert_eq!(cluster.said(&vault).await, "y v1");
    // and is not to be had anew with the token of before.
    vault.log_out().await.unwrap();
    assert_eq!(cluster.said(&vault).await, "NoLogin");
    let standing = vault.standing();
    assert!(!standing.logged_in);
    assert_eq!(standing.refusal, Some(LoginRefusal::NotAccepted));
    let second = cluster.reviewer.issue("prod", "app", 2);
    cluster.project(&second, 2);
    until("the new token is taken up", || async {
        cluster.said(&vault).await == "y v1"
    })
    .await;
    assert_eq!(cluster.reviewer.reviewed().last(), Some(&second));
}

#[tokio::test]
async fn without_the_reviewer_nobody_logs_in_and_who_is_stays_so() {
    let cluster = Cluster::new().await;
    cluster.project(&cluster.reviewer.issue("prod", "app", 1), 1);
    let vault = cluster.connect().await.unwrap();
    for fault in [
        Fault::Refuse,
        Fault::Reset,
        Fault::Garbage,
        Fault::Status {
            code: 500,
            body: "{}".to_owned(),
        },
    ] {
        cluster.way.inject(fault.clone());
        assert_eq!(cluster.said(&vault).await, "y v1", "{fault:?}");
        // The server says no more than for a token that is wrong.
        let refused = refusal(cluster.connect().await);
        assert_eq!(refused, LoginRefusal::NotAccepted, "{fault:?}");
    }
    // One that does not answer is an outage: the server does not answer either.
    cluster.way.inject(Fault::Hang);
    let builder = cluster.stand.builder().login(cluster.login("app"));
    let hung = builder.timeout(Duration::from_millis(500));
    let hung = cluster.stand.open(hung).await;
    assert!(matches!(hung, Err(VaultError::Unavailable { .. })));

    cluster.way.inject(Fault::Refuse);
    vault.log_out().await.unwrap();
    assert_eq!(cluster.said(&vault).await, "NoLogin");
    cluster.way.heal();
    until("it logs in again by itself", || async {
        cluster.said(&vault).await == "y v1"
    })
    .await;
}

#[tokio::test]
async fn sec_1_the_token_of_the_account_is_shown_nowhere() {
    let (log, _listening) = listening();
    let cluster = Cluster::new().await;
    let good = cluster.reviewer.issue("prod", "app", 1);
    let bad = cluster.reviewer.issue("prod", "other", 1);
    cluster.project(&good, 1);
    let vault = cluster.connect().await.unwrap();
    let login = cluster.login("app");
    let mut texts = vec![format!("{vault:?} {vault:#?} {login:?} {login:#?}")];
    let proxy = FaultProxy::start(cluster.stand.admin.socket())
        .await
        .unwrap();
    let echo = |code, body: &str| Fault::Status {
        code,
        body: body.replace('M', &good),
    };
    for fault in [
        Fault::Truncate(20),
        Fault::Drop,
        echo(200, r#"{"auth":{"client_token":["M"]}}"#),
        echo(200, "M"),
        echo(400, r#"{"errors":["M"]}"#),
        echo(403, r#"{"errors":["M"]}"#),
        echo(500, "M"),
    ] {
        proxy.inject(fault);
        let builder = Vault::builder(proxy.url().parse().unwrap()).login(cluster.login("app"));
        texts.push(format!("{builder:?}"));
        let failed = cluster.stand.open(builder).await.unwrap_err();
        let source = std::error::Error::source(&failed).map(|source| format!("{source:?}"));
        texts.push(format!("{failed} {failed:?} {source:?}"));
    }
    cluster.project(&bad, 2);
    texts.push(format!("{:?}", refusal(cluster.connect().await)));
    let said = log.text();
    assert!(said.contains("TRACE"), "{}", said.len());
    texts.push(said);
    for jwt in [&good, &bad] {
        // Each part for itself, but for the header, which says nothing.
        for part in jwt.split('.').skip(1) {
            assert!(texts.iter().all(|text| !shows(text, part)));
        }
    }
}
