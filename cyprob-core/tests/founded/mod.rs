//! A deployment with its first account.

use cyprob_core::domain::{Epoch, OrgPolicy, Organization, Timestamp, TokenDigest, User};
use cyprob_core::ports::store::{BootstrapOutcome, BootstrapStore, Founding};
use cyprob_core::ports::{Entropy, EntropyExt};

/// When everything begins.
pub(crate) const AT: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// Its administrator, who owns its organization.
pub(crate) async fn found(store: &impl BootstrapStore, entropy: &dyn Entropy) -> User {
    let token = TokenDigest::of("token");
    let user = User {
        id: entropy.id(AT),
        email: "ada@example.org".parse().unwrap(),
        email_verified: true,
        name: "Ada".parse().unwrap(),
        password: None,
        epoch: Epoch::FIRST,
        administrator: true,
        disabled_at: None,
        created_at: AT,
    };
    let org = Organization {
        id: entropy.id(AT),
        slug: "acme".parse().unwrap(),
        name: "Acme".parse().unwrap(),
        policy: OrgPolicy::default(),
        created_at: AT,
    };
    let until = Timestamp::from_seconds(AT.as_seconds() + 60);
    store.arm(token, until).await.unwrap();
    let founding = Founding {
        token,
        user,
        org,
        at: AT,
    };
    let done = store.found(&founding, &[]).await.unwrap();
    assert_eq!(done, BootstrapOutcome::Done);
    founding.user
}
