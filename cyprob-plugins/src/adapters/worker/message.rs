//! What the two sides say, version 1, as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::domain::{Digest, FactsFile, Job, PluginFile};
use crate::ports::{Report, Verdict};

/// The version of the messages.
const VERSION: u32 = 1;

/// A message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a message of version 1")]
pub struct MessageError;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireJob {
    version: u32,
    run: String,
    token: String,
    rule_set: String,
    facts: WireFile,
    plugins: Vec<WireFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireFile {
    name: String,
    digest: String,
    data: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireReport {
    version: u32,
    run: String,
    token: String,
    impossible: Option<String>,
    findings: Vec<String>,
    errors: u64,
}

/// A job as a worker gets it.
#[derive(Debug)]
pub struct JobMessage {
    /// The run.
    pub run: String,
    /// The token to show with the report.
    pub token: SecretString,
    /// The digest of the rule set that the files must make.
    pub rule_set: Digest,
    /// The files of the plugins, in order.
    pub files: Vec<PluginFile>,
    /// What to run them on.
    pub facts: FactsFile,
}

fn file(name: &str, bytes: &[u8], digest: Digest) -> WireFile {
    WireFile {
        name: name.to_owned(),
        digest: digest.to_string(),
        data: STANDARD.encode(bytes),
    }
}

fn digest(text: &str) -> Result<Digest, MessageError> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(MessageError);
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| MessageError)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| MessageError)?;
    }
    Ok(Digest::from_bytes(bytes))
}

impl JobMessage {
    /// The message of an attempt.
    pub(super) fn encode(job: &Job, token: &SecretString) -> Result<Vec<u8>, MessageError> {
        let plugins = job
            .files
            .iter()
            .map(|f| file(&f.name, &f.bytes, f.digest))
            .collect();
        let wire = WireJob {
            version: VERSION,
            run: job.run.to_string(),
            token: token.expose_secret().to_owned(),
            rule_set: job.rule_set.to_string(),
            facts: file(
                &job.facts.format,
                &job.facts.bytes,
                Digest::of(&job.facts.bytes),
            ),
            plugins,
        };
        serde_json::to_vec(&wire).map_err(|_| MessageError)
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// [`MessageError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        let wire: WireJob = serde_json::from_slice(bytes).map_err(|_| MessageError)?;
        if wire.version != VERSION {
            return Err(MessageError);
        }
        let data = |file: &WireFile| STANDARD.decode(&file.data).map_err(|_| MessageError);
        let files = wire.plugins.iter().map(|file| {
            Ok(PluginFile {
                name: file.name.clone(),
                digest: digest(&file.digest)?,
                bytes: data(file)?,
            })
        });
        Ok(Self {
            run: wire.run,
            token: wire.token.into(),
            rule_set: digest(&wire.rule_set)?,
            files: files.collect::<Result<_, _>>()?,
            facts: FactsFile {
                format: wire.facts.name.clone(),
                bytes: data(&wire.facts)?,
            },
        })
    }
}

/// A report on its way.
#[derive(Debug)]
pub struct ReportMessage;

impl ReportMessage {
    /// The message of a report.
    ///
    /// # Errors
    ///
    /// [`MessageError`] if it has no JSON form.
    pub fn encode(report: &Report) -> Result<Vec<u8>, MessageError> {
        let (impossible, findings, errors) = match &report.verdict {
            Verdict::Done { findings, errors } => (None, findings.clone(), *errors),
            Verdict::Impossible(reason) => (Some(reason.clone()), Vec::new(), 0),
        };
        let wire = WireReport {
            version: VERSION,
            run: report.run.clone(),
            token: report.token.expose_secret().to_owned(),
            impossible,
            findings,
            errors,
        };
        serde_json::to_vec(&wire).map_err(|_| MessageError)
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// [`MessageError`].
    pub fn parse(bytes: &[u8]) -> Result<Report, MessageError> {
        let wire: WireReport = serde_json::from_slice(bytes).map_err(|_| MessageError)?;
        if wire.version != VERSION {
            return Err(MessageError);
        }
        let verdict = match wire.impossible {
            Some(reason) => Verdict::Impossible(reason),
            None => Verdict::Done {
                findings: wire.findings,
                errors: wire.errors,
            },
        };
        Ok(Report {
            token: wire.token.into(),
            run: wire.run,
            verdict,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_the_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = JobMessage::parse(&bytes);
            let _ = ReportMessage::parse(&bytes);
        }

        #[test]
        fn reports_come_through(findings in prop::collection::vec(".*", 0..5), errors in any::<u64>(), run in ".*") {
            let report = Report {
                token: "t".into(),
                run: run.clone(),
                verdict: Verdict::Done { findings: findings.clone(), errors },
            };
            let read = ReportMessage::parse(&ReportMessage::encode(&report).unwrap()).unwrap();
            prop_assert_eq!(read.run, run);
            let Verdict::Done { findings: got, errors: count } = read.verdict else {
                panic!("done became impossible");
            };
            prop_assert_eq!((got, count), (findings, errors));
        }
    }

    #[test]
    fn other_versions_and_fields_are_refused() {
        for bad in [
            "{}",
            "{\"version\":2,\"run\":\"r\",\"token\":\"t\",\"impossible\":null,\"findings\":[],\"errors\":0}",
            "{\"version\":1,\"run\":\"r\",\"token\":\"t\",\"impossible\":null,\"findings\":[],\"errors\":0,\"x\":1}",
            "{\"version\":1,\"run\":\"r\",\"token\":\"t\",\"impossible\":null,\"findings\":[],\"errors\":-1}",
        ] {
            assert!(ReportMessage::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
