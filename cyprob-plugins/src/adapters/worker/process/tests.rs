use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;
use crate::adapters::worker::write_frame;
use crate::ports::Verdict;

fn received(mut bytes: &[u8]) -> Result<Report, FrameError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(receive(&mut bytes))
}

fn report() -> Vec<u8> {
    let report = Report {
        token: "token".into(),
        run: "run".to_owned(),
        verdict: Verdict::Done {
            findings: vec!["{}".to_owned()],
            errors: 7,
        },
    };
    let mut bytes = Vec::new();
    write_frame(&mut bytes, &ReportMessage::encode(&report).unwrap()).unwrap();
    bytes
}

#[test]
fn a_report_comes_through_and_what_follows_is_not_looked_at() {
    let mut bytes = report();
    bytes.extend_from_slice(b"garbage");
    let read = received(&bytes).unwrap();
    assert_eq!(
        (read.token.expose_secret(), read.run.as_str()),
        ("token", "run")
    );
    let Verdict::Done { findings, errors } = read.verdict else {
        panic!("done became impossible");
    };
    assert_eq!((findings, errors), (vec!["{}".to_owned()], 7));
}

#[test]
fn what_is_no_frame_or_too_large_is_refused() {
    let whole = report();
    for cut in 0..whole.len() {
        assert!(received(&whole[..cut]).is_err(), "cut at {cut}");
    }
    assert!(matches!(received(b"abc"), Err(FrameError::Closed)));
    for claimed in [MAX_REPORT + 1, u64::from(u32::MAX)] {
        let header = u32::try_from(claimed).unwrap().to_be_bytes();
        assert!(matches!(received(&header), Err(FrameError::TooLarge)));
    }
    // A claim alone takes no memory, and is not waited for once the pipe is closed.
    let header = u32::try_from(MAX_REPORT).unwrap().to_be_bytes();
    assert!(matches!(received(&header), Err(FrameError::Short)));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(received(&bytes).is_err());
    }

    #[test]
    fn a_damaged_report_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = report();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = received(&bytes);
    }
}
