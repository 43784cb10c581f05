//! Admission without a wait, as most requests are admitted.

use std::sync::Arc;

use http::request::Parts;

use super::admission::{caller, decide, demand};
use super::bearer::unread;
use super::grant::{Granted, Terms};
use super::guard::Guard;
use super::names::Names;
use super::policy::RoutePolicy;
use super::request::{Stamp, origin};

/// Admits the request if what is in memory says so.
///
/// Nothing where a token has to be verified, a store asked, a use taken or a
/// refusal recorded: then it is [`admit`](super::admission::admit) that says. By
/// the same parts, so it refuses whatever that does.
pub(super) fn admit_from_memory(
    guard: &Arc<Guard>,
    parts: &mut Parts,
    stamp: Stamp,
) -> Option<Granted> {
    let (access, policy) = (&*guard.access, guard.policy);
    match policy {
        RoutePolicy::Public | RoutePolicy::Worker => return None,
        RoutePolicy::Authenticated { .. }
        | RoutePolicy::Org { .. }
        | RoutePolicy::Objects { .. }
        | RoutePolicy::System { .. } => {}
    }
    let principal = access.remembered(unread(&parts.headers)?, stamp.at)?;
    if principal.narrowings().uses().is_some() {
        return None;
    }
    let names = Names::of(parts, guard.names).ok()?;
    let caller = caller(&principal, stamp, origin(parts));
    let resources = names.resources();
    let address = caller.origin.ip_address;
    let demand = demand(policy, Some(&names), &resources, address, stamp.at, None);
    let grant = decide(access, &principal, caller, &demand).ok()?;
    guard.admits_length(parts).ok()?;
    drop(resources);
    Some(Granted::new(grant, Terms::new(guard, stamp, Some(names))))
}
