//! Ends or fails this thread's changes of the file system at a chosen step, in tests.

use std::cell::Cell;

use crate::ports::SecretError;

/// What happens at the chosen step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// As if the process was killed: this step and all later ones do nothing.
    Kill,
    /// This step fails once, as on a full or broken disk.
    Fail,
}

thread_local! {
    static PLAN: Cell<Option<(Fault, u32)>> = const { Cell::new(None) };
    static STRUCK: Cell<bool> = const { Cell::new(false) };
}

/// Runs work with a fault at its step `at`, counted from 0; says whether it came to that.
pub(super) fn strike<T>(fault: Fault, at: u32, work: impl FnOnce() -> T) -> (T, bool) {
    PLAN.set(Some((fault, at)));
    STRUCK.set(false);
    let done = work();
    PLAN.set(None);
    (done, STRUCK.get())
}

/// One step, at which the fault may be.
pub(super) fn step() -> Result<(), SecretError> {
    let Some((fault, left)) = PLAN.get() else {
        return Ok(());
    };
    if let Some(left) = left.checked_sub(1) {
        PLAN.set(Some((fault, left)));
        return Ok(());
    }
    STRUCK.set(true);
    if fault == Fault::Fail {
        PLAN.set(None);
    }
    Err(SecretError::unavailable("the test struck here"))
}
