//! Which objects of an organization a caller may have.

use std::collections::BTreeSet;

use super::{Caller, OrgCtx, OrgId, Tag, UserId};

/// Which objects: all of an organization's, or those that are the caller's own or have one of some tags.
///
/// What several grants give is joined, so an object is in the scope if it is in
/// any part of it. The form is the shortest: what a wider part has is in no
/// narrower one, so two scopes that admit the same objects are equal.
///
/// # Examples
///
/// ```
/// use cyprob_core::domain::{ObjectScope, Tag};
///
/// let web: Tag = "team:web".parse()?;
/// let scope = ObjectScope::OWN.join(ObjectScope::tagged([web.clone()]));
/// assert!(scope.admits(true, &[]));
/// assert!(scope.admits(false, &[web]));
/// assert!(!scope.admits(false, &["team:db".parse()?]));
/// # Ok::<(), cyprob_core::domain::TagError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectScope {
    all: bool,
    own: bool,
    tags: BTreeSet<Tag>,
    own_tags: BTreeSet<Tag>,
}

impl ObjectScope {
    /// Every object.
    pub const ALL: Self = Self {
        all: true,
        own: false,
        tags: BTreeSet::new(),
        own_tags: BTreeSet::new(),
    };

    /// No object.
    pub const NONE: Self = Self {
        all: false,
        own: false,
        tags: BTreeSet::new(),
        own_tags: BTreeSet::new(),
    };

    /// The caller's own objects.
    pub const OWN: Self = Self {
        all: false,
        own: true,
        tags: BTreeSet::new(),
        own_tags: BTreeSet::new(),
    };

    /// The objects that have any of these tags.
    #[must_use]
    pub fn tagged(tags: impl IntoIterator<Item = Tag>) -> Self {
        Self {
            tags: tags.into_iter().collect(),
            ..Self::NONE
        }
    }

    /// The caller's own objects that have any of these tags.
    #[must_use]
    pub fn own_tagged(tags: impl IntoIterator<Item = Tag>) -> Self {
        Self {
            own_tags: tags.into_iter().collect(),
            ..Self::NONE
        }
    }

    /// What is in either.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.all |= other.all;
        if self.all {
            return Self::ALL;
        }
        self.own |= other.own;
        self.tags.extend(other.tags);
        if self.own {
            self.own_tags.clear();
        } else {
            self.own_tags.extend(other.own_tags);
            self.own_tags.retain(|tag| !self.tags.contains(tag));
        }
        self
    }

    /// Whether whatever is in the other is in it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.clone().join(other.clone()) == *self
    }

    /// Whether every object is in it.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        self.all
    }

    /// Whether the caller's own objects are in it, whatever their tags.
    #[must_use]
    pub const fn has_own(&self) -> bool {
        self.all || self.own
    }

    /// The tags of which one is enough.
    #[must_use]
    pub const fn tags(&self) -> &BTreeSet<Tag> {
        &self.tags
    }

    /// The tags of which one is enough for an object of the caller's own.
    #[must_use]
    pub const fn own_tags(&self) -> &BTreeSet<Tag> {
        &self.own_tags
    }

    /// Whether no object is in it.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::NONE
    }

    /// Whether an object of the caller's own may be made with these tags.
    ///
    /// It must be in the scope, and each of its tags one that the scope names: a
    /// tag lets others have the object, so it is not everybody's to give.
    #[must_use]
    pub fn admits_new(&self, tags: &BTreeSet<Tag>) -> bool {
        let given = |tag: &Tag| self.tags.contains(tag) || self.own_tags.contains(tag);
        self.all || (self.admits(true, tags) && tags.iter().all(given))
    }

    /// Whether an object with these tags is in it.
    #[must_use]
    pub fn admits<'a>(&self, own: bool, tags: impl IntoIterator<Item = &'a Tag>) -> bool {
        let asked = |tag: &Tag| self.tags.contains(tag) || (own && self.own_tags.contains(tag));
        self.all || (own && self.own) || tags.into_iter().any(asked)
    }
}

/// The proof that the caller may act in one organization on these of its objects.
///
/// A [`CtxIssuer`](super::CtxIssuer) makes it. Whoever takes it asks the store
/// for these objects, and gets no others. It is no [`OrgCtx`] and does not become
/// one unnoticed: what takes one would give out all objects.
#[derive(Clone, Debug)]
pub struct Scoped {
    org: OrgCtx,
    objects: ObjectScope,
}

impl Scoped {
    pub(super) const fn new(org: OrgCtx, objects: ObjectScope) -> Self {
        Self { org, objects }
    }

    /// The organization.
    #[must_use]
    pub const fn org(&self) -> OrgId {
        self.org.org()
    }

    /// Who acts.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        self.org.caller()
    }

    /// The proof of the organization, which says nothing of objects: for what holds for all of it.
    #[must_use]
    pub const fn org_ctx(&self) -> &OrgCtx {
        &self.org
    }

    /// Which objects.
    #[must_use]
    pub const fn objects(&self) -> &ObjectScope {
        &self.objects
    }

    /// The person whose objects are the caller's own: who acts, or on whose behalf.
    #[must_use]
    pub const fn owner(&self) -> Option<UserId> {
        self.org.caller().actor.user()
    }

    /// Whether the caller may make an object of this owner's with these tags.
    #[must_use]
    pub fn admits_new(&self, owner: UserId, tags: &BTreeSet<Tag>) -> bool {
        self.objects.is_all() || (self.owner() == Some(owner) && self.objects.admits_new(tags))
    }

    /// Whether the caller may have an object of this owner with these tags.
    #[must_use]
    pub fn admits<'a>(&self, owner: UserId, tags: impl IntoIterator<Item = &'a Tag>) -> bool {
        self.objects.admits(self.owner() == Some(owner), tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(texts: &[&str]) -> Vec<Tag> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// Every scope over two tags, from its parts.
    fn scopes() -> Vec<ObjectScope> {
        let few = [&[][..], &["a"], &["b"], &["a", "b"]];
        let mut scopes = vec![ObjectScope::ALL];
        for own in [ObjectScope::NONE, ObjectScope::OWN] {
            for some in few {
                for own_some in few {
                    let scope = own.clone().join(ObjectScope::tagged(tags(some)));
                    scopes.push(scope.join(ObjectScope::own_tagged(tags(own_some))));
                }
            }
        }
        scopes
    }

    fn objects() -> Vec<(bool, Vec<Tag>)> {
        let few = [&[][..], &["a"], &["b"], &["a", "b"], &["c"]];
        let both = [true, false];
        both.into_iter()
            .flat_map(|own| few.map(|some| (own, tags(some))))
            .collect()
    }

    #[test]
    fn joined_they_admit_what_either_admits() {
        for left in scopes() {
            for right in scopes() {
                let both = left.clone().join(right.clone());
                assert_eq!(both, right.clone().join(left.clone()));
                for (own, tags) in objects() {
                    let either = left.admits(own, &tags) || right.admits(own, &tags);
                    assert_eq!(both.admits(own, &tags), either, "{left:?} {right:?}");
                }
            }
        }
    }

    #[test]
    fn one_covers_another_if_it_admits_all_that_the_other_does() {
        for left in scopes() {
            for right in scopes() {
                let all = objects()
                    .iter()
                    .all(|(own, tags)| left.admits(*own, tags) || !right.admits(*own, tags));
                assert_eq!(left.covers(&right), all, "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn a_new_object_has_no_tag_but_those_that_are_named() {
        let set = |texts: &[&str]| -> BTreeSet<Tag> { tags(texts).into_iter().collect() };
        let web = ObjectScope::tagged(tags(&["web"]));
        let own_web = ObjectScope::own_tagged(tags(&["web"]));
        for (scope, may, may_not) in [
            (ObjectScope::ALL, vec![set(&[]), set(&["db"])], vec![]),
            (ObjectScope::NONE, vec![], vec![set(&[]), set(&["db"])]),
            (ObjectScope::OWN, vec![set(&[])], vec![set(&["db"])]),
            (
                web.clone(),
                vec![set(&["web"])],
                vec![set(&[]), set(&["db", "web"])],
            ),
            (
                own_web,
                vec![set(&["web"])],
                vec![set(&[]), set(&["db", "web"])],
            ),
            (
                web.join(ObjectScope::OWN),
                vec![set(&[]), set(&["web"])],
                vec![set(&["db"])],
            ),
        ] {
            assert!(may.iter().all(|tags| scope.admits_new(tags)), "{scope:?}");
            assert!(
                !may_not.iter().any(|tags| scope.admits_new(tags)),
                "{scope:?}"
            );
        }
    }

    #[test]
    fn two_that_admit_the_same_are_equal() {
        for left in scopes() {
            for right in scopes() {
                let alike = objects()
                    .iter()
                    .all(|(own, tags)| left.admits(*own, tags) == right.admits(*own, tags));
                assert_eq!(left == right, alike, "{left:?} {right:?}");
            }
        }
    }
}
