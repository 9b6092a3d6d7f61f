//! Trees that an agent may have made to break a tool that walks them: of any depth and width, and full of things that are
//! neither files nor directories. `prune` removes them and `list -s` measures them, with few descriptors, a small stack and
//! memory that does not grow with them.

use crate::builds;
use crate::mounted::{Immutable, Mounted};
use crate::paused::straced;
use crate::tools::{du, text, the_trash, tool, tree};
use crate::world::{Ran, World, chmod, ids_in, is_root, skip};
use serde_json::json;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::{Command, Stdio};

/// What a run may use beside [`STACK`].
const LIMITS: [&str; 2] = ["prlimit", "--nofile=64"];
/// For a release build: 64 KiB, as the contract has it.
const SMALL_STACK: &str = "--stack=65536";
/// For the build under test (unoptimized, `--version` alone needs more than 128 KiB).
const STACK: &str = if cfg!(debug_assertions) { "--stack=262144" } else { SMALL_STACK };
/// More than the peak of one and the same run differs from time to time, in KiB.
const NOISE: u64 = 1024;
/// Makes a chain of directories, with a block of content at each 1000th level; or so many files, one in 1000 with content.
const MAKE: &str = "import os, sys
at, number = os.open(sys.argv[2], os.O_RDONLY), int(sys.argv[3])
for i in range(number):
    if i % 1000 == 999:
        file = os.open('full%d' % i, os.O_CREAT | os.O_WRONLY, dir_fd=at)
        os.write(file, b'x' * 4096)
        os.close(file)
    elif sys.argv[1] == 'wide':
        os.mknod('an empty file, number %d' % i, dir_fd=at)
    if sys.argv[1] == 'deep':
        os.mkdir('d', dir_fd=at)
        below = os.open('d', os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below";

/// Empties the base when it goes, however deep it is: what else would do that recurses, and takes all tests with it.
struct Emptied<'a>(&'a World);

impl Drop for Emptied<'_> {
    fn drop(&mut self) {
        let _ = Command::new("rm").arg("-rf").arg(self.0.base()).stderr(Stdio::null()).status();
    }
}

/// Runs with these arguments within [`LIMITS`] and on this stack, and gives its peak of memory in KiB, too.
fn limited(world: &World, stack: &str, args: &[&str]) -> (Ran, u64) {
    let peak = world.path("peak");
    let peak_to = ["time", "-q", "-f", "%M", "-o", text(&peak)];
    // A busy disk may need longer than other runs may take.
    let words = ["timeout", "600"].into_iter().chain(LIMITS).chain([stack]).chain(peak_to);
    let mut command = world.wsctl(args).through(words).command();
    let ran = Ran::new(command.stdin(Stdio::null()).output().expect("the program"));
    (ran, fs::read_to_string(peak).expect("a peak").trim().parse().expect("a number"))
}

/// Measures and removes a tree of this shape and size within the limits, and gives both peaks of memory.
fn peaks(world: &World, stack: &str, shape: &str, size: usize) -> (u64, u64) {
    let id = world.aged(40);
    tool(&["python3", "-c", MAKE, shape, text(&world.dir_of(&id)), &size.to_string()]);
    let used = du(&world.dir_of(&id));
    let (listed, list) = limited(world, stack, &["list", "-s", "--format", "jsonl"]);
    let row = listed.exits(0).quietly().json();
    let files = if shape == "deep" { size / 1000 } else { size } + 3; // those of `World::aged`, too
    assert_eq!((&row["size_bytes"], &row["files"]), (&json!(used), &json!(files)));
    let (pruned, prune) = limited(world, stack, &["prune", "-y", "--older-than", "30d", "--format", "json"]);
    let report = pruned.exits(0).quietly().json();
    assert_eq!((ids_in(&report["pruned"]), &report["freed_bytes"]), (vec![id], &json!(used)));
    assert_eq!(world.names(), [""; 0]);
    (list, prune)
}

/// Asserts what [`peaks`] does, and that memory does not grow with the tree but for so many bytes a level.
#[track_caller]
fn costs(world: &World, stack: &str, shape: &str, size: usize, bytes: u64) {
    needs!("python3", "prlimit", "time");
    let _emptied = Emptied(world);
    let (small, large) = (peaks(world, stack, shape, 1000), peaks(world, stack, shape, size));
    let allowed = NOISE + bytes * u64::try_from(size).expect("a number") / 1024;
    assert!(large.0 <= small.0 + allowed && large.1 <= small.1 + allowed, "{small:?} {large:?} KiB");
}

#[test]
fn a_tree_100_000_levels_deep_is_measured_and_goes() {
    let world = World::new();
    // A file system in memory is faster; where none may be mounted, the disk does as well.
    let _memory = is_root().then(|| Mounted::tmpfs(&world, &world.base(), "size=64m"));
    costs(&world, STACK, "deep", 100_000, 64);
}

#[test]
fn a_release_build_measures_and_removes_a_tree_100_000_levels_deep_on_a_stack_of_64_kib() {
    let world = World::of(&builds::release());
    let _memory = is_root().then(|| Mounted::tmpfs(&world, &world.base(), "size=64m"));
    costs(&world, SMALL_STACK, "deep", 100_000, 64);
}

#[test]
fn a_directory_of_200_000_files_is_measured_and_goes() {
    let world = World::new();
    let _memory = is_root().then(|| Mounted::tmpfs(&world, &world.base(), "size=64m,nr_inodes=0"));
    costs(&world, STACK, "wide", 200_000, 0);
}

#[test]
#[ignore = "the long form: minutes of disk"]
fn on_disk_100_000_levels_and_a_directory_of_a_million_files_are_measured_and_go() {
    costs(&World::new(), STACK, "deep", 100_000, 64);
    costs(&World::new(), STACK, "wide", 1_000_000, 0);
}

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
