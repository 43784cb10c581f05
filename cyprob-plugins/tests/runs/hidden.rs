//! Runs that a caller may not have.

use std::collections::BTreeSet;

use cyprob_core::domain::audit::{Action, Actor, AuditEvent, MetaValue, Outcome};
use cyprob_core::domain::{Caller, CtxIssuer, ObjectScope, PageRequest, Scoped, Tag, UserId};
use cyprob_core::ports::store::Outbox as _;
use cyprob_plugins::domain::{FactsFile, Run};
use cyprob_plugins::ports::CancelOutcome;
use cyprob_plugins::service::runs::{RunRequest, RunRequestError};

use crate::site::{FACTS, Site};

fn tags(texts: &[&str]) -> BTreeSet<Tag> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn request(texts: &[&str]) -> RunRequest {
    RunRequest {
        facts: FactsFile {
            format: "json".to_owned(),
            bytes: FACTS.to_vec(),
        },
        plugins: None,
        tags: tags(texts),
        idempotency_key: None,
    }
}

/// The site's organization as a person has it.
fn as_of(site: &Site, id: UserId, objects: ObjectScope) -> Scoped {
    let caller = Caller {
        actor: Actor::User {
            id,
            session: None,
            token: None,
        },
        ..Caller::system("test")
    };
    let issuer = CtxIssuer::for_composition();
    let org = issuer.org(site.org.org(), site.org.org_ctx().role().clone(), caller);
    issuer.scoped(org, objects)
}

async fn queued(site: &Site, texts: &[&str]) -> Run {
    let run = site.requests.create(&site.org, site.user, request(texts));
    let run = run.await.unwrap();
    site.taken().await;
    run
}

impl Site {
    /// The events since the last look.
    async fn taken(&self) -> Vec<AuditEvent> {
        let events = self.outbox.pending(1_000).await.unwrap();
        let ids: Vec<_> = events.iter().map(|event| event.id).collect();
        self.outbox.discard(&ids).await.unwrap();
        events
    }

    /// One refusal was recorded since the last look, of this permission.
    async fn refused(&self, org: &Scoped, permission: &str, kind: &str, on: impl ToString) {
        let events = self.taken().await;
        let [event] = events.as_slice() else {
            panic!("{events:?}");
        };
        assert_eq!(event.action, Action::AccessDenied);
        assert_eq!(event.outcome, Outcome::Denied);
        assert_eq!(event.reason.as_deref(), Some("condition_object"));
        assert_eq!(event.org, Some(org.org()));
        assert_eq!(event.actor, org.caller().actor);
        assert_eq!(event.resource.kind, kind);
        assert_eq!(event.resource.id, on.to_string());
        let told = event.metadata.get("permission");
        assert_eq!(told, Some(&MetaValue::public(permission)));
    }
}

#[tokio::test]
async fn a_run_that_the_caller_may_not_have_is_missing_and_recorded() {
    let site = Site::new().await;
    let run = queued(&site, &["team:web"]).await;
    let stranger: UserId = site.id();
    let page = PageRequest::default();
    for objects in [
        ObjectScope::OWN,
        ObjectScope::NONE,
        ObjectScope::tagged(tags(&["team:db"])),
        ObjectScope::own_tagged(tags(&["team:web"])),
    ] {
        let org = as_of(&site, stranger, objects);
        assert_eq!(site.requests.get(&org, run.id).await.unwrap(), None);
        site.refused(&org, "runs:read", "run", run.id).await;
        let found = site.requests.findings(&org, run.id, &page).await;
        assert_eq!(found.unwrap(), None);
        site.refused(&org, "runs:read", "run", run.id).await;
        let outcome = site.requests.cancel(&org, run.id).await.unwrap();
        assert_eq!(outcome, CancelOutcome::NotFound);
        site.refused(&org, "runs:create", "run", run.id).await;
        assert_eq!(site.requests.list(&org, &page).await.unwrap().items, []);
        assert_eq!(site.taken().await, []);
        assert_eq!(site.run(run.id).await, run);
    }
}

#[tokio::test]
async fn a_run_that_is_nowhere_is_missing_and_not_recorded() {
    let site = Site::new().await;
    let page = PageRequest::default();
    for objects in [ObjectScope::ALL, ObjectScope::OWN, ObjectScope::NONE] {
        let org = as_of(&site, site.user, objects);
        let id = site.id();
        assert_eq!(site.requests.get(&org, id).await.unwrap(), None);
        let found = site.requests.findings(&org, id, &page).await;
        assert_eq!(found.unwrap(), None);
        let outcome = site.requests.cancel(&org, id).await.unwrap();
        assert_eq!(outcome, CancelOutcome::NotFound);
    }
    assert_eq!(site.taken().await, []);
}

#[tokio::test]
async fn one_s_own_and_what_has_the_tag_is_had() {
    let site = Site::new().await;
    let run = queued(&site, &["team:web"]).await;
    for (person, objects) in [
        (site.user, ObjectScope::OWN),
        (site.id(), ObjectScope::tagged(tags(&["team:web"]))),
    ] {
        let org = as_of(&site, person, objects);
        let found = site.requests.get(&org, run.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&run));
    }
    assert_eq!(site.taken().await, []);
}

#[tokio::test]
async fn a_run_outside_is_not_asked_for() {
    let site = Site::new().await;
    let objects = ObjectScope::own_tagged(tags(&["team:web", "site:berlin"]));
    let org = as_of(&site, site.user, objects);
    for texts in [&[][..], &["team:db"], &["team:db", "team:web"]] {
        let refused = site.requests.create(&org, site.user, request(texts)).await;
        assert!(matches!(refused, Err(RunRequestError::Outside)));
        site.refused(&org, "runs:create", "organization", org.org())
            .await;
    }
    let mine = site
        .requests
        .create(&org, site.user, request(&["team:web", "site:berlin"]));
    let run = mine.await.unwrap();
    assert_eq!(run.tags, tags(&["team:web", "site:berlin"]));
    let events = site.taken().await;
    let named = events[0].metadata.get("tags");
    assert_eq!(named, Some(&MetaValue::public("site:berlin,team:web")));
    let page = PageRequest::default();
    assert_eq!(site.requests.list(&org, &page).await.unwrap().items, [run]);
}

#[tokio::test]
async fn a_run_has_so_many_tags() {
    let site = Site::new().await;
    let many: Vec<String> = (0..17).map(|n| format!("t{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let refused = site.requests.create(&site.org, site.user, request(&many));
    let refused = refused.await.unwrap_err();
    assert!(matches!(refused, RunRequestError::TooManyTags), "{refused}");
    let run = queued(&site, &many[1..]).await;
    assert_eq!(run.tags.len(), 16);
    assert_eq!(site.run(run.id).await, run);
}

/// Two people ask under the same key, and neither learns of the other's run.
#[tokio::test]
async fn a_key_of_somebody_else_is_free() {
    let site = Site::new().await;
    let keyed = || RunRequest {
        idempotency_key: Some("deploy-42".to_owned()),
        ..request(&[])
    };
    let mut made = Vec::new();
    for person in [site.user, site.id()] {
        let org = as_of(&site, person, ObjectScope::OWN);
        let run = site.requests.create(&org, person, keyed()).await.unwrap();
        let again = site.requests.create(&org, person, keyed()).await.unwrap();
        assert_eq!(again, run);
        made.push(run.id);
    }
    assert_ne!(made[0], made[1]);
    let actions: Vec<_> = site.taken().await.iter().map(|e| e.action).collect();
    assert_eq!(actions, [Action::RunCreated; 2]);
}

/// What the caller's role permits comes before what they asked for under a key.
#[tokio::test]
async fn a_retry_outside_the_role_is_refused_as_a_new_request_is() {
    let site = Site::new().await;
    let keyed = || RunRequest {
        idempotency_key: Some("once".to_owned()),
        ..request(&["team:web"])
    };
    let first = site.requests.create(&site.org, site.user, keyed()).await;
    first.unwrap();
    site.taken().await;
    let now = ObjectScope::tagged(tags(&["team:db"]));
    let org = as_of(&site, site.user, now);
    let refused = site.requests.create(&org, site.user, keyed()).await;
    assert!(matches!(refused, Err(RunRequestError::Outside)));
    site.refused(&org, "runs:create", "organization", org.org())
        .await;
}

/// A machine that acts for another person now does not get the run of its key, and is recorded.
#[tokio::test]
async fn the_run_of_a_key_may_be_one_that_the_caller_may_not_have() {
    let site = Site::new().await;
    let (account, key) = (site.id(), site.id());
    let keyed = |text: &str| RunRequest {
        idempotency_key: Some(text.to_owned()),
        ..request(&[])
    };
    let machine = |person, objects| {
        let caller = Caller {
            actor: Actor::Service {
                id: account,
                key,
                token: None,
                on_behalf_of: person,
            },
            ..Caller::system("test")
        };
        let issuer = CtxIssuer::for_composition();
        let org = issuer.org(site.org.org(), site.org.org_ctx().role().clone(), caller);
        issuer.scoped(org, objects)
    };
    let before = machine(site.user, ObjectScope::OWN);
    let first = site.requests.create(&before, site.user, keyed("once"));
    let first = first.await.unwrap();
    // The person that it acts for has keys of their own.
    let own = as_of(&site, site.user, ObjectScope::OWN);
    let theirs = site.requests.create(&own, site.user, keyed("once")).await;
    assert_ne!(theirs.unwrap().id, first.id);
    site.taken().await;
    let other: UserId = site.id();
    let now = machine(other, ObjectScope::OWN);
    let hidden = site.requests.create(&now, other, keyed("once")).await;
    assert!(matches!(hidden, Err(RunRequestError::NotFound)));
    site.refused(&now, "runs:create", "run", first.id).await;
    // One who may have it gets it, and another key is free.
    let all = machine(other, ObjectScope::ALL);
    let known = site.requests.create(&all, other, keyed("once")).await;
    assert_eq!(known.unwrap(), first);
    assert_eq!(site.taken().await, []);
    let fresh = site.requests.create(&now, other, keyed("twice")).await;
    assert_ne!(fresh.unwrap().id, first.id);
}
