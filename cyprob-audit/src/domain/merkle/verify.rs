//! Verifying proofs (RFC 9162 sections 2.1.3.2 and 2.1.4.2).

use super::MAX_TREE_SIZE;
use crate::domain::Hash;

/// The inclusion proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not lead from the leaf to the root")]
pub struct InclusionError;

/// The consistency proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not lead from the old root to the new one")]
pub struct ConsistencyError;

/// Checks that a leaf hash stands at `index` in the tree of `size` leaves with this root.
///
/// # Errors
///
/// [`InclusionError`] if it does not follow from the proof; a proof that is
/// longer than needed is refused at its 64th hash, however long it is.
pub fn verify_inclusion(
    path: &[Hash],
    index: u64,
    size: u64,
    leaf: &Hash,
    root: &Hash,
) -> Result<(), InclusionError> {
    if index >= size || size > MAX_TREE_SIZE {
        return Err(InclusionError);
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return Err(InclusionError);
        }
        if at & 1 == 1 || at == last {
            hash = Hash::of_node(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = Hash::of_node(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root {
        Ok(())
    } else {
        Err(InclusionError)
    }
}

/// Checks that the tree of `new` leaves begins with the tree of `old` leaves.
///
/// The empty tree is a beginning of every tree, with its own root and an empty proof.
///
/// # Errors
///
/// [`ConsistencyError`] if it does not follow from the proof.
pub fn verify_consistency(
    path: &[Hash],
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
) -> Result<(), ConsistencyError> {
    let holds = |held: bool| held.then_some(()).ok_or(ConsistencyError);
    if old > new || new > MAX_TREE_SIZE {
        return Err(ConsistencyError);
    }
    if old == new {
        return holds(path.is_empty() && old_root == new_root);
    }
    if old == 0 {
        return holds(path.is_empty() && *old_root == Hash::of_empty_tree());
    }
    let (first, rest) = if old.is_power_of_two() {
        (old_root, path)
    } else {
        path.split_first().ok_or(ConsistencyError)?
    };
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for hash in rest {
        if last == 0 {
            return Err(ConsistencyError);
        }
        if at & 1 == 1 || at == last {
            old_hash = Hash::of_node(hash, &old_hash);
            new_hash = Hash::of_node(hash, &new_hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = Hash::of_node(&new_hash, hash);
        }
        at >>= 1;
        last >>= 1;
    }
    holds(last == 0 && old_hash == *old_root && new_hash == *new_root)
}
