//! The limits that a process may be given (setrlimit(2), `ulimit`, systemd's `Limit…=`): it answers, and nothing is lost.

use crate::tools::{text, tool, tree};
use crate::world::{World, names, sorted};
use std::fs;

/// A user who runs nothing else, so that the limit counts only these processes.
const LONELY_USER: &str = "64321";
/// Each subcommand, on all workspaces or on the IDs on stdin.
const ALL: [&[&str]; 4] =
    [&["list", "-s"], &["touch", "-"], &["prune", "-y", "--older-than", "30d", "-j", "4"], &["validate", "-"]];

#[test]
fn a_limit_on_the_size_of_files_is_an_io_error_and_leaves_no_temporary_file() {
    let (world, ids) = World::with_each_aged([40; 3]);
    let before = tree(&world.base());
    fs::write(world.path("metrics"), "old").expect("a file");
    let prune = ["prune", "-qy", "--older-than", "30d", "--metrics", "metrics"];
    for args in [&["list"][..], &["touch", &ids[0]], &["validate", &ids[0]], &prune] {
        // Stdout is a file, too; memory is not dumped.
        let run = world.wsctl(args).through_sh("ulimit -c 0; ulimit -f 0; exec \"$@\" > out");
        run.run().exits(74).complains("error[io]: ").complains("File too large");
        assert_eq!(names(&world.path("")), ["base", "metrics", "out"], "{args:?}");
        assert!(args[0] == "prune" || tree(&world.base()) == before, "{args:?}");
    }
    assert_eq!((world.names(), fs::read_to_string(world.path("metrics")).expect("a file")), (vec![], "old".to_owned()));
}

#[test]
fn where_a_filter_of_system_calls_hides_the_limits_prune_does_its_work() {
    needs!("strace");
    let (world, ids) = World::with_each_aged([40; 3]);
    world.prune(&[]).injecting(["prlimit64:error=EPERM"]).run().pruned(ids);
}

#[test]
fn under_any_limit_a_run_succeeds_or_reports_an_io_error_and_loses_nothing() {
    needs!("prlimit");
    let files = (3..=12).map(|number| format!("--nofile={number}"));
    let others = ["--fsize=0", "--fsize=100", "--as=30720000", "--memlock=0", "--stack=262144"].map(str::to_owned);
    for (limit, args) in files.chain(others).flat_map(|limit| ALL.map(|args| (limit.clone(), args))) {
        println!("{limit} {args:?}"); // shown if it fails
        let (world, ids) = World::with_each_aged([40; 3]);
        let before: Vec<_> = ids.iter().map(|id| tree(&world.dir_of(id))).collect();
        let ran = world.wsctl(args).stdin(ids.join("\n")).through(["prlimit", "--core=0", &limit]).run();
        // With three descriptors the loader has none for libgcc_s, and says so itself.
        let by_loader = ran.status == 127 && limit == "--nofile=3";
        assert!(by_loader || [0, 74].contains(&ran.status), "{ran:#?}");
        let lines = ran.stderr.lines().count();
        assert!((ran.status == 0 || lines > 0) && lines <= ids.len(), "one line for each, at most: {ran:#?}");
        let names = world.names();
        // With few descriptors a prune may fail after dooming; the next one goes on.
        assert!(args[0] == "prune" || names == sorted(&ids), "{names:?}");
        for (id, before) in ids.iter().zip(before).filter(|(id, _)| names.contains(id)) {
            let _ = world.json_of(id);
            assert!(args[0] == "touch" || tree(&world.dir_of(id)) == before, "{id}");
        }
    }
}

#[test]
fn where_no_thread_can_be_started_the_main_thread_does_all() {
    needs!("root", "prlimit", "setpriv");
    for args in ALL {
        let (mut world, ids) = World::with_each_aged([40; 60]);
        tool(&["chown", "-R", &format!("{LONELY_USER}:{LONELY_USER}"), text(&world.path(""))]);
        world.binary = world.binary_for_everybody();
        let [user, group] = ["reuid", "regid"].map(|id| format!("--{id}={LONELY_USER}"));
        let lonely = ["setpriv", &user, &group, "--clear-groups", "prlimit", "--nproc=1"];
        world.wsctl(args).stdin(ids.join("\n")).through(lonely).run().exits(0).quietly();
        assert_eq!(world.names().is_empty(), args[0] == "prune", "{args:?}");
    }
}
