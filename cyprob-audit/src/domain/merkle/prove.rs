//! Making proofs (RFC 6962 sections 2.1.1 and 2.1.2).

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::convert::Infallible;

use super::reader::{split, subtree};
use super::{MAX_TREE_SIZE, TileReader, TreeError};
use crate::domain::Hash;
use crate::domain::tile::TilePath;

/// The root of the tree's first `size` leaves.
///
/// # Errors
///
/// [`TreeError`] if the size is too large or a tile cannot be had.
pub fn root_at<R: TileReader>(reader: &R, size: u64) -> Result<Hash, TreeError<R::Error>> {
    if size == 0 {
        return Ok(Hash::of_empty_tree());
    }
    subtree(reader, size, 0, size)
}

/// The inclusion proof of leaf `index` in the tree of `size` leaves, from the leaf's sibling up.
///
/// # Errors
///
/// [`TreeError`] if there is no such leaf or a tile cannot be had.
pub fn prove_inclusion<R: TileReader>(
    reader: &R,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, TreeError<R::Error>> {
    if index >= size || size > MAX_TREE_SIZE {
        return Err(TreeError::Range);
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(subtree(reader, size, middle, end)?);
            end = middle;
        } else {
            path.push(subtree(reader, size, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `new` leaves begins with the tree of `old` leaves.
///
/// It is empty for equal sizes and for an empty old tree.
///
/// # Errors
///
/// [`TreeError`] if `old` is above `new` or a tile cannot be had.
pub fn prove_consistency<R: TileReader>(
    reader: &R,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, TreeError<R::Error>> {
    if old > new || new > MAX_TREE_SIZE {
        return Err(TreeError::Range);
    }
    let mut path = Vec::new();
    if old == 0 || old == new {
        return Ok(path);
    }
    let (mut start, mut end) = (0, new);
    // `end` reaches `old` at the latest when one leaf is left.
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(subtree(reader, new, middle, end)?);
            end = middle;
        } else {
            path.push(subtree(reader, new, start, middle)?);
            start = middle;
        }
    }
    if start != 0 {
        path.push(subtree(reader, new, start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// The hash tiles that [`prove_inclusion`] reads.
///
/// # Errors
///
/// [`TreeError::Range`] if there is no such leaf.
pub fn inclusion_tiles(index: u64, size: u64) -> Result<BTreeSet<TilePath>, TreeError<Infallible>> {
    recorded(|recorder| prove_inclusion(recorder, index, size).map(drop))
}

/// The hash tiles that [`prove_consistency`] reads.
///
/// # Errors
///
/// [`TreeError::Range`] if `old` is above `new`.
pub fn consistency_tiles(old: u64, new: u64) -> Result<BTreeSet<TilePath>, TreeError<Infallible>> {
    recorded(|recorder| prove_consistency(recorder, old, new).map(drop))
}

/// The hash tiles that [`root_at`] and [`super::RightEdge::read`] read: the partial ones.
///
/// # Errors
///
/// [`TreeError::Range`] if the size is too large.
pub fn root_tiles(size: u64) -> Result<BTreeSet<TilePath>, TreeError<Infallible>> {
    recorded(|recorder| super::RightEdge::read(recorder, size).map(drop))
}

/// Answers every tile with zeros and remembers which were asked for.
#[derive(Default)]
struct Recorder(RefCell<BTreeSet<TilePath>>);

impl TileReader for Recorder {
    type Error = Infallible;

    fn tile(&self, path: TilePath) -> Result<Option<Vec<Hash>>, Infallible> {
        self.0.borrow_mut().insert(path);
        let zero = Hash::from_bytes([0; Hash::LEN]);
        Ok(Some(vec![zero; usize::from(path.width())]))
    }
}

fn recorded(
    read: impl FnOnce(&Recorder) -> Result<(), TreeError<Infallible>>,
) -> Result<BTreeSet<TilePath>, TreeError<Infallible>> {
    let recorder = Recorder::default();
    read(&recorder)?;
    Ok(recorder.0.into_inner())
}
