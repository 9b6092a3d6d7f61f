//! `wsctl list -s`: the size is that of `du -sx`, which is asked each time.

use crate::paused::Paused;
use crate::tools::{text, tool};
use crate::world::{World, numbered, odd_name};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};

/// What `du` says of a tree, in bytes. As in wsctl's own runs, a mount below it may be seen by the wrapper alone.
fn du(wrapper: &[&str], dir: &Path) -> u64 {
    let text = tool(&[wrapper, &["du", "-s", "-B1", "-x", text(dir)]].concat());
    text.split('\t').next().and_then(|number| number.parse().ok()).expect("a number")
}

/// Asserts that the only workspace has the size that `du` gives it, and so many files.
#[track_caller]
fn agrees_with_du(world: &World, wrapper: &[&str], files: u64, what: &str) {
    let row = world.wsctl(["list", "-s", "--format", "jsonl"]).through(wrapper).run().exits(0).quietly().json();
    let size = du(wrapper, &world.dir_of(&numbered(1)));
    assert_eq!((row["size_bytes"].as_u64(), row["files"].as_u64()), (Some(size), Some(files)), "{what}: {row}");
}

/// A world with one empty workspace, and the directory of that.
fn one_workspace() -> (World, PathBuf) {
    let world = World::new();
    let dir = world.dir_of(&world.workspace().id(&numbered(1)).make_without_metadata());
    (world, dir)
}

fn write(file: impl AsRef<Path>, bytes: usize) {
    fs::write(file, vec![7; bytes]).expect("a file");
}

/// Empty directories, nested ones, and a hidden file.
fn directories(dir: &Path, _: &Path) {
    fs::create_dir_all(dir.join("a/b/c/d")).expect("directories");
    (0..20).for_each(|number| fs::create_dir(dir.join(format!("a/empty {number}"))).expect("a directory"));
    write(dir.join("a/b/c/laps"), 123_456);
    write(dir.join("a/b/.hidden"), 1);
}

/// Names of the same inode, in one directory, in two, and outside.
fn hard_links(dir: &Path, outside: &Path) {
    fs::create_dir(dir.join("charts")).expect("a directory");
    write(dir.join("laps"), 100_000);
    write(dir.join("pits"), 70_000);
    for (file, link) in [("laps", "the same laps"), ("laps", "charts/laps"), ("pits", "charts/pits")] {
        fs::hard_link(dir.join(file), dir.join(link)).expect("a link");
    }
    write(outside.join("shared"), 50_000);
    fs::hard_link(outside.join("shared"), dir.join("shared")).expect("a link");
}

fn sparse_file(dir: &Path, _: &Path) {
    let file = File::create(dir.join("sparse")).expect("a file");
    file.set_len(1 << 40).expect("a length");
    file.write_at(b"x", 1 << 30).expect("a byte");
    assert!(du(&[], dir) < 1 << 30, "the file system has no sparse files, so this shows nothing");
}

/// What is neither followed nor read, and names of any bytes and lengths.
fn links_a_fifo_and_odd_names(dir: &Path, outside: &Path) {
    write(outside.join("large"), 1_000_000);
    symlink(outside, dir.join("to a directory")).expect("a link");
    symlink(outside.join("large"), dir.join("to a file")).expect("a link");
    symlink("..", dir.join("to above")).expect("a link");
    symlink("nowhere".repeat(100), dir.join("to nowhere, with a block of its own")).expect("a link");
    tool(&["mkfifo", text(&dir.join("fifo"))]);
    fs::create_dir(odd_name(dir)).expect("a directory");
    for name in [odd_name(&odd_name(dir)), dir.join("n".repeat(255)), dir.join("line\nend")] {
        write(name, 1);
    }
}

/// More names than one buffer of the kernel's holds, with directories among them.
fn several_listings(dir: &Path, _: &Path) {
    for number in 0..1500 {
        write(dir.join(format!("a file with a rather long name, number {number}")), 1);
        if number % 100 == 0 {
            let below = dir.join(format!("directory {number}"));
            fs::create_dir(&below).expect("a directory");
            write(below.join("file"), 1);
        }
    }
}

#[test]
fn the_size_is_that_of_du_and_every_name_but_a_directory_is_a_file() {
    type Fill = fn(&Path, &Path);
    for (what, fill, files) in [
        ("nothing", (|_, _| ()) as Fill, 0),
        ("directories", directories, 2),
        ("hard links", hard_links, 6),
        ("a sparse file", sparse_file, 1),
        ("links, a fifo and odd names", links_a_fifo_and_odd_names, 8),
        ("several listings", several_listings, 1515),
    ] {
        let (world, dir) = one_workspace();
        let outside = world.path("outside");
        fs::create_dir(&outside).expect("a directory");
        fill(&dir, &outside);
        agrees_with_du(&world, &[], files, what);
    }
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
fn list_does_not_count_what_is_mounted_in_a_workspace() {
    needs!("root", "unshare");
    let (world, dir) = one_workspace();
    fs::create_dir(dir.join("mount")).expect("a directory");
    write(dir.join("laps"), 10_000);
    write(dir.join("mounted"), 1);
    let mount = "mount -t tmpfs none \"$0/mount\" && head -c 500000 /dev/zero > \"$0/mount/large\" &&
        mount --bind \"$0/mount/large\" \"$0/mounted\" && exec \"$@\"";
    agrees_with_du(&world, &["unshare", "-m", "sh", "-c", mount, text(&dir)], 1, "mounts");
}

#[test]
fn a_directory_that_is_swapped_for_a_link_while_it_is_measured_counts_as_the_link_and_is_not_followed() {
    needs!("strace");
    let (world, dir) = one_workspace();
    let (inner, outside) = (dir.join("data"), world.path("outside"));
    fs::create_dir(&inner).expect("a directory");
    fs::create_dir(&outside).expect("a directory");
    write(outside.join("large"), 500_000);
    let run = world.wsctl(["list", "-s", "--format", "json"]);
    let paused = Paused::after(&world, "getdents64", Some(&dir), run); // it is listed as a directory
    fs::rename(&inner, dir.join("aside")).expect("a rename");
    symlink(&outside, &inner).expect("a link");
    let row = &paused.go_on().exits(0).json()["workspaces"][0];
    assert!(row["files"] == 1 && row["size_bytes"].as_u64().is_some_and(|size| size < 500_000), "{row}");
}
