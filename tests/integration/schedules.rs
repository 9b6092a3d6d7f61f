//! All schedules of up to two pauses of a prune beside a touch, the application's writer, and a second prune.
//!
//! A pause needs no code in the program: strace stops it right after any of its system calls, so the points of the schedules
//! are all the calls that matter, and the binary is the one that is shipped. What a schedule has to show is the same each
//! time: an access that succeeded is not lost, nobody sees a torn workspace, each workspace is reported once.

use crate::tools::{Standing, straced, trash, tree};
use crate::world::{Ran, World, has};
use rustix::fs::{Mode, OFlags};
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const ID: &str = "6c7ab482-a9ca-49d7-9364-b3e425655d2e";
const PRUNE: [&str; 8] = ["prune", "--older-than", "7d", "--yes", "-j1", "-q", "--format", "json"];
const TOUCH: [&str; 2] = ["touch", ID];
/// The calls after which a run may be stopped: those that read or change names, and those that wait for the disk.
const CALLS: &str = "openat,openat2,renameat,renameat2,newfstatat,getdents64,unlinkat,fsync";

/// A point at which a run stands still: after the nth call of this name.
#[derive(Debug, Clone)]
struct Point {
    call: String,
    nth: usize,
    /// As strace shows it.
    line: String,
}

/// A world with one stale workspace, and the paths in it.
struct Scene {
    world: World,
    content: Vec<String>,
    inode: u64,
}

impl Scene {
    fn new(binary: &Path) -> Self {
        let world = World::of(binary);
        let stale = world.workspace().id(ID).days_ago(30).file("charts/a/lap.png", b"chart").file("data/b.json", b"{}");
        let _ = stale.make();
        let paths = tree(&world.dir_of(ID)).into_iter().filter(|line| !line.contains(".metadata"));
        let content = paths.collect();
        Self { inode: inode(&world.dir_of(ID)), world, content }
    }

    fn stop(&self, args: &[&str], point: &Point) -> Result<Standing, Ran> {
        Standing::try_after(&self.world, (&point.call, point.nth), self.world.wsctl(args))
    }

    /// Nobody sees a workspace that lacks anything at its own path, unless it is a new one.
    fn check_not_torn(&self) -> Result<(), String> {
        let dir = self.world.dir_of(ID);
        if !dir.exists() || inode(&dir) != self.inode {
            return Ok(());
        }
        let lacks = |now: &[String]| self.content.iter().any(|line| !now.contains(line));
        // It may be claimed while we look.
        let now = std::panic::catch_unwind(|| tree(&dir)).unwrap_or_default();
        if dir.exists() && inode(&dir) == self.inode && lacks(&now) { Err(format!("torn: {now:#?}")) } else { Ok(()) }
    }

    /// After all is done and one more prune: an access that succeeded is there, whole, and nothing is left over.
    fn check_end(&self, accessed: bool) -> Result<(), String> {
        self.check_not_torn()?;
        let last = self.world.wsctl(PRUNE).run();
        let whole = self.world.metadata_of(ID).exists() && inode(&self.world.dir_of(ID)) == self.inode;
        if accessed && !whole {
            return Err(format!("an access was lost: {:?}", self.world.names()));
        }
        self.check_not_torn()?;
        match (last.status, trash(&self.world)) {
            (0, left) if left.is_empty() => Ok(()),
            (status, left) => Err(format!("at the end {status}, {left:?}: {}", last.stderr)),
        }
    }
}

fn inode(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(path).map_or(0, |stat| stat.ino())
}

/// The points of a run on a scene of its own, from its first look at the workspace on.
fn points(binary: &Path, args: &[&str]) -> Vec<Point> {
    let scene = Scene::new(binary);
    let (ran, log) = straced(&scene.world, scene.world.wsctl(args), CALLS);
    let _ = ran.exits(0);
    let mut counts = std::collections::HashMap::new();
    let mut begun = false;
    let mut points = Vec::new();
    for line in log.iter().filter(|line| line.contains('(')) {
        let call = line.split_whitespace().nth(1).and_then(|rest| rest.split('(').next()).expect("a call");
        let nth = counts.entry(call.to_owned()).and_modify(|count| *count += 1).or_insert(1_usize);
        begun |= line.contains(ID);
        if begun && (line.contains(ID) || line.contains("base>")) {
            points.push(Point { call: call.to_owned(), nth: *nth, line: line.clone() });
        }
    }
    assert!(points.len() >= 8, "{log:#?}");
    points
}

fn pruned(ran: &Ran) -> usize {
    ran.json()["pruned"].as_array().map_or(0, Vec::len)
}

/// Two runs: the one goes to its point, the other to its own; then the one ends, then the other.
fn two_runs(scene: &Scene, one: (&[&str], &Point), other: (&[&str], &Point)) -> Result<[Ran; 2], String> {
    let first = scene.stop(one.0, one.1);
    scene.check_not_torn()?;
    let second = scene.stop(other.0, other.1);
    scene.check_not_torn()?;
    let first = first.map_or_else(|ran| ran, Standing::go_on);
    scene.check_not_torn()?;
    let second = second.map_or_else(|ran| ran, Standing::go_on);
    Ok([first, second])
}

fn prune_beside_touch(binary: &Path, prune: &Point, touch: &Point, prune_first: bool) -> Result<(), String> {
    let scene = Scene::new(binary);
    let (touched, pruning) = if prune_first {
        let [pruning, touched] = two_runs(&scene, (&PRUNE, prune), (&TOUCH, touch))?;
        (touched, pruning)
    } else {
        let [touched, pruning] = two_runs(&scene, (&TOUCH, touch), (&PRUNE, prune))?;
        (touched, pruning)
    };
    if !matches!(touched.status, 0 | 66 | 75) || !matches!(pruning.status, 0 | 75) {
        return Err(format!("{touched:#?} {pruning:#?}"));
    }
    if touched.status == 0 && pruned(&pruning) > 0 {
        return Err(format!("both succeeded: {touched:#?} {pruning:#?}"));
    }
    scene.check_end(touched.status == 0)
}

fn prune_beside_prune(binary: &Path, one: &Point, other: &Point) -> Result<(), String> {
    let scene = Scene::new(binary);
    let both = two_runs(&scene, (&PRUNE, one), (&PRUNE, other))?;
    if both.iter().map(pruned).sum::<usize>() != 1 || both.iter().any(|ran| ran.status != 0) {
        return Err(format!("{both:#?}"));
    }
    scene.check_end(false)
}

/// The application's rewrite, in two steps. Its rename has found its directory before: that is what the kernel does with a
/// rename that was under way when a claim came.
struct Writer {
    dir: OwnedFd,
    temporary: &'static str,
}

impl Writer {
    fn begin(world: &World) -> Option<Self> {
        let dir = rustix::fs::open(world.dir_of(ID), OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty()).ok()?;
        let temporary = ".metadata.tmp.x7";
        let now = crate::world::ago(chrono::TimeDelta::zero());
        let json = format!(
            "{{\n  \"workspace_id\": \"{ID}\",\n  \"last_accessed\": \"{now}\",\n  \"note\": \"written by the application\"\n}}"
        );
        fs::write(world.dir_of(ID).join(temporary), json).ok()?;
        Some(Self { dir, temporary })
    }

    /// Whether the rename succeeded: only then was it an access.
    fn end(self) -> bool {
        rustix::fs::renameat(&self.dir, self.temporary, &self.dir, ".metadata.json").is_ok()
    }
}

/// The writer begins before the prune or at its pause, and ends at its pause.
fn prune_beside_writer(binary: &Path, pause: &Point, begins_before: bool) -> Result<(), String> {
    let scene = Scene::new(binary);
    let early = if begins_before { Writer::begin(&scene.world) } else { None };
    let standing = scene.stop(&PRUNE, pause);
    let accessed = early.or_else(|| Writer::begin(&scene.world)).is_some_and(Writer::end);
    scene.check_not_torn()?;
    let pruning = standing.map_or_else(|ran| ran, Standing::go_on);
    if !matches!(pruning.status, 0 | 75) {
        return Err(format!("{pruning:#?}"));
    }
    scene.check_end(accessed)
}

/// A whole rewrite by the application at a pause of touch: what it wrote must still be there. Only in the window between the
/// last look and the rename is it lost, and there is nothing that a program can do about that.
fn touch_beside_writer(binary: &Path, pause: &Point) -> Result<(), String> {
    let scene = Scene::new(binary);
    let standing = scene.stop(&TOUCH, pause);
    let accessed = Writer::begin(&scene.world).is_some_and(Writer::end);
    let touched = standing.map_or_else(|ran| ran, Standing::go_on);
    let text = scene.world.read_metadata(ID);
    let kept = text.contains("written by the application");
    let in_the_window = pause.line.contains("newfstatat") && pause.line.contains(".metadata.json");
    if !accessed
        || touched.status != 0
        || (!kept && !in_the_window)
        || serde_json::from_str::<serde_json::Value>(&text).is_err()
    {
        return Err(format!("{touched:#?} {text}"));
    }
    scene.check_end(true)
}

/// Not one name of a doomed tree may go before the base is on disk.
fn sync_before_unlink(binary: &Path) -> Result<(), String> {
    let scene = Scene::new(binary);
    let (ran, log) = straced(&scene.world, scene.world.wsctl(PRUNE), "fsync,unlinkat,renameat2");
    let at = |part: &[&str]| log.iter().position(|line| part.iter().all(|part| line.contains(part)));
    let (doomed, synced, first) = (at(&["renameat2", ".wsctl-doomed."]), at(&["fsync", "base>"]), at(&["unlinkat"]));
    if doomed < synced && synced < first && ran.status == 0 { Ok(()) } else { Err(format!("{log:#?}")) }
}

/// At a pause the application's rename lands, and it finds its workspace gone and begins to make it anew: a directory first.
fn prune_beside_recreation(binary: &Path, pause: &Point) -> Result<(), String> {
    let scene = Scene::new(binary);
    let writer = Writer::begin(&scene.world);
    let standing = scene.stop(&PRUNE, pause);
    let accessed = writer.is_some_and(Writer::end);
    let dir = scene.world.dir_of(ID);
    let made = fs::create_dir(&dir).is_ok().then(|| inode(&dir));
    let _ = standing.map_or_else(|ran| ran, Standing::go_on);
    let Some(made) = made else { return scene.check_end(accessed) };
    if inode(&dir) != made {
        return Err(format!("something new was replaced: {:?}", scene.world.names()));
    }
    let aside = trash(&scene.world);
    let whole = aside.iter().any(|name| tree(&scene.world.base().join(name)).len() > scene.content.len());
    if accessed && !whole { Err(format!("an access was lost: {:?}", scene.world.names())) } else { Ok(()) }
}

pub type Schedule<'a> = (String, Box<dyn Fn() -> Result<(), String> + Send + Sync + 'a>);

/// Runs schedules, several at a time since they mostly wait, until all are done or one fails, and gives the failure.
pub fn first_failure(schedules: &[Schedule<'_>]) -> Option<String> {
    let (next, failure) = (AtomicUsize::new(0), Mutex::new(None));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((name, schedule)) = schedules.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = schedule() {
                        next.store(schedules.len(), Ordering::Relaxed);
                        failure.lock().expect("no panic").get_or_insert(format!("{name}: {why}"));
                    }
                }
            });
        }
    });
    failure.into_inner().expect("no panic")
}

/// Every schedule of one kind.
pub fn touches(binary: &Path) -> Vec<Schedule<'_>> {
    let (prunes, touches) = (points(binary, &PRUNE), points(binary, &TOUCH));
    let mut schedules: Vec<Schedule<'_>> = Vec::new();
    for prune in &prunes {
        for touch in &touches {
            for first in [true, false] {
                let name = format!("prune {prune:?}, touch {touch:?}, prune first {first}");
                let (prune, touch) = (prune.clone(), touch.clone());
                schedules.push((name, Box::new(move || prune_beside_touch(binary, &prune, &touch, first))));
            }
        }
    }
    schedules
}

pub fn prunes(binary: &Path) -> Vec<Schedule<'_>> {
    let points = points(binary, &PRUNE);
    let mut schedules: Vec<Schedule<'_>> = Vec::new();
    for one in &points {
        for other in &points {
            let (one, other) = (one.clone(), other.clone());
            let name = format!("prune {one:?}, prune {other:?}");
            schedules.push((name, Box::new(move || prune_beside_prune(binary, &one, &other))));
        }
    }
    schedules
}

pub fn writers(binary: &Path) -> Vec<Schedule<'_>> {
    let mut schedules: Vec<Schedule<'_>> = Vec::new();
    for pause in points(binary, &PRUNE) {
        for before in [true, false] {
            let (name, pause) = (format!("writer at {pause:?}, begun before {before}"), pause.clone());
            schedules.push((name, Box::new(move || prune_beside_writer(binary, &pause, before))));
        }
        let name = format!("made anew at {pause:?}");
        schedules.push((name, Box::new(move || prune_beside_recreation(binary, &pause))));
    }
    for pause in points(binary, &TOUCH) {
        let name = format!("writer at {pause:?} of touch");
        schedules.push((name, Box::new(move || touch_beside_writer(binary, &pause))));
    }
    schedules.push(("sync before unlink".into(), Box::new(move || sync_before_unlink(binary))));
    schedules
}

fn shipped() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_wsctl"))
}

fn all_hold(kind: fn(&Path) -> Vec<Schedule<'_>>) {
    if !has("strace") {
        return;
    }
    let schedules = kind(shipped());
    assert!(schedules.len() > 20, "{}", schedules.len());
    println!("{} schedules", schedules.len());
    let failure = first_failure(&schedules);
    assert!(failure.is_none(), "{}", failure.unwrap_or_default());
}

#[test]
fn no_schedule_of_a_prune_and_a_touch_loses_an_access_or_tears_a_workspace() {
    all_hold(touches);
}

#[test]
fn no_schedule_of_two_prunes_reports_a_workspace_twice_or_fails() {
    all_hold(prunes);
}

#[test]
fn no_schedule_of_a_prune_and_the_applications_writer_loses_an_access() {
    all_hold(writers);
}
