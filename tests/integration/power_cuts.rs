//! Power cuts: ext4 and xfs on loop devices, shut down (`FS_IOC_SHUTDOWN`: from that call on nothing reaches the disk) while
//! touches and a prune are at it, then mounted again, which recovers the journal.
//!
//! Most cuts come while the program stands still after its k-th file-system call, for one k after the other; some come while
//! everything runs free. A loop device forgets nothing that was written to it, so a missing cache flush does not show here:
//! what shows is what was still in the kernel's memory.

use crate::tools::{Standing, straced, text, tool, trash, tree};
use crate::world::{Run, World, has, is_root, skip};
use chrono::{TimeDelta, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// The calls after which the power goes: those that change something. `flock` follows the creation of a temporary file.
const CALLS: [&str; 8] = ["flock", "write", "fchown", "fchmod", "fsync", "renameat", "renameat2", "unlinkat"];
/// Prunes what is older than 30 days, on one thread.
const PRUNE: [&str; 6] = ["prune", "-y", "--older-than", "30d", "-j", "1"];
/// Only finishes what others have decided.
const FINISH: [&str; 6] = ["prune", "-y", "--older-than", "3650d", "--format", "json"];

/// A file system in a file, mounted for as long as this lives.
struct Disk {
    image: NamedTempFile,
    point: PathBuf,
}

impl Disk {
    /// Makes one and mounts it. `None`, loudly, where that can't be done.
    fn new(kind: &str, point: PathBuf) -> Option<Self> {
        let image = NamedTempFile::new_in("/dev/shm").expect("an image");
        image.as_file().set_len(320 << 20).expect("its size"); // xfs makes none below 300 MiB; most of it is a hole
        tool(&[&format!("mkfs.{kind}"), "-q", text(image.path())]);
        let disk = Self { image, point };
        (disk.mount() || skip("loop devices")).then_some(disk)
    }

    fn mount(&self) -> bool {
        let mounted = Command::new("mount").args(["-o", "loop", text(self.image.path()), text(&self.point)]).status();
        mounted.expect("mount").success()
    }

    /// The power comes back.
    fn restart(&self) {
        let begun = Instant::now();
        while !Command::new("umount").arg(&self.point).stderr(Stdio::null()).status().expect("umount").success() {
            assert!(begun.elapsed() < Duration::from_secs(20), "somebody holds on to it");
            thread::sleep(Duration::from_millis(5)); // the killed are still on their way out
        }
        assert!(self.mount(), "it does not recover");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.point).stderr(Stdio::null()).status();
    }
}

/// Somebody with a hand on the plug.
struct Cutter(Child);

impl Cutter {
    const PROGRAM: &str = "import fcntl, os, struct, sys
disk = os.open(sys.argv[1], os.O_RDONLY)
print('.', end='', flush=True)
sys.stdin.read()
fcntl.ioctl(disk, 0x8004587d, struct.pack('I', int(sys.argv[2])))";

    /// `flush`: the journal is written out first, which is a cut a moment later; without, it ends where it ended.
    fn new(disk: &Disk, flush: bool) -> Self {
        let flags = if flush { "1" } else { "2" };
        let mut python = Command::new("python3");
        python.args(["-c", Self::PROGRAM, text(&disk.point), flags]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().expect("python3");
        child.stdout.as_mut().expect("stdout").read_exact(&mut [0]).expect("it is ready");
        Self(child)
    }

    fn cut(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().expect("the cut").success());
    }
}

/// A time of this run's own, as touch takes and writes it.
fn fresh_time() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let ago = TimeDelta::milliseconds(i64::try_from(COUNT.fetch_add(1, Ordering::Relaxed)).expect("a small number"));
    (Utc::now() - TimeDelta::hours(1) + ago).to_rfc3339_opts(chrono::SecondsFormat::Micros, false)
}

/// Workspaces on a disk, how they were at first, and what was done to them.
struct Scene<'a> {
    world: &'a World,
    /// Stale ones, that nobody touches, then stale ones that are touched, then fresh ones.
    ids: Vec<String>,
    trees: BTreeMap<String, Vec<String>>,
    metadata: BTreeMap<String, String>,
    /// For each touched one the times that touch was given, with whether it exited 0.
    touched: Mutex<BTreeMap<String, Vec<(String, bool)>>>,
}

/// What is in a tree beside its metadata and leftovers of a killed touch.
fn rest_of(dir: &Path) -> Vec<String> {
    let ours = |line: &String| line.starts_with("\".metadata.json\"") || line.starts_with("\".wsctl-tmp.");
    tree(dir).into_iter().filter(|line| !ours(line)).collect()
}

impl<'a> Scene<'a> {
    const STALE: usize = 16; // a batch; those that are touched are in the next
    const TOUCHED: usize = 6;

    fn new(world: &'a World) -> Self {
        let ages = (0..Self::STALE + Self::TOUCHED).rev().map(|number| 31 + i64::try_from(number).expect("small"));
        let ids: Vec<_> = ages.chain([1, 2, 3]).map(|days| world.aged(days)).collect();
        tool(&["sync", "-f", text(&world.base())]);
        let trees = ids.iter().map(|id| (id.clone(), rest_of(&world.dir_of(id)))).collect();
        let metadata = ids.iter().map(|id| (id.clone(), world.read_metadata(id))).collect();
        Self { world, ids, trees, metadata, touched: Mutex::default() }
    }

    fn to_touch(&self) -> &[String] {
        &self.ids[Self::STALE..Self::STALE + Self::TOUCHED]
    }

    /// A touch of some, noted as one that need not have come to anything.
    fn touch_of(&self, ids: &[String]) -> Run<'a> {
        let time = fresh_time();
        let mut touched = self.touched.lock().expect("no panic");
        for id in ids {
            touched.entry(id.clone()).or_default().push((time.clone(), false));
        }
        self.world.wsctl(["touch", "-c", "--at", &time].into_iter().chain(ids.iter().map(String::as_str)))
    }

    /// Touches one to the end. If that exits 0, the power may go.
    fn touch(&self, id: &String) {
        let ran = self.touch_of(std::slice::from_ref(id)).run();
        let mut touched = self.touched.lock().expect("no panic");
        touched.get_mut(id).and_then(|times| times.last_mut()).expect("it was noted").1 = ran.status == 0;
    }

    /// Asserts that a workspace in this directory is as it was, with its old last access or a new one that it may have.
    fn assert_whole(&self, id: &str, dir: &Path) {
        assert_eq!(rest_of(dir), self.trees[id], "{id} is not whole");
        let now = fs::read_to_string(dir.join(".metadata.json")).expect("a metadata file");
        let touched = self.touched.lock().expect("no panic");
        let times = touched.get(id).map_or(&[][..], |times| times);
        let durable = times.iter().rposition(|(_, exited_0)| *exited_0);
        let json: Value = serde_json::from_str(&now).expect("whole metadata");
        let is_new = times[durable.unwrap_or(0)..].iter().any(|(time, _)| json["last_accessed"] == time.as_str());
        let is_old = durable.is_none() && now == self.metadata[id];
        assert!(is_new || is_old, "{id} was touched at {times:?}, and has {now}");
    }

    /// The stages in which there is something of a workspace: `own` path, `claimed` or `doomed`.
    fn places(&self) -> BTreeMap<String, Vec<(String, PathBuf)>> {
        let mut places: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for name in self.world.names() {
            let mut words = name.trim_start_matches(".wsctl-").split('.');
            let (first, second) = (words.next().unwrap_or_default().to_owned(), words.next());
            let (stage, id) = second.map_or(("own".into(), first.clone()), |id| (first.clone(), id.to_owned()));
            places.entry(id).or_default().push((stage, self.world.base().join(&name)));
        }
        places
    }

    /// Checks the promises on what the disk holds after the cut, then after the next prune and the next touch.
    fn check(&self) {
        let places = self.places();
        let mut stay = BTreeSet::new();
        for (at, id) in self.ids.iter().enumerate() {
            let [(stage, dir)] = places.get(id).map_or(&[][..], |places| places) else {
                assert!(!places.contains_key(id), "two of {id}: {places:?}");
                self.assert_might_go(at);
                continue;
            };
            if stage == "doomed" {
                self.assert_might_go(at);
                let left = fs::read_to_string(dir.join(".metadata.json"));
                let whole = left.is_ok_and(|text| serde_json::from_str::<Value>(&text).is_ok());
                assert!(whole || fs::read_dir(dir).expect("it").count() == 0, "metadata goes last: {:?}", tree(dir));
            } else {
                self.assert_whole(id, dir);
                stay.insert(id.clone());
            }
        }
        let _ = self.world.wsctl(FINISH).run().exits(0).quietly();
        let left: BTreeSet<_> = self.world.names().into_iter().filter(|name| name != "lost+found").collect();
        assert_eq!(left, stay, "nothing is left aside, and what was not decided on is at its own path");
        for id in &stay {
            self.assert_whole(id, &self.world.dir_of(id));
        }
        let _ = self.world.wsctl(["touch", "-c"].into_iter().chain(stay.iter().map(String::as_str))).run().exits(0);
        let has_temporary = |id: &String| tree(&self.world.dir_of(id)).iter().any(|line| line.starts_with("\".wsctl-"));
        assert!(!stay.iter().any(has_temporary), "a touch sweeps what killed ones left");
        for id in &stay {
            fs::remove_dir_all(self.world.dir_of(id)).expect("a removal");
        }
    }

    /// Asserts that a prune might have decided on this one.
    fn assert_might_go(&self, at: usize) {
        let id = &self.ids[at];
        let touched = self.touched.lock().expect("no panic");
        let durable = touched.get(id).is_some_and(|times| times.iter().any(|(_, exited_0)| *exited_0));
        assert!(at < Self::STALE + Self::TOUCHED && !durable, "{id} is gone: {:?}", touched.get(id));
    }

    /// The run that is to be stopped, and what goes before it.
    fn begin(&self, prunes: bool) -> Run<'a> {
        let (first, then) = self.to_touch().split_at(Self::TOUCHED / 2);
        for id in first {
            self.touch(id);
        }
        if prunes { self.world.wsctl(PRUNE) } else { self.touch_of(then) }
    }
}

/// Where to stop: in the prune or in a touch, after which call.
type Moment = (bool, &'static str, usize);

/// Every moment that there is in a prune, or in a touch, by a run that nothing stops.
fn moments(world: &World, prunes: bool) -> Vec<Moment> {
    let mut moments = Vec::new();
    let scene = Scene::new(world);
    let (ran, log) = straced(world, scene.begin(prunes), &CALLS.join(","));
    let _ = ran.exits(0);
    for call in CALLS {
        let times = log.iter().filter(|line| line.contains(&format!(" {call}("))).count();
        moments.extend((1..=times).map(|nth| (prunes, call, nth)));
    }
    scene.ids.iter().for_each(|id| drop(fs::remove_dir_all(world.dir_of(id))));
    moments
}

/// Cuts while the program stands still; every other time others went on touching before the cut.
fn cut_standing(disk: &Disk, world: &World, (prunes, call, nth): Moment, number: usize) {
    let (scene, cutter) = (Scene::new(world), Cutter::new(disk, number % 4 == 3));
    let standing = Standing::after_nth(world, (call, nth), None, scene.begin(prunes));
    if number % 2 == 1 {
        let others = scene.to_touch()[Scene::TOUCHED / 2..].iter().chain(&scene.ids[Scene::STALE + Scene::TOUCHED..]);
        others.for_each(|id| scene.touch(id));
    }
    cutter.cut();
    drop(standing); // SIGKILL
    disk.restart();
    scene.check();
}

/// Cuts while touches and a prune run.
fn cut_running(disk: &Disk, world: &World, number: usize) {
    let (scene, cutter, over) = (Scene::new(world), Cutter::new(disk, number % 4 == 3), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let ids = scene.to_touch().iter().cycle();
            ids.take_while(|_| !over.load(Ordering::Relaxed)).for_each(|id| scene.touch(id));
        });
        scope.spawn(|| drop(world.wsctl(PRUNE).run()));
        thread::sleep(Duration::from_millis(number as u64 * 7 % 41));
        cutter.cut();
        over.store(true, Ordering::Relaxed);
    });
    disk.restart();
    scene.check();
}

/// Cuts so many times, on both file systems. Every fifth cut comes while everything runs.
fn cut(times: usize) {
    let tools = ["mkfs.ext4", "mkfs.xfs", "mount", "python3", "strace"];
    if !(is_root() && tools.iter().all(|tool| has(tool))) {
        return;
    }
    for kind in ["ext4", "xfs"] {
        let world = World::new();
        let Some(disk) = Disk::new(kind, world.base()) else { return };
        let moments = [true, false].map(|prunes| moments(&world, prunes));
        for number in 0..times / 2 {
            let moments = &moments[usize::from(number % 3 == 2)]; // every third in a touch
            let moment = moments[(number * 2 + usize::from(kind == "xfs")) * moments.len() / times % moments.len()];
            println!("{kind}, cut {number} of {}: {moment:?}", times / 2); // shown where it fails
            if number % 5 == 4 {
                cut_running(&disk, &world, number);
            } else {
                cut_standing(&disk, &world, moment, number);
            }
        }
        assert_eq!(trash(&world), [""; 0]);
    }
}

#[test]
fn after_a_power_cut_at_any_moment_nothing_is_lost_and_the_next_prune_finishes_what_was_decided() {
    cut(20);
}

#[test]
#[ignore = "the long form: 300 cuts"]
fn after_300_power_cuts_nothing_is_lost() {
    cut(300);
}
