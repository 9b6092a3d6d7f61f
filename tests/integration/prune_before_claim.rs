//! The look right before a claim: what was accessed since the decision never leaves its own path, not even for the time of a
//! look. The runs are paused between the decision and the look, so that nothing here depends on who is faster.

use crate::mounted::Mounted;
use crate::paused::{Paused, straced};
use crate::tools::{access, modify, tree};
use crate::world::{Run, World, chmod, ids_in};
use serde_json::json;
use std::fs;
use std::path::Path;

/// Begins a run that is paused once all is decided and nothing is looked at again: to find the mounts of the base, which it
/// does then, it asks for the base's own path, as the only link that it reads.
#[track_caller]
fn decided(world: &World, run: Run<'_>) -> Paused {
    Paused::after(world, "readlink,readlinkat", None, run)
}

/// The renames in a log.
fn renames(log: &[String]) -> Vec<&String> {
    log.iter().filter(|line| line.contains(" rename")).collect()
}

#[test]
fn a_workspace_accessed_after_the_decision_is_never_taken_off_its_path() {
    needs!("strace");
    let write_deep = |dir: &Path| fs::write(dir.join("data/runs/2024/lap.csv"), "1, 2").expect("a write deep inside");
    for (options, act) in [(&[][..], access as fn(&Path)), (&["--use-mtime"], access), (&["--use-mtime"], write_deep)] {
        let (world, id) = World::with(|it| it.days_ago(40).file("data/runs/2024/lap.csv", b"1").file("top", b"x"));
        modify(&world, &id, 40);
        let paused = decided(&world, world.prune(options));
        act(&world.dir_of(&id));
        let before = tree(&world.dir_of(&id));
        let (ran, log) = paused.go_on_logged();
        ran.finds_busy(&id);
        let decision = log.iter().position(|line| line.contains(" readlink")).expect("the pause");
        assert!(log[..decision].iter().any(|line| line.contains(".metadata.json")), "it has surveyed: {log:#?}");
        assert_eq!(renames(&log), [""; 0], "{options:?}");
        assert_eq!((world.names(), tree(&world.dir_of(&id))), (vec![id], before), "{options:?}");
    }
}

#[test]
fn a_workspace_with_a_mount_inside_is_never_taken_off_its_path() {
    needs!("root", "mount", "strace");
    let (world, id) = World::with(|it| it.days_ago(40).file("data/x", b"x"));
    let _mounted = Mounted::tmpfs(&world, &world.dir_of(&id).join("data"), "size=64k");
    let (ran, log) = straced(&world, world.prune(&[]), "rename,renameat,renameat2");
    ran.finds_busy(&id);
    assert_eq!(renames(&log), [""; 0]);
}

#[test]
fn a_workspace_accessed_while_others_of_its_batch_are_claimed_is_never_taken_off_its_path() {
    needs!("strace");
    let (world, all) = World::with_each_aged([40; 10]);
    let paused = Paused::after(&world, "renameat2", None, world.prune(&[]));
    let accessed: Vec<_> = all.into_iter().filter(|id| world.dir_of(id).exists()).collect();
    assert_eq!(accessed.len(), 9, "one is claimed");
    for id in &accessed {
        access(&world.dir_of(id));
    }
    let (ran, log) = paused.go_on_logged();
    assert_eq!(ids_in(&ran.exits(75).json()["failed"]), world.names());
    let of_the_claimed = |line: &&String| !accessed.iter().any(|id| line.contains(id.as_str()));
    let renames = renames(&log);
    assert!(renames.len() == 2 && renames.iter().all(of_the_claimed), "{renames:#?}");
}

/// The change time of the metadata file moves, but nobody wrote it.
#[test]
fn a_new_mode_or_link_of_the_metadata_file_is_no_access() {
    needs!("strace");
    let (world, id) = World::with_aged(40);
    let link = |name| fs::hard_link(world.metadata_of(&id), world.dir_of(&id).join(name)).expect("a link");
    link(".metadata.tmp.1.json"); // which the sweep unlinks
    let paused = decided(&world, world.prune(&[]));
    link("backup");
    chmod(world.metadata_of(&id), 0o640);
    assert_eq!(ids_in(&paused.go_on().exits(0).json()["pruned"]), [id]);

    let first = world.aged(40);
    for _ in 1..300 {
        let id = world.workspace().make_without_metadata();
        fs::hard_link(world.metadata_of(&first), world.metadata_of(&id)).expect("a link");
    }
    let report = world.prune(&[]).run().exits(0).json();
    assert_eq!(ids_in(&report["pruned"]).len(), 300, "they share one file");
}

/// A look may take long, for a large tree or for many temporary files: what is claimed meanwhile would be kept from the application.
#[test]
fn nothing_is_claimed_while_another_workspace_is_nor_waits_for_a_reader_of_the_log_and_nothing_inside_is_renamed() {
    needs!("strace");
    for more in [&["-vv"][..], &["-vv", "--use-mtime"]] {
        let world = World::new();
        for _ in 0..10 {
            modify(&world, &world.workspace().days_ago(40).file("a/b/c/d/e/f/g/h/i", b"x").make(), 40);
        }
        let (ran, log) = straced(&world, world.prune(more), "/rename,write");
        assert_eq!(ran.exits(0).json()["pruned"].as_array().map(Vec::len), Some(10));
        let renames = renames(&log);
        assert_eq!(renames.len(), 20, "{renames:#?}");
        for both in renames.chunks(2) {
            let claims = both[0].contains("base>, \".wsctl-claimed.");
            let dooms = both[1].contains("base>, \".wsctl-claimed.") && both[1].contains("base>, \".wsctl-doomed.");
            assert!(claims && dooms, "{renames:#?}");
            let [claim, doom] = [both[0], both[1]].map(|line| log.iter().position(|other| other == line));
            assert_eq!(claim.map(|at| at + 1), doom, "something is written in between: {log:#?}");
        }
    }
}

#[test]
fn what_is_new_since_the_decision_on_a_workspace_whose_metadata_is_missing_or_unreadable_stays() {
    needs!("strace", "root", "setpriv");
    for (is_readable, is_touched) in [(true, true), (true, false), (false, false)] {
        let what = format!("readable: {is_readable}, touched: {is_touched}");
        let world = World::new();
        let old = world.workspace().file("data/old", b"x");
        let id = if is_readable { old.make_without_metadata() } else { old.make() };
        world.give_away();
        chmod(world.dir_of(&id), if is_readable { 0o755 } else { 0o000 });
        let prune = || world.wsctl(["prune", "-y", "--format", "json", "-j", "1", &id]).by_ordinary_user();
        let paused = decided(&world, prune());
        if is_touched {
            let _ = world.wsctl(["touch", &id]).run().exits(0);
            let _ = paused.go_on().finds_busy(&id);
            assert!(world.metadata_of(&id).exists());
            continue;
        }
        let _ = prune().run().exits(0);
        let new = world.workspace().id(&id).file("new", b"what an agent writes");
        let _ = if is_readable { new.make_without_metadata() } else { new.make() };
        world.give_away();
        let ran = paused.go_on();
        assert!(world.dir_of(&id).join("new").exists(), "{what}: {ran:#?}");
        assert_eq!(ran.json()["pruned"], json!([]), "{what}: {ran:#?}");
    }
}
