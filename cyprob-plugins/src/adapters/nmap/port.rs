//! One open port as a fact set.

use roxmltree::Node;

use crate::domain::{FactSet, Value};

use super::child;
use super::scripts::{self, Script};

/// Collects facts; a later one does not replace an earlier one.
pub(super) struct Facts {
    pub(super) set: FactSet,
    /// When the scan ended.
    pub(super) end: Option<i64>,
    /// The name Cyprob gives this kind of service in its keys.
    pub(super) family: Option<&'static str>,
}

impl Facts {
    /// Adds a fact unless it is there; a key that is none is left out.
    pub(super) fn add(&mut self, key: &str, value: Value) {
        if self.set.get(key).is_none() {
            // A header or script with an unusable name has no key: skip it.
            let _ = self.set.insert(key, value);
        }
    }
}

/// The facts of a `<port>`, or why there are none.
pub(super) fn facts(target: &str, port: Node<'_, '_>, end: Option<i64>) -> Result<FactSet, String> {
    let number = port
        .attribute("portid")
        .and_then(|p| p.parse::<u16>().ok())
        .ok_or("`portid` must be a number from 0 to 65535")?;
    let set = FactSet::new(target, Some(number)).map_err(|e| e.to_string())?;
    let service = child(port, "service");
    let attribute = |name: &str| {
        service
            .and_then(|s| s.attribute(name))
            .filter(|t| !t.is_empty())
    };
    let name = attribute("name");
    let mut facts = Facts {
        set,
        end,
        family: name.and_then(family),
    };
    facts.add("service.port", Value::Int(number.into()));
    if let Some(name) = name {
        facts.add("service.name", Value::text(name));
    }
    let version = attribute("version");
    if let Some(version) = version {
        facts.add("service.version", Value::text(version));
    }
    let scripts: Vec<Script<'_, '_>> = port
        .children()
        .filter(|n| n.has_tag_name("script"))
        .filter_map(Script::of)
        .collect();
    let banner = scripts
        .iter()
        .find(|s| s.id == "banner")
        .map(|s| s.output.trim());
    let product = attribute("product");
    match (facts.family, product) {
        (Some("ssh"), product) => {
            let software = product
                .filter(|p| *p == "OpenSSH")
                .and(version)
                // Distributions append their own part after a space.
                .and_then(|v| v.split_whitespace().next())
                .map(|v| format!("OpenSSH_{v}"));
            if let Some(banner) = banner {
                facts.add("ssh.banner", Value::text(banner));
            } else if let Some(software) = &software {
                facts.add("ssh.banner", Value::text(format!("SSH-2.0-{software}")));
            }
            if let Some(software) = software {
                facts.add("ssh.version", Value::text(software));
            }
        }
        (Some(family @ ("mysql" | "postgres" | "redis" | "ftp" | "telnet")), product) => {
            let line = [product, version]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ");
            match banner {
                Some(banner) => facts.add(&format!("{family}.banner"), Value::text(banner)),
                None if !line.is_empty() => {
                    facts.add(&format!("{family}.banner"), Value::text(line))
                }
                None => {}
            }
            if let Some(version) = version {
                facts.add(&format!("{family}.version"), Value::text(version));
            }
        }
        (Some("snmp"), product) => {
            let line = [product, version]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ");
            // The weakest version that is offered decides.
            let offered = ["SNMPv1", "SNMPv2c", "SNMPv3"]
                .into_iter()
                .find(|v| line.contains(v));
            if let Some(version) = offered {
                facts.add("snmp.version", Value::text(version));
            }
        }
        _ => {}
    }
    for script in &scripts {
        scripts::apply(script, &mut facts);
    }
    Ok(facts.set)
}

fn family(name: &str) -> Option<&'static str> {
    Some(match name {
        "ssh" => "ssh",
        "mysql" | "mariadb" => "mysql",
        "postgresql" | "postgres" => "postgres",
        "redis" => "redis",
        "ftp" | "ftps" => "ftp",
        "telnet" | "telnets" => "telnet",
        "snmp" => "snmp",
        _ => return None,
    })
}
