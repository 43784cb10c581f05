//! The shape firewall against the samples.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use biscuit_auth::format::schema;
use cyprob_authz::domain::RoleCatalog;
use cyprob_authz::service::ShapeError::{
    self, Algorithm, AuthorityFacts, BlockPart, NoTemplate, TooManyBlocks,
};
use cyprob_authz::service::{PublicVerifier, TokenError};
use cyprob_authz::testkit::AUDIENCE;
use cyprob_core::domain::Timestamp;
use prost::Message as _;
use serde_json::json;

use crate::Samples;

/// Why each sample is refused, once it names the root key that signed it.
const REFUSED: [(&str, ShapeError); 38] = [
    ("test001_basic.bc", AuthorityFacts),
    ("test002_different_root_key.bc", AuthorityFacts),
    ("test003_invalid_signature_format.bc", Algorithm),
    ("test004_random_block.bc", AuthorityFacts),
    ("test005_invalid_signature.bc", AuthorityFacts),
    ("test006_reordered_blocks.bc", AuthorityFacts),
    ("test007_scoped_rules.bc", AuthorityFacts),
    ("test008_scoped_checks.bc", AuthorityFacts),
    ("test009_expired_token.bc", AuthorityFacts),
    ("test010_authorizer_scope.bc", AuthorityFacts),
    ("test011_authorizer_authority_caveats.bc", AuthorityFacts),
    ("test012_authority_caveats.bc", NoTemplate),
    ("test013_block_rules.bc", AuthorityFacts),
    ("test014_regex_constraint.bc", NoTemplate),
    ("test015_multi_queries_caveats.bc", AuthorityFacts),
    ("test016_caveat_head_name.bc", NoTemplate),
    ("test017_expressions.bc", AuthorityFacts),
    ("test018_unbound_variables_in_rule.bc", NoTemplate),
    ("test019_generating_ambient_from_variables.bc", NoTemplate),
    ("test020_sealed.bc", AuthorityFacts),
    ("test021_parsing.bc", AuthorityFacts),
    ("test022_default_symbols.bc", AuthorityFacts),
    ("test023_execution_scope.bc", AuthorityFacts),
    ("test024_third_party.bc", BlockPart),
    ("test025_check_all.bc", AuthorityFacts),
    ("test026_public_keys_interning.bc", TooManyBlocks),
    ("test027_integer_wraparound.bc", AuthorityFacts),
    ("test028_expressions_v4.bc", AuthorityFacts),
    ("test029_reject_if.bc", NoTemplate),
    ("test030_null.bc", AuthorityFacts),
    ("test031_heterogeneous_equal.bc", AuthorityFacts),
    ("test032_laziness_closures.bc", AuthorityFacts),
    ("test033_typeof.bc", AuthorityFacts),
    ("test034_array_map.bc", AuthorityFacts),
    ("test035_ffi.bc", NoTemplate),
    ("test036_secp256r1.bc", Algorithm),
    ("test037_secp256r1_third_party.bc", Algorithm),
    ("test038_try_op.bc", AuthorityFacts),
];

#[test]
fn the_firewall_takes_none_of_the_samples() {
    let samples = Samples::read();
    let published = json!({
        "token_keys": [{ "id": 1, "public_key": samples.root.print(), "status": "active" }],
        "service_token_keys": [],
    });
    let audience = AUDIENCE.parse().unwrap();
    let roles = RoleCatalog::builtin();
    let verifier = PublicVerifier::new(&published.to_string(), audience, roles).unwrap();
    let reason = |bytes: &[u8]| {
        let verdict = verifier.verify(&URL_SAFE.encode(bytes), Timestamp::UNIX_EPOCH);
        match verdict.map(drop) {
            Err(TokenError::Shape(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let mut refused = Vec::new();
    for case in &samples.cases {
        let (name, bytes) = (case["filename"].as_str().unwrap(), samples.bytes(case));
        assert_eq!(reason(&bytes), ShapeError::NoKeyId, "{name}");
        // No signature covers the id of the root key: anybody may write it in.
        let mut token = schema::Biscuit::decode(&bytes[..]).unwrap();
        token.root_key_id = Some(1);
        let error = reason(&token.encode_to_vec());
        println!("{name}: {error}");
        refused.push((name, error));
    }
    assert_eq!(refused, REFUSED);
}
