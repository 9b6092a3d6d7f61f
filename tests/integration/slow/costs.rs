//! What a workspace costs in system calls and memory: the difference between a small base and a larger one.

use crate::paused::straced;
use crate::world::{PRUNE, World, numbered};
use std::fs;

/// A base with so many workspaces, last accessed so many days ago: metadata, and these files.
fn base_of(workspaces: u32, days: i64, files: &[&str]) -> World {
    let world = World::in_memory();
    for number in 0..workspaces {
        let workspace = world.workspace().id(&numbered(number)).days_ago(days);
        let _ = files.iter().fold(workspace, |workspace, file| workspace.file(file, b"x")).make();
    }
    world
}

/// A workspace has two files, and a directory with two more. A list takes open, stat, read and close. Its sizes take, beside these:
/// two directories opened, listed (twice: the second time tells the end) and closed, two stats of each, one of each of five files.
/// A removal that keeps no promise makes 15 calls for this workspace. The promises take 19 more: 4 to examine it, 3 to look at it
/// right before the claim, 1 to claim it, 1 to see whether anything was mounted since, 1 to look once more, 1 to doom it, 1 to see
/// that it is what was doomed, and 7 to measure what goes; the sync of the base is shared by many.
#[test]
fn list_and_prune_make_no_more_system_calls_for_a_workspace_than_they_need() {
    needs!("strace");
    for (args, expected) in [
        (&["list", "--format", "ids"][..], 4),
        (&["list", "--format", "json"], 4),
        (&["list", "-s", "--format", "ids"], 21),
        (&PRUNE, 34),
    ] {
        let [few, many] = [30, 230].map(|workspaces| {
            let world = base_of(workspaces, 40, &["conversations.json", "notes.md", "charts/a.png", "charts/b.png"]);
            std::thread::sleep(std::time::Duration::from_millis(30)); // what was changed just now is read twice
            let (ran, lines) = straced(&world, world.wsctl(args), "%file,%desc");
            assert_eq!(ran.status, 0, "{ran:#?}");
            // In a debug build std asks before each close whether it is a descriptor.
            lines.iter().filter(|line| line.contains('(') && !line.contains("F_GETFD")).count()
        });
        // What all workspaces share, and a file that is read twice because the clock has not ticked since it was written, are
        // fractions of a call for each.
        let calls = many - few;
        assert!(calls.abs_diff(200 * expected) < 100, "{args:?}: {calls} for 200 workspaces");
    }
}

#[test]
fn validate_starts_no_thread_and_one_job_is_one_thread_beside_that_which_hears_signals() {
    needs!("strace");
    let world = base_of(1000, 40, &[]);
    let (validate, several) = (["validate", &numbered(1)], ["prune", "-n", "--older-than", "30d"]);
    for (args, threads) in [(&validate[..], 0..1), (&["list"], 2..99), (&several, 2..99), (&PRUNE, 1..2)] {
        let (ran, lines) = straced(&world, world.wsctl(args), "clone,clone3");
        let begun = lines.iter().filter(|line| line.contains("clone")).count();
        assert!(ran.status == 0 && threads.contains(&begun), "{args:?}: {begun}");
    }
}

/// The largest resident set of a run, in bytes, by time(1): the least of several, since how threads share the work differs.
fn memory(runs: usize, world: &World, args: &[&str]) -> u64 {
    let peak = |_| {
        let ran = world.wsctl(args).through(["/usr/bin/time", "-f", "%M"]).run().exits(0);
        ran.stderr.trim().parse::<u64>().expect("a number alone") * 1024
    };
    (0..runs).map(peak).min().unwrap_or_default()
}

#[test]
fn a_workspace_that_is_examined_or_pruned_takes_about_150_bytes_of_memory_at_most() {
    needs!("/usr/bin/time");
    let examined = [1000, 25_000].map(|workspaces| base_of(workspaces, 1, &[]));
    for args in [&["list", "--format=ids"][..], &["list", "--format=json"], &["list", "-s"], &PRUNE[..4], &PRUNE[..6]] {
        let mut costs = vec![examined.each_ref().map(|world| memory(5, world, args))];
        if args[0] == "prune" {
            costs.push([1000, 25_000].map(|workspaces| memory(1, &base_of(workspaces, 40, &[]), args)));
        }
        for [few, many] in costs {
            let bytes = many.saturating_sub(few) / 24_000;
            assert!(bytes <= 170, "{args:?}: {bytes} bytes for a workspace"); // and a little that differs from run to run
        }
    }
}

/// Many workspaces with descriptions nearly as long as a metadata file may be. They share one file.
#[test]
fn descriptions_that_are_not_shown_take_no_memory() {
    needs!("/usr/bin/time");
    let world = World::in_memory();
    let first = world.workspace().id(&numbered(0)).days_ago(1).description(&"x".repeat(60_000)).make();
    for number in 1..2000 {
        fs::create_dir(world.dir_of(&numbered(number))).expect("a directory");
        fs::hard_link(world.metadata_of(&first), world.metadata_of(&numbered(number))).expect("a link");
    }
    for options in ["--format=ids", "--limit=1", "--limit=1 --format=json", "--status=denied"] {
        let bytes = memory(1, &world, &["list"].into_iter().chain(options.split(' ')).collect::<Vec<_>>());
        assert!(bytes < 32 << 20, "{options}: {bytes} bytes, and all of them are 120 MB");
    }
}
