//! Generators of references and of hostile texts.

use cyprob_core::domain::{OrgId, Timestamp};
use proptest::prelude::*;
use proptest::string::string_regex;

/// An organization's id.
pub fn org_id() -> impl Strategy<Value = OrgId> {
    (any::<u32>(), any::<[u8; 10]>()).prop_map(|(seconds, random)| {
        use cyprob_core::domain::Id;
        OrgId::from_random(Timestamp::from_seconds(i64::from(seconds)), random)
    })
}

/// A text that mostly is a reference in canonical form.
pub fn reference() -> impl Strategy<Value = String> {
    let path = "[A-Za-z0-9_-][A-Za-z0-9._-]{0,8}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,8}){0,3}";
    let version = "(\\?version=[1-9][0-9]{0,18})?";
    let forms = [
        format!("vault://[a-z0-9][a-z0-9_-]{{0,8}}/{path}#[a-z_]{{1,8}}{version}"),
        format!("awssm://{path}(#[a-z_]{{1,8}})?(\\?stage=AWS[A-Z]{{1,9}})?"),
        format!("awssm://{path}(#[a-z_]{{1,8}})?\\?version=[0-9a-f]{{8}}-[A-Za-z0-9._-]{{1,23}}"),
        format!("file:///{path}"),
        "env://[A-Za-z_][A-Za-z0-9_]{0,20}".to_owned(),
        format!("local://[a-z0-9][a-z0-9._-]{{0,8}}(/[a-z0-9][a-z0-9._-]{{0,8}}){{0,3}}{version}"),
    ];
    prop::sample::select(forms.to_vec()).prop_flat_map(|form| {
        string_regex(&form).unwrap_or_else(|_| unreachable!("a constant of this file"))
    })
}

/// A text made of what references and attacks on them are made of.
pub fn hostile() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        4 => prop::sample::select(vec![
            "vault://", "awssm://", "file://", "env://", "local://", "/", "//", ".", "..", "../",
            "%2f", "%2e%2e", "%00", "\\", "#", "?", "?version=1", "?stage=", "version=", "&", "=", "@", "+", ":", ";", "~", " ",
            "\n", "\0", "\u{2215}", "\u{ff0e}", "\u{202e}", "a", "kv", "orgs", "org_", "A", "0", "-", "_",
        ])
        .prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ];
    prop::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat())
}
