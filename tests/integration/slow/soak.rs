//! Touches, prunes, an application that writes, and kills, all at random on one base, for as long as one likes; and no access
//! is ever lost.
//!
//! Each worker has workspaces of its own, and takes them through one round after the other: it makes them stale (as if weeks
//! went by), then it accesses some of them, by `touch` and as the application does, at once or one after the other; then it
//! looks whether each of those is there, whole, with an access of this round. Prunes run all the time and are killed at
//! random, so that each workspace is claimed, put back, doomed or removed at any moment of a round.
//!
//! What counts as an access: a touch that exited 0, and a `rename` over the metadata file that succeeded. A step of the
//! application that meets ENOENT, because a prune has just claimed the directory, is none: it makes the workspace anew.

use crate::tools::trash;
use crate::world::{Ran, Run, World, ago, finish, ids_in, numbered};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How many workers, with how many workspaces each.
const WORKERS: u32 = 3;
const EACH: u32 = 16;
const PRUNERS: usize = 2;
/// How many files a workspace has that was made whole.
const FILES: usize = 4;
const PRUNE: [&str; 6] = ["prune", "-y", "--older-than", "7d", "--format", "json"];

/// A number below `limit`.
pub fn random(limit: u64) -> u64 {
    Uuid::new_v4().as_u64_pair().1 % limit
}

fn one_in(chances: u64) -> bool {
    random(chances) == 0
}

fn pause(at_most: u64) {
    thread::sleep(Duration::from_micros(random(at_most)));
}

struct Soak {
    world: World,
    over: AtomicBool,
    /// How often what has happened so far.
    counts: Mutex<BTreeMap<&'static str, usize>>,
}

impl Soak {
    fn count(&self, what: &'static str, number: usize) {
        *self.counts.lock().expect("no panic").entry(what).or_default() += number;
    }

    /// Runs the program; one time of `chances` it is killed at a random moment. `None`: it was.
    fn run(&self, run: &Run<'_>, chances: u64) -> Option<Ran> {
        let mut command = run.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        if one_in(chances) {
            pause(6000);
            child.kill().expect("SIGKILL"); // of one that has ended, and was not waited for: no harm
        }
        let ran = finish(child, &command).sanely();
        if ran.status == 128 + 9 {
            self.count("kills", 1);
            return None;
        }
        Some(ran)
    }

    fn prune(&self) {
        let jobs = ["-j1", "-j2"][usize::from(one_in(2))];
        self.count("prunes", 1);
        let Some(ran) = self.run(&self.world.wsctl(PRUNE.iter().chain(&[jobs])), 3) else { return };
        assert!([0, 75].contains(&ran.status), "{ran:#?}");
        let report = ran.json();
        let failed = report["failed"].as_array().expect("failed");
        assert!(failed.iter().all(|it| it["category"] == "busy"), "{report:#}");
        self.count("pruned", ids_in(&report["pruned"]).len());
        self.count("busy", failed.len());
    }

    /// Touches some, and tells which of them were touched: those that it does not complain of.
    fn touch<'a>(&self, ids: &[&'a String]) -> Vec<&'a String> {
        let option = if one_in(2) { &["-c"][..] } else { &[] };
        let args = ["touch"].iter().chain(option).copied().chain(ids.iter().map(|id| id.as_str()));
        let Some(ran) = self.run(&self.world.wsctl(args), 12) else { return vec![] };
        assert!([0, 66, 75].contains(&ran.status), "{ran:#?}");
        let touched: Vec<_> = ids.iter().copied().filter(|id| !ran.stderr.contains(id.as_str())).collect();
        self.count("touches", touched.len());
        touched
    }

    /// Accesses a workspace as the application does, at this time. It makes the workspace anew if there is none.
    fn access(&self, id: &str, time: &str) {
        let dir = self.world.dir_of(id);
        while let Err(error) = replace(&dir, time) {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{id}: {error}");
            if one_in(3) {
                let _ = fs::create_dir(&dir); // as the application does; there may be one by now
            } else if self.make(id, time) {
                return;
            }
        }
        self.count("rewrites", 1);
    }

    /// Puts a workspace with files in place, whole from its first instant, so that a torn one can be told from one that is
    /// being made. `false`: there is one by now.
    fn make(&self, id: &str, time: &str) -> bool {
        let made = self.world.path(&Uuid::new_v4().to_string());
        fs::create_dir_all(made.join("data")).expect("a workspace");
        (0..FILES).for_each(|number| fs::write(made.join(format!("data/{number}")), id).expect("a file"));
        let metadata = json!({"workspace_id": id, "last_accessed": time, "files": FILES});
        fs::write(made.join(".metadata.json"), metadata.to_string()).expect("metadata");
        let (root, flags) = (rustix::fs::CWD, rustix::fs::RenameFlags::NOREPLACE);
        let placed = rustix::fs::renameat_with(root, &made, root, self.world.dir_of(id), flags).is_ok();
        if !placed {
            fs::remove_dir_all(made).expect("a removal");
        }
        placed
    }

    /// One round of one worker.
    fn round(&self, ids: &[String]) {
        for id in ids {
            self.access(id, &ago(TimeDelta::weeks(5)));
        }
        let begun = now();
        pause(6000);
        for _ in 0..3 {
            let some = |chances| ids.iter().filter(|_| one_in(chances)).collect::<Vec<_>>();
            let (to_touch, to_write) = (some(2), some(5));
            let touched = thread::scope(|scope| {
                let touches = scope.spawn(|| to_touch.chunks(4).flat_map(|ids| self.touch(ids)).collect::<Vec<_>>());
                for id in &to_write {
                    pause(1500);
                    self.access(id, &now());
                }
                touches.join().expect("touches")
            });
            touched.iter().chain(&to_write).for_each(|id| self.check(id, &begun));
        }
    }

    /// Checks that a workspace is there, whole, and was accessed since `begun`. A prune may be about to put it back; if it
    /// was killed, the next one does.
    fn check(&self, id: &str, begun: &str) {
        let since = Instant::now();
        loop {
            match last_access(&self.world.dir_of(id), id) {
                // Both are in UTC, with six digits after the dot; what follows depends on who wrote it.
                Some(time) if time[..26] >= begun[..26] => return,
                None if since.elapsed() < Duration::from_secs(10) => self.prune(),
                found => panic!("{id} of {begun} is lost: {found:?}, {:?}", self.world.names()),
            }
        }
    }

    fn worker(&self, number: u32) {
        let ids: Vec<_> = (0..EACH).map(|one| numbered(number * EACH + one)).collect();
        while !self.over.load(Ordering::Relaxed) {
            self.round(&ids);
        }
    }

    fn pruner(&self) {
        while !self.over.load(Ordering::Relaxed) {
            self.prune();
            pause(12_000);
        }
    }
}

fn now() -> String {
    ago(TimeDelta::zero())
}

/// Rewrites metadata as the application does; where there is none yet, it begins with what it knows.
fn replace(dir: &Path, time: &str) -> std::io::Result<()> {
    let path = dir.join(".metadata.json");
    let mut metadata = match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).expect("whole metadata at any instant"),
        Err(error) if error.kind() == ErrorKind::NotFound => json!({}),
        Err(error) => return Err(error),
    };
    metadata["last_accessed"] = time.into();
    let temporary = dir.join(format!(".metadata.tmp.{}.json", Uuid::new_v4()));
    fs::write(&temporary, metadata.to_string())?;
    fs::rename(&temporary, path)
}

/// The last access of a workspace, which must be whole; `None` if there is nothing at its path. It is looked at through one
/// descriptor, since a prune may take it aside and put it back between two looks.
fn last_access(dir: &Path, id: &str) -> Option<String> {
    let opened = fs::File::open(dir).ok()?;
    let dir = Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string());
    let bytes = fs::read(dir.join(".metadata.json")).expect("metadata");
    let metadata: Value = serde_json::from_slice(&bytes).expect("JSON");
    for number in 0..metadata["files"].as_u64().unwrap_or(0) {
        let read = fs::read_to_string(dir.join(format!("data/{number}")));
        assert!(read.as_ref().is_ok_and(|content| content == id), "file {number} of {id} is lost: {read:?}");
    }
    Some(metadata["last_accessed"].as_str().expect("a time").to_owned())
}

/// Lets it all run for so long, and prints what happened.
fn soak(duration: Duration) {
    let soak = Soak { world: World::in_memory(), over: AtomicBool::new(false), counts: Mutex::default() };
    let begun = Instant::now();
    thread::scope(|scope| {
        let soak = &soak;
        let workers = (0..WORKERS).map(|number| scope.spawn(move || soak.worker(number)));
        let pruners = (0..PRUNERS).map(|_| scope.spawn(|| soak.pruner()));
        let threads: Vec<_> = workers.chain(pruners).collect();
        while begun.elapsed() < duration && !threads.iter().any(ScopedJoinHandle::is_finished) {
            thread::sleep(Duration::from_millis(50)); // one that has ended early has panicked
        }
        soak.over.store(true, Ordering::Relaxed);
    });
    let counts = soak.counts.into_inner().expect("no panic");
    println!("{:.0?}: {counts:?}", begun.elapsed());
    for what in ["touches", "rewrites", "pruned", "kills", "busy"] {
        assert!(counts.get(what).is_some_and(|number| *number > 0), "nothing was put to the test: {counts:?}");
    }
    let left = soak.world.wsctl(PRUNE).run();
    assert!([0, 75].contains(&left.status), "{left:#?}");
    assert!(!trash(&soak.world).iter().any(|name| name.contains("doomed")), "{:?}", soak.world.names());
}

#[test]
fn no_access_is_lost_among_touches_prunes_kills_and_a_writing_application() {
    soak(Duration::from_secs(12));
}

/// `WSCTL_SOAK_SECONDS=3600 cargo test --release soak -- --ignored --nocapture`
#[test]
#[ignore = "the long form: an hour, or as long as WSCTL_SOAK_SECONDS says"]
fn no_access_is_lost_in_an_hour() {
    let seconds = std::env::var("WSCTL_SOAK_SECONDS").ok();
    soak(Duration::from_secs(seconds.map_or(3600, |text| text.parse().expect("a number of seconds"))));
}
