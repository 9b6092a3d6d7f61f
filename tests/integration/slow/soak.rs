//! Touches, prunes, an application that writes, and kills, all at random on one base; and no access is ever lost: a touch that
//! exited 0, and a `rename` over the metadata file that succeeded.
//!
//! Each worker makes stale workspaces, round after round; then it accesses some of them, by `touch` and as the application does, at
//! once or one after the other; then it looks whether each of those is there, whole, with an access of this round. Prunes run all
//! the time and are killed at random, so that each workspace is claimed, put back, doomed or removed at any moment of a round.

use crate::tools::trash;
use crate::world::{PRUNE, Ran, Run, World, ago, finish, ids_in};
use chrono::TimeDelta;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How many workers, with how many workspaces each.
const WORKERS: usize = 3;
const EACH: usize = 16;
const PRUNERS: usize = 2;

fn random(limit: u64) -> u64 {
    Uuid::new_v4().as_u64_pair().1 % limit
}

fn pause(at_most: u64) {
    thread::sleep(Duration::from_micros(random(at_most)));
}

struct Soak {
    world: World,
    counts: Mutex<BTreeMap<&'static str, usize>>,
}

impl Soak {
    fn count(&self, what: &'static str, number: usize) {
        *self.counts.lock().expect("no panic").entry(what).or_default() += number;
    }

    /// Runs the program; one time of `chances` it is killed at a random moment. `None`: it was.
    fn run(&self, run: &Run<'_>, chances: u64) -> Option<Ran> {
        let mut child = run.begin();
        if random(chances) == 0 {
            pause(6000);
            child.kill().expect("SIGKILL"); // of one that has ended, and was not waited for: no harm
        }
        let ran = finish(child, &"a run").sanely();
        let is_killed = ran.status == 128 + 9;
        self.count("kills", usize::from(is_killed));
        (!is_killed).then_some(ran)
    }

    fn prune(&self) {
        let jobs = format!("-j{}", 1 + random(2));
        self.count("prunes", 1);
        let Some(ran) = self.run(&self.world.wsctl(PRUNE[..6].iter().chain(&[&*jobs])), 3) else { return };
        assert!([0, 75].contains(&ran.status), "{ran:#?}");
        let report = ran.json();
        let failed = report["failed"].as_array().expect("failed");
        assert!(failed.iter().all(|it| it["category"] == "busy"), "{report:#}");
        self.count("pruned", ids_in(&report["pruned"]).len());
        self.count("busy", failed.len());
    }

    /// Touches some, and tells which of them were touched: those that it does not complain of.
    fn touch<'a>(&self, ids: &[&'a String]) -> Vec<&'a String> {
        let option = if random(2) == 0 { "--no-create" } else { "--color=never" };
        let args = ["touch", option].into_iter().chain(ids.iter().map(|id| id.as_str()));
        let Some(ran) = self.run(&self.world.wsctl(args), 12) else { return vec![] };
        assert!([0, 66, 75].contains(&ran.status), "{ran:#?}");
        let touched: Vec<_> = ids.iter().copied().filter(|id| !ran.stderr.contains(id.as_str())).collect();
        self.count("touches", touched.len());
        touched
    }

    /// Rewrites metadata as the application does, and tells whether it could.
    fn rewrite(&self, id: &str, time: &str) -> bool {
        let dir = self.world.dir_of(id);
        let replace = || -> io::Result<()> {
            let mut metadata: Value = serde_json::from_slice(&fs::read(dir.join(".metadata.json"))?)?;
            metadata["last_accessed"] = time.into();
            let temporary = dir.join(format!(".metadata.tmp.{}.json", Uuid::new_v4()));
            fs::write(&temporary, metadata.to_string())?;
            fs::rename(&temporary, dir.join(".metadata.json"))
        };
        let replaced = replace();
        let is_gone = replaced.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound);
        assert!(replaced.is_ok() || is_gone, "{id}: {replaced:?}");
        self.count("rewrites", usize::from(!is_gone));
        !is_gone
    }

    fn round(&self) {
        let ids: Vec<_> = (0..EACH).map(|_| self.world.aged(35)).collect();
        let begun = ago(TimeDelta::zero());
        pause(6000);
        for _ in 0..3 {
            let some = |chances| ids.iter().filter(|_| random(chances) == 0).collect::<Vec<_>>();
            let (to_touch, to_write) = (some(2), some(5));
            let write = |id: &&String| {
                pause(1500);
                self.rewrite(id, &ago(TimeDelta::zero()))
            };
            let accessed = thread::scope(|scope| {
                let touches = scope.spawn(|| to_touch.chunks(4).flat_map(|ids| self.touch(ids)).collect::<Vec<_>>());
                let written = to_write.into_iter().filter(write).collect();
                [written, touches.join().expect("touches")].concat()
            });
            for id in accessed {
                self.check(id, &begun);
            }
        }
        for id in &ids {
            self.rewrite(id, &ago(TimeDelta::weeks(5)));
        }
    }

    /// Checks that it is there, whole, and was accessed since `begun`. A prune may be about to put it back, or was killed.
    fn check(&self, id: &str, begun: &str) {
        let since = Instant::now();
        loop {
            match last_access(&self.world.dir_of(id)) {
                // Both are in UTC, with six digits after the dot; what follows depends on who wrote it.
                Some(time) if time[..26] >= begun[..26] => return,
                None if since.elapsed() < Duration::from_secs(10) => self.prune(),
                found => panic!("{id} of {begun} is lost: {found:?}, {:?}", self.world.names()),
            }
        }
    }
}

/// The last access of a workspace, which must be whole; `None`: it is not there. A prune may take it aside between two looks.
fn last_access(dir: &Path) -> Option<String> {
    let opened = fs::File::open(dir).ok()?;
    let dir = Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string());
    let metadata: Value =
        serde_json::from_slice(&fs::read(dir.join(".metadata.json")).expect("metadata")).expect("JSON");
    for (file, length) in [("conversations.json", 2), ("charts/lap_times.png", 512)] {
        let read = fs::read(dir.join(file));
        assert!(read.as_ref().is_ok_and(|content| content.len() == length), "{file} is lost: {read:?}");
    }
    Some(metadata["last_accessed"].as_str().expect("a time").to_owned())
}

fn soak(duration: Duration) {
    let soak = Soak { world: World::in_memory(), counts: Mutex::default() };
    let begun = Instant::now();
    thread::scope(|scope| {
        for act in [Soak::round as fn(&Soak); WORKERS].into_iter().chain([Soak::prune as fn(&Soak); PRUNERS]) {
            let soak = &soak;
            scope.spawn(move || {
                while begun.elapsed() < duration {
                    act(soak);
                    pause(12_000);
                }
            });
        }
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
