//! How `--metrics` replaces its file, and what it does not replace. See `metrics.rs` for what is in it.

use crate::metrics::{are, file, prune};
use crate::tools::{text, tool, wait_until};
use crate::world::{World, chmod, finish, is_root, names};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::process::Stdio;

#[test]
fn a_list_and_a_prune_at_the_same_time_keep_what_the_other_wrote() {
    needs!("strace");
    let world = World::new();
    let metrics = file(&world);
    let list = world.wsctl(["list", "--metrics", text(&metrics)]).injecting(["renameat:delay_enter=800000"]);
    let list = list.command().stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("strace");
    wait_until("it has read the file, and not yet replaced it", || {
        names(&world.path("")).iter().any(|name| name.starts_with(".wsctl-tmp."))
    });
    let _ = prune(&world, &["--older-than", "30d"]).exits(0);
    let _ = finish(list, &"list").exits(0);
    are(&world, [("list_last_run_exit_status", 0), ("prune_last_run_exit_status", 0)]);
}

#[test]
fn a_dry_run_or_help_leaves_the_metrics_file_as_it_was() {
    let world = World::new();
    let _ = world.aged(40);
    let metrics = file(&world);
    fs::write(&metrics, "old").expect("a file");
    for args in [
        &["prune", "--older-than", "30d"][..],
        &["prune", "--older-than", "7"],
        &["prune", "--help"],
        &["prune", "--oldr-than=7d"],
        &["-n", "prune"],
    ] {
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
fn in_a_setgid_directory_the_metrics_file_has_the_group_of_the_directory() {
    needs!("root", "strace");
    let world = World::new();
    let dir = world.path("collector");
    fs::create_dir(&dir).and_then(|()| chown(&dir, None, Some(4321))).expect("a directory");
    chmod(&dir, 0o2775);
    let metrics = dir.join("wsctl.prom");
    let run = world.wsctl(["prune", "--yes", "--older-than", "30d", "--metrics", text(&metrics)]);
    // A service may be kept from changing owners.
    let _ = run.injecting(["fchown:error=EPERM"]).run().exits(0).quietly();
    let stat = fs::metadata(&metrics).expect("metrics");
    assert_eq!((stat.gid(), stat.mode() & 0o7777), (4321, 0o644));
}

#[test]
fn metrics_replace_nothing_but_a_regular_file_and_where_they_cannot_be_written_the_prune_is_done() {
    let world = World::new();
    let [absent, fifo, dir, link, device] = ["nowhere/x", "fifo", "dir", "link", "device"].map(|name| world.path(name));
    tool(&["mkfifo", text(&fifo)]);
    fs::create_dir(&dir).and_then(|()| symlink("/proc/self/fd/1", &link)).expect("a directory and a link");
    if is_root() {
        tool(&["mknod", text(&device), "c", "1", "3"]); // as /dev/null is, which a regression shall not harm
    } else {
        symlink("/dev/null", &device).expect("a link");
    }
    let special = [&fifo, &dir, &link, &device].map(|file| (text(file), 2, "it is not a regular file"));
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
