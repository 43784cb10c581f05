//! The oracle: Biscuit's own Datalog decides the same question.

use std::time::{Duration, SystemTime};

use biscuit_auth::builder::Algorithm;
use biscuit_auth::macros::{authorizer, fact};
use biscuit_auth::{AuthorizerLimits, Biscuit, PublicKey, error};

use cyprob_core::domain::CustomRole;

use crate::domain::{Demand, Need, RingKey, RoleCatalog, STEP_UP_AGE, containing_prefixes};

/// Whether Datalog permits it, with the deployment's roles and those that organizations defined, with the facts and policies that the control plane states for a request.
///
/// Revocation apart, it is the whole decision: signatures, expiry, the holder's
/// checks as they stand in the token, organization, role and step-up.
///
/// # Errors
///
/// The Biscuit library's own words, if it cannot read the token or run.
pub fn datalog_permits(
    token: &str,
    key: &RingKey,
    roles: &RoleCatalog,
    own: &[CustomRole],
    demand: &Demand<'_>,
) -> Result<bool, String> {
    let text = |e: error::Token| e.to_string();
    let public =
        PublicKey::from_bytes(&key.public, Algorithm::Ed25519).map_err(|e| e.to_string())?;
    let (id, public) = (key.id.get(), public);
    let token = Biscuit::from_base64(token, move |named: Option<u32>| {
        if named == Some(id) {
            Ok(public)
        } else {
            Err(error::Format::UnknownPublicKey)
        }
    })
    .map_err(text)?;

    let (need, permission) = match demand.need {
        Need::Authenticated => ("authenticated", None),
        Need::Org(permission) => ("org", Some(permission.as_str())),
        Need::System(permission) => ("system", Some(permission.as_str())),
    };
    let step_up = demand.step_up || need == "system";
    let oldest = demand.at.before(STEP_UP_AGE).as_micros();
    let oldest = oldest.div_euclid(1_000_000) + i64::from(oldest.rem_euclid(1_000_000) > 0);
    let newest = demand.at.after(STEP_UP_AGE).as_seconds();
    let mut builder = authorizer!(
        r#"
        time({now}); need({need}); step_up({step_up}); oldest({oldest}); newest({newest});
        narrowed({narrowed});
        fresh(true) <- step_up(false);
        fresh(true) <- step_up(true), auth_time($at), oldest($oldest), newest($newest),
            $at >= $oldest, $at <= $newest;
        here(true) <- named($name), org($name);
        here(true) <- named($name), slug($name);
        may($p) <- role($role), grants($role, $p);
        may($p) <- role_id($id), role_epoch($epoch), defines($id, $epoch, $p);
        allow if need("authenticated"), kind("user"), narrowed(false), fresh(true);
        allow if need("org"), here(true), permission($p), may($p), fresh(true);
        allow if need("system"), kind("user"), administrator(true), fresh(true);
        "#,
        now = date(demand.at.as_seconds()),
        oldest = date(oldest),
        newest = date(newest),
        narrowed = token.block_count() > 1,
    );
    if let Some(permission) = permission {
        builder = builder
            .fact(fact!("permission({permission})"))
            .map_err(text)?;
    }
    if let Some(named) = demand.org {
        builder = builder.fact(fact!("named({named})")).map_err(text)?;
    }
    for resource in demand.resources {
        let resource = *resource;
        builder = builder.fact(fact!("resource({resource})")).map_err(text)?;
    }
    for prefix in demand.address.into_iter().flat_map(containing_prefixes) {
        let prefix = prefix.to_string();
        builder = builder
            .fact(fact!("address_prefix({prefix})"))
            .map_err(text)?;
    }
    for role in roles.roles() {
        for permission in role.permissions.iter() {
            let (role, permission) = (role.name.as_str(), permission.as_str());
            builder = builder
                .fact(fact!("grants({role}, {permission})"))
                .map_err(text)?;
        }
    }
    for role in own {
        for permission in role.permissions.iter() {
            let (id, epoch) = (
                role.version.id.to_string(),
                i64::from(role.version.epoch.get()),
            );
            builder = builder
                .fact(fact!("defines({id}, {epoch}, {permission})"))
                .map_err(text)?;
        }
    }
    // on the builder: the argument of `authorize_with_limits` is ignored in 6.0.0
    let limits = AuthorizerLimits {
        max_facts: 10_000,
        max_iterations: 1_000,
        max_time: Duration::from_secs(10),
    };
    let mut authorizer = builder.set_limits(limits).build(&token).map_err(text)?;
    match authorizer.authorize() {
        Ok(_) => Ok(true),
        Err(error::Token::FailedLogic(_)) => Ok(false),
        Err(other) => Err(text(other)),
    }
}

fn date(second: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(second).unwrap_or(0))
}
