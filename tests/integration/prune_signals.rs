//! `wsctl prune` when a signal comes: SIGINT and SIGTERM, after which deletions in progress are completed, and SIGKILL, after which
//! the next run does.

use crate::paused::Paused;
use crate::terminal::at_deaf_terminal;
use crate::tools::{modify, set_aside, tool, trash, wait_until};
use crate::world::{World, finish, ids_in, sorted};
use serde_json::json;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn after_a_signal_deletions_in_progress_are_completed_the_rest_is_kept_and_the_summary_is_printed() {
    needs!("strace");
    for (signal, status, format) in [("INT", 130, "json"), ("HUP", 129, "json"), ("TERM", 143, "text")] {
        let (world, ids) = World::with_each_aged([40; 100]);
        let run = world.wsctl(["prune", "-y", "--older-than", "30d", "-j", "1", "--format", format]);
        let paused = Paused::after(&world, "renameat2", None, run);
        paused.signal(signal);
        let ran = paused.go_on().exits(status).quietly();
        let left = world.names();
        assert!((1..100).contains(&left.len()), "{ran:#?}");
        if format == "json" {
            let report = ran.json();
            assert_eq!(report["kept"], json!(left.len()));
            let all = sorted(ids_in(&report["pruned"]).iter().chain(&left));
            assert_eq!(all, sorted(&ids), "and nothing is left aside");
        } else {
            let (pruned, kept) = (format!("pruned {} workspace", 100 - left.len()), format!("kept {}\n", left.len()));
            assert!(ran.stdout.starts_with(&pruned) && ran.stdout.ends_with(&kept), "{ran:#?}");
        }
        world.prune(&[]).run().pruned(left);
    }
}

#[test]
fn a_signal_ends_the_measurement_before_a_claim_and_the_sweep_after_it_and_the_workspace_stays() {
    needs!("strace");
    for (file, option, call, nth, more) in
        [("lap.#.csv", "--use-mtime", "statx", 800, 20), (".metadata.tmp.#.json", "--keep-last=0", "unlinkat", 100, 3)]
    {
        let world = World::new();
        let name = |number: usize| file.replace('#', &number.to_string());
        let id = (0..500).fold(world.workspace().days_ago(40), |made, number| made.file(&name(number), b"x")).make();
        modify(&world, &id, 40);
        let paused = Paused::try_after(&world, (call, nth), world.prune(&[option]));
        let paused = paused.unwrap_or_else(|ran| panic!("too few calls: {ran:#?}"));
        paused.signal("TERM");
        let (ran, log) = paused.go_on_logged();
        let report = ran.exits(143).quietly().json();
        assert_eq!(report["kept"], 1, "{report}");
        assert!(call == "statx" || report["freed_bytes"].as_u64() >= Some(99 * 4096), "{report}");
        let after = log.iter().skip_while(|line| !line.contains("SIGTERM {"));
        let calls = after.filter(|line| line.contains(&format!("{call}("))).count();
        assert!(calls < more, "it goes on: {log:#?}");
        assert_eq!(world.names(), [id]);
    }
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
fn after_a_kill_the_next_prune_finishes_what_was_decided_and_decides_afresh_on_the_rest() {
    needs!("strace");
    for (call, at_least) in [("renameat2", 0), ("fsync", 1)] {
        let (world, _) = World::with_each_aged([40; 20]);
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
    let (world, ids) = World::with_each_aged([1; 20]);
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
