//! The blocks of a plugin file.

use crate::domain::{
    Code, Digest, FORMAT_VERSION, Format, MatchBlock, Metadata, Output, Plugin, PluginId,
    PluginType, Position, Rule, Trigger, TriggerKind, Value, engine_accepts, excerpt, is_version,
};

use cyprob_core::adapters::document::{Kind, Node};

use super::super::node::Typed as _;
use super::reader::{Entries, Reader, get};

impl Reader {
    pub(super) fn plugin(
        &mut self,
        root: &Node,
        derived: PluginId,
        format: Format,
        digest: Digest,
    ) -> Option<Plugin> {
        let Some(entries) = self.entries(root, "a plugin") else {
            if root.is_null() {
                self.add(Code::Empty, root.at, "the file holds no plugin");
            }
            return None;
        };
        const KNOWN: [&str; 12] = [
            "id",
            "name",
            "version",
            "type",
            "author",
            "metadata",
            "triggers",
            "match",
            "output",
            "signature",
            "cyprob_min_version",
            "vulntor_min_version",
        ];
        self.unknown_keys(entries, &KNOWN, "a plugin");
        let id = match self.text(entries, "id") {
            None => {
                self.add(
                    Code::IdDerived,
                    root.at,
                    format!("no `id`; taken from the file name: `{derived}`"),
                );
                derived
            }
            Some(text) => PluginId::parse(&text).unwrap_or_else(|| {
                let at = get(entries, "id").map_or(root.at, |n| n.at);
                let shown = excerpt(&text);
                self.add(
                    Code::BadId,
                    at,
                    format!("{shown} does not match ^[a-z][a-z0-9_-]{{2,62}}$"),
                );
                derived
            }),
        };
        let name = self.required(entries, "name", Code::MissingField, root.at);
        let version = self.required(entries, "version", Code::MissingField, root.at);
        if !version.is_empty() && !is_version(&version) {
            let at = get(entries, "version").map_or(root.at, |n| n.at);
            self.add(
                Code::BadVersion,
                at,
                format!("{} is no version", excerpt(&version)),
            );
        }
        let author = self.required(entries, "author", Code::DefaultTaken, root.at);
        let plugin_type = match self.text(entries, "type") {
            None => {
                self.add(
                    Code::DefaultTaken,
                    root.at,
                    "`type` is missing; read as `evaluation`",
                );
                PluginType::Evaluation
            }
            Some(text) => {
                let read = PluginType::parse(&text);
                if let PluginType::Other(_) = read {
                    let at = get(entries, "type").map_or(root.at, |n| n.at);
                    let shown = excerpt(&text);
                    self.add(
                        Code::UnknownType,
                        at,
                        format!("unknown type {shown}; evaluation, output and integration exist"),
                    );
                }
                read
            }
        };
        let min_version = self.min_version(entries);
        let metadata = match get(entries, "metadata") {
            Some(node) => self.metadata(node),
            None => Metadata::default(),
        };
        let triggers = match get(entries, "triggers") {
            Some(node) => self
                .items(node, "triggers")
                .iter()
                .filter_map(|n| self.trigger(n))
                .collect(),
            None => Vec::new(),
        };
        let matcher = get(entries, "match").and_then(|node| self.matcher(node));
        let output = match get(entries, "output") {
            Some(node) => self.output(node),
            None => {
                self.add(Code::MissingField, root.at, "`output` is missing");
                Output::default()
            }
        };
        if metadata.severity.is_none() && output.severity.is_none() {
            self.add(
                Code::MissingField,
                root.at,
                "neither `metadata` nor `output` has a `severity`",
            );
        }
        Some(Plugin {
            id,
            name,
            version,
            plugin_type,
            author,
            min_version,
            metadata,
            triggers,
            matcher,
            output,
            format,
            digest,
        })
    }

    fn min_version(&mut self, entries: Entries<'_>) -> Option<String> {
        let mut wanted = None;
        for key in ["vulntor_min_version", "cyprob_min_version"] {
            let Some(text) = self.text(entries, key).filter(|t| !t.is_empty()) else {
                continue;
            };
            let at = get(entries, key).map_or(Position::START, |n| n.at);
            match engine_accepts(&text) {
                None => self.add(
                    Code::BadVersion,
                    at,
                    format!("{} is no version", excerpt(&text)),
                ),
                Some(false) => self.add(
                    Code::NeedsNewerEngine,
                    at,
                    format!(
                        "asks for version {}, this engine reads the format of {}",
                        excerpt(&text),
                        FORMAT_VERSION
                    ),
                ),
                Some(true) => {}
            }
            wanted = Some(text);
        }
        wanted
    }

    fn metadata(&mut self, node: &Node) -> Metadata {
        let Some(entries) = self.entries(node, "metadata") else {
            return Metadata::default();
        };
        Metadata {
            severity: self.severity(entries),
            cve: self.texts(entries, "cve", true),
            cwe: self.texts(entries, "cwe", true),
            tags: self.texts(entries, "tags", false),
            references: self.texts(entries, "references", false),
            extra: self.extra(
                entries,
                &["severity", "cve", "cwe", "tags", "references"],
                true,
            ),
        }
    }

    fn output(&mut self, node: &Node) -> Output {
        let Some(entries) = self.entries(node, "output") else {
            return Output::default();
        };
        const KNOWN: [&str; 6] = [
            "vulnerability",
            "severity",
            "message",
            "remediation",
            "reference",
            "metadata",
        ];
        self.unknown_keys(entries, &KNOWN, "an output");
        let vulnerability = match get(entries, "vulnerability") {
            None => false,
            Some(node) => match node.value() {
                Ok(Value::Bool(b)) => b,
                Ok(Value::Null) => false,
                // yaml.v3 reads these into a boolean field.
                Ok(Value::String(t))
                    if matches!(&*t, "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y") =>
                {
                    true
                }
                Ok(Value::String(t))
                    if matches!(&*t, "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N") =>
                {
                    false
                }
                _ => {
                    self.wrong(node, "vulnerability", "true or false");
                    false
                }
            },
        };
        let (mut cve, mut cwe, mut extra) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(inner) = get(entries, "metadata").and_then(|n| self.entries(n, "metadata")) {
            cve = self.texts(inner, "cve", true);
            cwe = self.texts(inner, "cwe", true);
            extra = self.extra(inner, &["cve", "cwe"], false);
        }
        Output {
            vulnerability,
            severity: self.severity(entries),
            message: self.required(entries, "message", Code::MissingField, node.at),
            remediation: self.text(entries, "remediation").unwrap_or_default(),
            reference: self.text(entries, "reference").unwrap_or_default(),
            cve,
            cwe,
            extra,
        }
    }

    fn trigger(&mut self, node: &Node) -> Option<Trigger> {
        let Kind::Map(entries) = &node.kind else {
            self.wrong(node, "triggers", "a list of maps");
            return None;
        };
        let service = get(entries, "port").is_some() || get(entries, "service").is_some();
        if service && get(entries, "data_key").is_none() && get(entries, "condition").is_none() {
            self.unknown_keys(entries, &["port", "service", "description"], "a trigger");
            let port = get(entries, "port")
                .and_then(|n| self.value(n))
                .filter(|v| *v != Value::Null);
            let service = get(entries, "service")
                .and_then(|n| self.value(n))
                .filter(|v| *v != Value::Null);
            if port.is_none() && service.is_none() {
                self.add(
                    Code::MissingField,
                    node.at,
                    "a trigger needs a port or a service",
                );
            }
            return Some(Trigger {
                kind: TriggerKind::Service { port, service },
                at: node.at,
            });
        }
        self.unknown_keys(
            entries,
            &["data_key", "condition", "value", "description"],
            "a trigger",
        );
        let value = get(entries, "value");
        Some(Trigger {
            kind: TriggerKind::Condition {
                key: self.text(entries, "data_key").unwrap_or_default(),
                condition: self.text(entries, "condition").unwrap_or_default(),
                value: value.and_then(|n| self.value(n)),
                condition_at: get(entries, "condition").map_or(node.at, |n| n.at),
                value_at: value.map_or(node.at, |n| n.at),
            },
            at: node.at,
        })
    }

    fn matcher(&mut self, node: &Node) -> Option<MatchBlock> {
        let entries = self.entries(node, "match")?;
        self.unknown_keys(entries, &["logic", "rules", "description"], "a match block");
        let rules = match get(entries, "rules") {
            Some(rules) => self
                .items(rules, "rules")
                .iter()
                .filter_map(|n| self.rule(n))
                .collect(),
            None => Vec::new(),
        };
        Some(MatchBlock {
            logic: self.text(entries, "logic").unwrap_or_default(),
            rules,
            logic_at: get(entries, "logic").map_or(node.at, |n| n.at),
        })
    }

    fn rule(&mut self, node: &Node) -> Option<Rule> {
        let Kind::Map(entries) = &node.kind else {
            self.wrong(node, "rules", "a list of maps");
            return None;
        };
        self.unknown_keys(
            entries,
            &["field", "operator", "value", "description", "version_from"],
            "a rule",
        );
        let banner = match get(entries, "version_from") {
            None => false,
            Some(node) if node.text() == Some("banner") => true,
            Some(node) => {
                self.add(
                    Code::BadValue,
                    node.at,
                    "`version_from` knows only `banner`",
                );
                false
            }
        };
        let value = get(entries, "value");
        Some(Rule {
            field: self.text(entries, "field").unwrap_or_default(),
            operator: self.text(entries, "operator").unwrap_or_default(),
            value: value.and_then(|n| self.value(n)),
            version_from_banner: banner,
            at: node.at,
            operator_at: get(entries, "operator").map_or(node.at, |n| n.at),
            value_at: value.map_or(node.at, |n| n.at),
        })
    }
}
