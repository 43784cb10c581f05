use proptest::prelude::*;

use super::*;
use crate::domain::Hash;
use crate::domain::tile::{TileKind, TilePath, TreeTail, decode_hashes};

/// The root by the words of RFC 6962 section 2.1, and nothing clever.
fn plain_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of_empty_tree(),
        [leaf] => *leaf,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            Hash::of_node(&plain_root(&leaves[..k]), &plain_root(&leaves[k..]))
        }
    }
}

fn leaf(n: u64) -> Hash {
    Hash::of_leaf(&n.to_be_bytes())
}

/// The tiles of a tree of this size.
fn tiles(size: u64) -> TileSet {
    let entries: Vec<_> = (0..size).map(u64::to_be_bytes).collect();
    let entries: Vec<&[u8]> = entries.iter().map(<[u8; 8]>::as_slice).collect();
    TreeTail::empty()
        .append(&entries)
        .unwrap()
        .into_iter()
        .filter(|file| file.path.kind() != TileKind::Entries)
        .map(|file| {
            (
                file.path,
                decode_hashes(&file.bytes, file.path.width()).unwrap(),
            )
        })
        .collect()
}

/// The tiles of a tree of any size, all leaves alike, computed when asked for.
struct Alike;

impl TileReader for Alike {
    type Error = std::convert::Infallible;

    fn tile(&self, path: TilePath) -> Result<Option<Vec<Hash>>, Self::Error> {
        let TileKind::Hashes { level } = path.kind() else {
            return Ok(None);
        };
        let mut hash = leaf(0);
        for _ in 0..8 * u32::from(level) {
            hash = Hash::of_node(&hash, &hash);
        }
        Ok(Some(vec![hash; usize::from(path.width())]))
    }
}

#[test]
fn roots_of_all_small_trees_are_rfc_6962s() {
    let leaves: Vec<_> = (0..600).map(leaf).collect();
    let mut edge = RightEdge::empty();
    for size in 0..=600_usize {
        assert_eq!(edge.root(), plain_root(&leaves[..size]), "{size}");
        let bytes = edge.to_bytes();
        let read = RightEdge::from_bytes(size as u64, &bytes).unwrap();
        assert_eq!(read.root(), edge.root());
        assert_eq!(RightEdge::from_bytes(size as u64 + 1, &bytes), None);
        assert_eq!(
            RightEdge::from_bytes(size as u64, &[&bytes[..], b"x"].concat()),
            None
        );
        if let Some(leaf) = leaves.get(size) {
            edge.push(*leaf, |_, _| {}).unwrap();
        }
    }
}

#[test]
fn every_proof_of_small_trees_holds_and_no_other() {
    for size in (1..=20).chain([255, 256, 257, 300]) {
        let tiles = tiles(size);
        let root = root_at(&tiles, size).unwrap();
        for index in 0..size {
            let path = prove_inclusion(&tiles, index, size).unwrap();
            verify_inclusion(&path, index, size, &leaf(index), &root).unwrap();
            assert!(verify_inclusion(&path, index, size, &leaf(index + 1), &root).is_err());
            for other in 0..size {
                let held = verify_inclusion(&path, other, size, &leaf(index), &root).is_ok();
                assert_eq!(held, other == index, "{index} as {other} of {size}");
            }
        }
    }
}

#[test]
fn every_growth_of_small_trees_is_consistent_and_no_other() {
    let leaves: Vec<_> = (0..40).map(leaf).collect();
    for new in 0..=40 {
        let tiles = tiles(new);
        let new_root = plain_root(&leaves[..new as usize]);
        for old in 0..=new {
            let old_root = plain_root(&leaves[..old as usize]);
            let path = prove_consistency(&tiles, old, new).unwrap();
            verify_consistency(&path, old, &old_root, new, &new_root).unwrap();
            let bad = leaf(99);
            assert!(verify_consistency(&path, old, &bad, new, &new_root).is_err());
            // The empty tree is a beginning of whatever there is.
            let any = old == 0 && new > 0;
            assert_eq!(
                verify_consistency(&path, old, &old_root, new, &bad).is_ok(),
                any
            );
            let mut longer = path.clone();
            longer.push(bad);
            assert!(verify_consistency(&longer, old, &old_root, new, &new_root).is_err());
            if let Some((_, shorter)) = path.split_last() {
                assert!(verify_consistency(shorter, old, &old_root, new, &new_root).is_err());
            }
            for other in 0..=new {
                let held = verify_consistency(&path, other, &old_root, new, &new_root).is_ok();
                assert_eq!(held, other == old, "{old} as {other} to {new}");
            }
        }
        assert_eq!(
            prove_consistency(&tiles, new + 1, new),
            Err(TreeError::Range)
        );
    }
}

#[test]
fn proofs_of_the_largest_tree_hold() {
    let size = MAX_TREE_SIZE;
    let root = root_at(&Alike, size).unwrap();
    for index in [0, 1, 255, 256, 1 << 40, size / 2, size - 1] {
        let path = prove_inclusion(&Alike, index, size).unwrap();
        assert!(path.len() <= 63, "{}", path.len());
        verify_inclusion(&path, index, size, &leaf(0), &root).unwrap();
        assert!(inclusion_tiles(index, size).unwrap().len() <= 16);
    }
    for old in [1, 255, 1 << 62, (1 << 62) + 1, size - 1] {
        let path = prove_consistency(&Alike, old, size).unwrap();
        let old_root = root_at(&Alike, old).unwrap();
        verify_consistency(&path, old, &old_root, size, &root).unwrap();
    }
    let edge = RightEdge::read(&Alike, size).unwrap();
    assert_eq!(edge.root(), root);
    let mut full = edge.clone();
    assert_eq!(full.push(leaf(0), |_, _| {}), Err(TreeFull));
    assert_eq!(full, edge);
}

#[test]
fn sizes_and_indexes_beyond_the_tree_are_refused() {
    let tiles = tiles(3);
    for (index, size) in [(3, 3), (0, 0), (u64::MAX, 3), (0, 1 << 63), (0, u64::MAX)] {
        assert!(matches!(
            prove_inclusion(&tiles, index, size),
            Err(TreeError::Range)
        ));
        assert!(verify_inclusion(&[], index, size, &leaf(0), &leaf(0)).is_err());
    }
    assert!(RightEdge::read(&tiles, 1 << 63).is_err());
    assert!(root_at(&tiles, u64::MAX).is_err());
    assert!(verify_consistency(&[], 0, &Hash::of_empty_tree(), u64::MAX, &leaf(0)).is_err());
    // Tiles that are not there, or are of another width.
    assert!(matches!(root_at(&tiles, 4), Err(TreeError::Tile { .. })));
    let mut narrow = TileSet::default();
    let path = TilePath::of_width(TileKind::Hashes { level: 0 }, 0, 3).unwrap();
    narrow.insert(path, vec![leaf(0); 2]);
    assert!(matches!(root_at(&narrow, 3), Err(TreeError::Tile { .. })));
}

#[test]
fn a_path_of_a_million_hashes_is_refused() {
    let path = vec![leaf(0); 1_000_000];
    let root = leaf(0);
    assert!(verify_inclusion(&path, 0, MAX_TREE_SIZE, &leaf(0), &root).is_err());
    assert!(verify_consistency(&path, 1, &root, MAX_TREE_SIZE, &root).is_err());
    assert!(verify_inclusion(&path, 0, 1, &leaf(0), &root).is_err());
}

#[test]
fn a_proof_reads_what_it_says_it_reads() {
    for (index, size) in [(0, 1), (299, 300), (5, 70_000), (69_999, 70_000)] {
        let some = inclusion_tiles(index, size).unwrap();
        let only: TileSet = some
            .into_iter()
            .map(|path| (path, Alike.tile(path).unwrap().unwrap()))
            .collect();
        let path = prove_inclusion(&only, index, size).unwrap();
        let root = root_at(&Alike, size).unwrap();
        verify_inclusion(&path, index, size, &leaf(0), &root).unwrap();
    }
    let growth = consistency_tiles(300, 70_000).unwrap();
    let only: TileSet = growth
        .into_iter()
        .map(|path| (path, Alike.tile(path).unwrap().unwrap()))
        .collect();
    assert!(prove_consistency(&only, 300, 70_000).is_ok());
    assert_eq!(root_tiles(65_536).unwrap().len(), 1);
}

proptest! {
    #[test]
    fn any_change_of_a_path_is_found(size in 2..2000_u64, index: u64, at: prop::sample::Index, flip in 0..256_usize) {
        let index = index % size;
        let root = root_at(&Alike, size).unwrap();
        let mut path = prove_inclusion(&Alike, index, size).unwrap();
        let at = at.index(path.len());
        let mut bytes = *path[at].as_bytes();
        bytes[flip / 8] ^= 1 << (flip % 8);
        path[at] = Hash::from_bytes(bytes);
        prop_assert!(verify_inclusion(&path, index, size, &leaf(0), &root).is_err());
    }
}
