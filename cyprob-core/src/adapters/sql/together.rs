//! Calls of one kind that are made together.
//!
//! A message to a database server costs much the same for one row as for ten.
//! So two calls are under way at a time, and those that come meanwhile make up
//! the next: who comes alone waits for nobody, and under load the messages get
//! fuller instead of more. A call that takes long is no longer waited for.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::ports::store::StoreError;

/// How many calls are under way: while one waits for the disk, the server works at the other.
const AT_ONCE: usize = 2;
/// The most that one call holds.
const MOST: usize = 64;
/// How long others wait for a call that is under way.
const PATIENCE: Duration = Duration::from_millis(50);

/// What a call is about.
pub(super) trait Subject {
    /// What it is told apart by.
    type Id: Ord;
    /// Whether one call may hold it more than once.
    const SHARED: bool;

    /// The thing.
    fn id(&self) -> Self::Id;
}

/// What came of a call, for one of those who made it.
type Outcome<V> = Result<V, StoreError>;

struct Caller<K, V> {
    subject: K,
    tell: oneshot::Sender<Outcome<V>>,
}

struct State<K, V> {
    waiting: Vec<Caller<K, V>>,
    /// How many are about to make a call, or make one that has not taken long yet.
    busy: usize,
}

impl<K: Subject, V> State<K, V> {
    /// Who is in the next call, in the order of what it is about; with nobody left, one less is busy.
    fn next(&mut self) -> Vec<Caller<K, V>> {
        let mut about = BTreeSet::new();
        let waiting = std::mem::take(&mut self.waiting);
        let (mut next, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|caller| {
            about.len() < MOST && (about.insert(caller.subject.id()) || K::SHARED)
        });
        next.sort_by_key(|caller| caller.subject.id());
        self.waiting = rest;
        if next.is_empty() {
            self.busy = self.busy.saturating_sub(1);
        }
        next
    }
}

/// Calls of one kind. Clones share them.
pub(super) struct Together<K, V> {
    state: Arc<Mutex<State<K, V>>>,
}

impl<K, V> Clone for Together<K, V> {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
        }
    }
}

impl<K, V> Default for Together<K, V> {
    fn default() -> Self {
        let state = State {
            waiting: Vec::new(),
            busy: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }
}

impl<K, V> fmt::Debug for Together<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Together")
    }
}

/// Whoever made the call is gone.
#[derive(Debug, thiserror::Error)]
#[error("the process is ending")]
struct Ending;

impl<K, V> Together<K, V> {
    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Subject + Send + 'static, V: Send + 'static> Together<K, V> {
    /// Makes a call with those who come at the same time.
    ///
    /// `make` gives what came of each, in their order; if it fails, it fails for
    /// all. Whoever leaves meanwhile does not stop it.
    pub(super) async fn call<F, R>(&self, subject: K, make: F) -> Outcome<V>
    where
        F: Fn(Vec<K>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<Outcome<V>>, StoreError>> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let first = {
            let mut state = self.lock();
            state.waiting.push(Caller { subject, tell });
            let first = state.busy < AT_ONCE;
            state.busy += usize::from(first);
            first
        };
        if first {
            tokio::spawn(Serving(Some(self.clone())).serve(Arc::new(make)));
        }
        told.await
            .unwrap_or_else(|_| Err(StoreError::unavailable(Ending)))
    }
}

/// Whoever makes the calls. However that ends, nobody waits for what is not under way.
struct Serving<K, V>(Option<Together<K, V>>);

impl<K, V> Drop for Serving<K, V> {
    fn drop(&mut self) {
        let Some(together) = &self.0 else { return };
        let mut state = together.lock();
        state.busy = state.busy.saturating_sub(1);
        if state.busy == 0 {
            let stranded = std::mem::take(&mut state.waiting);
            drop(state);
            drop(stranded);
        }
    }
}

impl<K: Subject + Send + 'static, V: Send + 'static> Serving<K, V> {
    /// Makes calls until nobody waits, or one has taken so long that another goes on with those who do.
    fn serve<F, R>(mut self, make: Arc<F>) -> Pin<Box<dyn Future<Output = ()> + Send>>
    where
        F: Fn(Vec<K>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<Outcome<V>>, StoreError>> + Send + 'static,
    {
        Box::pin(async move {
            while let Some(together) = &self.0 {
                let next = together.lock().next();
                if next.is_empty() {
                    // One less is busy already.
                    drop(self.0.take());
                    return;
                }
                let (subjects, callers): (Vec<_>, Vec<_>) = next
                    .into_iter()
                    .map(|caller| (caller.subject, caller.tell))
                    .unzip();
                let mut call = std::pin::pin!(make(subjects));
                if let Ok(done) = tokio::time::timeout(PATIENCE, &mut call).await {
                    tell(callers, done);
                    continue;
                }
                tokio::spawn(Self(self.0.take()).serve(make));
                tell(callers, call.await);
                return;
            }
        })
    }
}

/// Tells each what came of it.
fn tell<V>(callers: Vec<oneshot::Sender<Outcome<V>>>, done: Result<Vec<Outcome<V>>, StoreError>) {
    match done {
        Ok(outcomes) => {
            for (caller, outcome) in callers.into_iter().zip(outcomes) {
                // Whoever left does not want to know.
                let _ = caller.send(outcome);
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            for caller in callers {
                let _ = caller.send(Err(StoreError::unavailable(Arc::clone(&error))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Clone, Copy)]
    struct Number(u32);

    impl Subject for Number {
        type Id = u32;
        const SHARED: bool = false;

        fn id(&self) -> u32 {
            self.0
        }
    }

    /// Gives the double of each, and keeps what each call was about.
    #[derive(Clone, Default)]
    struct Doubles {
        calls: Arc<Mutex<Vec<Vec<u32>>>>,
        together: Together<Number, u32>,
        under_way: Arc<AtomicUsize>,
    }

    impl Doubles {
        /// What is over 1,000 takes 10 seconds, the rest 10 ms.
        async fn of(&self, number: u32) -> Outcome<u32> {
            let this = self.clone();
            let make = move |numbers: Vec<Number>| {
                let this = this.clone();
                async move {
                    let about: Vec<_> = numbers.iter().map(|number| number.0).collect();
                    this.calls.lock().unwrap().push(about.clone());
                    this.under_way.fetch_add(1, Ordering::SeqCst);
                    let slow = about.iter().any(|number| *number > 1_000);
                    let takes = if slow { 10_000 } else { 10 };
                    tokio::time::sleep(Duration::from_millis(takes)).await;
                    this.under_way.fetch_sub(1, Ordering::SeqCst);
                    if about.contains(&0) {
                        return Err(StoreError::unavailable(Ending));
                    }
                    Ok(about.into_iter().map(|number| Ok(number * 2)).collect())
                }
            };
            self.together.call(Number(number), make).await
        }

        fn spawn(&self, number: u32) -> tokio::task::JoinHandle<Outcome<u32>> {
            let this = self.clone();
            tokio::spawn(async move { this.of(number).await })
        }

        fn calls(&self) -> Vec<Vec<u32>> {
            self.calls.lock().unwrap().clone()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_come_meanwhile_make_up_the_next_call_in_their_order() {
        let doubles = Doubles::default();
        let first = doubles.spawn(7);
        tokio::time::sleep(Duration::from_millis(1)).await;
        let other = doubles.spawn(8);
        tokio::time::sleep(Duration::from_millis(1)).await;
        let rest: Vec<_> = [5, 3, 3, 9].map(|number| doubles.spawn(number)).into();
        assert_eq!(first.await.unwrap().unwrap(), 14);
        for (task, expected) in rest.into_iter().zip([10, 6, 6, 18]) {
            assert_eq!(task.await.unwrap().unwrap(), expected);
        }
        // Two about one thing are never in one call.
        assert_eq!(doubles.calls(), [vec![7], vec![8], vec![3, 5, 9], vec![3]]);
        assert_eq!(other.await.unwrap().unwrap(), 16);
        assert_eq!(doubles.of(1).await.unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_takes_long_holds_up_nobody_for_long() {
        let doubles = Doubles::default();
        let mut slow = Vec::new();
        for number in [1_001, 1_002] {
            slow.push(doubles.spawn(number));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let begun = tokio::time::Instant::now();
        let waiting = doubles.spawn(2);
        assert_eq!(waiting.await.unwrap().unwrap(), 4);
        assert!(begun.elapsed() <= PATIENCE + Duration::from_millis(15));
        assert_eq!(doubles.of(3).await.unwrap(), 6);
        assert_eq!(doubles.under_way.load(Ordering::SeqCst), 2);
        for (task, expected) in slow.into_iter().zip([2_002, 2_004]) {
            assert_eq!(task.await.unwrap().unwrap(), expected);
        }
        assert_eq!(doubles.of(4).await.unwrap(), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_stops_nothing_and_a_failure_is_everyones() {
        let doubles = Doubles::default();
        let first = doubles.spawn(1);
        tokio::time::sleep(Duration::from_millis(1)).await;
        let other = doubles.spawn(9);
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (second, third) = (doubles.spawn(2), doubles.spawn(3));
        tokio::time::sleep(Duration::from_millis(1)).await;
        first.abort();
        second.abort();
        assert_eq!(third.await.unwrap().unwrap(), 6);
        assert_eq!(doubles.calls(), [vec![1], vec![9], vec![2, 3]]);
        let first = doubles.spawn(1);
        tokio::time::sleep(Duration::from_millis(1)).await;
        let busy = doubles.spawn(8);
        tokio::time::sleep(Duration::from_millis(1)).await;
        let failing = [doubles.spawn(0), doubles.spawn(5)];
        assert!(first.await.unwrap().is_ok() && other.await.unwrap().is_ok());
        assert!(busy.await.unwrap().is_ok());
        for task in failing {
            assert!(task.await.unwrap().is_err());
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_call_that_ended_early() {
        let doubles = Doubles::default();
        let ended = |this: &Doubles| {
            let make = |_: Vec<Number>| async { panic!("ended early") };
            let together = this.together.clone();
            tokio::spawn(async move { together.call(Number(1), make).await })
        };
        for _ in 0..5 {
            assert!(ended(&doubles).await.unwrap().is_err());
        }
        // Those who came to runtimes that are gone took no place with them.
        for _ in 0..5 {
            let theirs = doubles.clone();
            let gone = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build();
                let runtime = runtime.unwrap();
                let (entered, call) = (runtime.enter(), theirs.together.clone());
                let make = |_: Vec<Number>| std::future::pending();
                let mut call = std::pin::pin!(call.call(Number(2), make));
                let waker = std::task::Waker::noop();
                let mut task = std::task::Context::from_waker(waker);
                assert!(call.as_mut().poll(&mut task).is_pending());
                drop(entered);
                drop(runtime);
            });
            gone.join().unwrap();
        }
        assert_eq!(doubles.of(4).await.unwrap(), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_holds_so_many_and_the_rest_come_after() {
        let doubles = Doubles::default();
        let all: Vec<_> = (1..=200).map(|number| doubles.spawn(number)).collect();
        for (number, task) in (1..).zip(all) {
            assert_eq!(task.await.unwrap().unwrap(), 2 * number);
        }
        assert!(doubles.calls().iter().all(|call| call.len() <= MOST));
        assert_eq!(doubles.calls().iter().map(Vec::len).sum::<usize>(), 200);
    }
}
