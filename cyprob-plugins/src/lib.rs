//! The plugin engine of the cyprob control plane: facts in, findings out.
//!
//! Plugins are declarative YAML or JSON files in Cyprob's format. They are
//! read leniently and reported strictly: every repair, every unknown word and
//! every limit is a [`domain::Diagnostic`] with line and column. A plugin has
//! no access to files, network, secrets or time; it only sees the facts of one
//! target and port.
//!
//! ```
//! use cyprob_plugins::{Limits, Mode, RuleSet, adapters};
//!
//! let file = b"name: Telnet\nversion: 1.0.0\ntype: evaluation\nauthor: docs\n\
//!   metadata: {severity: high}\n\
//!   triggers: [{data_key: telnet.banner, condition: exists, value: true}]\n\
//!   output: {vulnerability: true, message: telnet is open}\n";
//! let parsed = adapters::parse_plugin(file, "telnet-open.yaml", &Limits::plugin());
//! let rules = RuleSet::new([parsed.into_plugin(Mode::Fixed)?], Mode::Fixed)?;
//! let facts = adapters::read_facts(b"{\"telnet.banner\": \"login:\"}", None, &Limits::facts())?;
//! let outcomes = rules.evaluate(&facts[0]);
//! assert!(outcomes[0].outcome.is_match());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It refuses to guess: a file that breaks a limit is not read at all, and an
//! error in one rule is an outcome of its own, never "no match".

pub mod adapters;
pub mod domain;
#[cfg(feature = "runs")]
pub mod ports;
pub mod service;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use domain::{FactSet, Finding, Limits, Mode, Plugin};
pub use service::RuleSet;
