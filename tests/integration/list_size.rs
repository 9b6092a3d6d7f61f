//! `wsctl list -s`: the size is that of `du -sx`, which is asked each time.

use crate::paused::Paused;
use crate::world::{World, numbered, odd_name};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A world with one empty workspace, and the directory of that.
fn one_workspace() -> (World, PathBuf) {
    let world = World::new();
    let dir = world.dir_of(&world.workspace().id(&numbered(1)).make_without_metadata());
    (world, dir)
}

/// What `du` says of a tree, in bytes. As in wsctl's own runs, a mount below it may be seen by the wrapper alone.
fn du(wrapper: &[&str], dir: &Path) -> u64 {
    let words = [wrapper, &["du", "-s", "-B1", "-x"]].concat();
    let output = Command::new(words[0]).args(&words[1..]).arg(dir).output().expect("du");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split('\t').next().expect("a number").parse().expect("a number")
}

/// Asserts that the only workspace has the size that `du` gives it, and so many files.
#[track_caller]
fn agrees_with_du(world: &World, files: u64) {
    agrees_with_du_through(&[], world, files);
}

#[track_caller]
fn agrees_with_du_through(wrapper: &[&str], world: &World, files: u64) {
    let row = world.wsctl(["list", "-s", "--format", "jsonl"]).through(wrapper).run().exits(0).quietly().json();
    let size = du(wrapper, &world.dir_of(&numbered(1)));
    assert_eq!((row["size_bytes"].as_u64(), row["files"].as_u64()), (Some(size), Some(files)), "{row}");
}

#[test]
fn an_empty_workspace_is_its_own_directory() {
    let (world, _) = one_workspace();
    agrees_with_du(&world, 0);
}

#[test]
fn nested_and_empty_directories_count_for_their_blocks_and_are_no_files() {
    let (world, dir) = one_workspace();
    fs::create_dir_all(dir.join("a/b/c/d")).expect("directories");
    (0..20).for_each(|number| fs::create_dir(dir.join(format!("a/empty {number}"))).expect("a directory"));
    fs::write(dir.join("a/b/c/laps"), vec![7; 123_456]).expect("a file");
    fs::write(dir.join("a/b/.hidden"), "x").expect("a file");
    agrees_with_du(&world, 2);
}

#[test]
fn list_counts_a_hard_linked_inode_once_and_each_of_its_names_as_a_file() {
    let (world, dir) = one_workspace();
    fs::create_dir(dir.join("charts")).expect("a directory");
    fs::write(dir.join("laps"), vec![7; 100_000]).expect("a file");
    fs::hard_link(dir.join("laps"), dir.join("the same laps")).expect("a link");
    fs::hard_link(dir.join("laps"), dir.join("charts/laps")).expect("a link");
    fs::write(dir.join("pits"), vec![7; 70_000]).expect("a file");
    fs::hard_link(dir.join("pits"), dir.join("charts/pits")).expect("a link");
    let outside = world.path("outside");
    fs::write(&outside, vec![7; 50_000]).expect("a file");
    fs::hard_link(&outside, dir.join("shared")).expect("a link");
    agrees_with_du(&world, 6);
}

#[test]
fn an_inode_that_two_workspaces_share_counts_in_each_of_them() {
    let world = World::new();
    let (a, b) = (numbered(1), numbered(2));
    let _ = world.workspace().id(&a).file("laps", &vec![7; 300_000]).make();
    let _ = world.workspace().id(&b).make();
    fs::hard_link(world.dir_of(&a).join("laps"), world.dir_of(&b).join("laps")).expect("a link");
    let json = world.wsctl(["list", "-s", "--format", "json", "--sort", "id"]).run().exits(0).json();
    for (number, id) in [&a, &b].into_iter().enumerate() {
        let row = &json["workspaces"][number];
        assert_eq!((row["size_bytes"].as_u64(), &row["files"]), (Some(du(&[], &world.dir_of(id))), &2.into()));
    }
}

#[test]
fn a_sparse_file_counts_for_the_blocks_that_it_has() {
    let (world, dir) = one_workspace();
    let file = File::create(dir.join("sparse")).expect("a file");
    file.set_len(1 << 40).expect("a length");
    file.write_at(b"x", 1 << 30).expect("a byte");
    agrees_with_du(&world, 1);
    assert!(du(&[], &dir) < 1 << 30, "the file system has no sparse files, so this showed nothing");
}

#[test]
fn links_are_files_and_are_not_followed() {
    let (world, dir) = one_workspace();
    let outside = world.path("outside");
    fs::create_dir(&outside).expect("a directory");
    fs::write(outside.join("large"), vec![7; 1_000_000]).expect("a file");
    symlink(&outside, dir.join("to a directory")).expect("a link");
    symlink(outside.join("large"), dir.join("to a file")).expect("a link");
    symlink("..", dir.join("to above")).expect("a link");
    symlink("nowhere".repeat(100), dir.join("to nowhere, with a block of its own")).expect("a link");
    agrees_with_du(&world, 4);
}

#[test]
fn a_fifo_is_a_file_and_is_not_read() {
    let (world, dir) = one_workspace();
    assert!(Command::new("mkfifo").arg(dir.join("fifo")).status().expect("mkfifo").success());
    agrees_with_du(&world, 1);
}

#[test]
fn names_of_any_bytes_and_lengths_count() {
    let (world, dir) = one_workspace();
    fs::create_dir(odd_name(&dir)).expect("a directory");
    fs::write(odd_name(&odd_name(&dir)), "x").expect("a file");
    fs::write(dir.join("n".repeat(255)), "x").expect("a file");
    fs::write(dir.join("line\nend"), "x").expect("a file");
    agrees_with_du(&world, 3);
}

#[test]
fn three_hundred_levels_are_measured_with_64_descriptors() {
    let (world, dir) = one_workspace();
    // A file on each level, before and after the directory: the walk must come back to where it was.
    let mut deep = dir;
    for level in 0..300 {
        fs::write(deep.join("a"), vec![7; level]).expect("a file");
        fs::write(deep.join("z"), vec![7; level]).expect("a file");
        deep.push("dd");
        fs::create_dir(&deep).expect("a directory");
    }
    agrees_with_du_through(&["sh", "-c", "ulimit -n 64 && exec \"$@\"", "sh"], &world, 600);
}

#[test]
fn a_directory_that_takes_several_listings_is_measured() {
    let (world, dir) = one_workspace();
    // More names than one buffer of the kernel's holds, with directories among them.
    for number in 0..1500 {
        fs::write(dir.join(format!("a file with a rather long name, number {number}")), "x").expect("a file");
        if number % 100 == 0 {
            let below = dir.join(format!("directory {number}"));
            fs::create_dir(&below).expect("a directory");
            fs::write(below.join("file"), "x").expect("a file");
        }
    }
    agrees_with_du(&world, 1515);
}

#[test]
fn list_does_not_count_what_is_mounted_in_a_workspace() {
    needs!("root", "unshare");
    let (world, dir) = one_workspace();
    fs::create_dir(dir.join("mount")).expect("a directory");
    fs::write(dir.join("laps"), vec![7; 10_000]).expect("a file");
    fs::write(dir.join("mounted"), "").expect("a file");
    let mount = "mount -t tmpfs none \"$0/mount\" && head -c 500000 /dev/zero > \"$0/mount/large\" &&
        mount --bind \"$0/mount/large\" \"$0/mounted\" && exec \"$@\"";
    let dir = dir.to_str().expect("UTF-8");
    agrees_with_du_through(&["unshare", "-m", "sh", "-c", mount, dir], &world, 1);
}

#[test]
fn a_directory_that_is_swapped_for_a_link_while_it_is_measured_counts_as_the_link_and_is_not_followed() {
    needs!("strace");
    let (world, dir) = one_workspace();
    let (inner, outside) = (dir.join("data"), world.path("outside"));
    fs::create_dir(&inner).expect("a directory");
    fs::create_dir(&outside).expect("a directory");
    fs::write(outside.join("large"), vec![7; 500_000]).expect("a file");
    let run = world.wsctl(["list", "-s", "--format", "json"]);
    let paused = Paused::after(&world, "getdents64", Some(&dir), run); // it is listed as a directory
    fs::rename(&inner, dir.join("aside")).expect("a rename");
    symlink(&outside, &inner).expect("a link");
    let row = &paused.go_on().exits(0).json()["workspaces"][0];
    assert!(row["files"] == 1 && row["size_bytes"].as_u64().is_some_and(|size| size < 500_000), "{row}");
}
