//! Tokens are byte for byte those that `biscuit-auth` makes of the same Datalog and keys.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use biscuit_auth::builder::{Algorithm, BiscuitBuilder};
use biscuit_auth::datalog::SymbolTable;
use biscuit_auth::macros::{biscuit, biscuit_merge};
use biscuit_auth::{KeyPair, PrivateKey};
use cyprob_authz::adapters::SigningKey;
use cyprob_authz::domain::{
    AccessClaims, Audience, JobClaims, OrgClaims, RootKeyId, RuleSetDigest, ServiceClaims,
};
use cyprob_authz::service::{AccessMinter, JobMinter, ServiceMinter};
use cyprob_authz::testkit::at_once;
use cyprob_core::domain::{Aal, Epoch, Id, RoleVersion, Timestamp};
use cyprob_core::ports::EntropyExt as _;
use cyprob_core::testkit::SeededEntropy;
use proptest::prelude::*;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};

const ROOT: [u8; 32] = [7; 32];

fn key(id: u32) -> Arc<SigningKey> {
    let secret = SecretBox::new(Box::new(ROOT));
    Arc::new(SigningKey::new(RootKeyId::new(id), &secret))
}

/// What the library makes of it, with the next key that the port gives.
fn library(builder: BiscuitBuilder, id: u32, seed: u64, seal: bool) -> String {
    let pair = |bytes: &[u8]| {
        let key = PrivateKey::from_bytes(bytes, Algorithm::Ed25519).unwrap();
        KeyPair::from(&key)
    };
    let next = SeededEntropy::new(seed).bytes::<32>();
    let token = builder
        .root_key_id(id)
        .build_with_key_pair(&pair(&ROOT), SymbolTable::new(), &pair(&next))
        .unwrap();
    let token = if seal { token.seal().unwrap() } else { token };
    token.to_base64().unwrap()
}

fn ours(token: SecretString) -> String {
    token.expose_secret().to_owned()
}

fn date(at: Timestamp) -> SystemTime {
    let seconds = u64::try_from(at.as_seconds()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn with_org(builder: BiscuitBuilder, org: &OrgClaims) -> BiscuitBuilder {
    let builder = biscuit_merge!(
        builder,
        r#"org({org}); slug({slug}); role({role});"#,
        org = org.id.to_string(),
        slug = org.slug.as_str(),
        role = org.role.as_str(),
    );
    match org.version {
        None => builder,
        Some(version) => biscuit_merge!(
            builder,
            r#"role_id({role_id}); role_epoch({role_epoch});"#,
            role_id = version.id.to_string(),
            role_epoch = i64::from(version.epoch.get()),
        ),
    }
}

fn of_person(claims: &AccessClaims) -> BiscuitBuilder {
    let builder = biscuit!(
        r#"
        jti({jti}); kind("user"); user({user}); session({session}); epoch({epoch});
        aud({aud}); aal({aal}); auth_time({auth_time}); administrator({administrator});
        check if time($time), $time < {expires_at};
        "#,
        jti = claims.id.to_string(),
        user = claims.user.to_string(),
        session = claims.session.to_string(),
        epoch = i64::from(claims.user_epoch.get()),
        aud = claims.audience.as_str(),
        aal = i64::from(claims.aal.get()),
        auth_time = date(claims.auth_time),
        administrator = claims.administrator,
        expires_at = date(claims.expires_at),
    );
    match &claims.org {
        None => builder,
        Some(org) => biscuit_merge!(
            with_org(builder, org),
            r#"member_epoch({member_epoch});"#,
            member_epoch = i64::from(org.member_epoch.get()),
        ),
    }
}

fn of_service(claims: &ServiceClaims) -> BiscuitBuilder {
    let builder = biscuit!(
        r#"
        jti({jti}); kind("service"); service({service}); key({key});
        on_behalf_of({on_behalf_of}); epoch({epoch}); aud({aud});
        check if time($time), $time < {expires_at};
        "#,
        jti = claims.id.to_string(),
        service = claims.account.to_string(),
        key = claims.key.to_string(),
        on_behalf_of = claims.on_behalf_of.to_string(),
        epoch = i64::from(claims.org.member_epoch.get()),
        aud = claims.audience.as_str(),
        expires_at = date(claims.expires_at),
    );
    with_org(builder, &claims.org)
}

fn of_job(claims: &JobClaims) -> BiscuitBuilder {
    biscuit!(
        r#"
        jti({jti}); kind("job"); run({run}); fence({fence}); rule_set({rule_set});
        org({org}); on_behalf_of({on_behalf_of}); aud({aud});
        check if time($time), $time < {deadline};
        "#,
        jti = claims.id.to_string(),
        run = claims.run.to_string(),
        fence = i64::try_from(claims.fence).unwrap(),
        rule_set = claims.rule_set.as_bytes().to_vec(),
        org = claims.org.to_string(),
        on_behalf_of = claims.on_behalf_of.to_string(),
        aud = claims.audience.as_str(),
        deadline = date(claims.deadline),
    )
}

/// Words of ours and of Biscuit's, so that one string stands in two places, and others.
fn word() -> impl Strategy<Value = String> {
    let known = [
        "user", "owner", "time", "query", "org", "jti", "aud", "kind", "service", "aal",
    ];
    prop_oneof![
        proptest::sample::select(known.map(str::to_owned).to_vec()),
        "[a-z][a-z0-9]{1,30}",
    ]
}

fn id<I: Id + std::fmt::Debug>() -> impl Strategy<Value = I> {
    any::<[u8; 10]>()
        .prop_map(|random| I::from_random(Timestamp::from_seconds(1_700_000_000), random))
}

fn audience() -> impl Strategy<Value = Audience> {
    prop_oneof![word(), "[!-~]{1,200}"].prop_map(|text| text.parse().unwrap())
}

fn org() -> impl Strategy<Value = OrgClaims> {
    let version = proptest::option::of((id(), any::<u32>()));
    (id(), word(), word(), version, any::<u32>()).prop_map(|(id, slug, role, version, epoch)| {
        OrgClaims {
            id,
            slug: slug.parse().unwrap(),
            role: role.parse().unwrap(),
            version: version.map(|(id, epoch)| RoleVersion {
                id,
                epoch: Epoch::new(epoch),
            }),
            member_epoch: Epoch::new(epoch),
        }
    })
}

/// A life of at most 15 minutes from the ids' time on, to the microsecond.
fn end() -> impl Strategy<Value = Timestamp> {
    (1_000_000..900_000_000_i64)
        .prop_map(|micros| Timestamp::from_micros(1_700_000_000_000_000 + micros))
}

prop_compose! {
    fn person()(
        ids in (id(), id(), id()), org in proptest::option::of(org()), epoch: u32,
        audience in audience(), two: bool, auth_time: i64, expires_at in end(),
        administrator: bool,
    ) -> AccessClaims {
        AccessClaims {
            id: ids.0,
            user: ids.1,
            session: ids.2,
            org,
            user_epoch: Epoch::new(epoch),
            audience,
            aal: if two { Aal::Two } else { Aal::One },
            auth_time: Timestamp::from_micros(auth_time),
            expires_at,
            administrator,
        }
    }
}

prop_compose! {
    fn service()(
        ids in (id(), id(), id(), id()), org in org(), audience in audience(), expires_at in end(),
    ) -> ServiceClaims {
        ServiceClaims {
            id: ids.0, account: ids.1, key: ids.2, on_behalf_of: ids.3, org, audience, expires_at,
        }
    }
}

prop_compose! {
    fn job()(
        ids in (id(), id(), id(), id()), fence in 0..=i64::MAX as u64, rule_set: [u8; 32],
        audience in audience(), deadline in end(),
    ) -> JobClaims {
        JobClaims {
            id: ids.0, run: ids.1, org: ids.2, on_behalf_of: ids.3, fence,
            rule_set: RuleSetDigest::new(rule_set), audience, deadline,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_persons_token_is_the_librarys(claims in person(), seed: u64, root: u32) {
        let minted = at_once(AccessMinter::new(key(root)).mint(&claims, &SeededEntropy::new(seed)));
        prop_assert_eq!(ours(minted.unwrap()), library(of_person(&claims), root, seed, false));
    }

    #[test]
    fn a_service_accounts_token_is_the_librarys(claims in service(), seed: u64, root: u32) {
        let minted = at_once(ServiceMinter::new(key(root)).mint(&claims, &SeededEntropy::new(seed)));
        prop_assert_eq!(ours(minted.unwrap()), library(of_service(&claims), root, seed, false));
    }

    #[test]
    fn a_jobs_token_is_the_librarys(claims in job(), seed: u64, root: u32) {
        let minted = at_once(JobMinter::new(key(root)).mint(&claims, &SeededEntropy::new(seed)));
        prop_assert_eq!(ours(minted.unwrap()), library(of_job(&claims), root, seed, true));
    }
}
