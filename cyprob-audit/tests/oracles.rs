//! Two implementations that are not ours agree with our roots and proofs.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, where a panic is the report"
)]

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use cyprob_audit::domain::{
    Checkpoint, Hash, TileKind, TilePath, TileSet, TreeTail, decode_hashes, prove_consistency,
    prove_inclusion, root_at, verify_consistency, verify_inclusion,
};
use cyprob_audit::testkit::TestLog;
use sha2::Sha256;
use tlog_tiles::tlog::{HashReader, check_record, check_tree, prove_record, prove_tree, tree_hash};

const SIZES: [u64; 12] = [1, 2, 3, 7, 8, 100, 255, 256, 257, 511, 600, 1_000];

fn entries(size: u64) -> Vec<Vec<u8>> {
    (0..size)
        .map(|n| format!("entry {n}").into_bytes())
        .collect()
}

fn tiles(size: u64) -> TileSet {
    let entries = entries(size);
    let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
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

fn indexes(size: u64) -> impl Iterator<Item = u64> {
    (0..size).filter(move |n| *n < 5 || n % 37 == 0 || size - n < 5)
}

#[test]
fn ct_merkle_agrees() {
    let mut checked = 0;
    for size in SIZES {
        let entries = entries(size);
        let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        for entry in &entries {
            tree.push(entry.clone());
        }
        let tiles = tiles(size);
        let root = root_at(&tiles, size).unwrap();
        assert_eq!(tree.root().as_bytes().as_slice(), root.as_bytes());
        for index in indexes(size) {
            let ours = prove_inclusion(&tiles, index, size).unwrap();
            let theirs = tree.prove_inclusion(index as usize);
            let bytes: Vec<u8> = ours.iter().flat_map(|hash| *hash.as_bytes()).collect();
            assert_eq!(theirs.as_bytes(), bytes, "{index} of {size}");
            let entry = &entries[index as usize];
            tree.root().verify_inclusion(entry, index, &theirs).unwrap();
            verify_inclusion(&ours, index, size, &Hash::of_leaf(entry), &root).unwrap();
            checked += 1;
        }
        for old in indexes(size).filter(|old| *old > 0) {
            let ours = prove_consistency(&tiles, old, size).unwrap();
            let theirs = tree.prove_consistency((size - old) as usize);
            let bytes: Vec<u8> = ours.iter().flat_map(|hash| *hash.as_bytes()).collect();
            assert_eq!(theirs.as_bytes(), bytes, "{old} to {size}");
            let old_root = root_at(&self::tiles(old), old).unwrap();
            verify_consistency(&ours, old, &old_root, size, &root).unwrap();
            checked += 1;
        }
    }
    assert!(checked > 200, "{checked}");
}

/// Stored hashes in the order of Go's sumdb.
#[derive(Default)]
struct Stored(Vec<tlog_tiles::tlog::Hash>);

impl HashReader for Stored {
    fn read_hashes(
        &self,
        indexes: &[u64],
    ) -> Result<Vec<tlog_tiles::tlog::Hash>, tlog_tiles::tlog::Error> {
        Ok(indexes.iter().map(|at| self.0[*at as usize]).collect())
    }
}

#[test]
fn tlog_tiles_agrees() {
    let theirs = |hash: &Hash| tlog_tiles::tlog::Hash(*hash.as_bytes());
    for size in SIZES {
        let entries = entries(size);
        let mut stored = Stored::default();
        for (at, entry) in (0..).zip(&entries) {
            let hashes = tlog_tiles::tlog::stored_hashes(at, entry, &stored).unwrap();
            stored.0.extend(hashes);
        }
        let tiles = tiles(size);
        let root = root_at(&tiles, size).unwrap();
        assert_eq!(tree_hash(size, &stored).unwrap().0, *root.as_bytes());
        for index in indexes(size) {
            let ours = prove_inclusion(&tiles, index, size).unwrap();
            let path: Vec<_> = ours.iter().map(theirs).collect();
            assert_eq!(path, prove_record(size, index, &stored).unwrap());
            let leaf = Hash::of_leaf(&entries[index as usize]);
            check_record(&path, size, theirs(&root), index, theirs(&leaf)).unwrap();
        }
        for old in indexes(size).filter(|old| *old > 0) {
            let ours = prove_consistency(&tiles, old, size).unwrap();
            let path: Vec<_> = ours.iter().map(theirs).collect();
            assert_eq!(path, prove_tree(size, old, &stored).unwrap());
            let old_root = root_at(&self::tiles(old), old).unwrap();
            check_tree(&path, size, theirs(&root), old, theirs(&old_root)).unwrap();
        }
    }
}

/// Their path of a tile of height 8, in the older layout, names the same tile as ours.
#[test]
fn tlog_tiles_names_the_same_tiles() {
    for index in [0, 1, 999, 1_000, 1_234_067] {
        for width in [1, 44, 255, 256] {
            let theirs = tlog_tiles::tile::Tile::new(8, 1, index, width, false).path();
            let kind = TileKind::Hashes { level: 1 };
            let ours = TilePath::of_width(kind, index, u64::from(width))
                .unwrap()
                .to_string();
            assert_eq!(theirs.replacen("tile/8/", "tile/", 1), ours);
        }
    }
}

#[test]
fn tlog_tiles_reads_our_checkpoint() {
    let log = TestLog::of_events("log.example/a", 300).unwrap();
    let at = cyprob_core::domain::Timestamp::from_seconds(1_767_229_200);
    let text = log.head(at).to_text();
    let theirs = tlog_tiles::checkpoint::Checkpoint::from_bytes(text.as_bytes()).unwrap();
    let ours = Checkpoint::parse_text(&text).unwrap();
    assert_eq!(theirs.origin(), ours.origin().as_str());
    assert_eq!(theirs.size(), ours.size());
    assert_eq!(theirs.hash().0, *ours.root().as_bytes());
    assert_eq!(theirs.extension(), "time 1767229200\n");
}
