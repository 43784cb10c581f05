//! Asking for runs.

use cyprob_core::domain::PageRequest;
use cyprob_core::domain::audit::Action;
use cyprob_plugins::domain::{FactsFile, PluginId, RunState};
use cyprob_plugins::service::runs::{RunRequest, RunRequestError};

use crate::site::{FACTS, PLUGIN, Site};

fn request(format: &str, bytes: &[u8], plugins: Option<&[&str]>) -> RunRequest {
    let id = |id: &&str| PluginId::parse(id).unwrap();
    RunRequest {
        facts: FactsFile {
            format: format.to_owned(),
            bytes: bytes.to_vec(),
        },
        plugins: plugins.map(|ids| ids.iter().map(id).collect()),
        tags: Default::default(),
        idempotency_key: None,
    }
}

async fn refused(site: &Site, request: RunRequest) -> RunRequestError {
    let refused = site.requests.create(&site.org, site.user, request).await;
    let error = refused.expect_err("the request should be refused");
    let page = PageRequest::default();
    assert_eq!(
        site.requests.list(&site.org, &page).await.unwrap().items,
        []
    );
    assert_eq!(site.queue.due(site.now()).await.unwrap(), None);
    assert_eq!(site.actions().await, []);
    error
}

#[tokio::test]
async fn a_request_is_queued_with_its_counts() {
    let site = Site::new().await;
    for (format, bytes, sets) in [
        ("json", FACTS, 2),
        ("yaml", b"telnet.banner: 'login:'\n".as_slice(), 1),
        (
            "xml",
            br#"<!DOCTYPE nmaprun><nmaprun><host><address addr="192.0.2.1"/><ports><port portid="23"><state state="open"/><service name="telnet"/></port></ports></host></nmaprun>"#,
            1,
        ),
    ] {
        let asked = request(format, bytes, None);
        let run = site.requests.create(&site.org, site.user, asked).await.unwrap();
        assert_eq!(run.state, RunState::Queued);
        assert_eq!((run.counts.facts, run.counts.plugins), (sets, 1), "{format}");
        assert_eq!(site.run(run.id).await, run);
    }
    assert_eq!(site.actions().await, [Action::RunCreated; 3]);
}

/// However it is written, the same request under the same key is the same run.
#[tokio::test]
async fn the_same_key_is_the_same_run() {
    let site = Site::new().await;
    let turned =
        br#"{ "facts": {"telnet.banner": "login:"}, "port": 23, "target": "scanned.example" }
{"port":22,"facts":{"ssh.banner":"SSH-2.0-OpenSSH\u005f9.2"},"target":"scanned.example"}"#;
    let text = String::from_utf8(FACTS.to_vec()).unwrap();
    let listed = format!("[{}]", text.trim_end().replace('\n', ","));
    let mut ids = Vec::new();
    for bytes in [FACTS, FACTS, turned, listed.as_bytes()] {
        let mut asked = request("json", bytes, None);
        asked.idempotency_key = Some("once".to_owned());
        let run = site.requests.create(&site.org, site.user, asked).await;
        ids.push(run.unwrap().id);
    }
    assert_eq!(ids, [ids[0]; 4]);
    assert_eq!(site.actions().await, [Action::RunCreated]);
}

/// Whatever of a request changes the run makes it another one, which the key is not for.
#[tokio::test]
async fn a_key_is_good_for_one_request() {
    let site = Site::new().await;
    let keyed = |bytes: &[u8], plugins: Option<&[&str]>, tags: &[&str]| RunRequest {
        idempotency_key: Some("once".to_owned()),
        tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
        ..request("json", bytes, plugins)
    };
    let own = Some(&["telnet-open"][..]);
    let ask = async |asked| site.requests.create(&site.org, site.user, asked).await;
    let first = ask(keyed(FACTS, own, &["a", "b"])).await.unwrap();
    let again = keyed(FACTS, Some(&["telnet-open", "telnet-open"]), &["b", "a"]);
    assert_eq!(ask(again).await.unwrap(), first);
    let text = String::from_utf8(FACTS.to_vec()).unwrap();
    let changed = |from: &str, to: &str| text.replacen(from, to, 1).into_bytes();
    for other in [
        keyed(FACTS, None, &["a", "b"]),
        keyed(FACTS, own, &["a"]),
        keyed(FACTS, own, &[]),
        keyed(&changed("login:", "login"), own, &["a", "b"]),
        keyed(&changed(":23,", ":24,"), own, &["a", "b"]),
        keyed(&changed("scanned", "other"), own, &["a", "b"]),
        keyed(&changed("telnet.banner", "telnet.line"), own, &["a", "b"]),
        keyed(&changed("\"login:\"", "[\"login:\"]"), own, &["a", "b"]),
        keyed(
            FACTS.split(|byte| *byte == b'\n').next().unwrap(),
            own,
            &["a", "b"],
        ),
    ] {
        let refused = ask(other).await.unwrap_err();
        assert!(matches!(refused, RunRequestError::KeyUsed), "{refused}");
    }
    assert_eq!(ask(keyed(FACTS, own, &["a", "b"])).await.unwrap(), first);
    assert_eq!(site.actions().await, [Action::RunCreated]);
}

/// The same request again is its first run, even where it would be none any more as a new one.
#[tokio::test]
async fn a_retry_is_its_first_run_whatever_became_of_the_plugin() {
    let site = Site::new().await;
    let own = PluginId::parse("telnet-open").unwrap();
    let keyed = |key: &str, bytes: &[u8], plugins: Option<&[&str]>| RunRequest {
        idempotency_key: Some(key.to_owned()),
        ..request("json", bytes, plugins)
    };
    let ask = async |asked| site.requests.create(&site.org, site.user, asked).await;
    let named = Some(&["telnet-open"][..]);
    let first = ask(keyed("named", FACTS, named)).await.unwrap();
    let second = ask(keyed("all", FACTS, None)).await.unwrap();
    site.events().await;
    for removed in [false, true] {
        let org = site.org.org_ctx();
        if removed {
            assert!(site.library.remove(org, &own).await.unwrap());
        } else {
            site.library.set_enabled(org, &own, false).await.unwrap();
        }
        site.events().await;
        assert_eq!(ask(keyed("named", FACTS, named)).await.unwrap(), first);
        assert_eq!(ask(keyed("all", FACTS, None)).await.unwrap(), second);
        // Something else under the key is told of the key, and what is new of the plugin.
        for other in [
            keyed("all", FACTS, named),
            keyed("named", FACTS, None),
            keyed("named", FACTS, Some(&["stranger"])),
            keyed("named", br#"{"a.b": 1}"#, named),
        ] {
            let refused = ask(other).await.unwrap_err();
            assert!(matches!(refused, RunRequestError::KeyUsed), "{refused}");
        }
        let refused = ask(keyed("new", FACTS, named)).await.unwrap_err();
        assert!(matches!(refused, RunRequestError::UnknownPlugin(_)));
        let refused = ask(keyed("new", FACTS, None)).await.unwrap_err();
        assert!(matches!(refused, RunRequestError::NoPlugins));
        assert_eq!(site.actions().await, []);
    }
}

#[tokio::test]
async fn facts_that_cannot_be_read_are_refused_with_their_place() {
    let site = Site::new().await;
    for (format, bytes) in [
        ("json", b"{\"a\": 1".as_slice()),
        ("json", b"\xff\xfe"),
        ("yaml", b"a: &x 1\nb: *x\n"),
        ("xml", b"<!DOCTYPE nmaprun [<!ENTITY a \"b\">]><nmaprun/>"),
        ("xml", b"<html/>"),
    ] {
        let error = refused(&site, request(format, bytes, None)).await;
        let RunRequestError::Facts(diagnostic) = error else {
            panic!("{format}: {error}");
        };
        assert!(diagnostic.line >= 1, "{diagnostic}");
    }
    for empty in [b"".as_slice(), b"\n\n"] {
        let error = refused(&site, request("json", empty, None)).await;
        assert!(
            matches!(error, RunRequestError::NoFacts | RunRequestError::Facts(_)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn plugins_that_are_not_enabled_are_refused() {
    let site = Site::new().await;
    let error = refused(&site, request("json", FACTS, Some(&["stranger"]))).await;
    assert!(matches!(error, RunRequestError::UnknownPlugin(id) if id.as_str() == "stranger"));
    let error = refused(&site, request("json", FACTS, Some(&[]))).await;
    assert!(matches!(error, RunRequestError::NoPlugins));
    let many: Vec<String> = (0..1_001).map(|n| format!("plugin-{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let error = refused(&site, request("json", FACTS, Some(&many))).await;
    assert!(matches!(error, RunRequestError::TooManyPlugins));
    let own = PluginId::parse("telnet-open").unwrap();
    site.library
        .set_enabled(site.org.org_ctx(), &own, false)
        .await
        .unwrap();
    site.events().await;
    let error = refused(&site, request("json", FACTS, Some(&["telnet-open"]))).await;
    assert!(matches!(error, RunRequestError::UnknownPlugin(_)));
    let error = refused(&site, request("json", FACTS, None)).await;
    assert!(matches!(error, RunRequestError::NoPlugins));
}

/// A plugin that is named twice runs once, and named plugins are all that runs.
#[tokio::test]
async fn named_plugins_run_once_each() {
    let site = Site::new().await;
    let text = String::from_utf8(PLUGIN.to_vec()).unwrap();
    let second = text.replace("telnet-open", "another-one").into_bytes();
    let installed = site
        .library
        .install(site.org.org_ctx(), "x.yaml", second)
        .await
        .unwrap();
    let id = installed.plugin.id;
    site.library
        .set_enabled(site.org.org_ctx(), &id, true)
        .await
        .unwrap();
    let named = ["telnet-open", "telnet-open"];
    for (plugins, count) in [(Some(&named[..]), 1), (None, 2)] {
        let asked = request("json", FACTS, plugins);
        let run = site
            .requests
            .create(&site.org, site.user, asked)
            .await
            .unwrap();
        assert_eq!(run.counts.plugins, count);
    }
}

/// Many large plugins are refused before they are read.
#[tokio::test]
async fn plugins_that_are_too_large_together_are_refused() {
    let site = Site::new().await;
    let text = String::from_utf8(PLUGIN.to_vec()).unwrap();
    for number in 0..140 {
        let mut file = text.replace("telnet-open", &format!("large-{number}"));
        file.push_str("# ");
        file.push_str(&"x".repeat(250_000));
        let installed = site
            .library
            .install(site.org.org_ctx(), "x.yaml", file.into_bytes())
            .await;
        let id = installed.unwrap().plugin.id;
        site.library
            .set_enabled(site.org.org_ctx(), &id, true)
            .await
            .unwrap();
    }
    site.events().await;
    let error = refused(&site, request("json", FACTS, None)).await;
    assert!(matches!(error, RunRequestError::TooManyPlugins), "{error}");
}
