//! Installed plugins.

use std::sync::Arc;

use cyprob_core::domain::audit::Action;

use super::world::{Done, Stores, World, moment, plugin, race, walk};
use crate::domain::InstalledPlugin;
use crate::ports::InstallOutcome;

fn enabled(plugin: &InstalledPlugin) -> InstalledPlugin {
    InstalledPlugin {
        enabled: true,
        ..plugin.clone()
    }
}

/// An installed plugin is read as it was installed, disabled, with its very bytes.
pub async fn a_plugin_comes_back_as_it_was(stores: Stores) -> Done {
    let world = World::new(stores);
    let (new, file) = plugin("alpha", "1.0.0", "bytes \u{0} of a file");
    let asked = (enabled(&new), file.clone());
    let outcome = world.install(world.own.org_ctx(), &asked).await?;
    assert_eq!(outcome, InstallOutcome::Installed(new.clone()));
    let found = world
        .stores
        .plugins
        .plugin(world.own.org_ctx(), &new.id)
        .await?;
    assert_eq!(found, Some((new, file)));
    let (stranger, _) = plugin("stranger", "1.0.0", "");
    let found = world
        .stores
        .plugins
        .plugin(world.own.org_ctx(), &stranger.id)
        .await?;
    assert_eq!(found, None);
    world.expect_events(&[Action::PluginInstalled]).await
}

/// The same file again is no change, and is not recorded.
pub async fn the_same_file_again_changes_nothing(stores: Stores) -> Done {
    let world = World::new(stores);
    let new = plugin("alpha", "1.0.0", "bytes");
    world.install(world.own.org_ctx(), &new).await?;
    world.enable(world.own.org_ctx(), &new.0.id).await?;
    world
        .expect_events(&[Action::PluginInstalled, Action::PluginEnabled])
        .await?;
    let mut later = new.clone();
    later.0.installed_at = moment(99);
    let again = world.install(world.own.org_ctx(), &later).await?;
    assert_eq!(again, InstallOutcome::Unchanged(enabled(&new.0)));
    world.expect_events(&[]).await
}

/// A version that was ever installed keeps its content.
pub async fn a_version_has_one_content(stores: Stores) -> Done {
    let world = World::new(stores);
    let first = plugin("alpha", "1.0.0", "bytes");
    world.install(world.own.org_ctx(), &first).await?;
    let forged = plugin("alpha", "1.0.0", "other bytes");
    let outcome = world.install(world.own.org_ctx(), &forged).await?;
    assert_eq!(outcome, InstallOutcome::VersionExists);
    world
        .install(world.own.org_ctx(), &plugin("alpha", "2.0.0", "two"))
        .await?;
    let outcome = world.install(world.own.org_ctx(), &forged).await?;
    assert_eq!(outcome, InstallOutcome::VersionExists);
    world.expect_events(&[Action::PluginInstalled; 2]).await
}

/// A further version takes the place of the one before, and is to be enabled anew.
pub async fn a_new_version_takes_the_place_disabled(stores: Stores) -> Done {
    let world = World::new(stores);
    let (first, second) = (
        plugin("alpha", "1.0.0", "one"),
        plugin("alpha", "2.0.0", "two"),
    );
    world.install(world.own.org_ctx(), &first).await?;
    world.enable(world.own.org_ctx(), &first.0.id).await?;
    let outcome = world.install(world.own.org_ctx(), &second).await?;
    assert_eq!(outcome, InstallOutcome::Installed(second.0.clone()));
    let plugins = &world.stores.plugins;
    assert_eq!(
        plugins.plugin(world.own.org_ctx(), &first.0.id).await?,
        Some(second.clone())
    );
    assert_eq!(plugins.enabled(world.own.org_ctx(), 10).await?, []);
    assert_eq!(
        walk(2, async |page| plugins
            .plugins(world.own.org_ctx(), &page)
            .await)
        .await?,
        [second.0]
    );
    Ok(())
}

/// The version before can be installed again, with its own bytes.
pub async fn an_earlier_version_can_come_back(stores: Stores) -> Done {
    let world = World::new(stores);
    let (first, second) = (
        plugin("alpha", "1.0.0", "one"),
        plugin("alpha", "2.0.0", "two"),
    );
    for one in [&first, &second, &first] {
        let outcome = world.install(world.own.org_ctx(), one).await?;
        assert_eq!(outcome, InstallOutcome::Installed(one.0.clone()));
    }
    let found = world
        .stores
        .plugins
        .plugin(world.own.org_ctx(), &first.0.id)
        .await?;
    assert_eq!(found, Some(first));
    world.expect_events(&[Action::PluginInstalled; 3]).await
}

/// Enabling what is enabled, or what is not there, is no change.
pub async fn enabling_is_recorded_once(stores: Stores) -> Done {
    let world = World::new(stores);
    let (new, file) = plugin("alpha", "1.0.0", "one");
    world
        .install(world.own.org_ctx(), &(new.clone(), file.clone()))
        .await?;
    world.expect_events(&[Action::PluginInstalled]).await?;
    let plugins = &world.stores.plugins;
    let mut expected = Vec::new();
    for (on, action) in [
        (false, Action::PluginDisabled),
        (true, Action::PluginEnabled),
        (true, Action::PluginEnabled),
        (false, Action::PluginDisabled),
    ] {
        let was = expected.last() == Some(&Action::PluginEnabled);
        if on != was {
            expected.push(action);
        }
        let event = world.event(action);
        let found = plugins
            .set_enabled(world.own.org_ctx(), &new.id, on, &event)
            .await?;
        assert_eq!(
            found,
            Some(InstalledPlugin {
                enabled: on,
                ..new.clone()
            })
        );
    }
    let (stranger, _) = plugin("stranger", "1.0.0", "");
    let event = world.event(Action::PluginEnabled);
    let found = plugins
        .set_enabled(world.own.org_ctx(), &stranger.id, true, &event)
        .await?;
    assert_eq!(found, None);
    world.expect_events(&expected).await
}

/// Only enabled plugins are given, by id, and no more than asked for.
pub async fn enabled_plugins_come_in_order_up_to_the_limit(stores: Stores) -> Done {
    let world = World::new(stores);
    let mut expected = Vec::new();
    for name in ["delta", "alpha", "charlie", "bravo"] {
        let new = plugin(name, "1.0.0", name);
        world.install(world.own.org_ctx(), &new).await?;
        if name != "charlie" {
            world.enable(world.own.org_ctx(), &new.0.id).await?;
            expected.push((enabled(&new.0), new.1));
        }
    }
    expected.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
    let plugins = &world.stores.plugins;
    assert_eq!(plugins.enabled(world.own.org_ctx(), 10).await?, expected);
    expected.truncate(2);
    assert_eq!(plugins.enabled(world.own.org_ctx(), 2).await?, expected);
    Ok(())
}

/// A removed plugin is gone with its versions; removing it again is no change.
pub async fn a_removed_plugin_is_gone(stores: Stores) -> Done {
    let world = World::new(stores);
    let new = plugin("alpha", "1.0.0", "one");
    world.install(world.own.org_ctx(), &new).await?;
    world.enable(world.own.org_ctx(), &new.0.id).await?;
    let plugins = &world.stores.plugins;
    for removed in [true, false] {
        let event = world.event(Action::PluginRemoved);
        assert_eq!(
            plugins
                .remove(world.own.org_ctx(), &new.0.id, &event)
                .await?,
            removed
        );
        assert_eq!(plugins.plugin(world.own.org_ctx(), &new.0.id).await?, None);
        assert_eq!(plugins.enabled(world.own.org_ctx(), 10).await?, []);
    }
    let other = plugin("alpha", "1.0.0", "another content");
    let outcome = world.install(world.own.org_ctx(), &other).await?;
    assert_eq!(outcome, InstallOutcome::Installed(other.0));
    world
        .expect_events(&[
            Action::PluginInstalled,
            Action::PluginEnabled,
            Action::PluginRemoved,
            Action::PluginInstalled,
        ])
        .await
}

/// Plugins come by id, each on one page.
pub async fn plugins_come_in_pages(stores: Stores) -> Done {
    let world = World::new(stores);
    let mut expected = Vec::new();
    for number in 0..7 {
        let new = plugin(&format!("plugin-{number}"), "1.0.0", "same bytes");
        world.install(world.own.org_ctx(), &new).await?;
        expected.push(new.0);
    }
    let plugins = &world.stores.plugins;
    for limit in [1, 3, 7, 8] {
        let found = walk(limit, async |page| {
            plugins.plugins(world.own.org_ctx(), &page).await
        });
        assert_eq!(found.await?, expected);
    }
    Ok(())
}

/// Of a race of contents for one version, one is installed.
pub async fn of_many_contents_of_one_version_one_wins(stores: Stores) -> Done {
    let world = Arc::new(World::new(stores));
    let racers = (0..8).map(|number| {
        let world = Arc::clone(&world);
        let new = plugin("alpha", "1.0.0", &format!("content {number}"));
        async move { world.install(world.own.org_ctx(), &new).await }
    });
    let outcomes = race(racers).await?;
    let won = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, InstallOutcome::Installed(_)));
    assert_eq!(won.count(), 1);
    let lost = outcomes
        .iter()
        .filter(|outcome| **outcome == InstallOutcome::VersionExists);
    assert_eq!(lost.count(), 7);
    world.expect_events(&[Action::PluginInstalled]).await
}

/// If the event cannot be recorded, nothing was installed, enabled or removed.
pub async fn a_change_whose_event_fails_is_not_made(stores: Stores) -> Done {
    let world = World::new(stores);
    let (new, file) = plugin("alpha", "1.0.0", "one");
    let spent = world.spent(Action::PluginInstalled).await?;
    let plugins = &world.stores.plugins;
    let outcome = plugins
        .install(world.own.org_ctx(), &new, &file, &spent)
        .await;
    assert!(outcome.is_err(), "the event's id came twice");
    assert_eq!(plugins.plugin(world.own.org_ctx(), &new.id).await?, None);
    let other = plugin("alpha", "1.0.0", "two");
    world.install(world.own.org_ctx(), &other).await?;
    let outcome = plugins
        .set_enabled(world.own.org_ctx(), &new.id, true, &spent)
        .await;
    assert!(outcome.is_err(), "the event's id came twice");
    let outcome = plugins.remove(world.own.org_ctx(), &new.id, &spent).await;
    assert!(outcome.is_err(), "the event's id came twice");
    assert_eq!(
        plugins.plugin(world.own.org_ctx(), &new.id).await?,
        Some(other)
    );
    world.expect_events(&[Action::PluginInstalled; 2]).await
}
