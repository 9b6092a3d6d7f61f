//! The limits that a process may be given (setrlimit(2), `ulimit`, systemd's `Limit…=`): it answers, and nothing is lost.

use crate::tools::{text, tree};
use crate::world::{World, numbered};
use std::fs;
use std::os::unix::fs::chown;

/// A user who runs nothing else, so that the limit counts only these processes.
const LONELY_USER: u32 = 64_321;
const ALL: [&str; 4] = ["list", "touch", "prune", "validate"];

/// Three stale workspaces.
fn stale(world: &World) -> Vec<String> {
    (1..4).map(|number| world.workspace().id(&numbered(number)).days_ago(40).file("data/x", b"x").make()).collect()
}

/// The arguments of a command on all of these.
fn args<'a>(command: &'a str, ids: &'a [String]) -> Vec<&'a str> {
    let ids = ids.iter().map(String::as_str);
    match command {
        "list" => vec!["list", "-s"],
        "prune" => vec!["prune", "-y", "--older-than", "30d", "-j", "4"],
        _ => [command].into_iter().chain(ids).collect(),
    }
}

/// Runs what follows without a dump of its memory, stdout in the file `out`, with files of at most no bytes.
const NO_FILE: [&str; 4] = ["sh", "-c", "ulimit -c 0; ulimit -f 0; exec \"$@\" > out", "sh"];

#[test]
fn a_limit_on_the_size_of_files_is_an_io_error_and_leaves_no_temporary_file() {
    let world = World::new();
    let ids = stale(&world);
    let before = world.snapshot();
    let contents = |lines: &[String]| lines.iter().filter(|line| line.ends_with(')')).cloned().collect::<Vec<_>>();
    for args in [&["--help"][..], &["list"], &["touch", &ids[0]], &["validate", &ids[0]]] {
        let ran = world.wsctl(args).through(NO_FILE).run().exits(74).complains("File too large");
        assert_eq!(contents(&world.snapshot()), contents(&before), "{args:?}: {ran:#?}");
    }
}

#[test]
fn metrics_that_exceed_the_limit_on_file_sizes_are_an_io_error() {
    let world = World::new();
    let _ids = stale(&world);
    fs::write(world.path("metrics.prom"), "old").expect("a file");
    let metrics = ["--metrics", "metrics.prom"];
    let names = || {
        let entries = fs::read_dir(world.path("")).expect("the world");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
        names.sort();
        names
    };
    // The second has no command line to act on.
    for (args, lines) in [(&["prune", "-qy", "--older-than", "30d"][..], 1), (&["prune", "--older-than", "7"], 2)] {
        let ran = world.wsctl([args, &metrics[..]].concat()).through(NO_FILE).run().exits(74);
        assert!(ran.stderr.contains("error[io]: metrics metrics.prom: ") && ran.stderr.lines().count() == lines);
        assert_eq!(fs::read_to_string(world.path("metrics.prom")).expect("a file"), "old");
        assert_eq!(names(), ["base", "metrics.prom", "out"], "{ran:#?}");
    }
    assert_eq!(world.names(), [""; 0], "the prune itself was done");
}

#[test]
fn under_any_limit_a_run_succeeds_or_reports_an_io_error_and_loses_nothing() {
    needs!("prlimit");
    let files = (3..=12).map(|number| format!("--nofile={number}"));
    let others = ["--fsize=0", "--fsize=100", "--as=30720000", "--memlock=0", "--stack=262144"].map(str::to_owned);
    for limit in files.chain(others) {
        for command in ALL {
            let world = World::new();
            let ids = stale(&world);
            let before: Vec<_> = ids.iter().map(|id| tree(&world.dir_of(id))).collect();
            let ran = world.wsctl(args(command, &ids)).through(["prlimit", "--core=0", &limit]).run();
            // With three descriptors the loader has none for libgcc_s, and says so itself.
            let by_loader = ran.status == 127 && limit == "--nofile=3";
            assert!(by_loader || [0, 74].contains(&ran.status), "{limit} {command}: {ran:#?}");
            assert!(ran.status == 0 || !ran.stderr.is_empty(), "{limit} {command}: {ran:#?}");
            // One line for each workspace, at most.
            assert!(ran.stderr.lines().count() <= ids.len(), "{limit} {command}: {ran:#?}");
            let names = world.names();
            assert!(command == "prune" || names == ids, "{limit} {command}: {names:?}");
            // With few descriptors a prune may fail after dooming; the next one goes on.
            let may_go = command == "prune" || limit.starts_with("--fsize");
            assert!(ran.status != 74 || may_go || names == ids, "{limit} {command}: {names:?}");
            for (id, tree_before) in ids.iter().zip(&before).filter(|(id, _)| command != "touch" && names.contains(id))
            {
                assert_eq!(&tree(&world.dir_of(id)), tree_before, "{limit} {command}");
            }
            let left = ids.iter().filter(|id| names.contains(id)).map(|id| world.dir_of(id).join(".metadata.json"));
            let is_whole = |text: String| serde_json::from_str::<serde_json::Value>(&text).is_ok();
            assert!(left.map(|file| fs::read_to_string(file).expect("metadata")).all(is_whole), "{limit} {command}");
        }
    }
}

#[test]
fn where_no_thread_can_be_started_the_main_thread_does_all() {
    needs!("root", "prlimit", "setpriv");
    for command in ALL {
        let mut world = World::new();
        let ids: Vec<_> = (0..60).map(|number| world.workspace().id(&numbered(number)).days_ago(40).make()).collect();
        for entry in walkdir::WalkDir::new(world.path("")) {
            let owner = Some(LONELY_USER);
            chown(entry.expect("an entry").path(), owner, owner).expect("chown");
        }
        world.binary = world.binary_for_everybody();
        let [user, group] = ["reuid", "regid"].map(|id| format!("--{id}={LONELY_USER}"));
        let lonely = ["setpriv", &user, &group, "--clear-groups", "prlimit", "--nproc=1"];
        world.wsctl(args(command, &ids)).through(lonely).run().exits(0).quietly();
        assert_eq!(world.names().is_empty(), command == "prune", "{command} in {}", text(&world.base()));
    }
}
