//! The look right before a claim: what was accessed since the decision never leaves its own path, not even for the time of a
//! look. The runs are paused between the decision and the look, so that nothing here depends on who is faster.

use crate::paused::{Paused, straced};
use crate::tools::{access, modify, tree};
use crate::world::{Run, World, ids_in};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Begins a run that is paused once all is decided and nothing is looked at again: to find the mounts of the base, which it
/// does then, it asks for the base's own path, as the only link that it reads.
fn decided<'a>(world: &World, run: impl FnOnce() -> Run<'a>) -> Paused {
    let paused = Paused::after(world, "readlink,readlinkat", None, run());
    let log = log(world);
    assert!(log.iter().any(|line| line.contains(".metadata.json")), "it has surveyed: {log:#?}");
    assert_eq!(renames(world), [""; 0], "it has claimed nothing");
    paused
}

/// What strace has seen of the run that was paused in this world.
fn log(world: &World) -> Vec<String> {
    let logs = fs::read_dir(world.path("")).expect("the world").map(|entry| entry.expect("an entry"));
    let mut logs = logs.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"paused."));
    let log = logs.next().expect("a log").path();
    assert!(logs.next().is_none(), "one run in each world");
    fs::read_to_string(log).expect("a log").lines().map(str::to_owned).collect()
}

/// The renames that it has tried.
fn renames(world: &World) -> Vec<String> {
    log(world).into_iter().filter(|line| line.contains(" rename")).collect()
}

/// What is done to the directory of a workspace.
type Act = fn(&Path);

#[test]
fn a_workspace_accessed_after_the_decision_is_never_taken_off_its_path() {
    needs!("strace");
    let write_deep = |dir: &Path| fs::write(dir.join("data/runs/2024/lap.csv"), "1, 2").expect("a write deep inside");
    let accesses: [(&[&str], Act); 3] = [(&[], access), (&["--use-mtime"], access), (&["--use-mtime"], write_deep)];
    for (options, act) in accesses {
        let world = World::new();
        let id = world.workspace().days_ago(40).file("data/runs/2024/lap.csv", b"1").file("top", b"x").make();
        modify(&world, &id, 40);
        let paused = decided(&world, || world.prune(options));
        act(&world.dir_of(&id));
        let before = tree(&world.dir_of(&id));
        paused.go_on().finds_busy(&id);
        assert_eq!(renames(&world), [""; 0], "{options:?}");
        assert_eq!((world.names(), tree(&world.dir_of(&id))), (vec![id], before), "{options:?}");
    }
}

#[test]
fn a_workspace_accessed_while_others_of_its_batch_are_claimed_is_never_taken_off_its_path() {
    needs!("strace");
    let world = World::new();
    let all: Vec<_> = (0..10).map(|days| world.aged(40 + days)).collect();
    let paused = Paused::after(&world, "renameat2", None, world.prune(&[]));
    let accessed: Vec<_> = all.into_iter().filter(|id| world.dir_of(id).exists()).collect();
    assert_eq!(accessed.len(), 9, "one is claimed");
    for id in &accessed {
        access(&world.dir_of(id));
    }
    let report = paused.go_on().exits(75).json();
    assert_eq!(ids_in(&report["failed"]), world.names());
    let renames = renames(&world);
    let touched = |line: &&String| accessed.iter().any(|id| line.contains(id.as_str()));
    assert_eq!((renames.iter().filter(touched).count(), renames.len()), (0, 2), "{renames:#?}");
}

/// To walk a tree takes long: what is claimed meanwhile would be kept from the application.
#[test]
fn with_use_mtime_nothing_is_claimed_while_another_workspace_is() {
    needs!("strace");
    let world = World::new();
    for days in 40..50 {
        modify(&world, &world.aged(days), 40);
    }
    let run = world.prune(&["--use-mtime"]);
    let (ran, log) = straced(&world, run, "renameat2");
    assert_eq!(ran.exits(0).json()["pruned"].as_array().map(Vec::len), Some(10));
    let renames: Vec<_> = log.iter().filter(|line| line.contains("renameat2(")).collect();
    assert_eq!(renames.len(), 20, "{renames:#?}");
    for both in renames.chunks(2) {
        let claims = both[0].contains("base>, \".wsctl-claimed.");
        let dooms = both[1].contains("base>, \".wsctl-claimed.") && both[1].contains("base>, \".wsctl-doomed.");
        assert!(claims && dooms, "{renames:#?}");
    }
}

#[test]
fn a_workspace_created_after_the_decision_on_one_without_metadata_stays() {
    needs!("strace");
    let world = World::new();
    let id = world.workspace().file("data/old", b"x").make_without_metadata();
    let prune = ["prune", "-y", "--format", "json", "-j", "1", &id];
    let paused = Paused::after(&world, "readlink,readlinkat", None, world.wsctl(prune));
    let _ = world.wsctl(prune).run().exits(0);
    fs::create_dir(world.dir_of(&id)).expect("a directory");
    fs::write(world.dir_of(&id).join("new"), "what an agent writes").expect("a file");
    let ran = paused.go_on();
    assert!(world.dir_of(&id).join("new").exists(), "{ran:#?}");
    assert_eq!(ran.json()["pruned"], json!([]), "{ran:#?}");
}

#[test]
fn metadata_written_after_the_decision_on_a_workspace_without_any_saves_it() {
    needs!("strace");
    let world = World::new();
    let id = world.workspace().make_without_metadata();
    let prune = ["prune", "-y", "--format", "json", "-j", "1", &id];
    let paused = Paused::after(&world, "readlink,readlinkat", None, world.wsctl(prune));
    let _ = world.wsctl(["touch", &id]).run().exits(0);
    let _ = paused.go_on().finds_busy(&id);
    assert!(world.metadata_of(&id).exists());
}

#[test]
fn a_workspace_created_after_the_decision_on_an_unreadable_one_stays() {
    needs!("strace", "root");
    let world = World::new();
    let id = world.workspace().file("data/old", b"x").make();
    world.give_away();
    fs::set_permissions(world.dir_of(&id), fs::Permissions::from_mode(0o000)).expect("a mode");
    let prune = || world.wsctl(["prune", "-y", "--format", "json", "-j", "1", &id]).by_ordinary_user();
    let paused = Paused::after(&world, "readlink,readlinkat", None, prune());
    let _ = prune().run().exits(0);
    let _ = world.workspace().id(&id).file("new", b"what an agent writes").make();
    world.give_away();
    let ran = paused.go_on();
    assert!(world.dir_of(&id).join("new").exists(), "{ran:#?}");
    assert_eq!(ran.json()["pruned"], json!([]), "{ran:#?}");
}
