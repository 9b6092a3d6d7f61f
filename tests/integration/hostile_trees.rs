//! Trees that an agent may have made to break a tool that walks them: of any depth and width, and full of things that are
//! neither files nor directories. `prune` removes them and `list -s` measures them, with few descriptors, a small stack and
//! memory that does not grow with them.

use crate::mounted::Immutable;
use crate::paused::straced;
use crate::tools::{du, text, the_trash, tool, tree};
use crate::world::{World, chmod, ids_in, skip};
use serde_json::json;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};

#[test]
fn device_nodes_and_links_that_dangle_or_loop_go_and_no_device_is_opened() {
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
fn a_hard_link_to_a_file_outside_leaves_it_its_owner_mode_time_and_content() {
    needs!("root");
    let world = World::new();
    let outside = ["one", "two"].map(|name| world.path(name));
    for file in &outside {
        fs::write(file, "precious").expect("a file");
        chmod(file, 0o4750);
        tool(&["touch", "-d", "2001-02-03 04:05:06.789", text(file)]);
    }
    let id = world.workspace().days_ago(40).file("data/x", b"x").make_without_metadata();
    for (file, name) in [(0, "data/hard"), (0, ".metadata.json"), (1, ".metadata.tmp.1.json"), (1, "data/.x")] {
        fs::hard_link(&outside[file], world.dir_of(&id).join(name)).expect("a hard link");
    }
    let facts = |file| {
        let stat = fs::symlink_metadata(file).expect("a stat");
        (stat.mode(), stat.uid(), stat.gid(), stat.mtime(), stat.mtime_nsec(), stat.size())
    };
    let before = outside.each_ref().map(facts);
    world.wsctl(["prune", "-y", &id]).run().exits(0).quietly();
    assert_eq!((outside.each_ref().map(facts), world.names()), (before, vec![]));
    for file in &outside {
        let links = fs::metadata(file).expect("a stat").nlink();
        assert_eq!((links, &fs::read(file).expect("a file")[..]), (1, &b"precious"[..]));
    }
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
fn directories_of_mode_000_at_every_depth_go_also_without_openat2() {
    needs!("root", "setpriv", "strace");
    for lacking in [&[][..], &["openat2:error=ENOSYS"]] {
        let world = World::new();
        let (id, dirs) = ten_levels(&world);
        world.give_away();
        for dir in dirs.iter().rev().take(10) {
            chmod(dir, 0o0);
        }
        let run = world.prune(&[]);
        let run = if lacking.is_empty() { run } else { run.injecting(lacking.iter().copied()) };
        let report = run.by_ordinary_user().run().exits(0).quietly().json();
        assert_eq!((ids_in(&report["pruned"]), world.names()), (vec![id], vec![]), "{lacking:?}");
    }
}

#[test]
fn immutable_files_deep_in_a_tree_stay_alone_and_are_reported_until_they_can_go() {
    needs!("root", "chattr");
    let world = World::new();
    let (id, dirs) = ten_levels(&world);
    let (Some(deep), Some(_shallow)) =
        (Immutable::new(&world, &dirs[10].join("file")), Immutable::new(&world, &dirs[2].join("file")))
    else {
        skip("a file system with immutable files");
        return;
    };
    for _ in 0..2 {
        let report = world.prune(&[]).run().exits(77).complains("error[permission-denied]: ").json();
        assert_eq!((&report["pruned"], ids_in(&report["failed"])), (&json!([]), vec![id.clone()]));
        let left = &the_trash(&world);
        let files = tree(&world.base().join(left)).into_iter().filter(|line| line.contains("file\""));
        assert_eq!(files.count(), 2, "the two, with the directories that they need, and the metadata: {report}");
    }
    drop(deep);
    let report = world.prune(&[]).run().exits(0).quietly().json();
    assert_eq!((ids_in(&report["pruned"]), world.names()), (vec![id], vec![]));
}
