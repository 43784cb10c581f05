//! Answers of a Vault, judged by their status.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use zeroize::Zeroizing;

use super::fault::{Complaint, Fault, Outage};

/// The body of an answer that says yes; wiped when it drops.
pub(super) struct Reply(Zeroizing<Vec<u8>>);

#[derive(Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<String>,
}

/// What most answers wrap what they say in.
#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

impl Reply {
    pub(super) fn judge(status: u16, body: Zeroizing<Vec<u8>>) -> Result<Self, Fault> {
        Err(match status {
            200..=204 => return Ok(Self(body)),
            // Somebody in front of the server, who knows nothing of secrets.
            400 | 403..=405 if !is_of_vault(&body) => Outage::Garbled.into(),
            400 | 405 => match complaint(&body) {
                Complaint::SettingUp => Outage::SettingUp.into(),
                complaint => Fault::Rejected(complaint),
            },
            403 => Fault::Denied,
            404 if is_of_no_place(&body) => Fault::NoPlace,
            404 => Fault::Missing { last: gone(&body) },
            300..=399 | 472 | 473 => Outage::Standby.into(),
            412 => Outage::Behind.into(),
            429 => Outage::Busy.into(),
            503 => Outage::Sealed.into(),
            other => Outage::Status(other).into(),
        })
    }

    /// Reads the body; an error of the reader may quote it and is dropped.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Fault> {
        serde_json::from_slice(&self.0).map_err(|_| Outage::Garbled.into())
    }

    /// Reads what stands under `data`.
    pub(super) fn data<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        self.read::<Data<T>>().map(|whole| whole.data)
    }
}

/// Whether the server itself says no: it states errors, if only none, or what is left of a deleted version.
fn is_of_vault(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Said {
        errors: Option<Vec<IgnoredAny>>,
        data: Option<IgnoredAny>,
    }
    let said = serde_json::from_slice::<Said>(body);
    said.is_ok_and(|said| said.errors.is_some() || said.data.is_some())
}

/// The version of which a body says that it is gone, or zero.
fn gone(body: &[u8]) -> u64 {
    #[derive(Deserialize)]
    struct Gone {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        version: u64,
    }
    let gone = serde_json::from_slice::<Data<Gone>>(body);
    gone.map_or(0, |gone| gone.data.metadata.version)
}

fn errors(body: &[u8]) -> Vec<String> {
    serde_json::from_slice(body).map_or_else(|_| Vec::new(), |Errors { errors }| errors)
}

/// Whether nothing answers for the path, so that what is missing is no single secret.
fn is_of_no_place(body: &[u8]) -> bool {
    let nothing = ["no handler for route", "namespace not found"];
    let errors = errors(body);
    errors
        .iter()
        .any(|text| nothing.iter().any(|words| text.contains(words)))
}

fn complaint(body: &[u8]) -> Complaint {
    let errors = errors(body);
    let known = errors.iter().map(|text| Complaint::of(text));
    known
        .into_iter()
        .find(|complaint| *complaint != Complaint::Other)
        .unwrap_or(Complaint::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, body: &str) -> Fault {
        let body = Zeroizing::new(body.as_bytes().to_vec());
        Reply::judge(status, body).err().unwrap()
    }

    #[test]
    fn an_engine_that_is_not_ready_withdraws_nothing() {
        for waiting in [
            "Waiting for the primary to upgrade from non-versioned to versioned data. This backend will be unavailable.",
            "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly.",
        ] {
            let body = format!("{{\"errors\":[\"{waiting}\"]}}");
            assert!(matches!(
                fault(400, &body),
                Fault::Outage(Outage::SettingUp)
            ));
        }
    }

    #[test]
    fn only_the_server_itself_withdraws() {
        for said in ["{\"errors\":[]}", "{\"errors\":[\"x\"],\"warnings\":null}"] {
            assert!(matches!(fault(404, said), Fault::Missing { last: 0 }));
            assert!(matches!(fault(403, said), Fault::Denied));
            assert!(matches!(fault(400, said), Fault::Rejected(_)));
        }
        for nothing in [
            r#"{"errors":["no handler for route \"own/data/a\". route entry not found."]}"#,
            r#"{"errors":["namespace not found"]}"#,
        ] {
            assert!(matches!(fault(404, nothing), Fault::NoPlace));
        }
        let deleted = "{\"data\":{\"data\":null,\"metadata\":{\"version\":7}}}";
        assert!(matches!(fault(404, deleted), Fault::Missing { last: 7 }));
        for foreign in [
            "",
            "<html>not found</html>",
            "{}",
            "[]",
            "null",
            "{\"errors\":null}",
            "{\"error\":\"x\"}",
        ] {
            for status in [400, 403, 404, 405] {
                let fault = fault(status, foreign);
                assert!(
                    matches!(fault, Fault::Outage(Outage::Garbled)),
                    "{status} {foreign}"
                );
            }
        }
    }
}
