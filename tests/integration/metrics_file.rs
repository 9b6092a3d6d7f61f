//! How `--metrics` replaces its file, and what it does not replace. See `metrics.rs` for what is in it.

use crate::metrics::{file, prune};
use crate::tools::{text, tool};
use crate::world::{World, names};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

#[test]
fn a_dry_run_or_help_leaves_the_metrics_file_as_it_was() {
    let world = World::new();
    let _ = world.aged(40);
    let metrics = file(&world);
    fs::write(&metrics, "old").expect("a file");
    for args in [&["prune", "--older-than", "30d"][..], &["prune", "--older-than", "7"], &["prune", "--help"]] {
        let _ = world.wsctl([args, &["--metrics", text(&metrics), "-n"]].concat()).run();
        assert_eq!(fs::read_to_string(&metrics).expect("a file"), "old", "{args:?}");
    }
}

#[test]
fn the_metrics_file_is_replaced_atomically_and_everyone_may_read_it() {
    let world = World::new();
    let elsewhere = world.path("elsewhere");
    let metrics = file(&world);
    fs::write(&elsewhere, "precious").and_then(|()| symlink(&elsewhere, &metrics)).expect("a link");
    let run = world.wsctl(["prune", "--yes", "--older-than", "30d", "--metrics", text(&metrics)]);
    let _ = run.through_sh("umask 077; exec \"$@\"").run().exits(0);
    let stat = fs::symlink_metadata(&metrics).expect("metrics");
    assert!(stat.is_file() && stat.mode() & 0o7777 == 0o644, "{stat:?}");
    assert_eq!(fs::read_to_string(&elsewhere).expect("a file"), "precious");
    let _ = prune(&world, &["--older-than", "30d"]).exits(0);
    assert_ne!(fs::metadata(&metrics).expect("metrics").ino(), stat.ino(), "it was written in place");
    assert!(!names(&world.path("")).iter().any(|name| name.starts_with(".wsctl-tmp")), "a temporary file is left");
}

#[test]
fn metrics_replace_nothing_but_a_regular_file_and_where_they_cannot_be_written_the_prune_is_done() {
    let world = World::new();
    let [absent, fifo, dir, link] = ["nowhere/x", "fifo", "dir", "link"].map(|name| world.path(name));
    tool(&["mkfifo", text(&fifo)]);
    fs::create_dir(&dir).and_then(|()| symlink("/proc/self/fd/1", &link)).expect("a directory and a link");
    let special = [&fifo, &dir, &link].map(|file| (text(file), 2, "it is not a regular file"));
    let others = [(text(&absent), 66, "cannot open its directory"), ("/", 2, "it is not the path of a file")];
    for (file, status, why) in others.into_iter().chain(special) {
        let id = world.aged(40);
        let inode = || fs::symlink_metadata(file).ok().map(|stat| stat.ino());
        let (before, out) = (inode(), world.path("out")); // a regular file, which the link then names
        let run = world.wsctl(["prune", "--yes", "--older-than", "30d", "--metrics", file]);
        let ran = run.through_sh(&format!("\"$@\" >{}", text(&out))).run().exits(status);
        let ran = ran.complains(&format!("metrics {file}: {why}"));
        assert!(ran.stderr.starts_with(if status == 2 { "error[usage]" } else { "error[not-found]" }), "{ran:#?}");
        let summary = fs::read_to_string(&out).expect("its stdout");
        let is_done = summary.starts_with("pruned 1 workspace") && !world.dir_of(&id).exists();
        assert_eq!((is_done, inode()), (status == 66, before), "{file}: {summary}");
        let _ = fs::remove_dir_all(world.dir_of(&id));
    }
}
