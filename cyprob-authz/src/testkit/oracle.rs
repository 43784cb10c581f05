//! The oracle: Biscuit's own Datalog decides the same question.

use std::time::{Duration, SystemTime};

use biscuit_auth::builder::{Algorithm, Fact};
use biscuit_auth::macros::{authorizer, fact};
use biscuit_auth::{AuthorizerLimits, Biscuit, PublicKey, error};

use cyprob_core::domain::{CustomRole, Tag, Timestamp, UserId};
use time::OffsetDateTime;

use crate::domain::{
    Demand, Need, Permission, RingKey, RoleCatalog, STEP_UP_AGE, Taken, containing_prefixes,
};

/// An object as it is stored.
#[derive(Clone, Debug)]
pub struct ObjectFacts {
    /// Whose it is.
    pub owner: UserId,
    /// What it is marked with.
    pub tags: Vec<Tag>,
}

/// Whether Datalog permits it, with the deployment's roles and those that organizations defined, with the facts and policies that the control plane states for a request.
///
/// Revocation apart, it is the whole decision: signatures, expiry, the holder's
/// checks as they stand in the token, organization, role and step-up. The use of
/// the demand must be one of this token. On a route that concerns objects it is
/// asked about one, or whether there may be any that is permitted.
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
    object: Option<&ObjectFacts>,
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
        Need::Objects(permission) => ("objects", Some(permission.as_str())),
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
        aal_holds($grant) <- aal_from($grant, 0);
        aal_holds($grant) <- aal_from($grant, $least), aal($shown), $shown >= $least;
        address_holds($grant) <- from($grant, "anywhere");
        address_holds($grant) <- from($grant, $range), address_prefix($range);
        hours_hold($grant) <- open($grant, $day, $from, $until), day($day), minute($minute),
            $minute >= $from, $minute < $until;
        may($p) <- role($role), grants($role, $grant, $p),
            aal_holds($grant), address_holds($grant), hours_hold($grant),
            owner_holds($grant), tags_hold($grant);
        mine(true) <- owner($who), user($who);
        mine(true) <- owner($who), on_behalf_of($who);
        owner_holds($grant) <- of_owner($grant, "anyone");
        owner_holds($grant) <- of_owner($grant, "caller"), mine(true);
        owner_holds($grant) <- of_owner($grant, $whose), whichever(true);
        tags_hold($grant) <- of_tag($grant, "any");
        tags_hold($grant) <- of_tag($grant, $tag), marked($tag);
        tags_hold($grant) <- of_tag($grant, $tag), whichever(true);
        may($p) <- role_id($id), role_epoch($epoch), defines($id, $epoch, $p);
        allow if need("authenticated"), kind("user"), narrowed(false), fresh(true);
        allow if need("org"), here(true), permission($p), may($p), fresh(true);
        allow if need("objects"), here(true), permission($p), may($p), fresh(true);
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
    if let Some(word) = demand.used.map(Taken::word) {
        builder = builder.fact(fact!("nonce({word})")).map_err(text)?;
    }
    for fact in about(demand.need, object) {
        builder = builder.fact(fact).map_err(text)?;
    }
    for fact in granted(roles, demand.at) {
        builder = builder.fact(fact).map_err(text)?;
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

/// What is known of the object, on a route that concerns some.
fn about(need: Need, object: Option<&ObjectFacts>) -> Vec<Fact> {
    if !matches!(need, Need::Objects(_)) {
        return Vec::new();
    }
    let Some(ObjectFacts { owner, tags }) = object else {
        return vec![fact!("whichever(true)")];
    };
    let owner = owner.to_string();
    let tags = tags.iter().map(|tag| format!("tag {tag}"));
    let marks = tags.map(|tag| fact!("marked({tag})"));
    marks.chain([fact!("owner({owner})")]).collect()
}

/// What the deployment's roles grant under which conditions, and where in the week the request lies.
fn granted(roles: &RoleCatalog, at: Timestamp) -> Vec<Fact> {
    let second = OffsetDateTime::from_unix_timestamp(at.as_seconds());
    let second = second.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let day = second.weekday().to_string();
    let minute = i64::from(second.hour()) * 60 + i64::from(second.minute());
    let mut facts = vec![fact!("day({day})"), fact!("minute({minute})")];
    let mut number = 0_i64;
    for role in roles.roles() {
        let name = role.name.as_str();
        for grant in role.rights.grants() {
            number += 1;
            for permission in grant.permissions.iter().map(Permission::as_str) {
                facts.push(fact!("grants({name}, {number}, {permission})"));
            }
            let least = grant.when.aal.map_or(0, |aal| i64::from(aal.get()));
            facts.push(fact!("aal_from({number}, {least})"));
            if grant.when.addresses.is_empty() {
                facts.push(fact!(r#"from({number}, "anywhere")"#));
            }
            for range in grant.when.addresses.iter().map(ToString::to_string) {
                facts.push(fact!("from({number}, {range})"));
            }
            let whose = match grant.when.own {
                true => "caller",
                false => "anyone",
            };
            facts.push(fact!("of_owner({number}, {whose})"));
            if grant.when.tags.is_empty() {
                facts.push(fact!(r#"of_tag({number}, "any")"#));
            }
            for tag in grant.when.tags.iter().map(|tag| format!("tag {tag}")) {
                facts.push(fact!("of_tag({number}, {tag})"));
            }
            let always = || vec![("mon-sun 00:00-24:00".to_owned())];
            let windows = grant.when.hours.map_or_else(always, |hours| {
                hours.windows().iter().map(ToString::to_string).collect()
            });
            for window in windows {
                for (day, from, until) in opened(&window) {
                    facts.push(fact!("open({number}, {day}, {from}, {until})"));
                }
            }
        }
    }
    facts
}

const DAYS: [(&str, &str); 7] = [
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
];

/// The minutes of each day in which a window is open, read from its text: the compiled form is what is on trial.
fn opened(window: &str) -> Vec<(&'static str, i64, i64)> {
    let (days, times) = window.split_once(' ').expect("days and times");
    let (from, until) = times.split_once('-').expect("from and until");
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':').expect("hour and minute");
        let number = |text: &str| text.parse::<i64>().expect("a number");
        number(hour) * 60 + number(minute)
    };
    let (from, until) = (minute(from), minute(until));
    let place = |name: &str| DAYS.iter().position(|(short, _)| *short == name);
    let place = |name: &str| place(name).expect("a day");
    let name = |place: usize| DAYS.get(place % 7).map_or("", |(_, long)| *long);
    let mut all = Vec::new();
    for part in days.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        for day in place(first)..=place(last) {
            if from < until {
                all.push((name(day), from, until));
            } else {
                all.extend([(name(day), from, 1_440), (name(day + 1), 0, until)]);
            }
        }
    }
    all
}

fn date(second: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(second).unwrap_or(0))
}
