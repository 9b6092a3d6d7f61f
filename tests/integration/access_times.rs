//! What only looks leaves even the times of last access alone, where that is allowed: to root and to the owner.

use crate::tools::{set_aside, text, tool};
use crate::world::World;
use std::fs;
use std::os::unix::fs::MetadataExt;

#[test]
fn a_dry_run_and_a_list_leave_access_times_alone() {
    let (world, _) = World::with(|it| it.days_ago(40).file("data/deep/x", b"x"));
    let _fresh = world.aged(1);
    set_aside(&world, "claimed", &world.aged(50));
    let empty = world.base().join("monaco-2024"); // a base without workspaces, which are searched below it
    fs::create_dir_all(empty.join("data")).expect("directories");
    let entries = walkdir::WalkDir::new(world.base()).into_iter();
    let paths: Vec<_> = entries.map(|entry| entry.expect("an entry").into_path()).collect();
    // A stat does not change it.
    let times = || paths.iter().map(|path| fs::symlink_metadata(path).expect("a stat").atime()).collect::<Vec<_>>();
    for by_owner in [false, true] {
        if by_owner {
            needs!("root", "setpriv");
            world.give_away();
        }
        // All was accessed long before it was modified, so that with `relatime`, too, a look would change the time.
        for path in &paths {
            tool(&["touch", "-a", "-h", "-d", "2001-02-03 04:05:06", text(path)]);
        }
        let before = times();
        for args in [
            &["list", "-s"][..],
            &["prune", "-n", "--older-than", "30d"],
            &["prune", "-n", "--older-than", "30d", "--use-mtime"],
            &["prune", "-n", "--max-total-size", "0B"],
            &["prune", "-n", "--older-than", "30d", "--base", text(&empty)],
        ] {
            let run = world.wsctl(args);
            let _ = if by_owner { run.by_ordinary_user() } else { run }.run().exits(0);
            assert_eq!(times(), before, "{args:?}");
        }
    }
}
