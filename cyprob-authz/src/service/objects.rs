//! Admitting to some of an organization's objects.

use cyprob_core::domain::{Caller, Scoped};

use super::access::{AccessControl, Rejection};
use crate::domain::{Demand, Need, Principal, Rule, scope};

impl AccessControl {
    /// Decides, and gives the proof of the organization and of those of its objects that the caller may have.
    ///
    /// # Errors
    ///
    /// [`Rejection`] with the rule that refused.
    pub fn admit_objects(
        &self,
        principal: &Principal,
        demand: &Demand<'_>,
        caller: Caller,
    ) -> Result<Scoped, Rejection> {
        if !matches!(demand.need, Need::Objects(_)) {
            return Err(Rejection { rule: Rule::NoOrg });
        }
        let org = self.member(principal, demand, caller)?;
        Ok(self.parts.issuer.scoped(org, scope(principal, demand)))
    }
}
