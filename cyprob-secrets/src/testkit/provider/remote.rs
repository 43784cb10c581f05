//! What a provider must do whose source is out of reach or talks nonsense.

use std::time::Duration;

use super::{Done, MARKER, RemoteStand, assert_holds, read};
use crate::ports::SecretError;
use crate::testkit::canary;
use crate::testkit::fault_proxy::Fault;

/// A body that a client without a bound would read to its end.
const HUGE: usize = 256 << 20;

fn status(code: u16) -> Fault {
    // It repeats a secret, as a server in distress may.
    let body = format!("{{\"message\":\"{MARKER}\",\"errors\":[\"{MARKER}\"]}}");
    Fault::Status { code, body }
}

/// Every way in which a source is out of reach.
fn outages() -> Vec<Fault> {
    let mut faults = vec![Fault::Refuse, Fault::Drop, Fault::Reset];
    faults.extend([429, 500, 502, 503, 504].map(status));
    faults
}

/// An outage is [`SecretError::Unavailable`], and over as soon as the source is back.
pub async fn an_outage_is_told_as_one_and_heals(stand: &impl RemoteStand) -> Done {
    stand.put("key", b"one").await;
    for fault in outages() {
        stand.proxy().inject(fault.clone());
        let told = read(stand, "key").await;
        let unavailable = matches!(told, Err(SecretError::Unavailable { .. }));
        assert!(unavailable, "{fault:?}");
        stand.proxy().heal();
        assert_holds(read(stand, "key").await?.as_ref(), b"one");
    }
    Ok(())
}

/// A source that never answers is given up in time.
pub async fn a_hang_ends_in_time(stand: &impl RemoteStand) -> Done {
    stand.put("key", b"one").await;
    for fault in [Fault::Hang, Fault::Delay(4 * stand.patience())] {
        stand.proxy().inject(fault.clone());
        let told = tokio::time::timeout(stand.patience(), read(stand, "key")).await;
        let unavailable = matches!(told, Ok(Err(SecretError::Unavailable { .. })));
        assert!(unavailable, "{fault:?}");
        stand.proxy().heal();
        assert_holds(read(stand, "key").await?.as_ref(), b"one");
    }
    // A little late is not too late.
    stand
        .proxy()
        .inject(Fault::Delay(Duration::from_millis(100)));
    assert_holds(read(stand, "key").await?.as_ref(), b"one");
    Ok(())
}

/// An answer cut off anywhere, or that is none, is an error; never another value, never none.
pub async fn a_broken_answer_is_an_error_and_no_value(stand: &impl RemoteStand) -> Done {
    let value = "a longer value, so that many cuts fall into it; ".repeat(4);
    stand.put("key", value.as_bytes()).await;
    let mut errors = 0;
    let cuts = [0, 1, 2, 20, 60, 100, 140, 180, 220, 260, 300];
    for fault in cuts.map(Fault::Truncate) {
        stand.proxy().inject(fault.clone());
        match read(stand, "key").await {
            Ok(Some(secret)) => assert_holds(Some(&secret), value.as_bytes()),
            Ok(None) => unreachable!("none, by {fault:?}"),
            Err(error) => {
                assert!(is_outage_or_damage(&error), "{fault:?}: {error:?}");
                errors += 1;
            }
        }
    }
    assert!(errors >= 5, "only {errors} cuts are errors");
    stand.proxy().inject(Fault::Garbage);
    let told = read(stand, "key").await;
    assert!(told.is_err_and(|error| is_outage_or_damage(&error)));
    stand.proxy().inject(Fault::Status {
        code: 200,
        body: "{}".to_owned(),
    });
    let told = read(stand, "key").await;
    assert!(told.is_err_and(|error| is_outage_or_damage(&error)));
    stand.proxy().heal();
    assert_holds(read(stand, "key").await?.as_ref(), value.as_bytes());
    Ok(())
}

fn is_outage_or_damage(error: &SecretError) -> bool {
    use SecretError::{Damaged, Unavailable};
    matches!(error, Unavailable { .. } | Damaged { .. })
}

/// An answer far longer than any secret is an error before it has been read to its end.
pub async fn a_huge_answer_is_cut_off(stand: &impl RemoteStand) -> Done {
    stand.put("key", b"one").await;
    stand.proxy().inject(Fault::Huge(HUGE));
    let told = read(stand, "key").await;
    assert!(told.is_err_and(|error| is_outage_or_damage(&error)));
    // What the sockets hold is written too.
    let taken = stand.proxy().huge_bytes();
    assert!(taken < HUGE / 4, "{taken} bytes were taken");
    stand.proxy().heal();
    assert_holds(read(stand, "key").await?.as_ref(), b"one");
    Ok(())
}

/// Whatever fails, no error prints a value (SEC-1).
pub async fn no_fault_shows_a_value(stand: &impl RemoteStand) -> Done {
    stand.put("key", MARKER.as_bytes()).await;
    let references = [stand.newest("key")];
    let mut faults = outages();
    faults.extend([400, 401, 403, 404, 200].map(status));
    faults.extend([60, 120, 200].map(Fault::Truncate));
    faults.push(Fault::Garbage);
    for fault in faults {
        stand.proxy().inject(fault);
        canary::sec_1(stand.provider(), MARKER, &references).await;
    }
    Ok(())
}
