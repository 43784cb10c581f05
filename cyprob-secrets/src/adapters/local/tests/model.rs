//! Any interleaving of changes, rotations, kills and openings, against a model.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::faults::{Fault, strike};
use super::*;

const HANDLES: usize = 3;
const NAMES: [&str; 3] = ["a", "b/c", "d"];

/// One step of a run; the first number is the handle's.
#[derive(Clone, Debug)]
enum Act {
    Put(usize, usize, u16),
    Delete(usize, usize),
    Rewrap(usize),
    Reencrypt(usize),
    Open(usize),
    /// The act inside is killed at the step, and its handle opened again.
    Killed(Box<Act>, u32),
}

impl Act {
    fn handle(&self) -> usize {
        match self {
            Self::Put(handle, ..) | Self::Delete(handle, _) => *handle,
            Self::Rewrap(handle) | Self::Reencrypt(handle) | Self::Open(handle) => *handle,
            Self::Killed(inner, _) => inner.handle(),
        }
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let handle = 0..HANDLES;
    let whole = prop_oneof![
        4 => (handle.clone(), 0..NAMES.len(), any::<u16>()).prop_map(|(h, n, v)| Act::Put(h, n, v)),
        2 => (handle.clone(), 0..NAMES.len()).prop_map(|(h, n)| Act::Delete(h, n)),
        2 => handle.clone().prop_map(Act::Rewrap),
        2 => handle.clone().prop_map(Act::Reencrypt),
        1 => handle.prop_map(Act::Open),
    ];
    let act = prop_oneof![
        2 => whole.clone(),
        1 => (whole, 0_u32..40).prop_map(|(act, at)| Act::Killed(Box::new(act), at)),
    ];
    prop::collection::vec(act, 1..16)
}

/// What a store should hold: the versions of each name, and the last number given.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model(BTreeMap<&'static str, (u64, BTreeMap<u64, String>)>);

impl Model {
    fn act(&mut self, act: &Act) {
        match act {
            Act::Put(_, of, text) => {
                let (last, live) = self.0.entry(NAMES[*of]).or_default();
                *last += 1;
                live.insert(*last, text.to_string());
            }
            Act::Delete(_, of) => self.0.entry(NAMES[*of]).or_default().1.clear(),
            _ => {}
        }
    }

    fn newest(&self, of: &str) -> u64 {
        let live = self.0.get(of).map(|(_, live)| live);
        live.and_then(|live| live.keys().next_back().copied())
            .unwrap_or(0)
    }

    /// Whether a handle shows exactly this.
    fn is_shown_by(&self, store: &LocalStore) -> Result<(), TestCaseError> {
        let mut names = Vec::new();
        for of in NAMES {
            let (last, live) = self.0.get(of).cloned().unwrap_or_default();
            for version in 1..=last + 1 {
                let read = get(store, of, version).unwrap();
                prop_assert_eq!(read.as_ref(), live.get(&version), "{} {}", of, version);
            }
            let newest = live.values().next_back();
            let read = get(store, of, 0).unwrap();
            prop_assert_eq!(read.as_ref(), newest, "{}", of);
            let versions = block_on(store.versions(&name(of))).unwrap();
            let versions: Vec<_> = versions.into_iter().map(SecretVersion::get).collect();
            prop_assert_eq!(versions, live.keys().copied().collect::<Vec<_>>());
            if !live.is_empty() {
                names.push(name(of));
            }
        }
        prop_assert_eq!(block_on(store.names()).unwrap(), names);
        Ok(())
    }
}

fn apply(act: &Act, stores: &mut [LocalStore], place: &Place, model: &Model) -> Option<()> {
    match act {
        Act::Put(handle, of, text) => {
            let value = SecretValue::from_text(&text.to_string().into()).unwrap();
            let expected = SecretVersion::new(model.newest(NAMES[*of]));
            let expected = expected.map_or(Expected::Absent, Expected::Version);
            let (of, at) = (name(NAMES[*of]), Timestamp::UNIX_EPOCH);
            let put = block_on(stores[*handle].put(&of, &value, expected, at)).ok()?;
            assert!(matches!(put, PutOutcome::Stored(_)), "{put:?}");
        }
        Act::Delete(handle, of) => {
            let had = model.newest(NAMES[*of]) > 0;
            let deleted = block_on(stores[*handle].delete(&name(NAMES[*of]))).ok()?;
            assert_eq!(deleted, had);
        }
        Act::Rewrap(handle) => drop(rewrap(&stores[*handle]).ok()?),
        Act::Reencrypt(handle) => drop(reencrypt(&stores[*handle]).ok()?),
        Act::Open(handle) => stores[*handle] = place.open().ok()?,
        Act::Killed(..) => unreachable!("one level"),
    }
    Some(())
}

fn run(acts: &[Act]) -> Result<(), TestCaseError> {
    let place = Place::new();
    let mut stores: Vec<_> = (0..HANDLES).map(|_| place.open().unwrap()).collect();
    let mut model = Model::default();
    for act in acts {
        let Act::Killed(inner, at) = act else {
            apply(act, &mut stores, &place, &model).unwrap();
            model.act(act);
            for store in &stores {
                model.is_shown_by(store)?;
            }
            continue;
        };
        let (ended, struck) = strike(Fault::Kill, *at, || {
            apply(inner, &mut stores, &place, &model)
        });
        prop_assert!(struck || ended.is_some());
        let handle = inner.handle();
        stores[handle] = place.open().unwrap();
        let mut changed = model.clone();
        changed.act(inner);
        // All or nothing, and what was told as done is done.
        if ended.is_some() || changed.is_shown_by(&stores[handle]).is_ok() {
            model = changed;
        }
        for store in &stores {
            model.is_shown_by(store)?;
        }
    }
    let old = fs::read(place.file("store")).unwrap();
    reencrypt(&stores[0]).unwrap();
    prop_assert!(old != fs::read(place.file("store")).unwrap());
    model.is_shown_by(&place.open().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_its_model_whatever_happens(acts in acts()) {
        run(&acts)?;
    }
}
