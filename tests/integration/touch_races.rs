//! `wsctl touch` beside others: the application that rewrites the same file, a prune that takes the workspace away, itself.

use crate::tools::rewrite;
use crate::world::{Ran, World, finish};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const AT: &str = "2026-11-23T15:51:30Z";
const WRITTEN: &str = "2026-11-23T15:51:30.000000+00:00";

/// A run that strace stops (SIGSTOP) at each `fsync` of a temporary file: after it has read the metadata, and before it
/// looks again and renames.
struct Stopping<'a> {
    world: &'a World,
    child: Option<Child>,
}

impl<'a> Stopping<'a> {
    /// `which` says of which calls, in strace's words.
    fn begin(world: &'a World, args: &[&str], which: &str) -> Self {
        let inject = format!("inject=fsync:signal=SIGSTOP{which}");
        let log = world.path("stops");
        let _ = fs::remove_file(&log); // that of the run before
        let log = log.to_str().expect("UTF-8");
        // -D: the child is the program itself, and strace its grandchild.
        let strace = ["strace", "-D", "-o", log, "-e", "trace=fsync", "-e", &inject];
        let mut command = world.wsctl(args).through(strace).command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { world, child: Some(command.spawn().expect("strace")) }
    }

    /// Waits until it is stopped for the `nth` time. `false`: it has ended.
    fn wait(&mut self, nth: usize) -> bool {
        let since = Instant::now();
        let log = self.world.path("stops");
        while fs::read_to_string(&log).unwrap_or_default().matches("stopped by").count() < nth {
            if self.child.as_mut().is_some_and(|child| child.try_wait().expect("its state").is_some()) {
                return false;
            }
            assert!(since.elapsed() < Duration::from_secs(60), "it was not stopped");
            thread::sleep(Duration::from_millis(2));
        }
        true
    }

    /// Sends a signal, unless it has ended: its number may be another's by now.
    fn signal(&mut self, signal: Signal) {
        if let Some(child) = &mut self.child
            && child.try_wait().expect("its state").is_none()
        {
            let id = Pid::from_raw(child.id().cast_signed()).expect("a process");
            kill_process(id, signal).expect("kill");
        }
    }

    /// Lets it go on to its next stop.
    fn resume(&mut self) {
        self.signal(Signal::CONT);
    }

    /// Lets it go on to its end.
    fn finish(mut self) -> Ran {
        self.resume();
        finish(self.child.take().expect("the child"), &"a run that was stopped")
    }
}

impl Drop for Stopping<'_> {
    /// Where a test failed meanwhile, nothing stays behind.
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        self.child.take().map(|mut child| child.wait());
    }
}

/// Touches a workspace, and does something to its directory between touch's look and its rename.
fn touch_while(world: &World, id: &str, meanwhile: impl FnOnce(&Path)) -> Ran {
    let mut stopping = Stopping::begin(world, &["touch", "--at", AT, id], ":when=1");
    assert!(stopping.wait(1), "it ended without a stop");
    meanwhile(&world.dir_of(id));
    stopping.finish()
}

/// Asserts that a workspace holds nothing but its metadata, which is this.
#[track_caller]
fn assert_holds(world: &World, id: &str, content: &str) {
    assert_eq!(world.read_metadata(id), content);
    assert_eq!(fs::read_dir(world.dir_of(id)).expect("the workspace").count(), 1, "a temporary file was left");
}

#[test]
fn what_the_application_writes_meanwhile_is_kept() {
    needs!("strace");
    let newer = |time: &str| format!("{{\n  \"laps\": 57,\n  \"last_accessed\": \"{time}\"\n}}");
    let theirs = newer("2026-11-23T15:51:29+00:00Z");
    let appear: &[fn(&Path, &str)] = &[
        rewrite,
        |dir, content| fs::write(dir.join(".metadata.json"), content).expect("a write in place"),
        |dir, content| {
            let _ = fs::remove_file(dir.join(".metadata.json"));
            rewrite(dir, content);
        },
    ];
    for change in appear {
        let world = World::new();
        for id in [world.workspace().make(), world.workspace().make_without_metadata()] {
            touch_while(&world, &id, |dir| change(dir, &theirs)).exits(0).prints("").quietly();
            assert_holds(&world, &id, &newer(WRITTEN));
        }
    }
}

#[test]
fn metadata_that_turns_corrupt_meanwhile_is_not_overwritten() {
    needs!("strace");
    let world = World::new();
    let corrupt = "{\"last_accessed\": 7}";
    for id in [world.workspace().make(), world.workspace().make_without_metadata()] {
        touch_while(&world, &id, |dir| rewrite(dir, corrupt)).exits(65).complains("error[corrupt-metadata]: ");
        assert_holds(&world, &id, corrupt);
    }
}

#[test]
fn a_link_that_takes_the_place_of_the_metadata_meanwhile_is_not_followed() {
    needs!("strace");
    let world = World::new();
    let (id, target) = (world.workspace().make(), world.path("target"));
    fs::write(&target, "{}").expect("a target");
    let swap = |dir: &Path| {
        symlink(&target, dir.join("link")).expect("a link");
        fs::rename(dir.join("link"), dir.join(".metadata.json")).expect("a rename");
    };
    touch_while(&world, &id, swap).exits(65).prints("").complains("error[corrupt-metadata]: ");
    assert_eq!(fs::read_link(world.metadata_of(&id)).expect("the link"), target);
    assert_holds(&world, &id, "{}");
}

#[test]
fn metadata_that_vanishes_meanwhile_is_made_anew_or_left_missing() {
    needs!("strace");
    let world = World::new();
    let remove = |dir: &Path| fs::remove_file(dir.join(".metadata.json")).expect("unlink");
    let id = world.workspace().make();
    touch_while(&world, &id, remove).exits(0).prints("").complains("warning[not-found]: ");
    let json: serde_json::Value = world.json_of(&id);
    assert_eq!(json, serde_json::json!({"workspace_id": id, "created_at": WRITTEN, "last_accessed": WRITTEN}));
    let mut stopping = Stopping::begin(&world, &["touch", "-c", &id], ":when=1");
    assert!(stopping.wait(1), "it ended without a stop");
    remove(&world.dir_of(&id));
    stopping.finish().exits(66).prints("").complains("warning[not-found]: ");
    assert_eq!(fs::read_dir(world.dir_of(&id)).expect("the workspace").count(), 0);
}

#[test]
fn a_temporary_file_that_somebody_sweeps_away_is_written_again() {
    needs!("strace");
    let world = World::new();
    let id = world.workspace().metadata("{\"last_accessed\":\"2020-01-01T00:00:00Z\"}").make();
    let sweep = |dir: &Path| {
        let names = fs::read_dir(dir).expect("the workspace").map(|entry| entry.expect("an entry").path());
        names.filter(|path| !path.ends_with(".metadata.json")).for_each(|path| fs::remove_file(path).expect("unlink"));
    };
    touch_while(&world, &id, sweep).exits(0).prints("").quietly();
    assert_holds(&world, &id, &format!("{{\"last_accessed\":\"{WRITTEN}\"}}"));
}

/// Does something to a directory, for which there is a second path.
type Act = fn(&Path, &Path);

#[test]
fn a_workspace_that_is_taken_away_meanwhile_is_busy_and_never_touched_with_success() {
    needs!("strace");
    let meanwhile: [(&str, Act); 4] = [
        ("claimed", |dir, away| fs::rename(dir, away).expect("a rename")),
        ("claimed, and made anew", |dir, away| {
            fs::rename(dir, away).expect("a rename");
            fs::create_dir(dir).expect("a workspace");
            rewrite(dir, "{\"laps\":1}");
        }),
        ("claimed, and a link in its place", |dir, away| {
            fs::rename(dir, away).expect("a rename");
            symlink(away, dir).expect("a link");
        }),
        ("removed", |dir, _| fs::remove_dir_all(dir).expect("a removal")),
    ];
    for (what, act) in meanwhile {
        let world = World::new();
        for id in [world.workspace().make(), world.workspace().make_without_metadata()] {
            let away = world.base().join(format!(".wsctl-claimed.{id}.0123456789abcdef"));
            let ran = touch_while(&world, &id, |dir| act(dir, &away));
            assert_eq!(ran.status, 75, "{what}: {ran:#?}");
            ran.prints("").complains(&format!("warning[busy]: workspace {id}: "));
            if what == "claimed, and made anew" {
                assert_holds(&world, &id, "{\"laps\":1}");
            }
        }
    }
}

#[test]
fn after_a_bounded_number_of_tries_it_is_busy_and_the_others_content_stays() {
    needs!("strace");
    let world = World::new();
    let id = world.workspace().make();
    let mut stopping = Stopping::begin(&world, &["touch", "--at", AT, &id], "");
    let content = |number: usize| format!("{{\"laps\":{number},\"last_accessed\":\"2020-01-01T00:00:00Z\"}}");
    let mut stops = 0;
    while stopping.wait(stops + 1) {
        stops += 1;
        assert!(stops < 1000, "it never gives up");
        rewrite(&world.dir_of(&id), &content(stops));
        stopping.resume();
    }
    assert!(stops > 1, "it gives up at once");
    stopping.finish().exits(75).prints("").complains(&format!("warning[busy]: workspace {id}: "));
    assert_holds(&world, &id, &content(stops));
}
