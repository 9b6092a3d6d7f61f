//! `wsctl prune` when a signal comes: SIGINT and SIGTERM, after which deletions in progress are completed, and SIGKILL, after which
//! the next run does.

use crate::paused::{Paused, straced};
use crate::tools::{text, tool, trash};
use crate::world::{World, finish, has, ids_in, names, numbered, sorted};
use serde_json::json;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn after_a_signal_deletions_in_progress_are_completed_and_the_rest_is_kept() {
    needs!("strace");
    for (signal, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let world = World::new();
        let ids: Vec<_> = (0..100).map(|number| world.aged(31 + number)).collect();
        let paused = Paused::after(&world, "renameat2", None, world.prune(&[]));
        paused.signal(signal);
        let report = paused.go_on().exits(status).quietly().json();
        let pruned = ids_in(&report["pruned"]);
        assert!((1..100).contains(&pruned.len()), "{report}");
        assert_eq!(report["kept"], json!(100 - pruned.len()));
        assert_eq!(sorted(pruned.iter().chain(&world.names())), sorted(&ids), "and nothing is left aside");
        let rest = world.prune(&[]).run().exits(0).json();
        assert_eq!(rest["pruned"].as_array().map(Vec::len), Some(100 - pruned.len()));
    }
}

#[test]
fn after_a_signal_the_summary_is_printed() {
    needs!("strace");
    let world = World::new();
    let _ = (0..200).map(|number| world.aged(31 + number)).collect::<Vec<_>>();
    let run = world.wsctl(["prune", "-y", "--older-than", "30d", "-j", "1"]);
    let paused = Paused::after(&world, "fsync", None, run);
    paused.signal("TERM");
    let ran = paused.go_on().exits(143);
    let left = world.names().len();
    assert!(left > 0 && ran.stdout.starts_with(&format!("pruned {} workspaces", 200 - left)), "{left} {ran:?}");
    assert!(ran.stdout.ends_with(&format!("kept {left}\n")), "{ran:?}");
    assert_eq!(trash(&world), [""; 0]);
}

#[test]
fn a_signal_ends_the_measurement_right_before_a_claim() {
    needs!("strace");
    let world = World::new();
    let workspace = (0..500).fold(world.workspace().days_ago(40), |made, number| made.file(&number.to_string(), b"x"));
    let id = workspace.make();
    tool(&["find", text(&world.base()), "-depth", "-exec", "touch", "-d", "40 days ago", "{}", "+"]);
    let run = world.wsctl(["prune", "-y", "--older-than", "30d", "--use-mtime", "-j", "1"]);
    let paused = Paused::try_after(&world, ("statx", 800), run).unwrap_or_else(|ran| panic!("too few calls: {ran:#?}"));
    paused.signal("TERM");
    let _ = paused.go_on().exits(143);
    let log = names(&world.path("")).into_iter().find(|name| name.starts_with("paused.")).expect("a log");
    let log = std::fs::read_to_string(world.path(&log)).expect("a log");
    let after = log.split("SIGTERM {").nth(1).expect("the signal");
    assert!(after.matches("statx(").count() < 20, "it goes on: {after}");
    assert_eq!(world.names(), [id]);
}

#[test]
fn a_signal_is_heard_while_nobody_reads_what_prune_prints() {
    for (option, many) in [("-v", 1..1000), ("-vv", 1..1000), ("--format=json", 0..1)] {
        let world = World::in_memory();
        (0..1000).for_each(|_| drop(world.workspace().days_ago(40).make()));
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut command = world.wsctl(["prune", "-y", "--older-than", "30d", "-j", "2", option]).command();
        let errors = writer.try_clone().expect("the same pipe");
        let child = command.stdin(Stdio::null()).stdout(writer).stderr(errors).spawn().expect("the program");
        drop(command);
        while rustix::io::ioctl_fionread(&reader).expect("a number") < 50_000 {
            thread::sleep(Duration::from_millis(10)); // the pipe is almost full
        }
        let begun = Instant::now();
        tool(&["kill", "-TERM", &child.id().to_string()]);
        let _ = finish(child, &option).exits(143);
        assert!(begun.elapsed() < Duration::from_secs(60), "{option}: it takes a second, but for other load");
        assert!(trash(&world).is_empty() && many.contains(&world.names().len()), "{option}: {:?}", world.names());
    }
}

/// How often a prune of 48 workspaces of this many files syncs the base: once for each batch.
fn syncs(files: u32) -> usize {
    let world = World::in_memory();
    for number in 0..48 {
        let workspace = world.workspace().id(&numbered(number)).days_ago(40);
        let _ = (0..files).fold(workspace, |workspace, file| workspace.file(&format!("data/{file}"), b"")).make();
    }
    let (ran, log) = straced(&world, world.prune(&[]), "fsync");
    let _ = ran.exits(0);
    log.iter().filter(|line| line.contains("base>")).count()
}

#[test]
fn prune_claims_large_workspaces_in_small_batches_and_small_ones_in_large_batches() {
    if has("strace") {
        assert_eq!((syncs(100), syncs(1)), (3, 2));
    }
}

#[test]
fn after_a_kill_the_next_prune_finishes_what_was_decided_and_decides_afresh_on_the_rest() {
    needs!("strace");
    for (call, at_least) in [("renameat2", 0), ("fsync", 1)] {
        let world = World::new();
        let ids: Vec<_> = (0..20).map(|number| world.aged(31 + number)).collect();
        let paused = Paused::after(&world, call, None, world.prune(&[]));
        drop(paused); // SIGKILL
        let doomed = trash(&world).iter().filter(|name| name.starts_with(".wsctl-doomed.")).count();
        assert!(doomed >= at_least && !trash(&world).is_empty(), "{:?}", world.names());
        assert_eq!(world.names().len(), ids.len());
        let args = ["prune", "-y", "--older-than", "3650d", "--format", "json"];
        let report = world.wsctl(args).run().exits(0).json();
        assert_eq!(report["pruned"].as_array().map(Vec::len), Some(doomed), "it decides afresh on the others");
        assert_eq!((trash(&world).len(), world.names().len()), (0, ids.len() - doomed), "{call}");
    }
}
