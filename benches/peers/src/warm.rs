//! A token that was seen before.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

use crate::biscuit::{self, Library};
use crate::casbin::Casbin;
use crate::cedar::Cedar;
use crate::jwt::Jwt;
use crate::measure::{Side, in_turns};
use crate::ours::Ours;
use crate::question::{ASKED, Question, examine};
use crate::signatures::Signatures;
use crate::table::Table;

const ROUNDS: usize = 101;
/// So many people's tokens take turns where it is not one person's.
const PEOPLE: usize = 4_000;
const USER: &str = "usr_019b76da880070008000000000000002";

const CEDAR: &str = "Cedar is_authorized, one policy";
const CEDAR_OF_OUR_ROLES: &str = "Cedar is_authorized, a policy for each of our roles";
/// Where both know the same roles. A peer that knows one policy alone knows less than we do.
const BARS: [(&str, f64); 1] = [(CEDAR_OF_OUR_ROLES, 0.2)];

/// Measures one token against every peer, and two other ways against Cedar.
pub(crate) fn measure(ours: &Ours, table: &mut Table) {
    let token = ours.token();
    let (cedar, same_roles) = (Cedar::of_one_policy(), Cedar::of_our_roles());
    let (casbin, jwt) = (Casbin::new(USER), Jwt::new());
    let library = Library::new(ours.public());
    let bytes = URL_SAFE.decode(&token).expect("a token's text");
    let kept = library.read(&bytes).expect("a token");
    let signatures = Signatures::of(&bytes, ours.public());
    let prepared = cedar.prepare(USER, ASKED);
    let asked = || std::hint::black_box(ASKED);

    assert_eq!(signatures.count(), 1);
    let answers: [(&str, &dyn Fn(Question) -> bool); 10] = [
        ("ours", &|it| ours.permits(&token, it)),
        ("identify", &|it| ours.identifies_and_permits(&token, it)),
        (CEDAR, &|it| cedar.decides(&cedar.prepare(USER, it))),
        ("Cedar", &|it| cedar.permits(USER, it)),
        ("Cedar, our roles", &|it| same_roles.permits(USER, it)),
        ("casbin", &|it| casbin.permits(it)),
        ("casbin, cached", &|it| casbin.permits_cached(it)),
        ("jsonwebtoken", &|it| jwt.permits(it)),
        ("biscuit-auth", &|it| library.permits(&token, it)),
        ("biscuit-auth, kept", &|it| biscuit::decides(&kept, it)),
    ];
    for (name, permits) in answers {
        examine(name, permits);
    }

    let cedar_alone = || Side::repeating(CEDAR, 200, || cedar.decides(&prepared));
    let peers = vec![
        cedar_alone(),
        Side::repeating("Cedar, request and entities made", 100, || {
            cedar.permits(std::hint::black_box(USER), asked())
        }),
        Side::repeating(CEDAR_OF_OUR_ROLES, 100, || same_roles.decides(&prepared)),
        Side::repeating("casbin enforce", 200, || casbin.permits(asked())),
        Side::repeating("casbin enforce, cached", 500, || {
            casbin.permits_cached(asked())
        }),
        Side::repeating("jsonwebtoken EdDSA decode, claims by hand", 20, || {
            jwt.permits(asked())
        }),
        Side::repeating("biscuit-auth from_base64, authorizer", 10, || {
            library.permits(&token, asked())
        }),
        Side::repeating("biscuit-auth parsed before, authorizer", 20, || {
            biscuit::decides(&kept, asked())
        }),
        Side::repeating("one Ed25519 verification of its first block", 20, || {
            signatures.hold()
        }),
    ];
    let one = Side::repeating("ours", 1_000, || {
        ours.permits(std::hint::black_box(&token), asked())
    });
    let found = in_turns(ROUNDS, one, peers);
    table.add("warm, one token", &found, &BARS);
    if let Some(row) = found.first() {
        let took = row.ours;
        let figure = format!("warm, one token: {took:.2} us; the aim of 1 us fails nothing");
        table.note(figure, None);
    }

    let routed = Side::repeating("ours", 1_000, || {
        ours.identifies_and_permits(std::hint::black_box(&token), asked())
    });
    let found = in_turns(ROUNDS, routed, vec![cedar_alone()]);
    table.add("warm, by the router's way", &found, &[]);

    let tokens: Vec<String> = (0..PEOPLE).map(|_| ours.token()).collect();
    assert!(tokens.iter().all(|token| ours.permits(token, ASKED)));
    let mut turns = tokens.iter().cycle();
    let many = Side::repeating("ours", 1_000, || {
        turns.next().is_some_and(|it| ours.permits(it, asked()))
    });
    let found = in_turns(ROUNDS, many, vec![cedar_alone()]);
    table.add("warm, 4,000 tokens in turn", &found, &[]);
}
