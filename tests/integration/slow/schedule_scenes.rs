//! One schedule: a world with one stale workspace, runs that are paused at their points, and what must be true in the end.
//! All of them are in `schedules`.

use crate::paused::{Paused, straced};
use crate::tools::{trash, tree};
use crate::world::{Ran, World};
use rustix::fs::{Mode, OFlags};
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

const ID: &str = "6c7ab482-a9ca-49d7-9364-b3e425655d2e";
pub const PRUNE: [&str; 8] = ["prune", "--older-than", "7d", "--yes", "-j1", "-q", "--format", "json"];
pub const TOUCH: [&str; 2] = ["touch", ID];
/// The calls after which a run may be stopped: those that read or change names, and those that wait for the disk.
const CALLS: &str = "openat,openat2,renameat,renameat2,newfstatat,getdents64,unlinkat,fsync";

/// A point at which a run stands still: after the nth call of this name.
#[derive(Debug, Clone)]
pub struct Point {
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

    fn stop(&self, args: &[&str], point: &Point) -> Result<Paused, Ran> {
        Paused::try_after(&self.world, (&point.call, point.nth), self.world.wsctl(args))
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
pub fn points(binary: &Path, args: &[&str]) -> Vec<Point> {
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
    let first = first.map_or_else(|ran| ran, Paused::go_on);
    scene.check_not_torn()?;
    let second = second.map_or_else(|ran| ran, Paused::go_on);
    Ok([first, second])
}

pub fn prune_beside_touch(binary: &Path, prune: &Point, touch: &Point, prune_first: bool) -> Result<(), String> {
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

pub fn prune_beside_prune(binary: &Path, one: &Point, other: &Point) -> Result<(), String> {
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
pub fn prune_beside_writer(binary: &Path, pause: &Point, begins_before: bool) -> Result<(), String> {
    let scene = Scene::new(binary);
    let early = if begins_before { Writer::begin(&scene.world) } else { None };
    let paused = scene.stop(&PRUNE, pause);
    let accessed = early.or_else(|| Writer::begin(&scene.world)).is_some_and(Writer::end);
    scene.check_not_torn()?;
    let pruning = paused.map_or_else(|ran| ran, Paused::go_on);
    if !matches!(pruning.status, 0 | 75) {
        return Err(format!("{pruning:#?}"));
    }
    scene.check_end(accessed)
}

/// A whole rewrite by the application at a pause of touch: what it wrote must still be there. Only in the window between the
/// last look and the rename is it lost, and there is nothing that a program can do about that.
pub fn touch_beside_writer(binary: &Path, pause: &Point) -> Result<(), String> {
    let scene = Scene::new(binary);
    let paused = scene.stop(&TOUCH, pause);
    let accessed = Writer::begin(&scene.world).is_some_and(Writer::end);
    let touched = paused.map_or_else(|ran| ran, Paused::go_on);
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
pub fn sync_before_unlink(binary: &Path) -> Result<(), String> {
    let scene = Scene::new(binary);
    let (ran, log) = straced(&scene.world, scene.world.wsctl(PRUNE), "fsync,unlinkat,renameat2");
    let at = |part: &[&str]| log.iter().position(|line| part.iter().all(|part| line.contains(part)));
    let (doomed, synced, first) = (at(&["renameat2", ".wsctl-doomed."]), at(&["fsync", "base>"]), at(&["unlinkat"]));
    if doomed < synced && synced < first && ran.status == 0 { Ok(()) } else { Err(format!("{log:#?}")) }
}

/// At a pause the application's rename lands, and it finds its workspace gone and begins to make it anew: a directory first.
pub fn prune_beside_recreation(binary: &Path, pause: &Point) -> Result<(), String> {
    let scene = Scene::new(binary);
    let writer = Writer::begin(&scene.world);
    let paused = scene.stop(&PRUNE, pause);
    let accessed = writer.is_some_and(Writer::end);
    let dir = scene.world.dir_of(ID);
    let made = fs::create_dir(&dir).is_ok().then(|| inode(&dir));
    let _ = paused.map_or_else(|ran| ran, Paused::go_on);
    let Some(made) = made else { return scene.check_end(accessed) };
    if inode(&dir) != made {
        return Err(format!("something new was replaced: {:?}", scene.world.names()));
    }
    let aside = trash(&scene.world);
    let whole = aside.iter().any(|name| tree(&scene.world.base().join(name)).len() > scene.content.len());
    if accessed && !whole { Err(format!("an access was lost: {:?}", scene.world.names())) } else { Ok(()) }
}
