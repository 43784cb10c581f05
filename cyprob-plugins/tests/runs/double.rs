//! A worker that does its job, or breaks its promises, as its arguments say: a
//! folder, then how each attempt goes; the last word goes for all further ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "it is part of a test"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use cyprob_plugins::adapters::Files;
use cyprob_plugins::adapters::worker::{JobMessage, ReportMessage, read_frame, serve, write_frame};
use cyprob_plugins::ports::{Report, Verdict};
use cyprob_plugins::service::runs::evaluate;
use rustix::process::{Resource, Signal, getpid, getrlimit, kill_process};
use secrecy::ExposeSecret as _;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap());
    let modes: Vec<String> = arguments.map(|mode| mode.into_string().unwrap()).collect();
    let attempt = begin(&folder);
    let mode = modes.get(attempt).or(modes.last()).unwrap();
    run(mode, &folder)
}

/// Counts the attempts, from zero, and leaves the process's number where the test finds it.
fn begin(folder: &Path) -> usize {
    for attempt in 0.. {
        let path = folder.join(format!("pid-{attempt}"));
        let made = OpenOptions::new().write(true).create_new(true).open(path);
        if let Ok(mut file) = made {
            write!(file, "{}", std::process::id()).unwrap();
            return attempt;
        }
    }
    unreachable!("a folder has room")
}

fn rest() -> ExitCode {
    // Bounded, should the test be gone.
    std::thread::sleep(Duration::from_secs(60));
    ExitCode::FAILURE
}

fn job() -> JobMessage {
    JobMessage::parse(&read_frame(&mut stdin().lock()).unwrap()).unwrap()
}

fn send(report: &Report) {
    let bytes = ReportMessage::encode(report).unwrap();
    write_frame(&mut stdout().lock(), &bytes).unwrap();
}

fn good(job: &JobMessage) -> Report {
    Report {
        token: job.token.clone(),
        run: job.run.clone(),
        verdict: evaluate(&job.files, job.rule_set, &job.facts, &Files),
    }
}

/// The good report with its findings changed.
fn changed(change: impl Fn(&mut Vec<String>, &mut u64)) -> ExitCode {
    let mut report = good(&job());
    let Verdict::Done { findings, errors } = &mut report.verdict else {
        panic!("the job can be done");
    };
    change(findings, errors);
    send(&report);
    ExitCode::SUCCESS
}

/// What a worker can still do once it has limited itself.
fn abilities() -> String {
    let limit = |resource| getrlimit(resource).maximum.unwrap_or(u64::MAX);
    format!(
        "variables {}, folder {}, opens {}, listens {}, memory {}, output {}, files {}, core {}, time {}",
        std::env::vars_os().count(),
        std::env::current_dir().unwrap().display(),
        File::open("/proc/self/status").is_ok(),
        std::net::TcpListener::bind("127.0.0.1:0").is_ok(),
        limit(Resource::As),
        limit(Resource::Fsize),
        limit(Resource::Nofile),
        limit(Resource::Core),
        limit(Resource::Cpu),
    )
}

fn run(mode: &str, folder: &Path) -> ExitCode {
    match mode {
        "honest" => {
            let done = serve(stdin().lock(), stdout().lock(), |job| {
                evaluate(&job.files, job.rule_set, &job.facts, &Files)
            });
            ExitCode::from(u8::from(done.is_err()))
        }
        "abilities" => {
            let tell = |_: &JobMessage| Verdict::Impossible(abilities());
            serve(stdin().lock(), stdout().lock(), tell).unwrap();
            ExitCode::SUCCESS
        }
        "greedy" => {
            let take = |_: &JobMessage| {
                let all: Vec<Vec<u8>> = (0..64).map(|_| vec![1; 64 << 20]).collect();
                Verdict::Impossible(format!("took {}", all.len()))
            };
            serve(stdin().lock(), stdout().lock(), take).unwrap();
            ExitCode::SUCCESS
        }
        "sleep" => {
            let sleep = |_: &JobMessage| {
                rest();
                Verdict::Impossible(String::new())
            };
            serve(stdin().lock(), stdout().lock(), sleep).unwrap();
            ExitCode::SUCCESS
        }
        "parent" => {
            // A control plane whose worker is at work, and that is about to be killed.
            let mut child = Command::new(std::env::current_exe().unwrap());
            let child = child.arg(folder).arg("sleep").stdin(Stdio::piped());
            let mut child = child.spawn().unwrap();
            let file = format!(
                r#"{{"name":"json","digest":"{}","data":""}}"#,
                "0".repeat(64)
            );
            let job = format!(
                r#"{{"version":1,"run":"r","token":"t","rule_set":"{}","facts":{file},"plugins":[]}}"#,
                "0".repeat(64)
            );
            write_frame(child.stdin.as_mut().unwrap(), job.as_bytes()).unwrap();
            let code = rest();
            let _ = child.wait();
            code
        }
        "deaf" => rest(),
        "exit" => ExitCode::from(3),
        "leave" => {
            job();
            ExitCode::SUCCESS
        }
        "silent" => {
            job();
            rest()
        }
        "crash" => {
            fs::write(folder.join("token"), job().token.expose_secret()).unwrap();
            kill_process(getpid(), Signal::KILL).unwrap();
            rest()
        }
        "freeze" => {
            job();
            kill_process(getpid(), Signal::STOP).unwrap();
            rest()
        }
        "garbage" => {
            let _ = stdout().write_all(&[0xaa; 4096]);
            ExitCode::SUCCESS
        }
        "words" => {
            job();
            write_frame(&mut stdout(), b"all is well").unwrap();
            ExitCode::SUCCESS
        }
        "version-2" => {
            let bytes = ReportMessage::encode(&good(&job())).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            let text = text.replacen("\"version\":1", "\"version\":2", 1);
            write_frame(&mut stdout(), text.as_bytes()).unwrap();
            ExitCode::SUCCESS
        }
        "oversized" => {
            job();
            let _ = stdout().write_all(&(50_u32 << 20).to_be_bytes());
            while stdout().write_all(&[b' '; 65_536]).is_ok() {}
            ExitCode::SUCCESS
        }
        "short" => {
            job();
            stdout().write_all(&1000_u32.to_be_bytes()).unwrap();
            stdout().write_all(b"{\"version\":1").unwrap();
            ExitCode::SUCCESS
        }
        "trickle" => {
            job();
            let _ = stdout().write_all(&1_000_000_u32.to_be_bytes());
            for _ in 0..1_000 {
                let _ = stdout().write_all(b" ").and_then(|()| stdout().flush());
                std::thread::sleep(Duration::from_millis(20));
            }
            ExitCode::SUCCESS
        }
        "forged-token" => {
            let token = "forged".into();
            send(&Report {
                token,
                ..good(&job())
            });
            ExitCode::SUCCESS
        }
        "replay" => {
            let token = fs::read_to_string(folder.join("token")).unwrap().into();
            send(&Report {
                token,
                ..good(&job())
            });
            ExitCode::SUCCESS
        }
        "other-run" => {
            let run = format!("run_{}", "0".repeat(32));
            send(&Report {
                run,
                ..good(&job())
            });
            ExitCode::SUCCESS
        }
        "other-target" => changed(|findings, _| {
            findings[0] = findings[0].replace("\"scanned.example\"", "\"victim.example\"");
        }),
        "other-port" => changed(|findings, _| {
            findings[0] = findings[0].replace("\"port\":23", "\"port\":24");
        }),
        "other-plugin" => changed(|findings, _| {
            findings[0] = findings[0].replace("telnet-open", "telnet-shut");
        }),
        "unknown-field" => changed(|findings, _| {
            findings[0] = findings[0].replacen('{', "{\"org\":\"org_0\",", 1);
        }),
        "twice-the-same" => changed(|findings, _| findings.push(findings[0].clone())),
        "many-errors" => changed(|_, errors| *errors = u64::MAX),
        "chatter" => {
            let line = [b'x'; 65_536];
            (0..512).for_each(|_| stderr().write_all(&line).unwrap());
            send(&good(&job()));
            ExitCode::SUCCESS
        }
        "linger" => {
            send(&good(&job()));
            rest()
        }
        "more" => {
            let report = good(&job());
            send(&report);
            send(&report);
            while stdout().write_all(b"more").is_ok() {}
            ExitCode::SUCCESS
        }
        "offspring" => {
            // It holds the pipes open when this one is gone.
            let child = Command::new(std::env::current_exe().unwrap())
                .arg(folder)
                .arg("deaf")
                .spawn();
            drop(child.unwrap());
            let path = folder.join("pid-1");
            while fs::read(&path).map_or(0, |bytes| bytes.len()) == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
            let mut job = Vec::new();
            let _ = stdin().take(4).read_to_end(&mut job);
            ExitCode::from(7)
        }
        other => panic!("no mode {other}"),
    }
}
