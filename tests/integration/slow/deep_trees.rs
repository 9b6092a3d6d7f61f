//! Trees of any depth and width: removed and measured with few descriptors, a small stack and memory that does not grow with them.

use crate::builds;
use crate::mounted::Mounted;
use crate::tools::{du, text, tool};
use crate::world::{Ran, World, is_root};
use serde_json::json;
use std::fs;
use std::process::{Command, Stdio};

/// For a release build 64 KiB, as the contract has it. Unoptimized, `--version` alone needs more than 128 KiB.
const SMALL_STACK: &str = "--stack=65536";
const STACK: &str = if cfg!(debug_assertions) { "--stack=262144" } else { SMALL_STACK };

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

/// Runs with 64 descriptors and on this stack, and gives its peak of memory in KiB, too.
fn limited(world: &World, stack: &str, args: &[&str]) -> (Ran, u64) {
    let peak = world.path("peak");
    // A busy disk may need longer than other runs may take.
    let limits = ["timeout", "600", "prlimit", "--nofile=64", stack, "time", "-q", "-f", "%M", "-o", text(&peak)];
    let mut command = world.wsctl(args).through(limits).command();
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
    assert_eq!((&pruned.pruned([id])["freed_bytes"], world.names()), (&json!(used), vec![]));
    (list, prune)
}

/// Asserts what [`peaks`] does, and that memory does not grow with the tree but for so many bytes a level.
#[track_caller]
fn costs(world: &World, stack: &str, shape: &str, size: usize, bytes: u64) {
    needs!("python3", "prlimit", "time");
    let _emptied = Emptied(world);
    let (small, large) = (peaks(world, stack, shape, 1000), peaks(world, stack, shape, size));
    // The peak of one and the same run differs by less than 1 MiB from time to time.
    let allowed = 1024 + bytes * u64::try_from(size).expect("a number") / 1024;
    assert!(large.0 <= small.0 + allowed && large.1 <= small.1 + allowed, "{small:?} {large:?} KiB");
}

/// A file system in memory is faster; where none may be mounted, the disk does as well.
fn in_memory(world: &World) -> Option<Mounted> {
    is_root().then(|| Mounted::tmpfs(world, &world.base(), "size=64m,nr_inodes=0"))
}

#[test]
fn a_tree_100_000_levels_deep_is_measured_and_removed_also_by_a_release_build_on_a_stack_of_64_kib() {
    let mut shipped = World::new();
    shipped.binary = builds::release();
    for (world, stack) in [(World::new(), STACK), (shipped, SMALL_STACK)] {
        let _memory = in_memory(&world);
        costs(&world, stack, "deep", 100_000, 64);
    }
}

#[test]
fn a_directory_of_200_000_files_is_measured_and_removed() {
    let world = World::new();
    let _memory = in_memory(&world);
    costs(&world, STACK, "wide", 200_000, 0);
}

#[test]
#[ignore = "the long form: minutes of disk"]
fn on_disk_100_000_levels_and_a_directory_of_a_million_files_are_measured_and_go() {
    costs(&World::new(), STACK, "deep", 100_000, 64);
    costs(&World::new(), STACK, "wide", 1_000_000, 0);
}
