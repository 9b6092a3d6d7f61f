//! `wsctl prune --use-mtime`: when something was last modified counts as an access.

use crate::mounted::Bindfs;
use crate::tools::{du, modify, text, tool, tree};
use crate::world::{World, ids_in, sorted};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

#[test]
fn with_use_mtime_the_later_of_access_and_modification_counts() {
    let world = World::new();
    let [written, idle, read] = [world.aged(40), world.aged(40), world.aged(1)];
    modify(&world, &written, 40);
    fs::write(world.dir_of(&written).join("charts/lap_times.png"), "new").expect("a write deep inside");
    modify(&world, &idle, 40);
    modify(&world, &read, 40);
    let dry = world.wsctl(["prune", "-n", "--older-than", "30d", "--format", "json"]).run().exits(0).json();
    assert_eq!(ids_in(&dry["pruned"]), sorted([&written, &idle]), "without --use-mtime");
    world.wsctl(["prune", "-y", "--older-than", "30d", "--use-mtime"]).run().exits(0).quietly();
    assert_eq!(world.names(), sorted([written, read]), "without {idle}");
}

#[test]
fn with_use_mtime_modification_is_all_that_counts_where_metadata_is_missing_or_corrupt() {
    let world = World::new();
    let corrupt = |days| {
        let id = world.workspace().metadata("{").file("data/x", b"x").make();
        modify(&world, &id, days);
        id
    };
    let missing = |days| {
        let id = world.workspace().file("data/x", b"x").make_without_metadata();
        modify(&world, &id, days);
        id
    };
    let (stale, fresh) = ([corrupt(40), missing(40)], [corrupt(1), missing(1)]);
    let future = world.workspace().days_ago(-9).make();
    modify(&world, &future, 40);
    let args = ["prune", "-y", "--older-than", "30d", "--use-mtime", "--format", "json"];
    let report = world.wsctl(args).run().exits(0).json();
    assert_eq!(ids_in(&report["pruned"]), sorted(&stale));
    assert_eq!((report["kept"].as_u64(), ids_in(&report["skipped"])), (Some(2), vec![future.clone()]));
    assert_eq!(world.names(), sorted(fresh.iter().chain([&future])));
}

/// An agent does its work by paths relative to its workspace, and knows nothing of metadata.
#[test]
fn with_use_mtime_a_workspace_in_which_an_agent_keeps_writing_stays_through_any_number_of_prunes() {
    let world = World::new();
    let [busy, idle] = [world.aged(40), world.aged(40)];
    modify(&world, &busy, 40);
    modify(&world, &idle, 40);
    let mut agent = Command::new("sh");
    agent.args(["-c", "while echo lap >> data.csv; do echo written; read -r _ || exit 0; done"]);
    agent.current_dir(world.dir_of(&busy)).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut agent = agent.spawn().expect("sh");
    let mut written = BufReader::new(agent.stdout.take().expect("stdout"));
    for _ in 0..5 {
        let mut line = String::new();
        written.read_line(&mut line).expect("a line");
        assert_eq!(line, "written\n");
        let before = tree(&world.dir_of(&busy));
        world.wsctl(["prune", "-y", "--older-than", "30d", "--use-mtime"]).run().exits(0).quietly();
        assert_eq!((world.names(), tree(&world.dir_of(&busy))), (vec![busy.clone()], before), "without {idle}");
        agent.stdin.as_mut().expect("stdin").write_all(b"again\n").expect("a line");
    }
    drop(agent.stdin.take());
    let _ = agent.wait();
    world.wsctl(["prune", "-y", "--older-than", "30d"]).run().exits(0).quietly();
    assert_eq!(world.names(), [""; 0], "to a prune without --use-mtime it is stale");
}

/// Nanoseconds since 1970 in 64 bits end in 2262; file systems store later times, and an owner sets what he likes.
#[test]
fn a_modification_time_that_nanoseconds_cannot_hold_is_ahead_of_the_clock_or_long_ago() {
    let world = World::in_memory();
    let [ahead, ancient] = ["2400-01-01", "1500-01-01"].map(|date| {
        let id = world.workspace().make_without_metadata();
        tool(&["touch", "-d", date, text(&world.dir_of(&id))]);
        id
    });
    let report = world.prune(&["--use-mtime"]).run().exits(0).json();
    assert_eq!((ids_in(&report["skipped"]), ids_in(&report["pruned"])), (vec![ahead.clone()], vec![ancient]));
    assert_eq!(world.names(), [ahead]);
}

/// Of a file on a server (FUSE, NFS), the kernel may remember a stat that it knows to be out of date.
#[test]
fn with_use_mtime_a_workspace_stays_in_which_an_agent_writes_through_a_file_system_that_remembers_stats() {
    needs!("root", "bindfs");
    let world = World::new();
    let id = world.aged(40);
    modify(&world, &id, 40);
    let (shown, path) = (world.path("shown"), "charts/lap_times.png");
    fs::create_dir(&shown).expect("a directory");
    let _mounted = Bindfs::caching(&world, &world.base(), &shown);
    let wsctl = |args: &[&str]| world.wsctl(args).env("WSCTL_BASE", &shown).run().exits(0).quietly();
    let mut file = fs::OpenOptions::new().append(true).open(shown.join(&id).join(path)).expect("a file");
    file.write_all(&vec![7; 100_000]).expect("a write");
    wsctl(&["prune", "-y", "--older-than", "30d", "--use-mtime"]);
    assert_eq!(world.names(), [&*id]);
    let size = &wsctl(&["list", "-s", "--format", "json"]).json()["workspaces"][0]["size_bytes"];
    assert_eq!(size.as_u64(), Some(du(&world.dir_of(&id))));
}
