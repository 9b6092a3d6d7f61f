//! `prune --metrics` and `list --metrics`: what monitoring reads. See `metrics_file.rs` for how the file is written.

use crate::tools::{du, text, tool, trash};
use crate::world::{Ran, World, chmod, has};
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

pub fn file(world: &World) -> PathBuf {
    world.path("wsctl.prom")
}

pub fn prune(world: &World, args: &[&str]) -> Ran {
    let file = file(world);
    world.wsctl(["prune", "--yes", "--metrics", text(&file)].iter().chain(args)).run()
}

/// A list that leaves its metrics where the prune leaves them.
fn list(world: &World, args: &[&str]) -> Ran {
    let file = file(world);
    world.wsctl(["list", "--format", "ids", "--metrics", text(&file)].iter().chain(args)).run()
}

/// The values by name, or by name and a label beside the base: `workspaces{status="ok"}`.
fn values(world: &World) -> HashMap<String, f64> {
    let content = fs::read_to_string(file(world)).expect("metrics");
    let sample = |line: &str| {
        let (name, value) = line.strip_prefix("wsctl_").and_then(|line| line.rsplit_once(' ')).expect("a sample");
        let (name, labels) = name.split_once("{base=\"").expect("a base");
        let label = labels.split_once("\",").map_or(String::new(), |(_, label)| format!("{{{label}"));
        (name.to_owned() + &label, value.parse().expect("a number"))
    };
    content.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}

/// Asserts that these metrics have these values.
#[track_caller]
fn are<N: AsRef<str>>(world: &World, expected: impl IntoIterator<Item = (N, u64)>) {
    let values = values(world);
    for (name, expected) in expected {
        let value = values.get(name.as_ref()).map(|value| format!("{value}"));
        assert_eq!(value, Some(expected.to_string()), "{}: {values:?}", name.as_ref());
    }
}

/// How many workspaces there are of each status.
fn of_status(counts: [u64; 5]) -> impl Iterator<Item = (String, u64)> {
    let names = ["ok", "missing", "corrupt", "denied", "future"].map(|word| format!("workspaces{{status=\"{word}\"}}"));
    names.into_iter().zip(counts)
}

#[test]
fn the_metrics_are_the_numbers_of_the_report_and_of_what_is_left() {
    let world = World::new();
    let stale = world.workspace().days_ago(40).file("data/x", &[1; 15_000]).make();
    let _ = (world.aged(1), world.workspace().metadata("no JSON").make());
    let _ = (world.workspace().make_without_metadata(), world.workspace().days_ago(-3).make());
    let freed = du(&world.dir_of(&stale));
    let report = prune(&world, &["--older-than", "30d", "--format", "json"]).exits(0).json();
    assert_eq!(report["freed_bytes"].as_u64(), Some(freed));
    are(&world, of_status([1, 1, 1, 0, 1]));
    let used = world.names().iter().map(|name| du(&world.dir_of(name))).sum();
    are(
        &world,
        [
            ("prune_last_run_pruned_workspaces", 1),
            ("prune_last_run_kept_workspaces", 1),
            ("prune_last_run_skipped_workspaces", 3),
            ("prune_last_run_failed_workspaces", 0),
            ("prune_last_run_freed_bytes", freed),
            ("prune_last_run_exit_status", 0),
            ("workspaces_used_bytes", used),
            (concat!("build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1),
        ],
    );
    let values = values(&world);
    assert!(values["prune_last_run_duration_seconds"] > 0.0, "{values:?}");
    let labelled = format!("{{base=\"{}\"", text(&world.base()));
    let content = fs::read_to_string(file(&world)).expect("metrics");
    assert_eq!(content.matches(&labelled).count(), values.len(), "{content}");
}

#[test]
fn a_workspace_that_was_doomed_but_not_removed_is_none_any_more() {
    needs!("root", "setpriv");
    let world = World::new();
    let id = world.aged(40);
    world.give_away();
    std::os::unix::fs::chown(world.dir_of(&id).join("charts"), Some(0), Some(0)).expect("chown");
    let metrics = file(&world);
    let run = |args: &[&str], status| {
        let args = [args, &["--metrics", text(&metrics)]].concat();
        let _ = world.wsctl(args).by_ordinary_user().run().exits(status);
        are(&world, of_status([0; 5]));
        are(&world, [("workspaces_used_bytes", 0)]);
    };
    run(&["prune", "-y", "--older-than", "30d"], 77);
    assert_eq!(trash(&world).len(), 1);
    run(&["prune", "-y", "--older-than", "30d"], 77);
    run(&["list", "-s"], 0);
}

#[test]
fn a_list_counts_all_workspaces_whatever_it_shows_of_them() {
    let world = World::new();
    let _ = [world.aged(1), world.aged(40), world.workspace().make_without_metadata()];
    let used: u64 = world.names().iter().map(|name| du(&world.dir_of(name))).sum();
    for (args, shown) in [(&["--older-than", "30d"][..], 1), (&["--sort", "size", "--limit", "1"], 1), (&["-s"], 3)] {
        assert_eq!(list(&world, args).exits(0).quietly().lines().len(), shown);
        are(&world, of_status([2, 1, 0, 0, 0]));
        are(&world, [("list_last_run_exit_status", 0)]);
        let values = values(&world);
        assert_eq!(values.contains_key("workspaces_used_bytes"), args[0] != "--older-than", "{args:?}: {values:?}");
        let age = SystemTime::UNIX_EPOCH.elapsed().expect("the time").as_secs_f64()
            - values["list_last_run_timestamp_seconds"];
        assert!((-1.0..3600.0).contains(&age) && values["list_last_run_duration_seconds"] > 0.0, "{values:?}");
    }
    are(&world, [("workspaces_used_bytes", used), ("workspaces_unmeasured", 0)]);
}

#[test]
fn list_and_prune_share_one_file_and_the_last_success_stays_until_the_next() {
    let world = World::new();
    let _ = [world.aged(40), world.aged(41)];
    let of = |what: &str| values(&world).get(what).copied();
    let success = || of("prune_last_success_timestamp_seconds");
    let _ = prune(&world, &["--older-than", "30d", "--max-delete", "1"]).exits(78);
    assert_eq!(success(), None, "it never succeeded");
    are(&world, of_status([2, 0, 0, 0, 0]));
    let _ = prune(&world, &["--older-than", "30d"]).exits(0);
    let first = success().expect("a success");
    assert_eq!(of("prune_last_run_timestamp_seconds"), Some(first));

    let _ = world.aged(40);
    let _ = prune(&world, &["--older-than", "30d", "--max-delete", "0"]).exits(78);
    assert!(of("prune_last_run_timestamp_seconds") > Some(first), "{:?}", values(&world));
    let _ = list(&world, &[]).exits(0);
    assert_eq!((success(), of("prune_last_run_exit_status")), (Some(first), Some(78.0)));
    let listed = of("list_last_success_timestamp_seconds");
    let _ = prune(&world, &["--older-than", "30d"]).exits(0);
    assert!(success() > Some(first) && listed > Some(first), "{:?}", values(&world));
    assert_eq!(of("list_last_success_timestamp_seconds"), listed);
    if has("promtool") {
        assert_eq!(tool(&["sh", "-c", "promtool check metrics <\"$0\" 2>&1", text(&file(&world))]), "");
    }
}

#[test]
fn a_run_that_fails_before_it_begins_leaves_its_exit_status_and_counts_nothing() {
    let world = World::new();
    let (id, nowhere, metrics) = (world.aged(1), world.path("nowhere"), file(&world));
    let given = ["--metrics", text(&metrics)];
    for (args, status, said) in [
        (&["prune", "--older-than", "1d"][..], 2, "--yes"), // nobody is there to be asked
        (&["prune", "--yes", "--older-than", "1d", "-b", text(&nowhere)], 66, "not-found"),
        (&["prune", "--yes", "--older-than", "1d", "--exclude-from", "nowhere"], 66, "not-found"),
        (&["prune", "--yes", "--older-than", "7"], 2, ""),
        (&["prune", "--yes", "--oldr-than", "7d"], 2, ""),
        (&["prune", "--yes"], 2, ""),
        (&["prune", "--yes", "-Z"], 2, ""),
        (&["list", "-b", text(&nowhere)], 66, "not-found"),
        (&["list", &id], 2, "--metrics"), // it would count only some
    ] {
        for line in [[&args[..1], &given, &args[1..]].concat(), [args, &given].concat()] {
            let _ = fs::remove_file(&metrics);
            let _ = world.wsctl(&line).run().exits(status).mentions(said);
            let values = values(&world);
            let is_expected = |name: &str| name.starts_with(args[0]) || name.starts_with("build_info");
            assert!(values.keys().all(|name| is_expected(name)), "{line:?}: {values:?}");
            let exited = values[&format!("{}_last_run_exit_status", args[0])];
            assert_eq!(exited.to_string(), status.to_string(), "{line:?}");
        }
    }
}

#[test]
fn metrics_count_unmeasured_workspaces_that_stay_and_a_prune_fails_only_if_it_needs_their_size() {
    needs!("root", "setpriv");
    let world = World::new();
    let id = world.workspace().days_ago(1).file("data/x", b"x").make();
    chmod(world.path(""), 0o777);
    chmod(world.metadata_of(&id), 0o644);
    chmod(world.dir_of(&id).join("data"), 0o700);
    let metrics = file(&world);
    for (rule, status) in [(["--older-than", "30d"], 0), (["--max-total-size", "100G"], 77)] {
        let run = world.wsctl(["prune", "--yes", "--metrics", text(&metrics)].into_iter().chain(rule));
        let ran = run.by_ordinary_user().run().exits(status);
        assert_eq!(ran.stderr.matches(&id).count(), usize::from(status != 0), "{ran:#?}");
        are(&world, [("workspaces_unmeasured", 1)]);
    }
    // The owner of an unreadable directory may remove it.
    world.give_away();
    chmod(world.dir_of(&id).join("data"), 0);
    let run = world.wsctl(["prune", "--yes", "--metrics", text(&metrics), "--older-than", "1h"]);
    let _ = run.by_ordinary_user().run().exits(0);
    are(&world, [("prune_last_run_pruned_workspaces", 1), ("workspaces_unmeasured", 0)]);
}
