//! SEC-1 for one provider: a marker in a secret shows up nowhere else.

use std::error::Error;
use std::fmt::Debug;

use crate::domain::SecretRef;
use crate::ports::{SecretError, SecretProvider};

/// SEC-1: reading never shows the marker in `Debug` or in an error's chain.
///
/// Give every reference under which the marker lies, good and bad. Returns
/// how many texts were searched.
///
/// # Panics
///
/// If the marker is found.
pub async fn sec_1(provider: &dyn SecretProvider, marker: &str, references: &[SecretRef]) -> usize {
    let mut texts = vec![format!("{provider:?} {provider:#?}")];
    for reference in references {
        match provider.read(reference).await {
            Ok(read) => texts.push(shown(&read)),
            Err(error) => texts.push(error_text(&error)),
        }
    }
    for text in &texts {
        assert!(!shows(text, marker), "a secret is shown");
    }
    texts.len()
}

/// Everything an error says: `Display`, `Debug` and all its sources.
#[must_use]
pub fn error_text(error: &SecretError) -> String {
    let mut text = shown(error);
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        text.push_str(&format!(" {error} {error:?}"));
        next = error.source();
    }
    text
}

/// Whether a text shows the marker as text, in hexadecimal or as a byte list.
#[must_use]
pub fn shows(text: &str, marker: &str) -> bool {
    let hex: String = marker.bytes().map(|b| format!("{b:02x}")).collect();
    let list: Vec<String> = marker.bytes().map(|b| b.to_string()).collect();
    text.contains(marker) || text.contains(&hex) || text.contains(&list.join(", "))
}

fn shown(value: &impl Debug) -> String {
    format!("{value:?} {value:#?}")
}
