//! Trees that an agent may have made to break a tool that removes them: with devices, with directories that nobody may read, and
//! with mounts before and while they are removed. With and without openat2(2), a removal ends at a mount.

use crate::mounted::Mounted;
use crate::paused::{Paused, straced};
use crate::tools::{outside, text, the_trash, tool, tree};
use crate::world::{Run, World, chmod};
use std::fs;
use std::path::Path;

#[test]
fn device_nodes_are_removed_and_no_device_is_opened() {
    needs!("root", "strace");
    let (world, id) = World::with(|it| it.days_ago(40).file("data/x", b"x"));
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
    for lacking in [&[][..], &["openat2:error=ENOSYS"]] {
        let (world, id) = World::with(|it| it.days_ago(40));
        let modes = [0o555, 0o555, 0o0, 0o0, 0o311, 0o0, 0o500, 0o600, 0o555, 0o0, 0o0];
        let dirs = (0..modes.len()).map(|levels| world.dir_of(&id).join(["level"; 10][..levels].join("/")));
        let dirs: Vec<_> = dirs.collect();
        for dir in &dirs {
            fs::create_dir_all(dir).and_then(|()| fs::write(dir.join("file"), "x")).expect("a directory with a file");
        }
        world.give_away();
        dirs.iter().zip(modes).rev().for_each(|(dir, mode)| chmod(dir, mode));
        world.prune(&[]).injecting(lacking.iter().copied()).by_ordinary_user().run().pruned([id]);
        assert_eq!(world.names(), [""; 0], "{lacking:?}");
    }
}

/// What the kernel may lack: nothing, openat2 (Linux before 5.6, or a seccomp filter that says ENOSYS or EPERM), and the
/// number of a mount in statx, too (Linux before 5.8).
const LACKING: [&[&str]; 4] = [
    &[],
    &["-e", "inject=openat2:error=ENOSYS"],
    &["-e", "inject=openat2:error=EPERM"],
    &["-e", "inject=openat2:error=ENOSYS", "-e", "inject=statx:error=ENOSYS"],
];

/// What can be mounted: another file system, and a directory or a file of the same one.
const KINDS: [&str; 3] = ["tmpfs", "directory", "file"];

/// Mounts on a directory, or on the `file` in it, what has one precious file.
fn mount(world: &World, kind: &str, dir: &Path) -> Mounted {
    match kind {
        "tmpfs" => {
            let mounted = Mounted::tmpfs(world, dir, "size=2m");
            fs::write(dir.join("precious"), "precious").expect("a file on it");
            mounted
        }
        "directory" => Mounted::bind(world, &world.path("outside"), dir),
        _ => Mounted::bind(world, &world.path("outside/dir/precious"), &dir.join("file")),
    }
}

#[test]
fn a_mount_at_any_depth_leaves_a_workspace_whole_and_is_not_measured_whatever_the_kernel_lacks() {
    needs!("root", "mount", "strace");
    for (kind, place) in KINDS.into_iter().flat_map(|kind| ["data", "a/b/c/d/e/f/g/h"].map(|place| (kind, place))) {
        let world = World::new();
        let (outside, _) = outside(&world);
        let workspace = world.workspace().days_ago(40).file("data/file", b"x").file("a/b/c/d/e/f/g/h/file", b"x");
        let id = workspace.file(".metadata.tmp.x1y2.json", b"{}").make();
        let point = world.dir_of(&id).join(place);
        let _mounted = mount(&world, kind, &point);
        let large = if kind == "tmpfs" { &point } else { &outside };
        fs::write(large.join("large"), vec![7; 1_000_000]).expect("a file");
        let before = tree(&world.path(""));
        let usages = LACKING.map(|what| {
            let lacking = |run: Run<'_>| run.through(["strace", "-f", "-o", "/dev/null"].iter().chain(what)).run();
            lacking(world.prune(&[])).finds_busy(&id);
            let row = lacking(world.wsctl(["list", "-s", "--format", "jsonl"])).exits(0).quietly().json();
            assert_eq!(tree(&world.path("")), before, "{kind} {place} {what:?}");
            (row["size_bytes"].as_u64().expect("a size"), row["files"].clone())
        });
        assert!(usages.iter().all(|usage| usage.0 < 1_000_000 && *usage == usages[0]), "{kind}: {usages:?}");
    }
}

#[test]
fn a_mount_that_appears_while_a_workspace_is_claimed_or_removed_is_not_entered_whatever_the_kernel_lacks() {
    needs!("root", "mount", "strace");
    // After the claim, and right before the only directory is opened.
    for call in ["renameat2", "unlinkat"] {
        for (what, kind) in LACKING.into_iter().flat_map(|what| KINDS.map(|kind| (what, kind))) {
            let (world, id) = World::with(|it| it.days_ago(40).file("data/file", b"x"));
            let (outside, before) = outside(&world);
            let whole = tree(&world.dir_of(&id));
            let paused = Paused::lacking(&world, what, call, world.prune(&[]));
            let mounted = mount(&world, kind, &world.dir_of(&the_trash(&world)).join("data"));
            paused.go_on().finds_busy(&id);
            let kept = tool(&["grep", "-rlx", "precious", text(&world.base())]);
            assert_eq!((kept.lines().count(), tree(&outside)), (1, before), "{call} {what:?} {kind}: {kept}");
            drop(mounted);
            if call == "renameat2" {
                assert_eq!(tree(&world.dir_of(&id)), whole, "it was put back");
            } else {
                assert_eq!(world.prune(&[]).run().pruned([id])["pruned"][0]["rule"], "leftover");
                assert_eq!(world.names(), [""; 0]);
            }
        }
    }
}
