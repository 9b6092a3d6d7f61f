//! What only looks leaves even the times of last access alone, where that is allowed: to root and to the owner.

use crate::tools::{set_aside, text, tool};
use crate::world::{Run, World, has, is_root};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// The times of last access of these paths, which a stat does not change.
fn access_times(paths: &[PathBuf]) -> Vec<i64> {
    paths.iter().map(|path| fs::symlink_metadata(path).expect("a stat").atime()).collect()
}

/// Asserts that these commands change no such time, also where everything was accessed long before it was modified, so that with
/// `relatime`, too, a look would.
#[track_caller]
fn is_left_alone<'a>(world: &'a World, by: impl Fn(Run<'a>) -> Run<'a>) {
    let all = walkdir::WalkDir::new(world.base()).into_iter().map(|entry| entry.expect("an entry").into_path());
    let paths: Vec<_> = all.collect();
    for path in &paths {
        tool(&["touch", "-a", "-h", "-d", "2001-02-03 04:05:06", text(path)]);
    }
    let before = access_times(&paths);
    for args in [
        &["list", "-s"][..],
        &["prune", "-n", "--older-than", "30d"],
        &["prune", "-n", "--older-than", "30d", "--use-mtime"],
        &["prune", "-n", "--max-total-size", "0B"],
    ] {
        let _ = by(world.wsctl(args)).run().exits(0);
        assert_eq!(access_times(&paths), before, "{args:?}");
    }
}

#[test]
fn a_dry_run_and_a_list_leave_access_times_alone() {
    let world = World::new();
    for days in [40, 1] {
        let _ = world.workspace().days_ago(days).file("data/deep/x", b"x").make();
    }
    set_aside(&world, "claimed", &world.aged(50));
    is_left_alone(&world, |run| run);
    if is_root() && has("setpriv") {
        world.give_away();
        is_left_alone(&world, Run::by_ordinary_user);
    }
}

#[test]
fn list_works_where_access_times_cannot_be_left_alone() {
    needs!("root", "setpriv");
    let world = World::new();
    let id = world.workspace().days_ago(1).file("data/x", b"x").make();
    tool(&["chmod", "-R", "a+rX", text(&world.path(""))]);
    let row = world.wsctl(["list", "-s", "--format", "jsonl"]).by_ordinary_user().run().exits(0).quietly().json();
    assert_eq!(row["id"], id, "root's, read by another user");
}
