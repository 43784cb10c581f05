use proptest::prelude::*;

use super::*;
use crate::domain::{Hash, RightEdge, TileSet};

fn hashes(level: u8) -> TileKind {
    TileKind::Hashes { level }
}

#[test]
fn paths_are_those_of_the_specification() {
    let cases = [
        (TilePath::full(hashes(0), 0), "tile/0/000"),
        (TilePath::full(hashes(0), 1_234_067), "tile/0/x001/x234/067"),
        (
            TilePath::full(TileKind::Entries, 1_000),
            "tile/entries/x001/000",
        ),
        (
            TilePath::of_width(hashes(2), 0, 1).unwrap(),
            "tile/2/000.p/1",
        ),
        (
            TilePath::of_width(TileKind::Entries, 273, 112).unwrap(),
            "tile/entries/273.p/112",
        ),
        (
            TilePath::full(hashes(63), u64::MAX),
            "tile/63/x018/x446/x744/x073/x709/x551/615",
        ),
    ];
    for (path, text) in cases {
        assert_eq!(path.to_string(), text);
        assert_eq!(text.parse::<TilePath>().unwrap(), path);
    }
}

#[test]
fn hostile_paths_are_refused() {
    let bad = [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile//000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/00/000",
        "tile/64/000",
        "tile/256/000",
        "tile/-1/000",
        "tile/x/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/x000/000",
        "tile/0/000/001",
        "tile/0/x001/x000",
        "tile/0/X001/000",
        "tile/0/x01/000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/01",
        "tile/0/000.p/1/2",
        "tile/0/000.p/1.p/1",
        "tile/0/x001.p/1/000",
        "tile/0/../000",
        "tile/0/../../etc/passwd",
        "tile/entries/..",
        "tile/0/\u{660}\u{660}\u{660}",
        "tile/0/000\0",
        "tile/0/000\n",
        "tile/0/000.P/1",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
    ];
    for text in bad {
        assert_eq!(text.parse::<TilePath>(), Err(TilePathError), "{text:?}");
    }
}

#[test]
fn no_width_passes_a_full_tile() {
    assert_eq!(TilePath::of_width(hashes(0), 0, 0), None);
    assert_eq!(TilePath::of_width(hashes(0), 0, 257), None);
    assert_eq!(TilePath::of_width(hashes(0), 0, 65_536 + 1), None);
    assert_eq!(
        TilePath::of_width(hashes(0), 0, 256),
        Some(TilePath::full(hashes(0), 0))
    );
}

/// The examples of the specification: trees of 70,000 and of 256 leaves.
#[test]
fn the_plan_is_that_of_the_specification() {
    let plan: Vec<_> = tiles_between(0, 70_000).collect();
    let count = |kind, full| {
        plan.iter()
            .filter(|path| path.kind() == kind && path.is_full() == full)
            .count()
    };
    assert_eq!(count(hashes(0), true), 273);
    assert_eq!(count(hashes(1), true), 1);
    assert_eq!(count(TileKind::Entries, true), 273);
    let partial: Vec<_> = plan
        .iter()
        .filter(|path| !path.is_full())
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        partial,
        [
            "tile/entries/273.p/112",
            "tile/0/273.p/112",
            "tile/1/001.p/17",
            "tile/2/000.p/1"
        ]
    );
    let small: Vec<_> = tiles_between(0, 256).map(|path| path.to_string()).collect();
    assert_eq!(small, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(tiles_between(5, 5).count(), 0);
    assert_eq!(tiles_between(6, 5).count(), 0);
    // Nothing is computed before it is asked for.
    assert_eq!(
        tiles_between(0, i64::MAX as u64)
            .next()
            .unwrap()
            .to_string(),
        "tile/entries/000"
    );
}

#[test]
fn malformed_tiles_are_refused() {
    let two = encode_hashes(&[Hash::of_leaf(b"a"), Hash::of_leaf(b"b")]);
    assert_eq!(decode_hashes(&two, 2).unwrap().len(), 2);
    assert_eq!(decode_hashes(&two, 3), Err(BadTile::Short { at: 2 }));
    assert_eq!(decode_hashes(&two, 1), Err(BadTile::Long));
    assert_eq!(decode_hashes(&two[..63], 2), Err(BadTile::Short { at: 1 }));
    assert_eq!(
        decode_hashes(&[two.as_slice(), b"x"].concat(), 2),
        Err(BadTile::Long)
    );
    let bundle = encode_bundle([b"a".as_slice(), b"", b"bc"]).unwrap();
    assert_eq!(bundle, b"\0\x01a\0\0\0\x02bc");
    assert_eq!(
        decode_bundle(&bundle, 3).unwrap(),
        [b"a".as_slice(), b"", b"bc"]
    );
    assert_eq!(decode_bundle(&bundle, 4), Err(BadTile::Short { at: 3 }));
    assert_eq!(decode_bundle(&bundle, 2), Err(BadTile::Long));
    assert_eq!(
        decode_bundle(&bundle[..8], 3),
        Err(BadTile::Short { at: 2 })
    );
    assert_eq!(decode_bundle(b"\xff\xff", 1), Err(BadTile::Short { at: 0 }));
    let long = vec![0; MAX_ENTRY_BYTES + 1];
    assert_eq!(
        encode_bundle([b"".as_slice(), &long]),
        Err(BadTile::Entry { at: 1 })
    );
    assert!(encode_bundle([&long[1..]]).is_ok());
}

#[test]
fn an_append_that_fails_changes_nothing() {
    let mut tail = TreeTail::empty();
    tail.append(&[b"a"]).unwrap();
    let root = tail.root();
    let long = vec![0; MAX_ENTRY_BYTES + 1];
    assert_eq!(tail.append(&[b"b", &long]), Err(BadTile::Entry { at: 1 }));
    assert_eq!((tail.size(), tail.root()), (1, root));
    assert_eq!(tail.append(&[]).unwrap(), []);
}

/// However the entries come in batches, the files and the root are the same,
/// and a tail that was read back goes on as if it had never stopped.
#[test]
fn a_resumed_tail_goes_on() {
    let entries: Vec<Vec<u8>> = (0..70_000_u32).map(|n| n.to_be_bytes().to_vec()).collect();
    let all: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    let mut whole = TreeTail::empty();
    let files = whole.append(&all).unwrap();
    let mut expected: Vec<_> = tiles_between(0, 70_000).collect();
    let mut given: Vec<_> = files.iter().map(|file| file.path).collect();
    expected.sort();
    given.sort();
    assert_eq!(given, expected);
    for cut in [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 69_999] {
        let mut first = TreeTail::empty();
        let before = first.append(&all[..cut]).unwrap();
        let mut tiles = TileSet::default();
        let mut bundle = Vec::new();
        for file in before {
            match file.path.kind() {
                TileKind::Hashes { .. } => tiles.insert(
                    file.path,
                    decode_hashes(&file.bytes, file.path.width()).unwrap(),
                ),
                TileKind::Entries if !file.path.is_full() => bundle = file.bytes,
                TileKind::Entries => {}
            }
        }
        let edge = RightEdge::read(&tiles, cut as u64).unwrap();
        assert_eq!(edge.root(), first.root());
        let mut resumed = TreeTail::resume(edge, bundle).unwrap();
        let after = resumed.append(&all[cut..]).unwrap();
        assert_eq!(resumed.root(), whole.root(), "cut at {cut}");
        let mut given: Vec<_> = after.iter().map(|file| file.path).collect();
        let mut expected: Vec<_> = tiles_between(cut as u64, 70_000).collect();
        given.sort();
        expected.sort();
        assert_eq!(given, expected, "cut at {cut}");
        for file in after {
            assert!(files.contains(&file), "{}", file.path);
        }
    }
    let edge = RightEdge::empty();
    assert!(TreeTail::resume(edge, b"\0\0".to_vec()).is_err());
}

proptest! {
    #[test]
    fn every_path_reads_back(level in 0..=63_u8, index: u64, width in 1..=256_u64, entries: bool) {
        let kind = if entries { TileKind::Entries } else { hashes(level) };
        let path = TilePath::of_width(kind, index, width).unwrap();
        prop_assert_eq!(path.to_string().parse::<TilePath>().unwrap(), path);
    }

    #[test]
    fn a_path_has_one_spelling(text in "tile/(entries|[0-9]{1,2})/(x[0-9]{3}/){0,6}[0-9]{3}(\\.p/[0-9]{1,3})?") {
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn no_bytes_make_the_bundle_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), width in 0..=256_u16) {
        if let Ok(entries) = decode_bundle(&bytes, width) {
            prop_assert_eq!(encode_bundle(entries).unwrap(), bytes);
        }
    }
}
