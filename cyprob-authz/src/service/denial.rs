//! What the trail is told of a refusal.

use std::sync::Arc;

use cyprob_core::domain::audit::{Action, AuditEvent, MetaValue, Outcome, Resource};
use cyprob_core::domain::{Caller, Timestamp};
use cyprob_core::ports::EntropyExt as _;

use super::access::AccessControl;
use crate::domain::{Decision, Demand, Principal, Rule};
use crate::ports::DenialRecorder;

/// One refusal, as the trail is told of it.
#[derive(Clone, Copy, Debug)]
pub struct Denial<'a> {
    /// Who was refused.
    pub principal: &'a Principal,
    /// The same, as events say it.
    pub caller: &'a Caller,
    /// When.
    pub at: Timestamp,
    /// What was asked.
    pub demand: &'a Demand<'a>,
    /// By which rule.
    pub rule: Rule,
    /// The request's method.
    pub method: &'a str,
    /// The route's template, never the path itself.
    pub route: &'a str,
    /// The permission the route asks.
    pub permission: Option<&'a str>,
    /// The organization the path named, if it reads as an id or a slug.
    pub named_org: Option<&'a str>,
}

impl AccessControl {
    /// The event of a refusal, for the log of the organization of the caller's own token.
    #[must_use]
    pub fn denial_event(&self, denial: &Denial<'_>) -> AuditEvent {
        let on = Resource::new("route", format!("{} {}", denial.method, denial.route));
        let id = self.parts.entropy.id(denial.at);
        let decision = Decision::deny(denial.rule);
        let explanation = decision.explain(denial.principal, denial.demand);
        let mut event = AuditEvent::new(id, denial.at, denial.caller, Action::AccessDenied, on)
            .with_outcome(Outcome::Denied, denial.rule.as_str())
            .with("explanation", MetaValue::public(explanation))
            .with("method", MetaValue::public(denial.method))
            .with("route", MetaValue::public(denial.route));
        if let Some(permission) = denial.permission {
            event = event.with("permission", MetaValue::public(permission));
        }
        if let Some(named) = denial.named_org {
            event = event.with("named_organization", MetaValue::public(named));
        }
        if let Some(org) = denial.principal.org() {
            event = event.in_org(org.id);
        }
        event
    }

    /// Where refusals are recorded.
    #[must_use]
    pub fn denials(&self) -> Arc<dyn DenialRecorder> {
        Arc::clone(&self.parts.denials)
    }
}
