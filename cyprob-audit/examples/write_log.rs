//! Writes a log of invented events for verifiers to read.
//!
//! `write_log DIR COUNT INDEX` makes `DIR/log` (a log directory of COUNT
//! events), `DIR/vkey` (its verifier key), `DIR/proof` and `DIR/entry` (the
//! proof of the event at INDEX and its bytes).

use std::error::Error;
use std::path::PathBuf;

use cyprob_audit::testkit::TestLog;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().ok_or("usage: write_log DIR COUNT INDEX");
    let directory = PathBuf::from(next()?);
    let (count, index) = (next()?.parse()?, next()?.parse()?);
    let log = TestLog::of_events("audit.example.com/org_example", count)?;
    log.write_to(&directory.join("log"))?;
    let (proof, entry) = log.proof(index)?;
    std::fs::write(directory.join("vkey"), log.key().to_string())?;
    std::fs::write(directory.join("proof"), proof.encode())?;
    std::fs::write(directory.join("entry"), entry)?;
    Ok(())
}
