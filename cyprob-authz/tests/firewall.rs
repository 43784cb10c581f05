//! What the shape firewall refuses: tokens made with the Biscuit library, and tokens made by hand.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports by panicking"
)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use biscuit_auth::builder::{Algorithm, BlockBuilder, Scope};
use biscuit_auth::format::schema;
use biscuit_auth::macros::{biscuit, block};
use biscuit_auth::{KeyPair, UnverifiedBiscuit};
use cyprob_authz::service::{ShapeError, TokenError};
use cyprob_authz::testkit::{Narrow, Stand, narrow, seal};
use cyprob_core::domain::RoleName;
use prost::Message as _;

fn verdict(stand: &Stand, token: &str) -> Result<(), TokenError> {
    stand.access.authenticate(token, stand.now()).map(drop)
}

fn shape(stand: &Stand, token: &str) -> ShapeError {
    match verdict(stand, token) {
        Err(TokenError::Shape(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn appended(block: BlockBuilder) -> ShapeError {
    let stand = Stand::new(1);
    let token = stand.token("acme", RoleName::OWNER);
    let token = UnverifiedBiscuit::from_base64(&token).unwrap();
    shape(&stand, &token.append(block).unwrap().to_base64().unwrap())
}

/// A token whose decoded form was changed by hand.
fn changed(change: impl FnOnce(&mut schema::Biscuit)) -> Result<(), TokenError> {
    let stand = Stand::new(1);
    let token = stand.token("acme", RoleName::OWNER);
    let token = narrow(&token, &[reads()], &*stand.entropy).unwrap();
    let mut decoded = schema::Biscuit::decode(&URL_SAFE.decode(token).unwrap()[..]).unwrap();
    change(&mut decoded);
    verdict(&stand, &URL_SAFE.encode(decoded.encode_to_vec()))
}

fn reads() -> Narrow {
    Narrow::Permissions {
        names: vec!["runs:read".into()],
        set: false,
    }
}

macro_rules! refused {
    ($($name:ident: $block:expr => $error:ident;)+) => {$(
        #[test]
        fn $name() {
            assert_eq!(appended($block), ShapeError::$error);
        }
    )+};
}

refused! {
    refuses_a_closure_any: block!(r#"check if [1, 2].any($x -> $x == 2)"#) => NoTemplate;
    refuses_a_closure_all: block!(r#"check if permission($p), ["a"].all($x -> $x == $p)"#) => NoTemplate;
    refuses_nested_closures: block!(
        r#"check if [1,2,3].any($a -> [1,2,3].any($b -> [1,2,3].any($c -> $a + $b + $c == 10)))"#
    ) => NoTemplate;
    refuses_concatenation: block!(r#"check if permission($p), "runs:" + "read" == $p"#) => NoTemplate;
    refuses_a_join: block!(r#"check if permission($p), resource($r), ["a"].contains($p)"#) => NoTemplate;
    refuses_a_regex: block!(r#"check if permission($p), $p.matches("runs:.*")"#) => NoTemplate;
    refuses_a_prefix: block!(r#"check if permission($p), $p.starts_with("runs:")"#) => NoTemplate;
    refuses_two_queries: block!(
        r#"check if permission($p), ["a"].contains($p) or resource($r), ["b"].contains($r)"#
    ) => NoTemplate;
    refuses_check_all: block!(r#"check all permission($p), ["a"].contains($p)"#) => NoTemplate;
    refuses_reject_if: block!(r#"reject if permission($p), ["a"].contains($p)"#) => NoTemplate;
    refuses_a_bare_truth: block!("check if true") => NoTemplate;
    refuses_a_constant: block!(r#"check if permission("runs:read")"#) => NoTemplate;
    refuses_negation: block!(r#"check if permission($p), !["a"].contains($p)"#) => NoTemplate;
    refuses_two_expressions: block!(r#"check if permission($p), ["a"].contains($p), ["b"].contains($p)"#) => NoTemplate;
    refuses_a_swapped_contains: block!(r#"check if permission($p), $p.contains("runs")"#) => NoTemplate;
    refuses_a_time_after: block!("check if time($t), $t > 2020-01-01T00:00:00Z") => NoTemplate;
    refuses_a_swapped_time: block!("check if time($t), 2020-01-01T00:00:00Z < $t") => NoTemplate;
    refuses_an_unknown_predicate: block!(r#"check if role($r), ["owner"].contains($r)"#) => NoTemplate;
    refuses_a_list_of_numbers: block!("check if permission($p), [1].contains($p)") => NoTemplate;
    refuses_a_foreign_function: block!(r#"check if permission($p), $p.extern::f("a")"#) => NoTemplate;
    refuses_a_scope: block!(r#"check if permission($p), ["a"].contains($p) trusting previous"#) => NoTemplate;
    refuses_appended_facts: block!(r#"role("owner")"#) => NotChecks;
    refuses_facts_beside_checks: block!(r#"role("owner"); check if permission($p), ["a"].contains($p)"#) => NotChecks;
    refuses_an_empty_block: block!("") => NotChecks;
    refuses_appended_rules: block!(
        r#"permission($p) <- role($p); check if permission($p), ["a"].contains($p)"#
    ) => BlockPart;
    refuses_a_block_scope: block!(r#"check if permission($p), ["a"].contains($p)"#).scope(Scope::Previous) => BlockPart;
    refuses_a_context: block!(r#"check if permission($p), ["a"].contains($p)"#).context("hi".into()) => BlockPart;
    refuses_a_use_without_a_word: block!(r#"check if nonce($n), [""].contains($n)"#) => UseWord;
    refuses_a_use_of_no_list: block!(r#"check if nonce("x")"#) => NoTemplate;
    refuses_a_use_of_another_check: block!(r#"reject if nonce($n), ["x"].contains($n)"#) => NoTemplate;
    refuses_an_odd_address_range: block!(r#"check if address_prefix($a), ["10.0.0.1/8"].contains($a)"#) => AddressRange;
}

#[test]
fn refuses_long_lists_and_many_checks() {
    let many = |n: usize| (0..n).map(|i| format!("r{i}")).collect::<Vec<_>>();
    let stand = Stand::new(1);
    let token = stand.token("acme", RoleName::OWNER);
    let ids = |n| Narrow::Resources {
        ids: many(n),
        set: false,
    };
    let with = |block: &[Narrow]| narrow(&token, block, &*stand.entropy).unwrap();
    assert_eq!(verdict(&stand, &with(&[ids(64)])), Ok(()));
    assert_eq!(shape(&stand, &with(&[ids(65)])), ShapeError::ListTooLong);
    let full = vec![ids(64); 2];
    assert_eq!(verdict(&stand, &with(&full)), Ok(()));
    let over = with(&[ids(64), ids(64), ids(1)]);
    assert_eq!(shape(&stand, &over), ShapeError::ListTooLong);
    // the bound holds over all blocks together
    let twice = narrow(&with(&full), &[reads()], &*stand.entropy).unwrap();
    assert_eq!(shape(&stand, &twice), ShapeError::ListTooLong);
    let ranges = |n: usize| Narrow::Addresses {
        ranges: (0..n).map(|i| format!("10.0.{i}.0/24")).collect(),
        set: false,
    };
    assert_eq!(verdict(&stand, &with(&[ranges(30), ranges(2)])), Ok(()));
    let over = with(&[ranges(30), ranges(3)]);
    assert_eq!(shape(&stand, &over), ShapeError::ListTooLong);
    let words = |c: char| Narrow::Permissions {
        names: (0..64).map(|i| format!("{c}{i}")).collect(),
        set: false,
    };
    let tables = with(&[words('a'), words('b'), words('c')]);
    assert_eq!(shape(&stand, &tables), ShapeError::TooManySymbols);
    assert_eq!(verdict(&stand, &with(&vec![reads(); 16])), Ok(()));
    assert_eq!(
        shape(&stand, &with(&vec![reads(); 17])),
        ShapeError::NotChecks
    );
    assert_eq!(shape(&stand, &with(&[ids(1_000)])), ShapeError::TooLong);
}

#[test]
fn refuses_a_fourth_block_and_takes_a_sealed_token() {
    let stand = Stand::new(1);
    let mut token = stand.token("acme", RoleName::OWNER);
    for _ in 0..2 {
        token = narrow(&token, &[reads()], &*stand.entropy).unwrap();
        assert_eq!(verdict(&stand, &token), Ok(()));
        assert_eq!(verdict(&stand, &seal(&token).unwrap()), Ok(()));
    }
    let fourth = narrow(&token, &[reads()], &*stand.entropy).unwrap();
    assert_eq!(shape(&stand, &fourth), ShapeError::TooManyBlocks);
}

#[test]
fn refuses_third_party_blocks_and_other_curves() {
    let stand = Stand::new(1);
    let token = UnverifiedBiscuit::from_base64(stand.token("acme", RoleName::OWNER)).unwrap();
    let request = token.third_party_request().unwrap();
    let stranger = KeyPair::new();
    let made = request
        .create_block(
            &stranger.private(),
            block!(r#"check if permission($p), ["a"].contains($p)"#),
        )
        .unwrap()
        .serialize()
        .unwrap();
    let third = token.append_third_party(&made).unwrap();
    assert_eq!(
        shape(&stand, &third.to_base64().unwrap()),
        ShapeError::ThirdParty
    );
    let p256 = KeyPair::new_with_algorithm(Algorithm::Secp256r1);
    let block = block!(r#"check if permission($p), ["a"].contains($p)"#);
    let other = token.append_with_keypair(&p256, block).unwrap();
    assert_eq!(
        shape(&stand, &other.to_base64().unwrap()),
        ShapeError::Algorithm
    );
}

#[test]
fn takes_the_templates_as_any_biscuit_tool_writes_them() {
    let stand = Stand::new(1);
    let token = UnverifiedBiscuit::from_base64(stand.token("acme", RoleName::OWNER)).unwrap();
    let block = block!(
        r#"
        check if permission($p), ["runs:read", "runs:create"].contains($p);
        check if permission($anything), {"runs:read"}.contains($anything);
        check if resource($r), ["run_0190"].contains($r);
        check if time($t), $t < 2036-11-23T12:00:00Z;
        check if time($t), $t <= 2036-11-23T12:00:00Z;
        check if address_prefix($a), ["10.0.0.0/8", "2001:db8::/32"].contains($a);
        check if nonce($n), ["4f1c", "b07e"].contains($n);
        check if nonce($n), {"b07e", "nonce"}.contains($n);
        "#
    );
    let narrowed = token.append(block).unwrap().to_base64().unwrap();
    let principal = stand.access.authenticate(&narrowed, stand.now()).unwrap();
    assert_eq!(format!("{:?}", principal.permissions()), r#"{"runs:read"}"#);
    assert_eq!(principal.narrowings().uses().unwrap(), ["b07e"]);
}

/// An authority block by somebody with another key, by the right key id, and variants of our own facts.
#[test]
fn refuses_what_the_ring_did_not_sign() {
    let stand = Stand::new(1);
    let other = Stand::new(2);
    let forged = other.token("acme", RoleName::OWNER);
    assert_eq!(verdict(&stand, &forged), Err(TokenError::Signature));
    let job = stand.mint_job(&stand.job());
    assert!(matches!(verdict(&stand, &job), Err(TokenError::Shape(_))));
    let token = stand.token("acme", RoleName::OWNER);
    assert!(
        stand
            .access
            .admit_worker(&token, stand.now(), None)
            .is_err()
    );
    assert!(stand.access.admit_worker(&job, stand.now(), None).is_ok());
}

#[test]
fn refuses_authority_blocks_that_say_more_or_less() {
    let stand = Stand::new(1);
    let stranger = KeyPair::new();
    let exp = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_767_225_900);
    let id = |prefix: &str| format!("{prefix}_019b76da8800700080000000000000{:02}", 1);
    let (jti, user, session) = (id("tok"), id("usr"), id("ses"));
    let base = || {
        biscuit!(
            r#"
            jti({jti}); kind("user"); user({user}); session({session}); epoch(1);
            aud("https://cyprob.test"); aal(1); auth_time(2026-01-01T00:00:00Z); administrator(false);
            check if time($time), $time < {exp};
            "#,
            jti = jti.as_str(), user = user.as_str(), session = session.as_str(),
        )
        .root_key_id(1)
    };
    let judge = |builder: biscuit_auth::builder::BiscuitBuilder| {
        verdict(
            &stand,
            &builder.build(&stranger).unwrap().to_base64().unwrap(),
        )
    };
    // of the right shape, so it is the signature that fails
    assert_eq!(judge(base()), Err(TokenError::Signature));
    let facts = Err(TokenError::Shape(ShapeError::AuthorityFacts));
    assert_eq!(judge(base().fact("administrator(true)").unwrap()), facts);
    assert_eq!(judge(base().fact("role(\"owner\")").unwrap()), facts);
    assert_eq!(judge(base().fact("more(1)").unwrap()), facts);
    assert_eq!(judge(base().fact("aal(2)").unwrap()), facts);
    let second = "check if time($time), $time < 2026-01-01T00:05:00Z";
    assert_eq!(judge(base().check(second).unwrap()), facts);
    let rule = base().rule("a($x) <- user($x)").unwrap();
    assert_eq!(judge(rule), Err(TokenError::Shape(ShapeError::BlockPart)));
    let keyless = biscuit!("kind(\"user\");").build(&stranger).unwrap();
    assert_eq!(
        shape(&stand, &keyless.to_base64().unwrap()),
        ShapeError::NoKeyId
    );
    let unknown = base().root_key_id(9);
    assert_eq!(judge(unknown), Err(TokenError::UnknownKey));
}

#[test]
fn refuses_a_token_taken_apart() {
    use TokenError::{Shape, Signature, UnknownKey};
    assert_eq!(changed(|_| ()), Ok(()));
    assert_eq!(changed(|t| t.blocks.clear()), Err(Signature));
    assert_eq!(changed(|t| t.root_key_id = Some(2)), Err(UnknownKey));
    assert_eq!(
        changed(|t| t.root_key_id = None),
        Err(Shape(ShapeError::NoKeyId))
    );
    assert_eq!(changed(|t| t.authority.signature[0] ^= 1), Err(Signature));
    assert_eq!(
        changed(|t| t.blocks[0].signature[63] ^= 0x80),
        Err(Signature)
    );
    assert_eq!(
        changed(|t| t.authority.next_key.key[0] ^= 1),
        Err(Signature)
    );
    let twice = changed(|t| t.blocks.push(t.blocks[0].clone()));
    assert_eq!(twice, Err(Shape(ShapeError::RepeatedSymbol)));
    assert_eq!(
        changed(|t| t.authority.version = Some(0)),
        Err(Shape(ShapeError::BlockPart))
    );
    assert_eq!(changed(|t| t.authority.version = Some(1)), Err(Signature));
    assert_eq!(
        changed(|t| t.proof.content = None),
        Err(Shape(ShapeError::Protobuf))
    );
    let swapped = changed(|t| std::mem::swap(&mut t.authority.block, &mut t.blocks[0].block));
    assert!(matches!(swapped, Err(Shape(_))), "{swapped:?}");
}

#[test]
fn a_token_has_one_text_and_one_encoding() {
    let stand = Stand::new(1);
    let mut token = stand.token("acme", RoleName::OWNER);
    // a length that has padding to play with
    while !token.ends_with('=') {
        token = stand.mint(&stand.claims(Some(
            stand.org(&"x".repeat(token.len() % 7 + 2), RoleName::OWNER),
        )));
    }
    assert_eq!(verdict(&stand, &token), Ok(()));
    let bytes = URL_SAFE.decode(&token).unwrap();
    let twisted = {
        let mut text = token.trim_end_matches('=').to_owned();
        let last = text.pop().unwrap();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let at = alphabet.find(last).unwrap();
        text.push(alphabet.chars().nth(at + 1).unwrap());
        text + &"=".repeat(token.len() - token.trim_end_matches('=').len())
    };
    for bad in [
        URL_SAFE_NO_PAD.encode(&bytes),
        format!("{token}="),
        format!(" {token}"),
        format!("{token}\n"),
        twisted,
        token[..token.len() / 2].to_owned(),
        String::new(),
        "=".repeat(4),
        "A".repeat(10_000),
    ] {
        assert!(
            matches!(verdict(&stand, &bad), Err(TokenError::Shape(_))),
            "{bad}"
        );
    }
    let standard = STANDARD.encode(&bytes);
    assert_eq!(verdict(&stand, &standard).is_ok(), standard == token);

    let encoded = |bytes: &[u8]| shape(&stand, &URL_SAFE.encode(bytes));
    // the root key id 1 again, as a longer number
    let long = [&[0x08, 0x81, 0x80, 0x80, 0x00][..], &bytes[2..]].concat();
    assert_eq!(bytes[..2], [0x08, 0x01]);
    assert_eq!(encoded(&long), ShapeError::NotCanonical);
    // the field twice, and a field that nobody knows
    let twice = [&[0x08, 0x02][..], &bytes].concat();
    assert_eq!(encoded(&twice), ShapeError::NotCanonical);
    let unknown = [&bytes[..], &[0x78, 0x01]].concat();
    assert_eq!(encoded(&unknown), ShapeError::NotCanonical);
    let cut = &bytes[..bytes.len() - 1];
    assert_eq!(encoded(cut), ShapeError::Protobuf);
    let huge = [&bytes[..], &[0xff; 12]].concat();
    assert_eq!(encoded(&huge), ShapeError::Protobuf);
}

/// Any bytes at all, and any single change to a good token: an error, never a panic, never a pass.
#[test]
fn survives_any_single_change() {
    let stand = Stand::new(1);
    let token = stand.token("acme", RoleName::OWNER);
    let token = narrow(&token, &[reads()], &*stand.entropy).unwrap();
    let bytes = URL_SAFE.decode(token).unwrap();
    for at in 0..bytes.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut bad = bytes.clone();
            bad[at] ^= change;
            assert!(verdict(&stand, &URL_SAFE.encode(&bad)).is_err(), "{at}");
        }
        assert!(
            verdict(&stand, &URL_SAFE.encode(&bytes[..at])).is_err(),
            "{at}"
        );
    }
}
