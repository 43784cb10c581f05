use std::time::Duration;

use cyprob_core::domain::Timestamp;
use secrecy::SecretBox;

use super::*;
use crate::adapters::memory::MemoryLog;
use crate::domain::{
    Checkpoint, Hash, KeyName, LogFile, LogSigner, TileKind, TilePath, WitnessSigner,
};
use crate::testkit::TestLog;

const ORIGIN: &str = "log.example/a";
/// When test logs are signed, in seconds.
const SIGNED: i64 = 1_767_229_200;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(SIGNED + seconds)
}

fn log(count: u64) -> TestLog {
    TestLog::of_events(ORIGIN, count).unwrap()
}

fn verify(log: &TestLog, files: &MemoryLog) -> Report {
    verify_log(files, &Options::new(log.key().clone(), at(0)), &mut |_| {}).unwrap()
}

fn tile(text: &str) -> LogFile {
    text.parse().unwrap()
}

#[test]
fn intact_logs_of_all_sizes_hold() {
    for count in [0, 1, 2, 255, 256, 257, 300, 512, 700] {
        let log = log(count);
        let mut seen = Vec::new();
        let options = Options::new(log.key().clone(), at(0));
        let report = verify_log(&log.files, &options, &mut |progress| seen.push(progress)).unwrap();
        assert_eq!(report.integrity, Verdict::Held, "{count}");
        assert_eq!(report.completeness, Verdict::Held, "{count}");
        assert_eq!(report.freshness, Verdict::NotJudged);
        assert_eq!(report.witnessed, Verdict::NotJudged);
        assert_eq!(report.first_failure(), None);
        assert_eq!(report.size, Some(count));
        assert_eq!(seen.last().map_or(0, |progress| progress.entries), count);
    }
}

#[test]
fn each_damage_gets_its_verdict_and_names_its_place() {
    let log = log(300);
    let case = |file: &str, change: &dyn Fn(Vec<u8>) -> Option<Vec<u8>>| {
        let mut files = log.files.clone();
        let old = files.remove(tile(file)).unwrap();
        if let Some(new) = change(old) {
            files.insert(tile(file), new);
        }
        let report = verify(&log, &files);
        let reasons = match (&report.integrity, &report.completeness) {
            (Verdict::Failed(reasons), _) | (_, Verdict::Failed(reasons)) => {
                reasons.shown()[0].to_string()
            }
            _ => "held".to_owned(),
        };
        (report.first_failure(), reasons)
    };
    let flip = |bytes: Vec<u8>| {
        let mut bytes = bytes;
        bytes[50] ^= 1;
        Some(bytes)
    };
    let (first, why) = case("tile/entries/001.p/44", &flip);
    assert_eq!(first, Some(Judged::Integrity));
    assert_eq!(
        why,
        "tile/entries/001.p/44: entry 256 does not hash to its leaf hash in tile/0/001.p/44"
    );
    let (first, why) = case("tile/0/000", &flip);
    assert_eq!(first, Some(Judged::Integrity));
    assert_eq!(
        why,
        "tile/entries/000: entry 1 does not hash to its leaf hash in tile/0/000"
    );
    let (first, why) = case("tile/1/000.p/1", &|_| Some(vec![0; 32]));
    assert_eq!(first, Some(Judged::Integrity));
    assert_eq!(
        why,
        "tile/1/000.p/1: the hash over the entries from 0 on is not theirs"
    );
    let (first, why) = case("tile/entries/000", &|_| None);
    assert_eq!(first, Some(Judged::Completeness));
    assert_eq!(why, "tile/entries/000: missing, with entries 0 to 255");
    let (first, why) = case("tile/0/001.p/44", &|_| None);
    assert_eq!(first, Some(Judged::Completeness));
    assert_eq!(why, "tile/0/001.p/44: missing, with entries 256 to 299");
    let (first, why) = case("tile/1/000.p/1", &|_| None);
    assert_eq!(first, Some(Judged::Completeness));
    assert_eq!(why, "tile/1/000.p/1: missing, with entries 0 to 255");
    // An older partial file that the checkpoint no longer needs.
    let (first, why) = case("tile/entries/000.p/100", &flip);
    assert_eq!(first, Some(Judged::Integrity));
    assert_eq!(
        why,
        "tile/entries/000.p/100: an older partial file that differs from the log"
    );
    assert_eq!(case("tile/entries/000.p/100", &|_| None).1, "held");
    let (first, why) = case("checkpoint", &|_| None);
    assert_eq!(first, Some(Judged::Integrity));
    assert_eq!(why, "checkpoint: missing");
    let (_, why) = case("checkpoint", &|_| Some(vec![b'x'; 1 << 20]));
    assert_eq!(why, "checkpoint: not a regular file of at most 128 KiB");
    let (_, why) = case("tile/0/000", &|_| Some(vec![0; 8_193]));
    assert_eq!(why, "tile/0/000: not a regular file of the right size");
}

#[test]
fn a_missing_bundle_and_tile_leave_integrity_open() {
    let log = log(300);
    let mut files = log.files.clone();
    files.remove(tile("tile/0/000"));
    files.remove(tile("tile/entries/000"));
    let report = verify(&log, &files);
    assert_eq!(report.integrity, Verdict::NotJudged);
    assert_eq!(report.first_failure(), Some(Judged::Completeness));
}

#[test]
fn extra_files_are_found() {
    let log = log(300);
    for (name, text) in [
        (
            "tile/0/002",
            "tile/0/002: beyond the 300 entries of the checkpoint",
        ),
        (
            "tile/0/001.p/45",
            "tile/0/001.p/45: beyond the 300 entries of the checkpoint",
        ),
        (
            "tile/entries/001",
            "tile/entries/001: beyond the 300 entries of the checkpoint",
        ),
        (
            "tile/8/000.p/1",
            "tile/8/000.p/1: beyond the 300 entries of the checkpoint",
        ),
        (
            "tile/63/000.p/1",
            "tile/63/000.p/1: beyond the 300 entries of the checkpoint",
        ),
        (
            "tile/0/x018/x446/x744/x073/x709/x551/615",
            "tile/0/x018/x446/x744/x073/x709/x551/615: beyond the 300 entries of the checkpoint",
        ),
    ] {
        let mut files = log.files.clone();
        files.insert(tile(name), vec![0; 32]);
        let report = verify(&log, &files);
        assert_eq!(report.integrity, Verdict::Held);
        let Verdict::Failed(reasons) = &report.completeness else {
            panic!("{name}")
        };
        assert_eq!(reasons.shown()[0].to_string(), text);
    }
}

/// A log that grows between the reading of the checkpoint and the walk.
#[derive(Debug)]
struct Growing {
    before: MemoryLog,
    after: MemoryLog,
    reads: std::cell::Cell<u32>,
}

impl crate::ports::LogFiles for Growing {
    fn read(
        &self,
        file: LogFile,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, crate::ports::LogFilesError> {
        self.reads.set(self.reads.get() + 1);
        let now = if self.reads.get() == 1 {
            &self.before
        } else {
            &self.after
        };
        now.read(file, limit)
    }

    fn walk(
        &self,
        visit: &mut dyn FnMut(crate::ports::Found) -> std::ops::ControlFlow<()>,
    ) -> Result<(), crate::ports::LogFilesError> {
        self.after.walk(visit)
    }
}

#[test]
fn a_log_that_is_written_meanwhile_holds() {
    let (before, mut after) = (log(300), log(700).files);
    // The writer took the superseded partial files away.
    for gone in ["tile/0/001.p/44", "tile/entries/001.p/44"] {
        after.remove(tile(gone)).unwrap();
    }
    let growing = Growing {
        before: before.files.clone(),
        after,
        reads: Default::default(),
    };
    let options = Options::new(before.key().clone(), at(0));
    let report = verify_log(&growing, &options, &mut |_| {}).unwrap();
    assert_eq!(report.first_failure(), None, "{report:?}");
    assert_eq!(report.size, Some(300));
}

/// A checkpoint with a valid signature over a claim that no disk could hold.
#[test]
fn a_huge_claim_costs_nothing() {
    let origin: KeyName = ORIGIN.parse().unwrap();
    let signer = LogSigner::from_seed(origin.clone(), &SecretBox::new(Box::new([7; 32])));
    let claim = Checkpoint::new(origin, i64::MAX as u64, Hash::of_leaf(b"x"));
    let mut files = log(300).files;
    files.insert(
        LogFile::Checkpoint,
        claim.sign(&signer).unwrap().into_bytes(),
    );
    let mut bundles = 0;
    let options = Options::new(signer.verifier().clone(), at(0));
    let report = verify_log(&files, &options, &mut |_| bundles += 1).unwrap();
    assert_eq!(bundles, 1);
    assert_eq!(report.first_failure(), Some(Judged::Completeness));
    // One past the largest size is no checkpoint at all.
    let text = format!("{ORIGIN}\n{}\n{}\n", 1_u64 << 63, Hash::of_leaf(b"x"));
    files.insert(LogFile::Checkpoint, signer.sign(&text).into_bytes());
    let report = verify_log(&files, &options, &mut |_| {}).unwrap();
    assert_eq!(report.first_failure(), Some(Judged::Integrity));
}

#[test]
fn a_thousand_faults_are_told_in_sixteen() {
    let log = log(300);
    let mut files = log.files.clone();
    for n in 0..1_000 {
        files.insert_stranger(&format!("junk/{n}"));
    }
    let Verdict::Failed(reasons) = verify(&log, &files).completeness else {
        panic!()
    };
    assert_eq!(reasons.shown().len(), Reasons::SHOWN);
    files.insert(tile("tile/0/000"), vec![0; 8_192]);
    let Verdict::Failed(reasons) = verify(&log, &files).integrity else {
        panic!()
    };
    assert_eq!(reasons.shown().len(), Reasons::SHOWN);
    assert!(reasons.more() >= 256 - 16);
}

#[test]
fn a_key_of_another_log_is_refused() {
    let log = log(5);
    for (origin, seed) in [(ORIGIN, 8), ("log.example/b", 7)] {
        let other = TestLog::new(origin, seed).unwrap();
        let report = verify(&other, &log.files);
        assert_eq!(report.first_failure(), Some(Judged::Integrity));
        assert_eq!(report.completeness, Verdict::NotJudged);
    }
}

#[test]
fn freshness_is_judged_by_the_signed_time() {
    let log = log(5);
    let judge = |now: i64, max_age: u64| {
        let mut options = Options::new(log.key().clone(), at(now));
        options.max_age = Some(Duration::from_secs(max_age));
        verify_log(&log.files, &options, &mut |_| {})
            .unwrap()
            .first_failure()
    };
    assert_eq!(judge(60, 60), None);
    assert_eq!(judge(61, 60), Some(Judged::Freshness));
    assert_eq!(judge(-300, 0), None);
    assert_eq!(judge(-301, 1_000), Some(Judged::Freshness));
    assert_eq!(judge(i64::MAX / 2_000_000, u64::MAX), None);
}

#[test]
fn witnesses_are_judged_when_asked_for() {
    let log = log(5);
    let witness = |seed| {
        WitnessSigner::from_seed(
            "witness.example/w".parse().unwrap(),
            &SecretBox::new(Box::new([seed; 32])),
        )
    };
    let (known, other) = (witness(20), witness(21));
    let text = log.head(at(0)).to_text();
    let mut files = log.files.clone();
    let signed = log.files.get(LogFile::Checkpoint).unwrap();
    let cosigned = [signed, known.cosign(&text, at(30)).as_bytes()].concat();
    files.insert(LogFile::Checkpoint, cosigned.clone());
    let judge = |files: &MemoryLog, keys: Vec<_>| {
        let mut options = Options::new(log.key().clone(), at(60));
        options.witnesses = keys;
        verify_log(files, &options, &mut |_| {})
            .unwrap()
            .first_failure()
    };
    let keys = |of: &WitnessSigner| vec![of.verifier().clone()];
    assert_eq!(judge(&files, vec![]), None);
    assert_eq!(judge(&files, keys(&known)), None);
    assert_eq!(judge(&files, keys(&other)), Some(Judged::Witnessed));
    assert_eq!(judge(&log.files, keys(&known)), Some(Judged::Witnessed));
    assert_eq!(
        judge(&files, [keys(&known), keys(&other)].concat()),
        Some(Judged::Witnessed)
    );
    // One flipped bit of its time: the witness does not say that.
    let mut forged = cosigned;
    let at_byte = forged.len() - 90;
    forged[at_byte] = if forged[at_byte] == b'A' { b'B' } else { b'A' };
    files.insert(LogFile::Checkpoint, forged);
    assert_eq!(judge(&files, keys(&known)), Some(Judged::Witnessed));
}

#[test]
fn a_checkpoint_without_time_is_as_fresh_as_its_witness_says() {
    let origin: KeyName = ORIGIN.parse().unwrap();
    let log = log(5);
    let signer = LogSigner::from_seed(origin.clone(), &SecretBox::new(Box::new([7; 32])));
    let head = Checkpoint::new(origin, log.size(), *log.head(at(0)).root());
    let witness = WitnessSigner::from_seed(
        "witness.example".parse().unwrap(),
        &SecretBox::new(Box::new([20; 32])),
    );
    let signed = head.sign(&signer).unwrap();
    let mut files = log.files.clone();
    let mut options = Options::new(log.key().clone(), at(60));
    options.max_age = Some(Duration::from_secs(60));
    files.insert(LogFile::Checkpoint, signed.clone().into_bytes());
    let report = verify_log(&files, &options, &mut |_| {}).unwrap();
    assert_eq!(
        report.freshness,
        Verdict::Failed(Reasons::one(Reason::NoTime))
    );
    options.witnesses = vec![witness.verifier().clone()];
    let cosigned = format!("{signed}{}", witness.cosign(&head.to_text(), at(0)));
    files.insert(LogFile::Checkpoint, cosigned.into_bytes());
    let report = verify_log(&files, &options, &mut |_| {}).unwrap();
    assert_eq!(report.first_failure(), None);
}

#[test]
fn every_entry_has_a_proof_that_stands_alone() {
    let log = log(300);
    let options = Options::new(log.key().clone(), at(0));
    for index in [0, 1, 255, 256, 299] {
        let (proof, entry) = log.proof(index).unwrap();
        let report = verify_proof(&proof.encode(), &entry, &options);
        assert_eq!(report.integrity, Verdict::Held);
        assert_eq!(report.completeness, Verdict::NotJudged);
        assert_eq!(report.first_failure(), None);
    }
    assert!(log.proof(300).is_err());
    let (proof, _) = log.proof(0).unwrap();
    assert_eq!(
        verify_proof(&proof.encode(), b"other", &options).first_failure(),
        Some(Judged::Integrity)
    );
    // A hash tile shown as an entry: the leaf prefix keeps nodes and leaves apart.
    let node = log.files.get(tile("tile/0/000")).unwrap()[..64].to_vec();
    assert!(
        verify_proof(&proof.encode(), &node, &options)
            .integrity
            .failed()
    );
    let path = TilePath::full(TileKind::Entries, 0);
    assert!(
        verify_proof(log.files.get(LogFile::Tile(path)).unwrap(), b"", &options)
            .integrity
            .failed()
    );
}
