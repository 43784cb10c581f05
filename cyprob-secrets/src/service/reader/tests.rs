use std::sync::Arc;
use std::time::Duration;

use cyprob_core::testkit::ManualClock;
use secrecy::ExposeSecret as _;

use super::*;
use crate::testkit::scripted::{Act, Scripted, value_of};

const FRESH: Duration = Duration::from_secs(100);
const STALE: Duration = Duration::from_secs(1_000);

struct Stand {
    source: Arc<Scripted>,
    clock: Arc<ManualClock>,
    reader: SecretReader,
    secret: SecretRef,
}

fn stand(acts: impl IntoIterator<Item = Act>) -> Stand {
    let source = Arc::new(Scripted::new(acts, Duration::from_millis(10)));
    let clock = Arc::new(ManualClock::default());
    let sources = SecretResolver::new()
        .with(Arc::clone(&source) as _)
        .unwrap();
    let keeping = Keeping::new(FRESH, STALE).unwrap();
    Stand {
        reader: SecretReader::new(sources, keeping, Arc::clone(&clock) as _),
        source,
        clock,
        secret: "local://a".parse().unwrap(),
    }
}

/// What was served, in a word.
fn said(read: &Result<Option<Served>, SecretError>) -> String {
    match read {
        Ok(None) => "nothing".to_owned(),
        Ok(Some(served)) => {
            let version = served.version().unwrap().number().unwrap().get();
            let bytes = served.secret().value.expose_secret();
            assert_eq!(bytes, value_of(version).expose_secret());
            match served.freshness() {
                Freshness::Fresh => format!("{version}"),
                Freshness::Stale { age, .. } => format!("{version} of {} s ago", age.as_secs()),
            }
        }
        Err(SecretError::Unavailable { .. }) => "unavailable".to_owned(),
        Err(SecretError::Refused { .. }) => "refused".to_owned(),
        Err(error) => panic!("{error}"),
    }
}

impl Stand {
    async fn read(&self) -> String {
        said(&self.reader.read(&self.secret).await)
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Lets what was begun in the background end.
    async fn settled(&self) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_secret_is_read_once_and_refreshed_before_anybody_waits() {
    let stand = stand([Act::Give(1), Act::Give(2), Act::Give(3)]);
    assert_eq!(stand.read().await, "1");
    stand.pass(79);
    assert_eq!(stand.read().await, "1");
    assert_eq!(stand.source.asked(), 1);
    // four fifths of the time: the old one at once, the new one in the background
    stand.pass(1);
    assert_eq!(stand.read().await, "1");
    stand.settled().await;
    assert_eq!(
        (stand.read().await.as_str(), stand.source.asked()),
        ("2", 2)
    );
    // past it, whoever reads waits for the answer
    stand.pass(100);
    assert_eq!(
        (stand.read().await.as_str(), stand.source.asked()),
        ("3", 3)
    );
}

#[tokio::test(start_paused = true)]
async fn sec_2_an_outage_serves_what_is_within_the_bound_and_says_its_age() {
    let stand = stand([Act::Give(1), Act::Fail]);
    assert_eq!(stand.read().await, "1");
    for (passed, read) in [
        (100, "1 of 100 s ago"),
        (899, "1 of 999 s ago"),
        (1, "unavailable"),
    ] {
        stand.pass(passed);
        assert_eq!(stand.read().await, read);
    }
    // it heals by itself, and is not asked more often than once a pause
    stand.source.now([Act::Give(2)]);
    stand.pass(10);
    assert_eq!(stand.read().await, "2");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_down_is_asked_ever_more_seldom() {
    let stand = stand([Act::Fail]);
    let mut asked = Vec::new();
    for _ in 0..600 {
        assert_eq!(stand.read().await, "unavailable");
        asked.push(stand.source.asked());
        stand.clock.advance(Duration::from_millis(100));
    }
    // 0.1 s, 0.2, 0.4, ... 10, 10, 10: a dozen in a minute and not 600
    assert!((10..=13).contains(asked.last().unwrap()), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn sec_2_what_is_withdrawn_is_gone_for_good() {
    for (act, read) in [(Act::Nothing, "nothing"), (Act::Refuse, "refused")] {
        let stand = stand([Act::Give(1), act, Act::Fail]);
        assert_eq!(stand.read().await, "1");
        stand.pass(100);
        assert_eq!(stand.read().await, read);
        // an outage brings nothing back
        assert_eq!(stand.read().await, "unavailable");
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_who_wait_make_one_call_and_who_leaves_strands_nobody() {
    let stand = stand([Act::Give(1)]);
    let mut all = Vec::new();
    for _ in 0..10_000 {
        let (reader, secret) = (stand.reader.clone(), stand.secret.clone());
        all.push(tokio::spawn(
            async move { said(&reader.read(&secret).await) },
        ));
    }
    tokio::task::yield_now().await;
    // the first, who began the call, and others leave
    for leaving in all.drain(..100) {
        leaving.abort();
    }
    for reading in all {
        assert_eq!(reading.await.unwrap(), "1");
    }
    assert_eq!(stand.source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_or_panics_is_out_of_reach() {
    let stand = stand([Act::Give(1), Act::Hang, Act::Panic, Act::Give(2)]);
    assert_eq!(stand.read().await, "1");
    stand.pass(100);
    assert_eq!(stand.read().await, "1 of 100 s ago");
    stand.pass(10);
    assert_eq!(stand.read().await, "1 of 110 s ago");
    stand.settled().await;
    stand.pass(10);
    assert_eq!(stand.read().await, "1 of 120 s ago");
    stand.settled().await;
    assert_eq!(stand.read().await, "2");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_is_asked_ever_more_seldom_too() {
    let stand = stand([Act::Panic]);
    for _ in 0..20 {
        assert_eq!(stand.read().await, "unavailable");
    }
    assert_eq!(stand.source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn sec_2_a_failure_of_long_ago_hides_no_withdrawal() {
    for (act, read) in [
        (Act::Refuse, "refused"),
        (Act::Nothing, "nothing"),
        (Act::Give(2), "2"),
    ] {
        let stand = stand([Act::Give(1), Act::Fail, act]);
        assert_eq!(stand.read().await, "1");
        // The refresh in the background fails once, and nobody reads for a while.
        stand.pass(90);
        assert_eq!(stand.read().await, "1");
        stand.settled().await;
        stand.pass(300);
        assert_eq!(stand.read().await, read);
    }
}

#[tokio::test(start_paused = true)]
async fn in_an_outage_nobody_waits_who_can_be_served() {
    let stand = stand([Act::Give(1), Act::Fail, Act::Hang]);
    assert_eq!(stand.read().await, "1");
    stand.pass(100);
    assert_eq!(stand.read().await, "1 of 100 s ago");
    for passed in 101..200 {
        stand.pass(1);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let begun = tokio::time::Instant::now();
        let read = stand.read().await;
        assert_eq!(read, format!("1 of {passed} s ago"));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
    // One hangs at a time, and between two is a pause.
    assert!(
        (6..=13).contains(&stand.source.asked()),
        "{}",
        stand.source.asked()
    );
    stand.pass(801);
    assert_eq!(stand.read().await, "unavailable");
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_a_change_is_not_kept_after_it() {
    let stand = stand([Act::Give(1), Act::Give(2)]);
    let early = async { stand.read().await };
    let change = async {
        tokio::task::yield_now().await;
        stand.reader.forget(&stand.secret);
    };
    let (early, ()) = tokio::join!(early, change);
    assert_eq!(early, "1");
    stand.settled().await;
    assert_eq!(stand.read().await, "2");
    assert_eq!(stand.source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn sec_2_an_answer_that_was_long_on_its_way_says_its_age_or_comes_too_late() {
    for (jump, read) in [(99, "1"), (100, "1 of 100 s ago"), (1_000, "unavailable")] {
        let stand = stand([Act::Give(1)]);
        let reading = async { stand.read().await };
        let jump = async {
            tokio::task::yield_now().await;
            stand.pass(jump);
        };
        let (said, ()) = tokio::join!(reading, jump);
        assert_eq!(said, read);
    }
}

#[tokio::test(start_paused = true)]
async fn past_ten_thousand_names_the_older_give_way_and_one_call_serves_all() {
    let stand = stand([Act::Give(1)]);
    let mut all = tokio::task::JoinSet::new();
    for name in 0..MOST {
        let (reader, secret) = (
            stand.reader.clone(),
            format!("local://n{name}").parse().unwrap(),
        );
        all.spawn(async move { said(&reader.read(&secret).await) });
    }
    while let Some(read) = all.join_next().await {
        assert_eq!(read.unwrap(), "1");
    }
    stand.pass(10);
    for _ in 0..1_000 {
        let (reader, secret) = (stand.reader.clone(), stand.secret.clone());
        all.spawn(async move { said(&reader.read(&secret).await) });
    }
    while let Some(read) = all.join_next().await {
        assert_eq!(read.unwrap(), "1");
    }
    assert_eq!(stand.source.asked(), MOST + 1);
    assert_eq!(stand.read().await, "1");
    assert_eq!(stand.source.asked(), MOST + 1);
}
