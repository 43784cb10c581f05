//! A command on a terminal of its own.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Runs it and types each answer, with Enter, once its question is shown; what was shown at the end.
pub(crate) fn run(mut command: Command, answers: &[(&str, &str)]) -> (ExitStatus, String) {
    let master: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name)
        .unwrap();
    let end = || terminal.try_clone().unwrap();
    let mut child = command
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .unwrap();
    let mut typing = File::from(master);
    let mut showing = typing.try_clone().unwrap();
    let shown = Arc::new(Mutex::new(String::new()));
    let screen = Arc::clone(&shown);
    // Ends with an error once nobody has the terminal open.
    drop(command);
    drop(terminal);
    let reader = std::thread::spawn(move || {
        let mut some = [0; 1024];
        while let Ok(count @ 1..) = showing.read(&mut some) {
            screen
                .lock()
                .unwrap()
                .push_str(&String::from_utf8_lossy(&some[..count]));
        }
    });
    for (question, answer) in answers {
        let begun = Instant::now();
        while !shown.lock().unwrap().ends_with(question) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{question}");
            std::thread::sleep(Duration::from_millis(5));
        }
        write!(typing, "{answer}\r").unwrap();
    }
    let status = child.wait().unwrap();
    reader.join().unwrap();
    let shown = shown.lock().unwrap().clone();
    (status, shown)
}
