//! Claims about references that hold for every text.

use cyprob_core::domain::OrgId;

use crate::domain::{OrgSecretBase, OrgSecretPath, SecretRef};

/// A text that is accepted is the canonical form of what it means.
///
/// The one exception is AWS's default stage, which may be written out.
/// Returns whether the text was accepted.
///
/// # Panics
///
/// If the claim does not hold.
pub fn accepted_text_is_canonical(text: &str) -> bool {
    let Ok(reference) = text.parse::<SecretRef>() else {
        return false;
    };
    let written = reference.to_string();
    let default_stage = text.strip_suffix("?stage=AWSCURRENT");
    assert!(
        written == text || default_stage == Some(written.as_str()),
        "accepted, but not canonical"
    );
    assert!(
        written.parse() == Ok(reference),
        "the canonical form means something else"
    );
    true
}

/// SEC-4: whatever an organization writes, it resolves to its own secret or to none.
///
/// `written` may hold the ids of other organizations. Returns whether it was
/// accepted.
///
/// # Panics
///
/// If the claim does not hold.
pub fn sec_4(org: OrgId, other: OrgId, written: &str) -> bool {
    let Ok(base) = "orgs".parse::<OrgSecretBase>() else {
        return false;
    };
    let Ok(path) = OrgSecretPath::parse(org, written) else {
        return false;
    };
    let resolved = path.resolve(&base).map(|reference| {
        let text = reference.to_string();
        let SecretRef::Local(local) = reference else {
            return (text, None);
        };
        (text, Some(local.name().as_str().to_owned()))
    });
    let Ok((text, Some(name))) = resolved else {
        assert!(
            resolved.is_err(),
            "an organization reached another kind of source"
        );
        return false;
    };
    // Compared by whole segments, as a store does, after reading the text again.
    let again = text.parse::<SecretRef>().map(|r| r.to_string());
    assert!(
        again.as_ref() == Ok(&text),
        "the resolved text is not canonical"
    );
    let segments: Vec<&str> = name.split('/').collect();
    let (own, foreign) = (org.to_string(), other.to_string());
    assert!(
        segments.first() == Some(&"orgs") && segments.get(1) == Some(&own.as_str()),
        "resolved outside the organization"
    );
    assert!(
        org == other || segments.get(1) != Some(&foreign.as_str()),
        "resolved to another organization"
    );
    assert!(
        segments.len() > 2 && !segments.iter().any(|s| matches!(*s, "" | "." | "..")),
        "resolved to a path that a store may read otherwise"
    );
    true
}
