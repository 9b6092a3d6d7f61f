//! Trees that an agent may have made to break a tool that walks them: of any depth and width, and full of things that are
//! neither files nor directories. `prune` removes them and `list -s` measures them, with few descriptors, a small stack and
//! memory that does not grow with them.

use crate::paused::straced;
use crate::tools::{du, text, tool};
use crate::world::{World, chmod, ids_in};
use serde_json::json;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

#[test]
fn device_nodes_and_dangling_or_looping_links_are_removed_and_no_device_is_opened() {
    needs!("root", "strace");
    let world = World::new();
    let id = world.workspace().days_ago(40).file("data/x", b"x").make();
    let dir = world.dir_of(&id).join("data");
    let looped = [[b'l'; 200], [0xfe; 200]].map(|name| OsStr::from_bytes(&name).to_owned());
    for (name, to) in [("dangling", "nowhere"), ("loop-a", "loop-b"), ("loop-b", "loop-a"), ("up", "../../..")] {
        symlink(to, dir.join(name)).expect("a link");
    }
    for name in looped {
        symlink(&name, dir.join(&name)).expect("a link to itself");
    }
    for (name, kind, number) in [("tape", "c", "9"), ("null", "c", "3"), ("disk", "b", "7")] {
        tool(&["mknod", text(&dir.join(name)), kind, "1", number]);
    }
    let used = du(&world.dir_of(&id));
    let row = world.wsctl(["list", "-s", "--format", "jsonl"]).run().exits(0).quietly().json();
    assert_eq!((&row["size_bytes"], &row["files"]), (&json!(used), &json!(11)));
    let args = ["prune", "-y", "--older-than", "30d", "--format", "json"];
    let (ran, log) = straced(&world, world.wsctl(args), "open,openat,openat2");
    assert_eq!(ids_in(&ran.exits(0).quietly().json()["pruned"]), [id]);
    let special = |line: &&String| ["tape", "\"null", "disk"].iter().any(|name| line.contains(name));
    assert_eq!(log.iter().find(special), None);
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn metadata_that_is_also_a_temporary_of_the_application_looks_accessed_once_and_goes_with_the_next_run() {
    let world = World::new();
    let id = world.aged(40);
    fs::hard_link(world.metadata_of(&id), world.dir_of(&id).join(".metadata.tmp.1.json")).expect("a hard link");
    // The sweep of the one name changes the inode of both: better a false alarm than an access lost.
    let _ = world.prune(&[]).run().exits(75).complains("warning[busy]: ");
    assert_eq!(ids_in(&world.prune(&[]).run().exits(0).quietly().json()["pruned"]), [id]);
}

/// A chain of ten directories below a workspace's, each with a file.
fn ten_levels(world: &World) -> (String, Vec<std::path::PathBuf>) {
    let id = world.aged(40);
    let mut dirs = vec![world.dir_of(&id)];
    for level in 0..10 {
        let dir = dirs[level].join(format!("level {level}"));
        fs::create_dir(&dir).and_then(|()| fs::write(dir.join("file"), "x")).expect("a directory with a file");
        dirs.push(dir);
    }
    (id, dirs)
}

#[test]
fn directories_that_their_owner_may_not_read_or_write_go_at_every_depth_also_without_openat2() {
    needs!("root", "setpriv", "strace");
    for lacking in [&[][..], &["openat2:error=ENOSYS"]] {
        let world = World::new();
        let (id, dirs) = ten_levels(&world);
        world.give_away();
        for (dir, mode) in
            dirs.iter().rev().take(10).zip([0o0, 0o0, 0o555, 0o600, 0o500, 0o0, 0o311].into_iter().cycle())
        {
            chmod(dir, mode);
        }
        chmod(&dirs[0], 0o555);
        let run = world.prune(&[]);
        let run = if lacking.is_empty() { run } else { run.injecting(lacking.iter().copied()) };
        let report = run.by_ordinary_user().run().exits(0).quietly().json();
        assert_eq!((ids_in(&report["pruned"]), world.names()), (vec![id], vec![]), "{lacking:?}");
    }
}
