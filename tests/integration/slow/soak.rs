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

use crate::world::{Ran, World, finish, numbered};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::fs;
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How many workers, with how many workspaces each.
const WORKERS: u32 = 3;
const EACH: u32 = 16;
const PRUNERS: usize = 2;
/// How many files a workspace has that was made whole.
const FILES: usize = 4;

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

/// What happened so far.
#[derive(Debug, Default)]
struct Counts {
    touches: AtomicUsize,
    touches_in_vain: AtomicUsize,
    replaced: AtomicUsize,
    vanished: AtomicUsize,
    made: AtomicUsize,
    prunes: AtomicUsize,
    pruned: AtomicUsize,
    busy: AtomicUsize,
    kills: AtomicUsize,
    checked: AtomicUsize,
}

fn count(counter: &AtomicUsize, number: usize) {
    counter.fetch_add(number, Ordering::Relaxed);
}

struct Soak<'a> {
    world: &'a World,
    over: AtomicBool,
    counts: Counts,
    lost: Mutex<Vec<String>>,
}

impl Soak<'_> {
    /// Runs the program; one time of `chances` it is killed at a random moment. `None`: it was.
    fn run(&self, mut command: Command, chances: u64) -> Option<Ran> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        if one_in(chances) {
            pause(6000);
            child.kill().expect("SIGKILL"); // of one that has ended, and was not waited for: no harm
        }
        let ran = finish(child, &command).sanely();
        if ran.status == 128 + 9 {
            count(&self.counts.kills, 1);
            return None;
        }
        Some(ran)
    }

    fn prune(&self) {
        let jobs = ["1", "2"][usize::from(one_in(2))];
        let args = ["prune", "-y", "--older-than", "7d", "--format", "json", "-j", jobs];
        let ran = self.run(self.world.wsctl(args).command(), 3);
        count(&self.counts.prunes, 1);
        let Some(ran) = ran else { return };
        assert!([0, 75].contains(&ran.status), "{ran:#?}");
        let report = ran.json();
        let cutoff = time_of(&report["cutoff"]).expect("a cutoff");
        for pruned in report["pruned"].as_array().expect("pruned") {
            let stale = time_of(&pruned["last_accessed"]).is_some_and(|time| time < cutoff);
            assert!(stale || pruned["rule"] == "leftover", "{report:#}");
            count(&self.counts.pruned, 1);
        }
        for failed in report["failed"].as_array().expect("failed") {
            assert_eq!(failed["category"], "busy", "{report:#}");
            count(&self.counts.busy, 1);
        }
    }

    /// Touches some, and tells which of them were touched: those that it does not complain of.
    fn touch<'a>(&self, ids: &[&'a String]) -> Vec<&'a String> {
        let option = if one_in(2) { &["-c"][..] } else { &[] };
        let args = ["touch"].iter().chain(option).copied().chain(ids.iter().map(|id| id.as_str()));
        let ran = self.run(self.world.wsctl(args).command(), 12);
        let touched = ran.map_or_else(Vec::new, |ran| {
            assert!([0, 66, 75].contains(&ran.status), "{ran:#?}");
            ids.iter().copied().filter(|id| !ran.stderr.contains(id.as_str())).collect()
        });
        count(&self.counts.touches, touched.len());
        count(&self.counts.touches_in_vain, ids.len() - touched.len());
        touched
    }

    /// Accesses a workspace as the application does, at this time. It makes the workspace anew if there is none.
    fn access(&self, id: &str, time: DateTime<Utc>) {
        let dir = self.world.dir_of(id);
        while let Err(error) = replace(&dir, time) {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{id}: {error}");
            count(&self.counts.vanished, 1);
            if one_in(3) {
                let _ = fs::create_dir(&dir); // as the application does; there may be one by now
            } else if self.make(id, time) {
                return;
            }
        }
        count(&self.counts.replaced, 1);
    }

    /// Puts a workspace with files in place, whole from its first instant, so that a torn one can be told from one that is
    /// being made. `false`: there is one by now.
    fn make(&self, id: &str, time: DateTime<Utc>) -> bool {
        let made = self.world.path(&Uuid::new_v4().to_string());
        fs::create_dir_all(made.join("data")).expect("a workspace");
        (0..FILES).for_each(|number| fs::write(made.join(format!("data/{number}")), id).expect("a file"));
        let metadata = json!({"workspace_id": id, "last_accessed": written(time), "files": FILES});
        fs::write(made.join(".metadata.json"), metadata.to_string()).expect("metadata");
        let (root, flags) = (rustix::fs::CWD, rustix::fs::RenameFlags::NOREPLACE);
        let placed = rustix::fs::renameat_with(root, &made, root, self.world.dir_of(id), flags).is_ok();
        if placed {
            count(&self.counts.made, 1);
        } else {
            fs::remove_dir_all(made).expect("a removal");
        }
        placed
    }

    /// One round of one worker.
    fn round(&self, ids: &[String]) {
        let weeks_ago = Utc::now() - TimeDelta::weeks(5);
        for id in ids {
            self.access(id, weeks_ago);
        }
        let begun = Utc::now();
        pause(6000);
        for _ in 0..3 {
            let some = |chances| ids.iter().filter(|_| one_in(chances)).collect::<Vec<_>>();
            let (to_touch, to_write) = (some(2), some(5));
            let touched = thread::scope(|scope| {
                let touches = scope.spawn(|| to_touch.chunks(4).flat_map(|ids| self.touch(ids)).collect::<Vec<_>>());
                for id in &to_write {
                    pause(1500);
                    self.access(id, Utc::now());
                }
                touches.join().expect("touches")
            });
            touched.iter().chain(&to_write).for_each(|id| self.check(id, begun));
        }
    }

    /// Checks that a workspace is there, whole, and was accessed since `begun`. A prune may be about to put it back; if it
    /// was killed, the next one does.
    fn check(&self, id: &str, begun: DateTime<Utc>) {
        count(&self.counts.checked, 1);
        let since = Instant::now();
        let dir = self.world.dir_of(id);
        loop {
            match state(&dir, id) {
                Ok(Some(time)) if time >= begun => return,
                Ok(None) if since.elapsed() < Duration::from_secs(10) => self.prune(),
                state => {
                    let names: Vec<_> = self.world.names().into_iter().filter(|name| name.contains(id)).collect();
                    self.lost.lock().expect("no panic").push(format!("{id} of {begun}: {state:?}, {names:?}"));
                    return;
                }
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

/// A time as the application writes it.
fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Micros, false) + "Z"
}

/// A time as the application or `wsctl` wrote it.
fn time_of(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?;
    let text = text.strip_suffix('Z').filter(|text| text.contains('+')).unwrap_or(text);
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

/// Rewrites metadata as the application does; where there is none yet, it begins with what it knows.
fn replace(dir: &Path, time: DateTime<Utc>) -> std::io::Result<()> {
    let path = dir.join(".metadata.json");
    let mut metadata = match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).expect("whole metadata at any instant"),
        Err(error) if error.kind() == ErrorKind::NotFound => json!({}),
        Err(error) => return Err(error),
    };
    metadata["last_accessed"] = written(time).into();
    let temporary = dir.join(format!(".metadata.tmp.{}.json", Uuid::new_v4()));
    fs::write(&temporary, metadata.to_string())?;
    fs::rename(&temporary, path)
}

/// The last access of a workspace, which must be whole; `None` if there is nothing at its path. It is looked at through one
/// descriptor, since a prune may take it aside and put it back between two looks.
fn state(dir: &Path, id: &str) -> Result<Option<DateTime<Utc>>, String> {
    let Ok(opened) = fs::File::open(dir) else { return Ok(None) };
    let dir = Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string());
    let bytes = fs::read(dir.join(".metadata.json")).map_err(|error| format!("no metadata: {error}"))?;
    let metadata: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let time = time_of(&metadata["last_accessed"]).ok_or_else(|| metadata.to_string())?;
    for number in 0..metadata["files"].as_u64().unwrap_or(0) {
        let read = fs::read_to_string(dir.join(format!("data/{number}")));
        if !read.as_ref().is_ok_and(|content| content == id) {
            return Err(format!("file {number}: {read:?}"));
        }
    }
    Ok(Some(time))
}

/// Lets it all run for so long, and prints what happened.
fn soak(duration: Duration) {
    let world = World::in_memory();
    let (over, counts, lost) = (AtomicBool::new(false), Counts::default(), Mutex::default());
    let soak = Soak { world: &world, over, counts, lost };
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
    let lost = soak.lost.into_inner().expect("no panic");
    println!("{:.0?}: {:#?}, accesses lost: {}", begun.elapsed(), soak.counts, lost.len());
    assert_eq!(lost, [""; 0]);
    for counter in [&soak.counts.touches, &soak.counts.pruned, &soak.counts.kills, &soak.counts.busy] {
        assert!(counter.load(Ordering::Relaxed) > 0, "nothing was put to the test");
    }
    let left = world.wsctl(["prune", "-y", "--older-than", "7d"]).run();
    assert!([0, 75].contains(&left.status), "{left:#?}");
    assert!(!world.names().iter().any(|name| name.starts_with(".wsctl-doomed.")), "{:?}", world.names());
}

#[test]
fn no_access_is_lost_between_touches_prunes_kills_and_an_application_that_writes() {
    soak(Duration::from_secs(12));
}

/// `WSCTL_SOAK_SECONDS=3600 cargo test --release soak -- --ignored --nocapture`
#[test]
#[ignore = "the long form: an hour, or as long as WSCTL_SOAK_SECONDS says"]
fn no_access_is_lost_in_an_hour() {
    let seconds = std::env::var("WSCTL_SOAK_SECONDS").ok();
    soak(Duration::from_secs(seconds.map_or(3600, |text| text.parse().expect("a number of seconds"))));
}
