//! All schedules of up to two pauses of a prune beside a touch, the application's writer, and a second prune: an access that
//! succeeded is not lost, nobody sees a torn workspace, each workspace is reported once.

use crate::paused::{Call, Paused, calls, straced};
use crate::slow::fault_checks::ensure;
use crate::tools::{first_failure, modify, trash, tree};
use crate::world::{Ran, World, ago, ids_in};
use rustix::fs::{Mode, OFlags};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const ID: &str = "6c7ab482-a9ca-49d7-9364-b3e425655d2e";
const PRUNE: &[&str] = &["prune", "--older-than", "7d", "--yes", "-j1", "-q", "--format", "json"];
const TOUCH: &[&str] = &["touch", ID];
/// Prunes that look at more than the metadata, or are given the ID.
const OTHER_PRUNES: [&[&str]; 3] = [
    &["prune", "-y", "-j1", "--format=json", "--older-than=7d", "--use-mtime"],
    &["prune", "-y", "-j1", "--format=json", "--max-total-size=0B"],
    &["prune", "-y", "-j1", "--format=json", ID],
];
/// The calls after which a run may be stopped: those that read or change names, or wait for the disk.
const CALLS: &str = "openat,openat2,renameat,renameat2,newfstatat,getdents64,unlinkat,fsync";

/// A run, and the call after which it stands still; without one it goes to its end.
type Stop = (&'static [&'static str], Option<Call>);
type Played = Result<(), String>;

/// Who does what when, in words, and how that is played.
pub struct Schedule(String, Box<dyn Fn(&Scene) -> Played + Sync>);

impl Schedule {
    pub fn play(&self, binary: &Path) -> Played {
        (self.1)(&Scene::new(binary)).map_err(|why| format!("{}: {why}", self.0))
    }
}

/// The stops of a run after these calls, from its first look at the workspace on.
fn stops(binary: &Path, args: &'static [&'static str], after: &str) -> Vec<Stop> {
    let scene = Scene::new(binary);
    let (ran, log) = straced(&scene.world, scene.world.wsctl(args), after);
    let _ = ran.exits(0);
    let calls = calls(&log.join("\n")).into_iter().skip_while(|call| !call.line.contains(ID));
    let stops: Vec<_> = calls.filter(|call| call.line.contains(ID) || call.line.contains("base>")).collect();
    assert!(stops.len() >= 8, "{log:#?}");
    stops.into_iter().map(|call| (args, Some(call))).collect()
}

/// The one goes to its stop, the other to its own; then the one ends, then the other.
fn two(one: &Stop, other: &Stop) -> Schedule {
    let (one, other) = (one.clone(), other.clone());
    Schedule(format!("{one:?}, {other:?}"), Box::new(move |scene| scene.two(&one, &other)))
}

pub fn touches(binary: &Path) -> Vec<Schedule> {
    let [prunes, touches] = [PRUNE, TOUCH].map(|args| stops(binary, args, CALLS));
    let pairs = prunes.iter().flat_map(|prune| touches.iter().map(move |touch| (prune, touch)));
    pairs.flat_map(|(prune, touch)| [two(prune, touch), two(touch, prune)]).collect()
}

/// Every schedule of two prunes; of those by other rules one has no stop.
fn prunes(binary: &Path) -> Vec<Schedule> {
    let stops_of_one = stops(binary, PRUNE, CALLS);
    let pairs = stops_of_one.iter().flat_map(|one| stops_of_one.iter().map(move |other| two(one, other)));
    let others = OTHER_PRUNES.iter().flat_map(|args| {
        stops(binary, args, "openat2,statx,getdents64,renameat2").into_iter().map(|stop| two(&stop, &(*args, None)))
    });
    pairs.chain(others).collect()
}

/// Every schedule of a prune or a touch and the application, and a prune that nothing stops.
pub fn writers(binary: &Path) -> Vec<Schedule> {
    type Act = fn(&Scene, &Call) -> Played;
    let acts: [(_, _, Act); 4] = [
        ("a rewrite that begins before", PRUNE, |scene, stop| scene.rewrite(stop, true)),
        ("a rewrite", PRUNE, |scene, stop| scene.rewrite(stop, false)),
        ("a workspace made anew", PRUNE, Scene::make_anew),
        ("a rewrite", TOUCH, Scene::rewrite_beside_touch),
    ];
    let mut all = vec![Schedule("a prune".into(), Box::new(Scene::sync_before_unlink))];
    for (what, args, act) in acts {
        all.extend(stops(binary, args, CALLS).into_iter().filter_map(|(_, call)| call).map(|call| {
            Schedule(format!("{what} beside {args:?} at {call:?}"), Box::new(move |scene| act(scene, &call)))
        }));
    }
    all
}

pub struct Scene {
    world: World,
    content: Vec<String>,
    inode: u64,
}

impl Scene {
    fn new(binary: &Path) -> Self {
        let (mut world, _) =
            World::with(|it| it.id(ID).days_ago(30).file("charts/a/lap.png", b"x").file("data/b", b"x"));
        binary.clone_into(&mut world.binary);
        modify(&world, ID, 30);
        let content = tree(&world.dir_of(ID)).into_iter().filter(|line| !line.contains(".metadata")).collect();
        Self { inode: inode(&world.dir_of(ID)), world, content }
    }

    fn stop(&self, args: &[&str], call: Option<&Call>) -> Result<Paused, Ran> {
        let run = self.world.wsctl(args);
        let Some(call) = call else { return Err(run.run()) };
        Paused::try_after(&self.world, (&call.name, call.nth), run)
    }

    /// Whether the workspace, not a new one, is at its own path.
    fn is_here(&self) -> bool {
        inode(&self.world.dir_of(ID)) == self.inode
    }

    /// Nobody sees a workspace that lacks anything at its own path, unless it is a new one.
    fn check_not_torn(&self) -> Played {
        if !self.is_here() {
            return Ok(());
        }
        // It may be claimed while we look.
        let now = std::panic::catch_unwind(|| tree(&self.world.dir_of(ID))).unwrap_or_default();
        let whole = self.content.iter().all(|line| now.contains(line));
        ensure(whole || !self.is_here(), format!("torn: {now:#?}"))
    }

    /// After all is done and one more prune: an access that succeeded is there, whole, and nothing is left over.
    fn check_end(&self, accessed: bool) -> Played {
        self.check_not_torn()?;
        let last = self.world.wsctl(PRUNE).run();
        let whole = self.world.metadata_of(ID).exists() && self.is_here();
        ensure(!accessed || whole, format!("an access was lost: {:?}", self.world.names()))?;
        self.check_not_torn()?;
        ensure(last.status == 0 && trash(&self.world).is_empty(), format!("{:?} {last:?}", self.world.names()))
    }

    fn two(&self, one: &Stop, other: &Stop) -> Played {
        let first = self.stop(one.0, one.1.as_ref());
        self.check_not_torn()?;
        let second = self.stop(other.0, other.1.as_ref());
        self.check_not_torn()?;
        let first = ended(first);
        self.check_not_torn()?;
        let second = ended(second);
        let (mut succeeded, mut accessed) = (0, false);
        let beside_touch = one.0 != other.0;
        for ((args, _), ran) in [(one, &first), (other, &second)] {
            let fine =
                ran.status == 0 || (beside_touch && ran.status == 75) || (args.contains(&ID) && ran.status == 66);
            ensure(fine, format!("{first:#?} {second:#?}"))?;
            accessed |= *args == TOUCH && ran.status == 0;
            succeeded +=
                if *args == TOUCH { usize::from(ran.status == 0) } else { ids_in(&ran.json()["pruned"]).len() };
        }
        // A touch may find its workspace claimed by a prune that puts it back, so that neither succeeds.
        ensure(succeeded == 1 || (succeeded == 0 && beside_touch), format!("{first:#?} {second:#?}"))?;
        self.check_end(accessed)
    }

    /// The application rewrites the metadata at the stop of a prune. It began before the prune, or it does now.
    fn rewrite(&self, stop: &Call, begun_before: bool) -> Played {
        let early = if begun_before { Writer::begin(&self.world) } else { None };
        let paused = self.stop(PRUNE, Some(stop));
        let accessed = early.or_else(|| Writer::begin(&self.world)).is_some_and(Writer::end);
        self.check_not_torn()?;
        let pruning = ended(paused);
        ensure(matches!(pruning.status, 0 | 75), format!("{pruning:#?}"))?;
        self.check_end(accessed)
    }

    /// At the stop of a prune the application's rename lands; then it makes a workspace anew, if there is none: a directory first.
    fn make_anew(&self, stop: &Call) -> Played {
        let writer = Writer::begin(&self.world);
        let paused = self.stop(PRUNE, Some(stop));
        let (accessed, dir) = (writer.is_some_and(Writer::end), self.world.dir_of(ID));
        let made = fs::create_dir(&dir).is_ok().then(|| inode(&dir));
        let _ = ended(paused);
        let Some(made) = made else { return self.check_end(accessed) };
        let names = self.world.names();
        ensure(inode(&dir) == made, format!("something new was replaced: {names:?}"))?;
        let is_whole = |name: &String| tree(&self.world.base().join(name)).len() > self.content.len();
        ensure(!accessed || trash(&self.world).iter().any(is_whole), format!("an access was lost: {names:?}"))
    }

    /// What the application wrote must still be there, but in the window between the last look and the rename.
    fn rewrite_beside_touch(&self, stop: &Call) -> Played {
        let paused = self.stop(TOUCH, Some(stop));
        let accessed = Writer::begin(&self.world).is_some_and(Writer::end);
        let touched = ended(paused);
        let in_the_window = stop.line.contains("newfstatat") && stop.line.contains(".metadata.json");
        let kept = self.world.json_of(ID)["note"] == Writer::NOTE;
        ensure(accessed && touched.status == 0 && (kept || in_the_window), format!("{touched:#?}"))?;
        self.check_end(true)
    }

    /// Not one name of a doomed tree may go before the base is on disk.
    fn sync_before_unlink(&self) -> Played {
        let (ran, log) = straced(&self.world, self.world.wsctl(PRUNE), "fsync,unlinkat,renameat2");
        let at = |part: &[&str]| log.iter().position(|line| part.iter().all(|part| line.contains(part)));
        let order = [at(&["renameat2", ".wsctl-doomed."]), at(&["fsync", "base>"]), at(&["unlinkat"])];
        ensure(order.is_sorted() && order[0].is_some() && ran.status == 0, format!("{log:#?}"))
    }
}

fn inode(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |stat| stat.ino())
}

/// What came of a run that was to be stopped, if it did not end before.
fn ended(run: Result<Paused, Ran>) -> Ran {
    run.map_or_else(|ran| ran, Paused::go_on)
}

/// The application's rewrite, in two steps. Its rename has found its directory before, as one under way when a claim comes.
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
        println!("{} schedules", schedules.len());
        let failure = first_failure(4, &schedules, |schedule| schedule.play(shipped));
        assert!(failure.is_none(), "{}", failure.unwrap_or_default());
    }
}
