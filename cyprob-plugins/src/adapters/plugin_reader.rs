//! Plugin files: leniently read, strictly reported.

use crate::domain::{
    Code, Diagnostic, Digest, Format, Level, Limits, MatchBlock, Metadata, Mode, Output, Plugin,
    PluginId, PluginType, Position, Rule, SeverityLabel, Trigger, TriggerKind, Value, check_fixed,
    engine_accepts, excerpt, is_version,
};

use super::node::{Kind, Node};
use super::{json, yaml};

/// What a plugin file turned out to be.
#[derive(Debug)]
pub struct ParsedPlugin {
    plugin: Option<Plugin>,
    diagnostics: Vec<Diagnostic>,
    id: PluginId,
}

impl ParsedPlugin {
    /// Everything there is to say about the file, in its order.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The plugin's id: the stated one, else the slug of the file's name, even
    /// when nothing else could be read.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        &self.id
    }

    /// The plugin as far as it could be read, errors in its rules or not.
    #[must_use]
    pub fn plugin(&self) -> Option<&Plugin> {
        self.plugin.as_ref()
    }

    /// Whether it loads in fixed mode.
    #[must_use]
    pub fn loads(&self) -> bool {
        self.plugin.is_some() && !self.diagnostics.iter().any(|d| d.severity == Level::Error)
    }

    /// The first error, for a one-line answer.
    #[must_use]
    pub fn first_error(&self) -> Option<&Diagnostic> {
        self.diagnostics.iter().find(|d| d.severity == Level::Error)
    }

    /// The plugin, if it loads in this mode.
    ///
    /// Compat mode takes every file whose structure could be read, as Cyprob's
    /// engine does; what its words mean is decided when they are reached.
    ///
    /// # Errors
    ///
    /// All diagnostics of a file that does not load.
    pub fn into_plugin(self, mode: Mode) -> Result<Plugin, NotLoaded> {
        let loads = match mode {
            Mode::Fixed => self.loads(),
            Mode::Compat => self.plugin.is_some(),
        };
        match self.plugin {
            Some(plugin) if loads => Ok(plugin),
            _ => Err(NotLoaded {
                id: self.id,
                diagnostics: self.diagnostics,
            }),
        }
    }
}

/// A plugin file did not load.
#[derive(Debug, Clone, thiserror::Error)]
#[error("plugin {id} does not load")]
pub struct NotLoaded {
    /// The id, stated or derived.
    pub id: PluginId,
    /// Why.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a plugin file: guard first, then types, then the rule language.
///
/// `file_name` decides the notation (`.json` or YAML) and the id of a file
/// that states none; it is never opened. The time and memory this takes are
/// bounded by the limits, whatever the bytes are.
#[must_use]
pub fn parse_plugin(bytes: &[u8], file_name: &str, limits: &Limits) -> ParsedPlugin {
    let format = if file_name.to_ascii_lowercase().ends_with(".json") {
        Format::Json
    } else {
        Format::Yaml
    };
    let mut reader = Reader {
        diagnostics: Vec::new(),
        structural: false,
        limit: limits.diagnostics,
    };
    let id = PluginId::from_file_name(file_name);
    let root = match document(bytes, format, limits, &mut reader) {
        Ok(root) => root,
        Err(diagnostic) => {
            reader.say(diagnostic);
            return ParsedPlugin {
                plugin: None,
                diagnostics: reader.finish(),
                id,
            };
        }
    };
    let plugin = reader.plugin(&root, id.clone(), format, Digest::of(bytes));
    let id = plugin.as_ref().map_or(id, |p| p.id.clone());
    let plugin = plugin.filter(|_| !reader.structural);
    if let Some(plugin) = &plugin {
        for diagnostic in check_fixed(plugin, &limits.pattern).1 {
            reader.say(diagnostic);
        }
    }
    ParsedPlugin {
        plugin,
        diagnostics: reader.finish(),
        id,
    }
}

/// The guard: size, encoding, NUL, then the document under its limits.
fn document(
    bytes: &[u8],
    format: Format,
    limits: &Limits,
    reader: &mut Reader,
) -> Result<Node, Diagnostic> {
    let text = guarded_text(bytes, limits)?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => {
            reader.add(
                Code::ByteOrderMark,
                Position::START,
                "a byte order mark was skipped",
            );
            rest
        }
        None => text,
    };
    match format {
        Format::Json => json::read(text, limits),
        Format::Yaml => yaml::read(text, limits),
    }
}

/// Bytes as text, if they keep the limit, are UTF-8 and hold no NUL.
pub(super) fn guarded_text<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, Diagnostic> {
    if bytes.len() > limits.bytes {
        let at = Position::of_offset(bytes, limits.bytes);
        return Err(Diagnostic::new(
            Code::TooLarge,
            at,
            format!("longer than {} bytes; split the file", limits.bytes),
        ));
    }
    if let Some(offset) = bytes.iter().position(|b| *b == 0) {
        return Err(Diagnostic::new(
            Code::Nul,
            Position::of_offset(bytes, offset),
            "the file holds a NUL byte",
        ));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let at = Position::of_offset(bytes, error.valid_up_to());
        Diagnostic::new(Code::NotUtf8, at, "the file is not UTF-8 from here on")
    })
}

struct Reader {
    diagnostics: Vec<Diagnostic>,
    /// Whether a part had the wrong shape, so that no mode can read the file.
    structural: bool,
    limit: usize,
}

type Entries<'a> = &'a [(Node, Node)];

impl Reader {
    fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn add(&mut self, code: Code, at: Position, message: impl Into<String>) {
        self.say(Diagnostic::new(code, at, message));
    }

    fn wrong(&mut self, node: &Node, what: &str, wanted: &str) {
        self.structural = true;
        self.add(
            Code::WrongType,
            node.at,
            format!("`{what}` must be {wanted}, not {}", node.type_name()),
        );
    }

    /// Sorted by place, errors kept first when there are too many.
    fn finish(mut self) -> Vec<Diagnostic> {
        if self.diagnostics.len() > self.limit {
            self.diagnostics
                .sort_by_key(|d| (std::cmp::Reverse(d.severity), d.line, d.column));
            let left_out = self.diagnostics.len() - self.limit;
            self.diagnostics.truncate(self.limit);
            let last = self
                .diagnostics
                .last()
                .map_or(Position::START, Diagnostic::position);
            self.add(
                Code::MoreLeftOut,
                last,
                format!("{left_out} more were left out"),
            );
        }
        self.diagnostics.sort_by_key(|d| (d.line, d.column));
        self.diagnostics
    }

    fn entries<'a>(&mut self, node: &'a Node, what: &str) -> Option<Entries<'a>> {
        match &node.kind {
            Kind::Map(entries) => Some(entries),
            _ if node.is_null() => None,
            _ => {
                self.wrong(node, what, "a map");
                None
            }
        }
    }

    fn items<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Node] {
        match &node.kind {
            Kind::List(items) => items,
            _ if node.is_null() => &[],
            _ => {
                self.wrong(node, what, "a list");
                &[]
            }
        }
    }

    /// A text field; null is the same as a missing one.
    fn text(&mut self, entries: Entries<'_>, key: &str) -> Option<String> {
        let node = get(entries, key)?;
        if node.is_null() {
            return None;
        }
        match node.text() {
            Some(text) => Some(text.to_owned()),
            None => {
                self.wrong(node, key, "a text");
                None
            }
        }
    }

    fn value(&mut self, node: &Node) -> Option<Value> {
        node.value()
            .map_err(|d| {
                self.structural = true;
                self.say(d);
            })
            .ok()
    }

    /// One text or a list of texts.
    fn texts(&mut self, entries: Entries<'_>, key: &str, single: bool) -> Vec<String> {
        let Some(node) = get(entries, key) else {
            return Vec::new();
        };
        if single && let Some(text) = node.text() {
            return vec![text.to_owned()];
        }
        let mut out = Vec::new();
        for item in self.items(node, key) {
            match item.text() {
                Some(text) => out.push(text.to_owned()),
                None => self.wrong(item, key, "a list of texts"),
            }
        }
        out
    }

    fn unknown_keys(&mut self, entries: Entries<'_>, known: &[&str], block: &str) {
        for (key, _) in entries {
            let text = key.text().unwrap_or("null");
            if !known.contains(&text) {
                let shown = excerpt(text);
                self.add(
                    Code::UnknownKey,
                    key.at,
                    format!("{block} has no key {shown}; it has no effect"),
                );
            }
        }
    }

    fn required(&mut self, entries: Entries<'_>, key: &str, code: Code, at: Position) -> String {
        let text = self.text(entries, key).unwrap_or_default();
        if text.is_empty() {
            let at = get(entries, key).map_or(at, |n| n.at);
            self.add(code, at, format!("`{key}` is missing"));
        }
        text
    }

    fn plugin(
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
                        crate::domain::FORMAT_VERSION
                    ),
                ),
                Some(true) => {}
            }
            wanted = Some(text);
        }
        wanted
    }

    fn severity(&mut self, entries: Entries<'_>) -> Option<SeverityLabel> {
        let text = self.text(entries, "severity").filter(|t| !t.is_empty())?;
        let label = SeverityLabel::parse(&text);
        if let SeverityLabel::AsWritten(_) = label {
            let at = get(entries, "severity").map_or(Position::START, |n| n.at);
            let shown = excerpt(&text);
            self.add(
                Code::UnknownSeverity,
                at,
                format!("unknown severity {shown}; critical, high, medium, low and info exist"),
            );
        }
        Some(label)
    }

    fn extra(&mut self, entries: Entries<'_>, known: &[&str], say: bool) -> Vec<(String, Value)> {
        let mut out = Vec::new();
        for (key, node) in entries {
            let name = key.text().unwrap_or("null");
            if known.contains(&name) {
                continue;
            }
            if say {
                self.add(
                    Code::UnknownMetadata,
                    key.at,
                    format!("the metadata key {} was kept", excerpt(name)),
                );
            }
            if let Some(value) = self.value(node) {
                out.push((name.to_owned(), value));
            }
        }
        out
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

fn get<'a>(entries: Entries<'a>, key: &str) -> Option<&'a Node> {
    entries
        .iter()
        .find(|(k, _)| k.text() == Some(key))
        .map(|(_, v)| v)
}

#[cfg(test)]
mod tests;
