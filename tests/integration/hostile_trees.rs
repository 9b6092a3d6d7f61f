//! Trees that an agent may have made to break a tool that removes them: with devices, and with directories that nobody may read.

use crate::paused::straced;
use crate::tools::{text, tool};
use crate::world::{World, chmod};
use std::fs;

#[test]
fn device_nodes_are_removed_and_no_device_is_opened() {
    needs!("root", "strace");
    let world = World::new();
    let id = world.workspace().days_ago(40).file("data/x", b"x").make();
    let dir = world.dir_of(&id).join("data");
    for (name, kind, number) in [("tape", "c", "9"), ("null", "c", "3"), ("disk", "b", "7")] {
        tool(&["mknod", text(&dir.join(name)), kind, "1", number]);
    }
    let (ran, log) = straced(&world, world.prune(&[]), "open,openat,openat2");
    ran.pruned([id]);
    let special = |line: &&String| ["tape", "\"null", "disk"].iter().any(|name| line.contains(name));
    assert_eq!(log.iter().find(special), None);
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn unreadable_directories_are_removed_at_every_depth_also_without_openat2() {
    needs!("root", "setpriv", "strace");
    for is_lacking in [false, true] {
        let world = World::new();
        let id = world.workspace().days_ago(40).make();
        let modes = [0o555, 0o555, 0o0, 0o0, 0o311, 0o0, 0o500, 0o600, 0o555, 0o0, 0o0];
        let dirs = (0..modes.len()).map(|levels| world.dir_of(&id).join(["level"; 10][..levels].join("/")));
        let dirs: Vec<_> = dirs.collect();
        for dir in &dirs {
            fs::create_dir_all(dir).and_then(|()| fs::write(dir.join("file"), "x")).expect("a directory with a file");
        }
        world.give_away();
        dirs.iter().zip(modes).rev().for_each(|(dir, mode)| chmod(dir, mode));
        let run = world.prune(&[]);
        let run = if is_lacking { run.injecting(["openat2:error=ENOSYS"]) } else { run };
        run.by_ordinary_user().run().pruned([id]);
        assert_eq!(world.names(), [""; 0], "without openat2: {is_lacking}");
    }
}
