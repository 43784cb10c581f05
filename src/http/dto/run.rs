//! Runs and findings.

use std::collections::BTreeSet;

use cyprob_core::domain::Tag;
use cyprob_plugins::domain::{FactsFile, PluginId, Run, StoredFinding};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::ApiError;

/// What a tag is, for one whose text is none.
const NO_TAG: &str = "is no tag: 1 to 64 of a-z, 0-9 and . _ : / -, a letter or digit first";

/// `POST runs`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunBody {
    /// A list of `{target, port, facts: {key: value}}`.
    #[schema(value_type = Vec<Object>)]
    facts: Box<RawValue>,
    plugins: Option<Vec<String>>,
    /// What the run is marked with, for good: at most 16; one that comes twice counts once.
    tags: Option<Vec<String>>,
}

impl RunBody {
    /// The text of the list, as it came.
    pub(crate) fn facts_file(&self) -> Result<FactsFile, ApiError> {
        let text = self.facts.get();
        if !text.starts_with('[') {
            return Err(ApiError::field("facts", "expected a list"));
        }
        Ok(FactsFile {
            format: "json".to_owned(),
            bytes: text.as_bytes().to_vec(),
        })
    }

    pub(crate) fn plugins(&self) -> Result<Option<Vec<PluginId>>, ApiError> {
        let Some(named) = &self.plugins else {
            return Ok(None);
        };
        let id = |text: &String| {
            PluginId::parse(text)
                .ok_or_else(|| ApiError::field("plugins", "has a text that is no plugin id"))
        };
        named.iter().map(id).collect::<Result<_, _>>().map(Some)
    }

    pub(crate) fn tags(&self) -> Result<BTreeSet<Tag>, ApiError> {
        let tag = |(place, text): (usize, &String)| {
            let wrong = |_| ApiError::field(&format!("tags[{place}]"), NO_TAG);
            text.parse().map_err(wrong)
        };
        let given = self.tags.iter().flatten();
        given.enumerate().map(tag).collect()
    }
}

/// A run just queued.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueuedAnswer {
    id: String,
    state: &'static str,
}

impl QueuedAnswer {
    pub(crate) fn of(run: &Run) -> Self {
        Self {
            id: run.id.to_string(),
            state: run.state.as_str(),
        }
    }
}

/// How much went in and came out.
#[derive(Debug, Serialize, ToSchema)]
struct CountsAnswer {
    facts: u32,
    plugins: u32,
    findings: u32,
    errors: u32,
}

/// A run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunAnswer {
    id: String,
    state: &'static str,
    counts: CountsAnswer,
    tags: Vec<String>,
    created_at: String,
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl RunAnswer {
    pub(crate) fn of(run: Run) -> Self {
        let counts = CountsAnswer {
            facts: run.counts.facts,
            plugins: run.counts.plugins,
            findings: run.counts.findings,
            errors: run.counts.errors,
        };
        Self {
            id: run.id.to_string(),
            state: run.state.as_str(),
            counts,
            tags: run.tags.into_iter().map(String::from).collect(),
            created_at: run.created_at.to_string(),
            finished_at: run.finished_at.map(|at| at.to_string()),
            error: run.error,
        }
    }
}

/// A finding with its id.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingAnswer {
    id: String,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    finding: Map<String, Value>,
}

impl FindingAnswer {
    pub(crate) fn of(stored: StoredFinding) -> Self {
        // What was taken from a worker was read as a finding before it was stored.
        let finding = serde_json::from_str(&stored.body).unwrap_or_default();
        Self {
            id: stored.id.to_string(),
            finding,
        }
    }
}
