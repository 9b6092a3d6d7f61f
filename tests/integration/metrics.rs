//! `prune --metrics` and `list --metrics`: what monitoring reads, and how the file is replaced.

use crate::tools::{du, text, tool, trash};
use crate::world::{Run, World, chmod, has, names};
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::time::SystemTime;

const PRUNE: [&str; 4] = ["prune", "-y", "--older-than", "30d"];

/// A run that leaves its metrics in the directory that it runs in.
fn run<'a>(world: &'a World, args: &[&str]) -> Run<'a> {
    world.wsctl([args, &["--metrics", "wsctl.prom"]].concat())
}

/// What is in the file.
fn content(world: &World) -> String {
    fs::read_to_string(world.path("wsctl.prom")).expect("metrics")
}

/// The values by name, or by name and a label beside the base: `workspaces{status="ok"}`.
fn values(world: &World) -> HashMap<String, f64> {
    let sample = |line: &str| {
        let (name, value) = line.strip_prefix("wsctl_").and_then(|line| line.rsplit_once(' ')).expect("a sample");
        let (name, labels) = name.split_once("{base=\"").expect("a base");
        let label = labels.split_once("\",").map_or(String::new(), |(_, label)| format!("{{{label}"));
        (name.to_owned() + &label, value.parse().expect("a number"))
    };
    content(world).lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}

/// Asserts how many workspaces there are of each status, and that these other metrics have these values.
#[track_caller]
fn are(world: &World, statuses: [u64; 5], others: &[(&str, u64)]) {
    let (values, words) = (values(world), ["ok", "missing", "corrupt", "denied", "future"]);
    let statuses = words.map(|word| format!("workspaces{{status=\"{word}\"}}")).into_iter().zip(statuses);
    for (name, expected) in statuses.chain(others.iter().map(|(name, value)| ((*name).to_owned(), *value))) {
        assert_eq!(values.get(&name).map(f64::to_string), Some(expected.to_string()), "{name}: {values:?}");
    }
}

#[test]
fn list_and_prune_share_one_file_with_the_numbers_of_what_there_is_of_the_last_runs_and_of_the_last_successes() {
    let (world, stale) = World::with(|it| it.days_ago(40).file("data/x", &[1; 15_000]));
    let _ = (world.aged(1), world.workspace().metadata("no JSON").make());
    let _ = (world.workspace().make_without_metadata(), world.workspace().days_ago(-3).make());
    let used = || world.names().iter().map(|name| du(&world.dir_of(name))).sum::<u64>();
    let of = |what: &str| values(&world).get(what).copied();
    let success = || of("prune_last_success_timestamp_seconds");
    let refused = || run(&world, &[&PRUNE[..], &["--max-delete", "0"]].concat()).run().exits(78);
    let _ = refused();
    assert_eq!(success(), None, "it never succeeded");
    are(&world, [2, 1, 1, 0, 1], &[]);

    // A list counts all workspaces, whatever it shows of them.
    for (args, shown) in [(&["--older-than", "30d"][..], 1), (&["--sort", "size", "--limit", "1"], 1), (&["-s"], 5)] {
        let list = run(&world, &[&["list", "--format", "ids"], args].concat()).run().exits(0).quietly();
        assert_eq!(list.lines().len(), shown);
        are(&world, [2, 1, 1, 0, 1], &[("list_last_run_exit_status", 0), ("prune_last_run_exit_status", 78)]);
        assert_eq!(of("workspaces_used_bytes").is_some(), args[0] != "--older-than", "{args:?}");
    }
    are(&world, [2, 1, 1, 0, 1], &[("workspaces_used_bytes", used()), ("workspaces_unmeasured", 0)]);
    let listed = of("list_last_success_timestamp_seconds");
    let freed = du(&world.dir_of(&stale));
    let report = run(&world, &[&PRUNE[..], &["--format", "json"]].concat()).run().exits(0).json();
    assert_eq!(report["freed_bytes"].as_u64(), Some(freed));
    let expected = [
        ("prune_last_run_pruned_workspaces", 1),
        ("prune_last_run_kept_workspaces", 1),
        ("prune_last_run_skipped_workspaces", 3),
        ("prune_last_run_failed_workspaces", 0),
        ("prune_last_run_freed_bytes", freed),
        ("prune_last_run_exit_status", 0),
        ("workspaces_used_bytes", used()),
        (concat!("build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1),
    ];
    are(&world, [1, 1, 1, 0, 1], &expected);
    let all = values(&world);
    assert!(["prune", "list"].iter().all(|of| all[&format!("{of}_last_run_duration_seconds")] > 0.0), "{all:?}");
    let first = success().expect("a success");
    let age = SystemTime::UNIX_EPOCH.elapsed().expect("the time").as_secs_f64() - first;
    assert!((-2.0..3600.0).contains(&age) && of("prune_last_run_timestamp_seconds") == Some(first), "{all:?}");
    assert_eq!(of("list_last_success_timestamp_seconds"), listed);

    let _ = world.aged(40);
    let _ = refused();
    assert!(success() == Some(first) && of("prune_last_run_timestamp_seconds") > Some(first), "{:?}", values(&world));
    let _ = run(&world, &PRUNE).run().exits(0);
    assert!(success() > Some(first) && Some(first) > listed, "{:?}", values(&world));
    let labelled = format!("{{base=\"{}\"", text(&world.base()));
    assert_eq!(content(&world).matches(&labelled).count(), values(&world).len());
    if has("promtool") {
        assert_eq!(tool(&["sh", "-c", "promtool check metrics <\"$0\" 2>&1", text(&world.path("wsctl.prom"))]), "");
    }
}

#[test]
fn a_workspace_that_was_doomed_but_not_removed_is_none_any_more() {
    needs!("root", "setpriv");
    let (world, id) = World::with_aged(40);
    world.give_away();
    chown(world.dir_of(&id).join("charts"), Some(0), Some(0)).expect("chown");
    for (args, status) in [(&PRUNE[..], 77), (&PRUNE, 77), (&["list", "-s"], 0)] {
        let _ = run(&world, args).by_ordinary_user().run().exits(status);
        are(&world, [0; 5], &[("workspaces_used_bytes", 0)]);
        assert_eq!(trash(&world).len(), 1);
    }
}

#[test]
fn a_run_that_fails_before_it_begins_leaves_its_exit_status_and_a_dry_run_or_help_leaves_the_file_as_it_was() {
    let (world, id) = World::with_aged(40);
    for (line, status, said) in [
        ("prune --older-than 1d", 2, "--yes"), // nobody is there to be asked
        ("prune --yes --older-than 1d -b nowhere", 66, "not-found"),
        ("prune --yes --older-than 1d --exclude-from nowhere", 66, "not-found"),
        ("prune --yes --older-than 7", 2, ""),
        ("prune --yes --oldr-than 7d", 2, ""),
        ("prune --yes", 2, ""),
        ("prune --yes -Z", 2, ""),
        ("list -b nowhere", 66, "not-found"),
        (&format!("list {id}"), 2, "--metrics"), // it would count only some
    ] {
        let words: Vec<_> = line.split(' ').collect();
        let given = ["--metrics", "wsctl.prom"];
        for args in [[&words[..1], &given, &words[1..]].concat(), [&words[..], &given].concat()] {
            let _ = fs::remove_file(world.path("wsctl.prom"));
            let _ = world.wsctl(&args).run().exits(status).mentions(said);
            let values = values(&world);
            let is_expected = |name: &String| name.starts_with(words[0]) || name.starts_with("build_info");
            assert!(values.keys().all(is_expected), "{args:?}: {values:?}");
            let exited = values[&format!("{}_last_run_exit_status", words[0])];
            assert_eq!(exited.to_string(), status.to_string(), "{args:?}");
            let pruned = values.get("prune_last_run_pruned_workspaces").copied();
            assert_eq!(pruned, (words[0] == "prune").then_some(0.0), "{args:?}");
        }
    }
    let before = content(&world);
    for line in ["prune --older-than 30d -n", "prune --older-than 7 -n", "prune --help"] {
        let _ = run(&world, &line.split(' ').collect::<Vec<_>>()).run();
        assert_eq!(content(&world), before, "{line}");
    }
}

#[test]
fn metrics_count_unmeasured_workspaces_that_stay_and_a_prune_fails_only_if_it_needs_their_size() {
    needs!("root", "setpriv");
    let (world, id) = World::with(|it| it.days_ago(1).file("data/x", b"x"));
    chmod(world.path(""), 0o777);
    chmod(world.metadata_of(&id), 0o644);
    chmod(world.dir_of(&id).join("data"), 0o700);
    for (rule, status) in [(["--older-than", "30d"], 0), (["--max-total-size", "100G"], 77)] {
        let ran = run(&world, &[&["prune", "-y"], &rule[..]].concat()).by_ordinary_user().run().exits(status);
        assert_eq!(ran.stderr.matches(&id).count(), usize::from(status != 0), "{ran:#?}");
        are(&world, [1, 0, 0, 0, 0], &[("workspaces_unmeasured", 1)]);
    }
    // The owner of an unreadable directory may remove it.
    world.give_away();
    chmod(world.dir_of(&id).join("data"), 0);
    let _ = run(&world, &["prune", "-y", "--older-than", "1h"]).by_ordinary_user().run().exits(0);
    are(&world, [0; 5], &[("prune_last_run_pruned_workspaces", 1), ("workspaces_unmeasured", 0)]);
}

#[test]
fn the_metrics_file_is_replaced_atomically_and_everyone_may_read_it() {
    let world = World::new();
    let (elsewhere, metrics) = (world.path("elsewhere"), world.path("wsctl.prom"));
    fs::write(&elsewhere, "precious").and_then(|()| symlink(&elsewhere, &metrics)).expect("a link");
    let _ = run(&world, &PRUNE).through_sh("umask 077; exec \"$@\"").run().exits(0);
    let stat = fs::symlink_metadata(&metrics).expect("metrics");
    assert!(stat.is_file() && stat.mode() & 0o7777 == 0o644, "{stat:?}");
    assert_eq!(fs::read_to_string(&elsewhere).expect("a file"), "precious");
    let _ = run(&world, &PRUNE).run().exits(0);
    assert_ne!(fs::metadata(&metrics).expect("metrics").ino(), stat.ino(), "it was written in place");
    assert_eq!(names(&world.path("")), ["base", "elsewhere", "wsctl.prom"], "no temporary file is left");
}

#[test]
fn metrics_replace_nothing_but_a_regular_file_and_where_they_cannot_be_written_the_prune_is_done() {
    let world = World::new();
    tool(&["mkfifo", text(&world.path("fifo"))]);
    symlink("/proc/self/fd/1", world.path("link")).expect("a link"); // to its stdout, a regular file
    for (file, status, error, why) in [
        ("nowhere/x", 66, "error[not-found]", "cannot open its directory"),
        ("/", 2, "error[usage]", "it is not the path of a file"),
        ("fifo", 2, "error[usage]", "it is not a regular file"),
        ("base", 2, "error[usage]", "it is not a regular file"),
        ("link", 2, "error[usage]", "it is not a regular file"),
    ] {
        let id = world.aged(40);
        let inode = || fs::symlink_metadata(world.path(file)).ok().map(|stat| stat.ino());
        let before = inode();
        let run = world.wsctl(PRUNE.iter().chain(&["--metrics", file])).through_sh("\"$@\" >out");
        let _ = run.run().exits(status).complains(error).complains(&format!("metrics {file}: {why}"));
        let summary = fs::read_to_string(world.path("out")).expect("its stdout");
        let is_done = summary.starts_with("pruned 1 workspace") && !world.dir_of(&id).exists();
        assert_eq!((is_done, inode()), (status == 66, before), "{file}: {summary}");
        let _ = fs::remove_dir_all(world.dir_of(&id));
    }
}
