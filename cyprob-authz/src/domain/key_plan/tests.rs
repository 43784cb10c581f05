use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
/// How far a clock is from the true time at most: two are a minute apart then.
const SKEW: i64 = 30;
/// How old a node's plan may be.
const RELOAD: i64 = 60;
/// The longest life of a token.
const LIFE: i64 = 15 * 60;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(START.as_seconds() + seconds)
}

fn key(id: u32) -> NewKey {
    NewKey {
        id: RootKeyId::new(id),
        public: [u8::try_from(id % 256).unwrap(); 32],
    }
}

const fn id(number: u32) -> RootKeyId {
    RootKeyId::new(number)
}

fn first() -> KeyPlan {
    KeyPlan::first(key(1), START)
}

/// What the plan publishes at a time: ids with their statuses.
fn published(plan: &KeyPlan, seconds: i64) -> Vec<(u32, &'static str)> {
    let ring = plan.ring(at(seconds)).unwrap();
    let keys = ring.iter().map(|key| (key.id.get(), key.status.as_str()));
    keys.collect()
}

#[test]
fn a_new_key_is_published_before_it_signs_and_the_old_one_retires_after() {
    let plan = first().rotate(key(2), at(0)).unwrap();
    assert_eq!(published(&plan, 0), [(1, "active"), (2, "verify-only")]);
    assert_eq!(published(&plan, 299), [(1, "active"), (2, "verify-only")]);
    assert_eq!(published(&plan, 300), [(1, "verify-only"), (2, "active")]);
    let end = 300 + 16 * 60;
    assert_eq!(
        published(&plan, end - 1),
        [(1, "verify-only"), (2, "active")]
    );
    // A retired key is published no more.
    assert_eq!(published(&plan, end), [(2, "active")]);
}

#[test]
fn while_a_key_is_on_its_way_there_is_no_other() {
    let plan = first().rotate(key(2), at(0)).unwrap();
    let pending = PlanError::Pending {
        id: id(2),
        signs_from: at(300),
    };
    assert_eq!(plan.rotate(key(3), at(299)), Err(pending));
    let plan = plan.rotate(key(3), at(300)).unwrap();
    assert_eq!(plan.signer(at(300)), id(2));
    assert_eq!(plan.signer(at(600)), id(3));
}

#[test]
fn revoking_the_key_that_signs_puts_the_published_one_to_work_at_once() {
    let plan = first().rotate(key(2), at(0)).unwrap();
    let plan = plan.revoke(id(1), None, at(10)).unwrap();
    assert_eq!(published(&plan, 10), [(1, "revoked"), (2, "active")]);
    assert_eq!(plan.key(id(2)).unwrap().not_after, None);
}

#[test]
fn revoking_the_key_that_signs_brings_no_retired_one_back() {
    let plan = first().rotate(key(2), at(0)).unwrap();
    let retired = 300 + 16 * 60;
    assert_eq!(
        plan.revoke(id(2), None, at(retired)),
        Err(PlanError::NeedsKey)
    );
    let plan = plan.revoke(id(2), Some(key(3)), at(retired)).unwrap();
    // Not even for a node whose clock is a minute behind.
    for seconds in [retired - 60, retired, retired + 60] {
        assert_eq!(plan.signer(at(seconds)), id(3));
    }
    assert_eq!(published(&plan, retired), [(2, "revoked"), (3, "active")]);
}

#[test]
fn a_key_on_its_way_out_signs_again_if_its_successor_is_revoked() {
    let plan = first().rotate(key(2), at(0)).unwrap();
    for (when, what) in [(100, "before it signed"), (400, "after")] {
        let plan = plan.revoke(id(2), None, at(when)).unwrap();
        assert_eq!(plan.signer(at(when)), id(1), "{what}");
        assert_eq!(plan.key(id(1)).unwrap().not_after, None, "{what}");
    }
}

#[test]
fn revoking_twice_or_what_is_unknown_changes_nothing() {
    let plan = first().rotate(key(2), at(0)).unwrap();
    let once = plan.revoke(id(1), None, at(10)).unwrap();
    assert_eq!(once.revoke(id(1), None, at(20)), Ok(once.clone()));
    assert_eq!(
        once.revoke(id(9), None, at(20)),
        Err(PlanError::Unknown(id(9)))
    );
}

#[test]
fn an_id_is_not_given_out_twice() {
    let plan = first().rotate(key(2), at(0)).unwrap();
    let plan = plan.revoke(id(2), None, at(1)).unwrap();
    assert_eq!(plan.rotate(key(2), at(2)), Err(PlanError::Reused(id(2))));
    let later = 40 * 24 * 60 * 60;
    let plan = plan.rotate(key(3), at(later)).unwrap();
    assert!(plan.key(id(2)).is_none(), "what is long over is forgotten");
    assert_eq!(
        plan.rotate(key(3), at(2 * later)),
        Err(PlanError::Reused(id(3)))
    );
}

#[test]
fn a_stored_plan_that_does_not_fit_together_is_refused() {
    let plan = first().rotate(key(2), at(0)).unwrap();
    let parts = |keys: &[PlannedKey], signing, next, last| {
        KeyPlan::from_parts(keys.to_vec(), signing, next, last)
    };
    let keys = plan.keys();
    assert_eq!(parts(keys, id(1), Some(id(2)), id(2)), Ok(plan.clone()));
    let mut swapped = keys.to_vec();
    swapped.reverse();
    for broken in [
        parts(&swapped, id(1), Some(id(2)), id(2)),
        parts(keys, id(1), Some(id(2)), id(1)),
        parts(keys, id(3), Some(id(2)), id(2)),
        parts(keys, id(1), Some(id(1)), id(2)),
        parts(keys, id(1), None, id(2)),
        parts(&[], id(1), None, id(2)),
    ] {
        assert_eq!(broken, Err(PlanError::Broken));
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Rotate,
    /// Revokes one of the ids that were given out.
    Revoke(u8),
}

fn history() -> impl Strategy<Value = Vec<(i64, i64, Step)>> {
    let gap = prop_oneof![1..30_i64, 250..350_i64, 900..1_400_i64];
    let step = prop_oneof![Just(Step::Rotate), any::<u8>().prop_map(Step::Revoke)];
    prop::collection::vec((gap, -SKEW..=SKEW, step), 0..8)
}

/// The plan after each step, with the true time from which on it was kept, and
/// whether a key signs in it at once that others may not know yet.
fn lived(history: &[(i64, i64, Step)]) -> Vec<(i64, KeyPlan, bool)> {
    let mut plans = vec![(0, first(), false)];
    let mut now = 1_000;
    let mut given = 1;
    for (gap, skew, step) in history {
        now += gap;
        let before = plans.last().unwrap().1.clone();
        let clock = at(now + skew);
        let next = key(given + 1);
        let after = match step {
            Step::Rotate => before.rotate(next, clock),
            Step::Revoke(which) => {
                let which = id(u32::from(*which) % given + 1);
                match before.revoke(which, None, clock) {
                    Err(PlanError::NeedsKey) => before.revoke(which, Some(next), clock),
                    other => other,
                }
            }
        };
        let Ok(after) = after else { continue };
        given = given.max(after.last().get());
        let revoked = matches!(step, Step::Revoke(_));
        let urgent = revoked && after.signer(clock) != before.signer(clock);
        plans.push((now, after, urgent));
    }
    plans
}

/// The plan as it was kept at a true time.
fn known(plans: &[(i64, KeyPlan, bool)], time: i64) -> &KeyPlan {
    let mut known = plans.iter().rev().filter(|(since, _, _)| *since <= time);
    &known.next().unwrap_or(&plans[0]).1
}

/// How old the plan of a node is.
fn lag() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), Just(RELOAD), 0..=RELOAD]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    /// At any time and after any history exactly one key signs, and it is neither revoked nor retired.
    #[test]
    fn one_key_signs_at_any_time(history in history(), when in 0..40_000_i64) {
        for (since, plan, _) in lived(&history) {
            // No node reads a plan before it is made; one may be behind by its skew.
            let clock = at(since.max(when) - 2 * SKEW);
            let active: Vec<_> = published(&plan, clock.as_seconds() - START.as_seconds())
                .into_iter()
                .filter(|(_, status)| *status == "active")
                .collect();
            prop_assert_eq!(active, vec![(plan.signer(clock).get(), "active")]);
            let signer = plan.key(plan.signer(clock)).unwrap();
            prop_assert!(signer.revoked_at.is_none());
        }
    }

    /// A token verifies at every node until it expires, whatever plan and clock its node and that node have, unless its key was revoked or had to sign at once.
    #[test]
    fn tokens_outlive_rotations(
        history in history(),
        (step, since) in (any::<usize>(), prop_oneof![0..60_i64, 200..420_i64, 0..1_500_i64]),
        (life, age) in (1..=LIFE).prop_flat_map(|life| {
            (Just(life), prop_oneof![Just(0), 0..=life.min(70), 0..=life + 2 * SKEW])
        }),
        [here, there] in [-SKEW..=SKEW, -SKEW..=SKEW],
        [lag, other_lag] in [lag(), lag()],
    ) {
        let plans = lived(&history);
        // Near a change, where plans and clocks matter most.
        let signed = plans[step % plans.len()].0 + since;
        let signer = known(&plans, signed - lag).signer(at(signed + here));
        let looked = signed + age;
        // The token's times are those of the clock of the node that made it.
        prop_assume!(looked + there < signed + here + life);
        let plan = known(&plans, looked - other_lag);
        let revoked = |plan: &KeyPlan| plan.key(signer).is_none_or(|key| key.revoked_at.is_some());
        let newest = known(&plans, looked);
        prop_assume!(!revoked(newest));
        // A key that signs at once is not known everywhere before the plan is.
        let since = signed - lag.max(other_lag) - 2 * SKEW;
        let urgent = plans.iter().any(|(at, _, urgent)| *urgent && (since..=looked).contains(at));
        prop_assume!(!urgent);
        let ring = plan.ring(at(looked + there)).unwrap();
        let verifies = ring.get(signer).is_some_and(|key| key.verifies(at(looked + there)));
        prop_assert!(verifies, "key {signer} at {looked}: {plan:?}");
    }

    /// What was revoked verifies nothing, never signs again, and no history brings it back.
    #[test]
    fn a_revoked_key_stays_dead(history in history(), when in 0..40_000_i64) {
        let plans = lived(&history);
        let mut dead = Vec::new();
        for (_, plan, _) in &plans {
            dead.extend(plan.keys().iter().filter(|key| key.revoked_at.is_some()).map(|key| key.id));
            let ring = plan.ring(at(when)).unwrap();
            for id in &dead {
                prop_assert!(ring.get(*id).is_none_or(|key| !key.verifies(at(when))));
                prop_assert_ne!(plan.signer(at(when)), *id);
            }
        }
    }

    /// A plan that was changed in any way can be kept and read again.
    #[test]
    fn every_plan_fits_together(history in history()) {
        for (_, plan, _) in lived(&history) {
            let read = KeyPlan::from_parts(
                plan.keys().to_vec(), plan.signing(), plan.next(), plan.last());
            prop_assert_eq!(read, Ok(plan));
        }
    }
}
