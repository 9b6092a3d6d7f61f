//! What a workspace costs, as far as it can be measured without a clock: the system calls that it takes, and the memory, each as the
//! difference between a small base and a larger one.

use crate::paused::straced;
use crate::world::{World, numbered};
use std::fs;

/// Prunes all that is stale, on one thread; the first four words do it on as many as there are processors.
const PRUNE: [&str; 6] = ["prune", "--older-than", "30d", "-y", "-j", "1"];

/// A base with so many workspaces: metadata, two files, and a directory with two more.
fn base_of(workspaces: u32) -> World {
    let world = World::new();
    for number in 0..workspaces {
        let workspace = world.workspace().id(&numbered(number)).days_ago(40).file("conversations.json", b"[]");
        let _ = workspace.file("notes.md", b"x").file("charts/a.png", b"x").file("charts/b.png", b"x").make();
    }
    world
}

/// How many system calls that have to do with files a workspace costs.
fn calls_for_each(args: &[&str]) -> f64 {
    const SMALL: u32 = 30;
    const LARGE: u32 = 230;
    let calls = [SMALL, LARGE].map(|workspaces| {
        let world = base_of(workspaces);
        std::thread::sleep(std::time::Duration::from_millis(30)); // what was changed just now is read twice
        let (ran, lines) = straced(&world, world.wsctl(args), "%file,%desc");
        assert_eq!(ran.status, 0, "{ran:#?}");
        // In a debug build std asks before each close whether it is a descriptor.
        let calls = lines.iter().filter(|line| line.contains('(') && !line.contains("F_GETFD"));
        u32::try_from(calls.count()).expect("not many")
    });
    f64::from(calls[1] - calls[0]) / f64::from(LARGE - SMALL)
}

/// A list takes open, stat, read and close. Its sizes take, beside these four: two directories opened, listed (twice: the second
/// time tells the end) and closed, two stats of each, before and after, and one for each of the five files.
///
/// A removal that keeps no promise makes 15 calls for this workspace: an unlink for each of five files, and two directories
/// opened, listed twice, closed and removed. The promises take 18 more: 4 to examine it, 3 to look at it right before the claim,
/// 1 to claim it, 1 to look once more, 1 to doom it, 1 to see that it is what was doomed, and 7 to measure what goes; the sync of
/// the base is shared by many. Where nothing stays in the inner directory, it is listed once instead of twice, but removal is
/// tried before, since it might be empty.
#[test]
fn list_and_prune_make_no_more_system_calls_for_a_workspace_than_they_need() {
    needs!("strace");
    for (args, expected) in [
        (&["list", "--format", "ids"][..], 4),
        (&["list", "--format", "json"], 4),
        (&["list", "--format", "table"], 4),
        (&["list", "-s", "--format", "ids"], 21),
        (&PRUNE, 33),
    ] {
        let calls = calls_for_each(args);
        // What all workspaces share, and a file that is read twice because the clock has not ticked since it was written, are
        // fractions of a call for each.
        assert!((calls - f64::from(expected)).abs() < 0.5, "{args:?}: {calls}");
    }
}

/// A base with so many small workspaces, last accessed so many days ago.
fn small(workspaces: u32, days: i64) -> World {
    let world = World::in_memory();
    for number in 0..workspaces {
        let _ = world.workspace().id(&numbered(number)).days_ago(days).make();
    }
    world
}

#[test]
fn one_job_is_one_thread_and_few_workspaces_are_worth_no_other() {
    needs!("strace");
    // The first thread only hears signals, so one job is one more.
    for (workspaces, args, threads) in [
        (1000, &PRUNE[..], 1..2),
        (1000, &PRUNE[..4], 2..99),
        (50, &["list"], 1..2),
        (1000, &["list"], 2..99),
        (50, &["validate", &numbered(1)], 0..1),
    ] {
        let world = small(workspaces, 40);
        let (ran, lines) = straced(&world, world.wsctl(args), "clone,clone3");
        let _ = ran.exits(0);
        let begun = lines.iter().filter(|line| line.contains("clone")).count();
        assert!(threads.contains(&begun), "{workspaces} {args:?}: {begun}");
    }
}

/// The largest resident set of a run, in bytes, by time(1).
fn memory(world: &World, args: &[&str]) -> u64 {
    let ran = world.wsctl(args).through(["/usr/bin/time", "-f", "%M"]).run().exits(0);
    ran.stderr.trim().parse::<u64>().unwrap_or_else(|_| panic!("{ran:?}")) * 1024
}

/// The least of several runs, since how threads share the work and the heap differs.
fn least(runs: usize, memory: impl Fn() -> u64) -> u64 {
    (0..runs).map(|_| memory()).min().unwrap_or_default()
}

#[test]
fn a_workspace_that_is_examined_or_pruned_takes_about_150_bytes_of_memory_at_most() {
    needs!("/usr/bin/time");
    let examined = [small(1000, 1), small(25_000, 1)];
    let report = [&PRUNE[..4], &["--format", "json"]].concat();
    for args in [&["list", "--format", "ids"][..], &["list", "--format", "json"], &["list", "-s"], &PRUNE[..4], &report]
    {
        let is_within = |what: &str, [few, many]: [u64; 2]| {
            let bytes = many.saturating_sub(few) / 24_000;
            assert!(bytes <= 170, "{args:?}: {bytes} bytes for one {what}"); // and a little for what differs from run to run
        };
        is_within("that is examined", examined.each_ref().map(|world| least(5, || memory(world, args))));
        if args[0] == "prune" {
            is_within("that goes", [1000, 25_000].map(|number| least(2, || memory(&small(number, 40), args))));
        }
    }
}

/// Many workspaces with descriptions nearly as long as a metadata file may be. They share one file.
#[test]
fn descriptions_that_are_not_shown_take_no_memory() {
    needs!("/usr/bin/time");
    let world = World::new();
    let first = world.workspace().id(&numbered(0)).days_ago(1).description(&"x".repeat(60_000)).make();
    for number in 1..2000 {
        fs::create_dir(world.dir_of(&numbered(number))).expect("a directory");
        fs::hard_link(world.metadata_of(&first), world.metadata_of(&numbered(number))).expect("a link");
    }
    for options in ["--format=ids", "--limit=1", "--limit=1 --format=json", "--status=denied"] {
        let bytes = memory(&world, &["list"].into_iter().chain(options.split(' ')).collect::<Vec<_>>());
        assert!(bytes < 32 << 20, "{options}: {bytes} bytes, and all of them are 120 MB");
    }
}
