//! What a workspace costs, as far as it can be measured without a clock: the system calls that it takes, and the memory, each as the
//! difference between a small base and a larger one.

use crate::paused::straced;
use crate::world::{World, numbered};
use std::fs;
use std::process::Command;

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

/// The nearest whole number: what all workspaces share, and a file that is read twice because the clock has not ticked since it was
/// written, are fractions of a call for each.
#[allow(clippy::cast_possible_truncation)]
fn whole(calls: f64) -> i64 {
    calls.round() as i64
}

#[test]
fn list_makes_four_system_calls_a_workspace() {
    needs!("strace");
    for format in ["ids", "json", "table"] {
        let calls = calls_for_each(&["list", "--format", format]);
        assert_eq!(whole(calls), 4, "{format}: {calls}"); // open, stat, read, close; and the base's listing
    }
}

/// Beside the four of the list: two directories opened, listed (twice: the second time tells the end) and closed, two stats of
/// each, before and after, and one for each of the five files.
#[test]
fn list_with_sizes_makes_seventeen_more_for_a_workspace_of_six_names() {
    needs!("strace");
    let calls = calls_for_each(&["list", "-s", "--format", "ids"]);
    assert_eq!(whole(calls), 21, "{calls}");
}

/// A removal that keeps no promise makes 15 calls for this workspace: an unlink for each of five files, and two directories
/// opened, listed twice, closed and removed. The promises take 18 more: 4 to examine it, 3 to look at it right before the claim,
/// 1 to claim it, 1 to look once more, 1 to doom it, 1 to see that it is what was doomed, and 7 to measure what goes; the sync of
/// the base is shared by many. Where nothing stays in the inner directory, it is listed once instead of twice, but removal is
/// tried before, since it might be empty.
#[test]
fn prune_makes_no_more_calls_than_its_promises_take() {
    needs!("strace");
    let calls = calls_for_each(&["prune", "--older-than", "30d", "-y", "-j", "1"]);
    assert_eq!(whole(calls), 33, "{calls}");
}

#[test]
fn one_job_is_one_thread_and_few_workspaces_are_worth_no_other() {
    needs!("strace");
    let threads = |workspaces: u32, args: &[&str]| {
        let world = World::new();
        for number in 0..workspaces {
            let _ = world.workspace().id(&numbered(number)).days_ago(40).make();
        }
        let (ran, lines) = straced(&world, world.wsctl(args), "clone,clone3");
        let _ = ran.exits(0);
        lines.iter().filter(|line| line.contains("clone")).count()
    };
    let prune = ["prune", "--older-than", "30d", "-y", "-j", "1"];
    // The first thread only hears signals, so one job is one more.
    assert_eq!(threads(1000, &prune), 1);
    assert!(threads(1000, &prune[..4]) > 1);
    assert_eq!(threads(50, &["list"]), 1);
    assert!(threads(1000, &["list"]) > 1);
    assert_eq!(threads(50, &["validate", &numbered(1)]), 0);
}

/// The largest resident set of a run, in bytes, by time(1): the least of several runs, since how threads share the work and
/// the heap differs.
fn memory(world: &World, args: &[&str]) -> u64 {
    let run = |_| {
        let mut command: Command = world.wsctl(args).through(["/usr/bin/time", "-f", "%M"]).command();
        let output = command.output().expect("time");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        text.trim().parse::<u64>().unwrap_or_else(|_| panic!("{text}")) * 1024
    };
    (0..5).map(run).min().unwrap_or_default()
}

#[test]
fn a_workspace_that_is_examined_takes_about_150_bytes_of_memory_at_most() {
    needs!("/usr/bin/time");
    let make = |workspaces: u32| {
        let world = World::new();
        for number in 0..workspaces {
            let _ = world.workspace().id(&numbered(number)).days_ago(1).make();
        }
        world
    };
    let (small, large) = (make(1000), make(25_000));
    let lists = [&["list", "--format", "ids"][..], &["list", "--format", "json"], &["list", "-s"]];
    for args in lists.into_iter().chain([&["prune", "--older-than", "30d", "-y"][..]]) {
        let bytes = memory(&large, args).saturating_sub(memory(&small, args)) / 24_000;
        assert!(bytes <= 170, "{args:?}: {bytes} bytes"); // and a little for what differs from run to run
    }
}

#[test]
fn a_workspace_that_is_pruned_takes_no_more_memory_than_one_that_is_examined() {
    needs!("/usr/bin/time");
    let prune = |workspaces: u32| {
        let runs = (0..2).map(|_| {
            let world = World::in_memory();
            for number in 0..workspaces {
                let _ = world.workspace().id(&numbered(number)).days_ago(40).make();
            }
            let mut command = world.wsctl(PRUNE_ALL).through(["/usr/bin/time", "-f", "%M"]).command();
            let output = command.output().expect("time");
            assert!(output.status.success(), "{output:?}");
            String::from_utf8_lossy(&output.stderr).trim().parse::<u64>().expect("a number") * 1024
        });
        runs.min().unwrap_or_default()
    };
    let bytes = prune(25_000).saturating_sub(prune(1000)) / 24_000;
    assert!(bytes <= 170, "{bytes} bytes"); // and a little for what differs from run to run
}

/// Prunes all that is stale.
const PRUNE_ALL: [&str; 4] = ["prune", "--older-than", "30d", "-y"];

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
    for args in
        [&["--format", "ids"][..], &["--limit", "1"], &["--limit", "1", "--format", "json"], &["--status", "denied"]]
    {
        let run = world.wsctl([&["list"], args].concat()).through(["/usr/bin/time", "-f", "%M"]).run().exits(0);
        let bytes = run.stderr.trim().parse::<u64>().expect("a number") * 1024;
        assert!(bytes < 32 << 20, "{args:?}: {bytes} bytes, and all of them are 120 MB");
        assert_eq!(run.stdout.contains("xxx"), args[0] == "--limit", "{args:?}");
    }
}

#[test]
fn the_width_of_a_directory_takes_no_memory() {
    needs!("/usr/bin/time");
    let make = |files: u32| {
        let world = World::new();
        let id = world.workspace().days_ago(40).file("data/x", b"").make();
        for number in 0..files {
            fs::write(world.dir_of(&id).join(format!("data/{number:0100}")), "").expect("a file");
        }
        world
    };
    let (small, large) = (make(1000), make(41_000));
    for args in [&["list", "-s"][..], &["prune", "--older-than", "30d", "-n"], &["prune", "--older-than", "30d", "-y"]]
    {
        let more = memory(&large, args).saturating_sub(memory(&small, args));
        assert!(more < 40_000 * 10, "{args:?}: {more} bytes"); // their names alone are ten times that
    }
}
