//! Installing, enabling and removing plugins.

use cyprob_core::domain::PageRequest;
use cyprob_core::domain::audit::{Action, AuditEvent, Outcome};
use cyprob_core::ports::store::Outbox as _;
use cyprob_plugins::domain::{Digest, PluginId};
use cyprob_plugins::service::runs::InstallError;
use cyprob_plugins::testkit::hostile;

use crate::site::{PLUGIN, Site};

fn versioned(version: &str) -> Vec<u8> {
    let text = String::from_utf8(PLUGIN.to_vec()).unwrap();
    text.replace("1.0.0", version).into_bytes()
}

async fn last_event(site: &Site) -> AuditEvent {
    site.outbox.pending(100).await.unwrap().pop().unwrap()
}

#[tokio::test]
async fn a_file_is_installed_disabled_under_its_own_id_and_digest() {
    let site = Site::new().await;
    let file = String::from_utf8(versioned("1.0.0")).unwrap();
    let file = file.replace("id: telnet-open\n", "").into_bytes();
    let installed = site
        .library
        .install(site.org.org_ctx(), "My Telnet.YAML", file.clone())
        .await
        .unwrap();
    let plugin = &installed.plugin;
    assert_eq!(plugin.id.as_str(), "my-telnet");
    assert_eq!(
        (plugin.name.as_str(), plugin.version.as_str()),
        ("Telnet", "1.0.0")
    );
    assert_eq!((plugin.digest, plugin.enabled), (Digest::of(&file), false));
    assert!(!installed.diagnostics.is_empty(), "the derived id is told");
    let event = last_event(&site).await;
    assert_eq!(
        (event.action, event.outcome),
        (Action::PluginInstalled, Outcome::Success)
    );
    assert_eq!(event.org, Some(site.org.org()));
    assert_eq!(
        (event.resource.kind.as_str(), event.resource.id.as_str()),
        ("plugin", "my-telnet")
    );
    let found = site
        .library
        .get(site.org.org_ctx(), &plugin.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((&found.0, &found.1.bytes), (plugin, &file));
    let page = PageRequest::default();
    assert_eq!(
        site.library
            .list(site.org.org_ctx(), &page)
            .await
            .unwrap()
            .items
            .len(),
        2
    );
}

#[tokio::test]
async fn the_same_version_with_other_bytes_is_refused() {
    let site = Site::new().await;
    let again = site
        .library
        .install(site.org.org_ctx(), "telnet.yaml", PLUGIN.to_vec())
        .await;
    assert!(
        again.unwrap().plugin.enabled,
        "the same file changes nothing"
    );
    let mut other = PLUGIN.to_vec();
    other.extend_from_slice(b"# other bytes\n");
    let refused = site
        .library
        .install(site.org.org_ctx(), "telnet.yaml", other)
        .await;
    assert!(matches!(refused, Err(InstallError::VersionExists)));
    let newer = site
        .library
        .install(site.org.org_ctx(), "telnet.yaml", versioned("1.0.1"))
        .await;
    assert!(
        !newer.unwrap().plugin.enabled,
        "a new version is to be enabled anew"
    );
    assert_eq!(site.actions().await, [Action::PluginInstalled]);
}

#[tokio::test]
async fn a_hostile_file_is_refused_with_its_diagnostics_and_recorded() {
    let site = Site::new().await;
    let mut refusals = 0;
    for file in hostile::files() {
        let refused = site
            .library
            .install(site.org.org_ctx(), file.name, file.bytes)
            .await;
        match refused {
            Err(InstallError::Invalid(diagnostics)) => {
                assert!(!diagnostics.is_empty(), "{}", file.name);
                refusals += 1;
            }
            // Some of the set are repaired, not refused.
            Ok(_) => {}
            Err(error) => panic!("{}: {error}", file.name),
        }
    }
    assert!(refusals > 10, "{refusals}");
    let events = site.events().await;
    let refused = (Action::PluginRefused, "invalid_plugin".to_owned());
    assert_eq!(
        events.iter().filter(|event| **event == refused).count(),
        refusals
    );
}

#[tokio::test]
async fn what_is_not_there_is_none() {
    let site = Site::new().await;
    let stranger = PluginId::parse("stranger").unwrap();
    assert!(
        site.library
            .get(site.org.org_ctx(), &stranger)
            .await
            .unwrap()
            .is_none()
    );
    let enabled = site
        .library
        .set_enabled(site.org.org_ctx(), &stranger, true)
        .await;
    assert!(enabled.unwrap().is_none());
    assert!(
        !site
            .library
            .remove(site.org.org_ctx(), &stranger)
            .await
            .unwrap()
    );
    assert_eq!(site.actions().await, []);
    let own = PluginId::parse("telnet-open").unwrap();
    assert!(site.library.remove(site.org.org_ctx(), &own).await.unwrap());
    assert_eq!(site.actions().await, [Action::PluginRemoved]);
}
