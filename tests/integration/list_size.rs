//! `wsctl list -s`: the size is that of `du -sx`, which is asked each time.

use crate::tools::{du, outside, text, tool};
use crate::world::{World, odd_name};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, symlink};

#[test]
fn the_size_is_that_of_du_and_every_name_but_a_directory_is_a_file() {
    let world = World::new();
    let empty = world.workspace().make_without_metadata();
    let workspace = world.workspace().file("a/b/c/laps", &[7; 15_000]).file("a/b/.hidden", b"x");
    let workspace = workspace.file("laps", &[7; 10_000]).file("pits", &[7; 9_000]).file("charts/x", b"x");
    let full = workspace.make_without_metadata();
    let (dir, (outside, _)) = (world.dir_of(&full), outside(&world));
    (0..20).for_each(|number| fs::create_dir(dir.join(format!("a/empty {number}"))).expect("a directory"));
    let file = File::create(dir.join("sparse")).expect("a file");
    file.set_len(1 << 40).and_then(|()| file.write_at(b"x", 1 << 30)).expect("a byte in a hole");
    assert!(du(&dir) < 1 << 30, "the file system has no sparse files, so this shows nothing");

    // Names of the same inode, in one directory, in two, and outside.
    fs::write(outside.join("large"), vec![7; 1_000_000]).expect("a file");
    let (large, precious) = (outside.join("large"), outside.join("dir/precious"));
    for (file, link) in [("laps", "the same laps"), ("laps", "charts/laps"), ("pits", "charts/pits")] {
        fs::hard_link(dir.join(file), dir.join(link)).expect("a link");
    }
    fs::hard_link(&precious, dir.join("shared")).expect("a link");
    // What is neither followed nor read, and names of any bytes and lengths.
    let long = "nowhere".repeat(100); // it has a block of its own
    for (to, link) in [(text(&outside), "directory"), (text(&large), "file"), ("..", "above"), (&long, "nowhere")] {
        symlink(to, dir.join(format!("to {link}"))).expect("a link");
    }
    tool(&["mkfifo", text(&dir.join("fifo"))]);
    fs::create_dir(odd_name(&dir)).expect("a directory");
    for name in [odd_name(&odd_name(&dir)), dir.join("n".repeat(255)), dir.join("line\nend")] {
        fs::write(name, "x").expect("a file");
    }
    for (id, files) in [(empty, 0), (full, 18)] {
        let row = world.wsctl(["list", "-s", "--format", "jsonl", &id]).run().exits(0).quietly().json();
        let size = du(&world.dir_of(&id));
        assert_eq!((row["size_bytes"].as_u64(), row["files"].as_u64()), (Some(size), Some(files)), "{row}");
    }
}

/// Of a directory that somebody has removed, although it is open.
#[test]
fn what_file_servers_and_fuse_daemons_answer_of_a_removed_directory_does_not_hide_its_workspace() {
    needs!("strace");
    for errno in ["ENOENT", "ESTALE"] {
        let (world, id) = World::with(|it| it.file("data/x", b"x"));
        let data = world.dir_of(&id).join("data");
        let run = world.wsctl(["list", "-s", "--format", "json"]);
        let list = run.injecting_at(&data, &format!("fstat:error={errno}:when=2")).run().exits(0).json();
        assert_eq!(list["workspaces"][0]["size_bytes"], du(&world.dir_of(&id)), "{errno}: {list}");
    }
}
