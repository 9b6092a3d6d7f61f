//! `wsctl prune` when a signal comes: SIGINT and SIGTERM, after which deletions in progress are completed, and SIGKILL, after which
//! the next run does.

use crate::paused::{Paused, straced};
use crate::terminal::at_deaf_terminal;
use crate::tools::{set_aside, text, tool, trash, wait_until};
use crate::world::{World, finish, ids_in, numbered, sorted};
use serde_json::json;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn after_a_signal_deletions_in_progress_are_completed_the_rest_is_kept_and_the_summary_is_printed() {
    needs!("strace");
    for (signal, status, format) in
        [("INT", 130, "json"), ("TERM", 143, "json"), ("HUP", 129, "json"), ("TERM", 143, "text")]
    {
        let world = World::new();
        let ids: Vec<_> = (0..100).map(|number| world.aged(31 + number)).collect();
        let run = world.wsctl(["prune", "-y", "--older-than", "30d", "-j", "1", "--format", format]);
        let paused = Paused::after(&world, "renameat2", None, run);
        paused.signal(signal);
        let ran = paused.go_on().exits(status).quietly();
        let left = world.names();
        assert!((1..100).contains(&left.len()), "{ran:#?}");
        if format == "json" {
            let report = ran.json();
            assert_eq!(report["kept"], json!(left.len()));
            assert_eq!(
                sorted(ids_in(&report["pruned"]).iter().chain(&left)),
                sorted(&ids),
                "and nothing is left aside"
            );
        } else {
            let (pruned, kept) = (format!("pruned {} workspace", 100 - left.len()), format!("kept {}\n", left.len()));
            assert!(ran.stdout.starts_with(&pruned) && ran.stdout.ends_with(&kept), "{ran:#?}");
        }
        world.prune(&[]).run().pruned(left);
    }
}

#[test]
fn a_signal_ends_the_measurement_right_before_a_claim() {
    needs!("strace");
    let world = World::new();
    let workspace = (0..500).fold(world.workspace().days_ago(40), |made, number| made.file(&number.to_string(), b"x"));
    let id = workspace.make();
    tool(&["find", text(&world.base()), "-depth", "-exec", "touch", "-d", "40 days ago", "{}", "+"]);
    let run = world.prune(&["--use-mtime"]);
    let paused = Paused::try_after(&world, ("statx", 800), run).unwrap_or_else(|ran| panic!("too few calls: {ran:#?}"));
    paused.signal("TERM");
    let (ran, log) = paused.go_on_logged();
    let _ = ran.exits(143);
    let after = log.iter().skip_while(|line| !line.contains("SIGTERM {"));
    assert!(after.filter(|line| line.contains("statx(")).count() < 20, "it goes on: {log:#?}");
    assert_eq!(world.names(), [id]);
}

#[test]
fn a_signal_ends_the_sweep_of_a_claimed_workspace_which_is_put_back() {
    needs!("strace");
    let world = World::new();
    let temporary = |number: usize| format!(".metadata.tmp.{number}.json");
    let workspace = world.workspace().days_ago(40);
    let id = (0..500).fold(workspace, |made, number| made.file(&temporary(number), b"x")).make();
    let paused =
        Paused::try_after(&world, ("unlinkat", 100), world.prune(&[])).unwrap_or_else(|ran| panic!("{ran:#?}"));
    paused.signal("TERM");
    let (ran, log) = paused.go_on_logged();
    let report = ran.exits(143).quietly().json();
    assert_eq!(report["kept"], json!(1));
    assert!(report["freed_bytes"].as_u64() >= Some(99 * 4096), "{report}");
    let after = log.iter().skip_while(|line| !line.contains("SIGTERM {"));
    assert!(after.filter(|line| line.contains("unlinkat(")).count() < 3, "it goes on: {log:#?}");
    assert_eq!((world.names(), trash(&world)), (vec![id], vec![]));
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
        wait_until("the pipe is almost full", || rustix::io::ioctl_fionread(&reader).expect("a number") > 50_000);
        let begun = Instant::now();
        tool(&["kill", "-TERM", &child.id().to_string()]);
        let _ = finish(child, &option).exits(143);
        assert!(begun.elapsed() < Duration::from_secs(60), "{option}: it takes a second, but for other load");
        assert!(trash(&world).is_empty() && many.contains(&world.names().len()), "{option}: {:?}", world.names());
    }
}

#[test]
fn a_signal_is_heard_while_a_terminal_takes_no_more() {
    needs!("python3");
    for option in ["-v", "-vv"] {
        let world = World::in_memory();
        (0..1500).for_each(|_| drop(world.workspace().days_ago(40).make()));
        let run = world.wsctl(["prune", "-y", "--older-than", "30d", option]);
        let _ = at_deaf_terminal(&world, run).exits(143);
        assert!(trash(&world).is_empty() && !world.names().is_empty(), "{option}: {:?}", trash(&world));
    }
}

#[test]
fn prune_claims_large_workspaces_in_small_batches_and_small_ones_in_large_batches() {
    needs!("strace");
    // The base is synced once for each batch.
    for (files, syncs) in [(100, 3), (1, 2)] {
        let world = World::in_memory();
        for number in 0..48 {
            let workspace = world.workspace().id(&numbered(number)).days_ago(40);
            let _ = (0..files).fold(workspace, |workspace, file| workspace.file(&format!("data/{file}"), b"")).make();
        }
        let (ran, log) = straced(&world, world.prune(&[]), "fsync");
        let _ = ran.exits(0);
        assert_eq!(log.iter().filter(|line| line.contains("base>")).count(), syncs, "{files} files");
    }
}

#[test]
fn after_a_kill_the_next_prune_finishes_what_was_decided_and_decides_afresh_on_the_rest() {
    needs!("strace");
    for (call, at_least) in [("renameat2", 0), ("fsync", 1)] {
        let world = World::new();
        (0..20).for_each(|number| drop(world.aged(31 + number)));
        drop(Paused::after(&world, call, None, world.prune(&[]))); // SIGKILL
        let doomed = trash(&world).iter().filter(|name| name.starts_with(".wsctl-doomed.")).count();
        assert!(doomed >= at_least && !trash(&world).is_empty(), "{:?}", world.names());
        assert_eq!(world.names().len(), 20);
        let args = ["prune", "-y", "--older-than", "3650d", "--format", "json"];
        let report = world.wsctl(args).run().exits(0).json();
        assert_eq!(report["pruned"].as_array().map(Vec::len), Some(doomed), "it decides afresh on the others");
        assert_eq!((trash(&world).len(), world.names().len()), (0, 20 - doomed), "{call}");
    }
}

#[test]
fn after_a_signal_claims_of_earlier_runs_are_left_to_the_next_run() {
    needs!("strace");
    let world = World::new();
    let ids: Vec<_> = (1..=20).map(|days| world.aged(days)).collect();
    for id in &ids {
        set_aside(&world, "claimed", id);
    }
    let paused = Paused::after(&world, "renameat2", None, world.prune(&[]));
    paused.signal("TERM");
    let _ = paused.go_on().exits(143).quietly();
    let left = trash(&world).len();
    assert!(left > 10, "{left}: another thread hears the signal, perhaps a little later");
    let _ = world.prune(&[]).run().exits(0).quietly();
    assert_eq!(world.names(), sorted(&ids));
}
