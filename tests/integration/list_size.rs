//! `wsctl list -s`: the size is that of `du -sx`, which is asked each time.

use crate::tools::{du, text, tool};
use crate::world::{World, odd_name};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;

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
    assert!(du(dir) < 1 << 30, "the file system has no sparse files, so this shows nothing");
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

#[test]
fn the_size_is_that_of_du_and_every_name_but_a_directory_is_a_file() {
    type Fill = fn(&Path, &Path);
    for (what, fill, files) in [
        ("nothing", (|_, _| ()) as Fill, 0),
        ("directories", directories, 2),
        ("hard links", hard_links, 6),
        ("a sparse file", sparse_file, 1),
        ("links, a fifo and odd names", links_a_fifo_and_odd_names, 8),
    ] {
        let world = World::new();
        let dir = world.dir_of(&world.workspace().make_without_metadata());
        let outside = world.path("outside");
        fs::create_dir(&outside).expect("a directory");
        fill(&dir, &outside);
        let row = world.wsctl(["list", "-s", "--format", "jsonl"]).run().exits(0).quietly().json();
        assert_eq!((row["size_bytes"].as_u64(), row["files"].as_u64()), (Some(du(&dir)), Some(files)), "{what}: {row}");
    }
}
