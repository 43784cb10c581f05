//! Asking the store at every request whether a token stands.

use cyprob_core::domain::Caller;
use cyprob_core::ports::store::{Claimed, IdentityStore, Standing, StoreError};

use super::access::AccessControl;
use super::tokens::TokenError;
use crate::domain::{AccessClaims, Claims, Principal, ServiceClaims};

impl AccessControl {
    /// Asks the store whether the token still stands, where that is asked at every request.
    ///
    /// # Errors
    ///
    /// [`TokenError::Revoked`], or [`TokenError::Stale`] if the store does not answer.
    pub async fn confirm(&self, principal: &Principal) -> Result<(), TokenError> {
        let Some(store) = &self.parts.strict else {
            return Ok(());
        };
        let stands = match principal.claims() {
            Claims::Person(claims) => self.person_stands(store.as_ref(), claims).await,
            Claims::Service(claims) => service_stands(store.as_ref(), claims).await,
        };
        match stands {
            Ok(true) => Ok(()),
            Ok(false) => Err(TokenError::Revoked),
            Err(error) => Err(unsaid(&error)),
        }
    }

    async fn person_stands(
        &self,
        store: &dyn IdentityStore,
        claims: &AccessClaims,
    ) -> Result<bool, StoreError> {
        let claimed = Claimed {
            user: claims.user,
            user_epoch: claims.user_epoch,
            session: claims.session,
            member: claims.org.as_ref().map(|org| (org.id, org.member_epoch)),
        };
        if store.standing(&claimed).await? == Standing::Fell {
            return Ok(false);
        }
        // A second question, of those alone who have a role that the organization defined.
        let Some((org, version)) = claims
            .org
            .as_ref()
            .and_then(|org| Some((org, org.version?)))
        else {
            return Ok(true);
        };
        let caller = Caller::system("access");
        let ctx = self.parts.issuer.org(org.id, org.role.clone(), caller);
        let role = store.role_by_id(&ctx, version.id).await?;
        Ok(role.is_some_and(|role| role.version == version))
    }
}

/// Whether all that a service account's token says still holds.
async fn service_stands(
    store: &dyn IdentityStore,
    claims: &ServiceClaims,
) -> Result<bool, StoreError> {
    let holder = store.key_holder(claims.key).await?;
    Ok(holder.is_some_and(|holder| {
        holder.account.id == claims.account
            && holder.org == claims.org.id
            && holder.account.epoch == claims.org.member_epoch
            && holder.version == claims.org.version
    }))
}

/// The store did not say what a token comes to.
pub(super) fn unsaid(error: &dyn std::error::Error) -> TokenError {
    let cause = error.source().map(ToString::to_string);
    tracing::error!(error = %error, cause, "the store does not say whether a token stands");
    TokenError::Stale
}
