//! A token that was never seen.
//!
//! Each of ours is minted beforehand and shown once, so that the memory of
//! verified tokens has none of them. The peers, which keep nothing, have the
//! same tokens in the same rounds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

use crate::biscuit::Library;
use crate::measure::{Side, in_turns};
use crate::ours::Ours;
use crate::question::{ASKED, examine};
use crate::signatures::Signatures;
use crate::table::Table;

const ROUNDS: usize = 61;
const OPERATIONS: u32 = 40;

const READ: &str = "biscuit-auth Biscuit::from, bytes";
const BARS: [(&str, f64); 1] = [(READ, 1.25)];

/// One token in every form that a side needs.
struct Shown {
    text: String,
    bytes: Vec<u8>,
    signatures: Signatures,
}

/// Measures tokens of one block and of two.
pub(crate) fn measure(ours: &Ours, table: &mut Table) {
    let fresh = || ours.token();
    one_kind(ours, table, "cold, one block", 1, &fresh);
    let narrowed = || ours.narrowed();
    one_kind(ours, table, "cold, narrowed, two blocks", 2, &narrowed);
}

fn one_kind(ours: &Ours, table: &mut Table, what: &str, blocks: usize, make: &dyn Fn() -> String) {
    let library = Library::new(ours.public());
    let token = make();
    examine("ours", |it| ours.permits(&token, it));
    examine("biscuit-auth", |it| library.permits(&token, it));

    // One round warms up and counts for nothing.
    let shown: Vec<Shown> = (0..(ROUNDS + 1) * OPERATIONS as usize)
        .map(|_| Shown::new(make(), ours))
        .collect();
    assert!(shown.iter().all(|it| it.signatures.count() == blocks));
    let asked = || std::hint::black_box(ASKED);
    let peers = vec![
        side(READ, &shown, |it| library.read(&it.bytes).is_some()),
        side("biscuit-auth Biscuit::from_base64", &shown, |it| {
            library.read_text(&it.text).is_some()
        }),
        side("biscuit-auth from_base64, authorizer", &shown, |it| {
            library.permits(&it.text, asked())
        }),
        side("its bare Ed25519 verifications", &shown, |it| {
            it.signatures.hold()
        }),
    ];
    let cold = side("ours", &shown, |it| ours.permits(&it.text, asked()));
    table.add(what, &in_turns(ROUNDS, cold, peers), &BARS);
}

/// A side that is shown one token after another.
fn side<'a>(
    name: &'static str,
    shown: &'a [Shown],
    holds: impl Fn(&Shown) -> bool + 'a,
) -> Side<'a> {
    let mut turns = shown.iter();
    Side::repeating(name, OPERATIONS, move || {
        turns
            .next()
            .is_some_and(|it| holds(std::hint::black_box(it)))
    })
}

impl Shown {
    fn new(text: String, ours: &Ours) -> Self {
        let bytes = URL_SAFE.decode(&text).expect("a token's text");
        let signatures = Signatures::of(&bytes, ours.public());
        Self {
            text,
            bytes,
            signatures,
        }
    }
}
