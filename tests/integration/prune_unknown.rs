//! `wsctl prune`: workspaces whose last access cannot be known.

use crate::tools::{Lease, text, tool, tree};
use crate::world::{World, chmod, ids_in, sorted};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use std::path::Path;

/// Each ID in `skipped` with its reason, sorted.
fn skipped(report: &Value) -> Vec<(String, String)> {
    let word = |item: &Value, key: &str| item[key].as_str().expect("a word").to_owned();
    let items = report["skipped"].as_array().expect("an array").iter();
    let mut skipped: Vec<_> = items.map(|item| (word(item, "id"), word(item, "reason"))).collect();
    skipped.sort();
    skipped
}

/// A workspace of each kind whose last access cannot be known, with the reason that a report gives. See `metadata.rs` for all
/// that is corrupt.
fn of_unknown_age(world: &World) -> Vec<(String, String)> {
    let link = world.workspace().make_without_metadata();
    symlink("/etc/passwd", world.metadata_of(&link)).expect("a link");
    let fifo = world.workspace().make_without_metadata();
    tool(&["mkfifo", text(&world.metadata_of(&fifo))]);
    let all = [
        (world.workspace().make_without_metadata(), "missing"),
        (world.workspace().days_ago(-2).make(), "future"),
        (world.workspace().metadata("").make(), "corrupt"),
        (world.workspace().metadata("{}").make(), "corrupt"),
        (link, "corrupt"),
        (fifo, "corrupt"),
    ];
    let mut all: Vec<_> = all.into_iter().map(|(id, reason)| (id, reason.to_owned())).collect();
    all.sort();
    all
}

#[test]
fn a_workspace_of_unknown_age_is_skipped_by_a_rule_with_a_warning_each_and_exit_0() {
    let world = World::new();
    let unknown = of_unknown_age(&world);
    let before: Vec<_> = world.snapshot().split_off(1);
    let stale = world.aged(40);
    let ran = world.prune(&["--max-total-size", "0B"]).run().exits(0);
    assert_eq!((ids_in(&ran.json()["pruned"]), skipped(&ran.json())), (vec![stale], unknown.clone()));
    for (id, reason) in &unknown {
        let about = |line: &&str| line.starts_with("warning") && line.contains(id) && line.contains(reason);
        assert_eq!(ran.stderr.lines().filter(about).count(), 1, "{id} {reason}: {ran:#?}");
    }
    assert_eq!(ran.stderr.lines().count(), unknown.len());
    assert_eq!(world.snapshot().split_off(1), before);
    let ids = unknown.iter().map(|(id, _)| &**id).collect::<Vec<_>>();
    assert_eq!(skipped(&world.prune(&ids).run().exits(0).json()), unknown, "with --older-than also if given by ID");
}

#[test]
fn a_workspace_of_unknown_age_goes_if_it_is_given_by_id() {
    let world = World::new();
    let unknown = of_unknown_age(&world);
    let ids = unknown.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    let run = world.wsctl(["prune", "-y", "--format", "json", "-"]).stdin(ids.join("\n"));
    assert_eq!(ids_in(&run.run().exits(0).quietly().json()["pruned"]), ids);
    assert_eq!(world.names(), [""; 0]);
    assert!(Path::new("/etc/passwd").exists());
}

#[test]
fn a_workspace_that_may_not_be_read_is_skipped_as_denied_and_goes_if_it_is_given_by_id() {
    needs!("root", "setpriv");
    let world = World::new();
    let [file, dir] = [world.aged(40), world.aged(41)];
    world.give_away();
    for path in [world.metadata_of(&file), world.dir_of(&dir)] {
        chmod(path, 0o0);
    }
    let denied = sorted([&file, &dir]).into_iter().map(|id| (id, "denied".to_owned())).collect::<Vec<_>>();
    let rules: [&[&str]; 3] = [&[], &["--max-total-size", "0B"], &["--use-mtime"]];
    for rule in rules {
        let args = ["prune", "-y", "--older-than", "30d", "--format", "json"].iter().chain(rule);
        let report = world.wsctl(args).by_ordinary_user().run().exits(0).json();
        assert_eq!((&report["pruned"], skipped(&report)), (&json!([]), denied.clone()), "{rule:?}");
    }
    let by_id = |id: &str, more: &[&str]| world.wsctl(["prune", "-y", id].iter().chain(more)).by_ordinary_user().run();
    let _ = (by_id(&file, &["--use-mtime"]).exits(0), by_id(&dir, &[]).exits(0));
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn a_workspace_with_a_leased_file_keeps_no_prune_waiting() {
    needs!("python3");
    let world = World::new();
    let [leased, deep] = [world.aged(40), world.aged(41)];
    let before = tree(&world.dir_of(&leased));
    let lease = Lease::on(&world.metadata_of(&leased));
    let _other = Lease::on(&world.dir_of(&deep).join("conversations.json")); // which stands in the way of no unlink
    let report = world.prune(&[]).run().finds_busy(&leased);
    assert_eq!((ids_in(&report["pruned"]), &report["skipped"]), (vec![deep], &json!([])));
    drop(lease);
    assert_eq!(tree(&world.dir_of(&leased)), before);
    let _lease = Lease::on(&world.metadata_of(&leased));
    world.wsctl(["prune", "-y", &leased]).run().exits(0).quietly();
    assert_eq!(world.names(), [""; 0]);
}
