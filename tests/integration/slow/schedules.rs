//! All schedules of up to two pauses of a prune beside a touch, the application's writer, and a second prune.
//!
//! A pause needs no code in the program: strace stops it right after any of its system calls, so the points of the schedules
//! are all the calls that matter, and the binary is the one that is shipped. What a schedule has to show is the same each
//! time: an access that succeeded is not lost, nobody sees a torn workspace, each workspace is reported once.

use crate::paused::{Call, Paused, calls, straced};
use crate::slow::forests::ensure;
use crate::tools::{first_failure, trash, tree};
use crate::world::{Ran, World, ago};
use rustix::fs::{Mode, OFlags};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const ID: &str = "6c7ab482-a9ca-49d7-9364-b3e425655d2e";
const PRUNE: &[&str] = &["prune", "--older-than", "7d", "--yes", "-j1", "-q", "--format", "json"];
const TOUCH: &[&str] = &["touch", ID];
/// The calls after which a run may be stopped: those that read or change names, and those that wait for the disk.
const CALLS: &str = "openat,openat2,renameat,renameat2,newfstatat,getdents64,unlinkat,fsync";

/// A run, and the call after which it stands still.
type Stop = (&'static [&'static str], Call);

/// Who does what when.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// The one goes to its stop, the other to its own; then the one ends, then the other.
    Two(Stop, Stop),
    /// The application rewrites the metadata at the stop of a prune. It began before the prune, or it does now.
    Rewrite { stop: Call, begun_before: bool },
    /// At the stop of a prune the application's rename lands, and it finds its workspace gone and begins to make it anew: a
    /// directory first.
    MakeAnew(Call),
    /// The application rewrites the metadata at the stop of a touch.
    RewriteBesideTouch(Call),
    /// A prune that nothing stops: not one name of a doomed tree may go before the base is on disk.
    SyncBeforeUnlink,
}

/// The stops of a run, from its first look at the workspace on.
fn stops(binary: &Path, args: &'static [&'static str]) -> Vec<Stop> {
    let scene = Scene::new(binary);
    let (ran, log) = straced(&scene.world, scene.world.wsctl(args), CALLS);
    let _ = ran.exits(0);
    let calls = calls(&log.join("\n")).into_iter().skip_while(|call| !call.line.contains(ID));
    let stops: Vec<_> = calls.filter(|call| call.line.contains(ID) || call.line.contains("base>")).collect();
    assert!(stops.len() >= 8, "{log:#?}");
    stops.into_iter().map(|call| (args, call)).collect()
}

/// Every schedule of a prune and a touch.
pub fn touches(binary: &Path) -> Vec<Schedule> {
    let (prunes, touches) = (stops(binary, PRUNE), stops(binary, TOUCH));
    let pairs = prunes.iter().flat_map(|prune| touches.iter().map(move |touch| (prune.clone(), touch.clone())));
    pairs.flat_map(|(prune, touch)| [(prune.clone(), touch.clone()), (touch, prune)]).map(two).collect()
}

fn two((one, other): (Stop, Stop)) -> Schedule {
    Schedule::Two(one, other)
}

/// Every schedule of two prunes.
fn prunes(binary: &Path) -> Vec<Schedule> {
    let stops = stops(binary, PRUNE);
    stops.iter().flat_map(|one| stops.iter().map(move |other| two((one.clone(), other.clone())))).collect()
}

/// Every schedule of a prune or a touch and the application's writer.
pub fn writers(binary: &Path) -> Vec<Schedule> {
    let beside_prune = |(_, stop): Stop| {
        let rewrite = |begun_before| Schedule::Rewrite { stop: stop.clone(), begun_before };
        [rewrite(true), rewrite(false), Schedule::MakeAnew(stop.clone())]
    };
    let beside_touch = stops(binary, TOUCH).into_iter().map(|(_, stop)| Schedule::RewriteBesideTouch(stop));
    let beside_prune = stops(binary, PRUNE).into_iter().flat_map(beside_prune);
    beside_prune.chain(beside_touch).chain([Schedule::SyncBeforeUnlink]).collect()
}

impl Schedule {
    /// Plays it, and checks what came of it.
    pub fn play(&self, binary: &Path) -> Result<(), String> {
        let scene = Scene::new(binary);
        let played = match self {
            Self::Two(one, other) => scene.two(one, other),
            Self::Rewrite { stop, begun_before } => scene.rewrite(stop, *begun_before),
            Self::MakeAnew(stop) => scene.make_anew(stop),
            Self::RewriteBesideTouch(stop) => scene.rewrite_beside_touch(stop),
            Self::SyncBeforeUnlink => scene.sync_before_unlink(),
        };
        played.map_err(|why| format!("{self:?}: {why}"))
    }
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
        let content = tree(&world.dir_of(ID)).into_iter().filter(|line| !line.contains(".metadata")).collect();
        Self { inode: inode(&world.dir_of(ID)), world, content }
    }

    fn stop(&self, args: &[&str], call: &Call) -> Result<Paused, Ran> {
        Paused::try_after(&self.world, (&call.name, call.nth), self.world.wsctl(args))
    }

    /// Whether the workspace, not a new one, is at its own path.
    fn is_here(&self) -> bool {
        inode(&self.world.dir_of(ID)) == self.inode
    }

    /// Nobody sees a workspace that lacks anything at its own path, unless it is a new one.
    fn check_not_torn(&self) -> Result<(), String> {
        if !self.is_here() {
            return Ok(());
        }
        // It may be claimed while we look.
        let now = std::panic::catch_unwind(|| tree(&self.world.dir_of(ID))).unwrap_or_default();
        let whole = self.content.iter().all(|line| now.contains(line));
        ensure(whole || !self.is_here(), format!("torn: {now:#?}"))
    }

    /// After all is done and one more prune: an access that succeeded is there, whole, and nothing is left over.
    fn check_end(&self, accessed: bool) -> Result<(), String> {
        self.check_not_torn()?;
        let last = self.world.wsctl(PRUNE).run();
        let whole = self.world.metadata_of(ID).exists() && self.is_here();
        ensure(!accessed || whole, format!("an access was lost: {:?}", self.world.names()))?;
        self.check_not_torn()?;
        ensure(last.status == 0 && trash(&self.world).is_empty(), format!("{:?} {last:?}", self.world.names()))
    }

    fn two(&self, one: &Stop, other: &Stop) -> Result<(), String> {
        let first = self.stop(one.0, &one.1);
        self.check_not_torn()?;
        let second = self.stop(other.0, &other.1);
        self.check_not_torn()?;
        let first = first.map_or_else(|ran| ran, Paused::go_on);
        self.check_not_torn()?;
        let second = second.map_or_else(|ran| ran, Paused::go_on);
        let (mut succeeded, mut accessed) = (0, false);
        let beside_touch = one.0 != other.0;
        for ((args, _), ran) in [(one, &first), (other, &second)] {
            let fine = ran.status == 0 || (beside_touch && ran.status == 75) || (*args == TOUCH && ran.status == 66);
            ensure(fine, format!("{first:#?} {second:#?}"))?;
            accessed |= *args == TOUCH && ran.status == 0;
            succeeded += if *args == TOUCH { usize::from(ran.status == 0) } else { pruned(ran) };
        }
        // A touch may find its workspace claimed by a prune that puts it back, so that neither succeeds.
        ensure(succeeded == 1 || (succeeded == 0 && beside_touch), format!("{first:#?} {second:#?}"))?;
        self.check_end(accessed)
    }

    fn rewrite(&self, stop: &Call, begun_before: bool) -> Result<(), String> {
        let early = if begun_before { Writer::begin(&self.world) } else { None };
        let paused = self.stop(PRUNE, stop);
        let accessed = early.or_else(|| Writer::begin(&self.world)).is_some_and(Writer::end);
        self.check_not_torn()?;
        let pruning = paused.map_or_else(|ran| ran, Paused::go_on);
        ensure(matches!(pruning.status, 0 | 75), format!("{pruning:#?}"))?;
        self.check_end(accessed)
    }

    fn make_anew(&self, stop: &Call) -> Result<(), String> {
        let writer = Writer::begin(&self.world);
        let paused = self.stop(PRUNE, stop);
        let accessed = writer.is_some_and(Writer::end);
        let dir = self.world.dir_of(ID);
        let made = fs::create_dir(&dir).is_ok().then(|| inode(&dir));
        let _ = paused.map_or_else(|ran| ran, Paused::go_on);
        let Some(made) = made else { return self.check_end(accessed) };
        let names = self.world.names();
        ensure(inode(&dir) == made, format!("something new was replaced: {names:?}"))?;
        let is_whole = |name: &String| tree(&self.world.base().join(name)).len() > self.content.len();
        ensure(!accessed || trash(&self.world).iter().any(is_whole), format!("an access was lost: {names:?}"))
    }

    /// What the application wrote must still be there. Only in the window between the last look and the rename is it lost, and
    /// there is nothing that a program can do about that.
    fn rewrite_beside_touch(&self, stop: &Call) -> Result<(), String> {
        let paused = self.stop(TOUCH, stop);
        let accessed = Writer::begin(&self.world).is_some_and(Writer::end);
        let touched = paused.map_or_else(|ran| ran, Paused::go_on);
        let in_the_window = stop.line.contains("newfstatat") && stop.line.contains(".metadata.json");
        let kept = self.world.json_of(ID)["note"] == Writer::NOTE;
        ensure(accessed && touched.status == 0 && (kept || in_the_window), format!("{touched:#?}"))?;
        self.check_end(true)
    }

    fn sync_before_unlink(&self) -> Result<(), String> {
        let (ran, log) = straced(&self.world, self.world.wsctl(PRUNE), "fsync,unlinkat,renameat2");
        let at = |part: &[&str]| log.iter().position(|line| part.iter().all(|part| line.contains(part)));
        let (doomed, synced, first) =
            (at(&["renameat2", ".wsctl-doomed."]), at(&["fsync", "base>"]), at(&["unlinkat"]));
        ensure(doomed < synced && synced < first && ran.status == 0, format!("{log:#?}"))
    }
}

fn inode(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |stat| stat.ino())
}

fn pruned(ran: &Ran) -> usize {
    ran.json()["pruned"].as_array().map_or(0, Vec::len)
}

/// The application's rewrite, in two steps. Its rename has found its directory before: that is what the kernel does with a
/// rename that was under way when a claim came.
struct Writer(OwnedFd);

impl Writer {
    const TEMPORARY: &str = ".metadata.tmp.x7";
    const NOTE: &str = "written by the application";

    fn begin(world: &World) -> Option<Self> {
        let dir = rustix::fs::open(world.dir_of(ID), OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty()).ok()?;
        let now = ago(chrono::TimeDelta::zero());
        let metadata = serde_json::json!({"workspace_id": ID, "last_accessed": now, "note": Self::NOTE});
        fs::write(world.dir_of(ID).join(Self::TEMPORARY), metadata.to_string()).ok()?;
        Some(Self(dir))
    }

    /// Whether the rename succeeded: only then was it an access.
    fn end(self) -> bool {
        rustix::fs::renameat(&self.0, Self::TEMPORARY, &self.0, ".metadata.json").is_ok()
    }
}

#[test]
fn no_schedule_loses_an_access_tears_a_workspace_or_reports_it_twice() {
    needs!("strace");
    let shipped = Path::new(env!("CARGO_BIN_EXE_wsctl"));
    for kind in [touches, prunes, writers] {
        let schedules = kind(shipped);
        assert!(schedules.len() > 20, "{}", schedules.len());
        println!("{} schedules", schedules.len());
        let failure = first_failure(4, &schedules, |schedule| schedule.play(shipped));
        assert!(failure.is_none(), "{}", failure.unwrap_or_default());
    }
}
