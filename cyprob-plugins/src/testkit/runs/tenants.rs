//! What one organization has is nobody else's.

use cyprob_core::domain::PageRequest;
use cyprob_core::domain::audit::Action;

use super::world::{Done, Stores, World, moment, plugin};
use crate::ports::{CancelOutcome, InstallOutcome};

/// With the ids of everything in hand, another organization finds nothing.
pub async fn another_organization_sees_nothing(stores: Stores) -> Done {
    let world = World::new(stores);
    let new = plugin("alpha", "1.0.0", "one");
    world.install(world.own.org_ctx(), &new).await?;
    world.enable(world.own.org_ctx(), &new.0.id).await?;
    let run = world.queued(1).await?;
    let job = world.taken(moment(10)).await?;
    assert!(
        world
            .finish(&job, &world.result(moment(11), 3, "x"))
            .await?
    );
    let page = PageRequest::default();
    let Stores { plugins, runs, .. } = &world.stores;
    assert_eq!(
        plugins.plugin(world.other.org_ctx(), &new.0.id).await?,
        None
    );
    assert_eq!(
        plugins.plugins(world.other.org_ctx(), &page).await?.items,
        []
    );
    assert_eq!(plugins.enabled(world.other.org_ctx(), 10).await?, []);
    assert_eq!(runs.run(&world.other, run.id).await?, None);
    assert!(!runs.exists(world.other.org_ctx(), run.id).await?);
    assert_eq!(runs.runs(&world.other, &page).await?.items, []);
    assert_eq!(runs.findings(&world.other, run.id, &page).await?, None);
    Ok(())
}

/// Nor can it change anything, nor is it in the way of what it installs itself.
pub async fn another_organization_changes_nothing(stores: Stores) -> Done {
    let world = World::new(stores);
    let new = plugin("alpha", "1.0.0", "one");
    world.install(world.own.org_ctx(), &new).await?;
    let run = world.queued(1).await?;
    world
        .expect_events(&[Action::PluginInstalled, Action::RunCreated])
        .await?;
    let Stores { plugins, runs, .. } = &world.stores;
    let event = world.event_of(world.other.org_ctx(), Action::PluginEnabled);
    let found = plugins
        .set_enabled(world.other.org_ctx(), &new.0.id, true, &event)
        .await?;
    assert_eq!(found, None);
    let removed = plugins
        .remove(world.other.org_ctx(), &new.0.id, &event)
        .await?;
    assert!(!removed);
    let cancelled = runs.cancel(&world.other, run.id, moment(2), &event).await?;
    assert_eq!(cancelled, CancelOutcome::NotFound);
    world.expect_events(&[]).await?;
    // The same id and version with another content is another organization's own affair.
    let theirs = plugin("alpha", "1.0.0", "theirs");
    let outcome = world.install(world.other.org_ctx(), &theirs).await?;
    assert_eq!(outcome, InstallOutcome::Installed(theirs.0.clone()));
    assert_eq!(
        plugins.plugin(world.own.org_ctx(), &new.0.id).await?,
        Some(new.clone())
    );
    let event = world.event_of(world.other.org_ctx(), Action::PluginRemoved);
    assert!(
        plugins
            .remove(world.other.org_ctx(), &theirs.0.id, &event)
            .await?
    );
    assert_eq!(
        plugins.plugin(world.own.org_ctx(), &new.0.id).await?,
        Some(new)
    );
    Ok(())
}

/// A change is not made with an event for another organization's log.
pub async fn an_event_of_another_organization_is_refused(stores: Stores) -> Done {
    let world = World::new(stores);
    let (new, file) = plugin("alpha", "1.0.0", "one");
    let foreign = world.event_of(world.other.org_ctx(), Action::PluginInstalled);
    let Stores { plugins, runs, .. } = &world.stores;
    let installed = plugins
        .install(world.own.org_ctx(), &new, &file, &foreign)
        .await;
    assert!(installed.is_err(), "another organization's event");
    assert_eq!(plugins.plugin(world.own.org_ctx(), &new.id).await?, None);
    let run = world.new_run(1);
    assert!(runs.create(&world.own, &run, 9, &foreign).await.is_err());
    assert_eq!(runs.run(&world.own, run.id).await?, None);
    world.expect_events(&[]).await
}
