//! `wsctl prune`: workspaces whose last access cannot be known.

use crate::tools::{Lease, tree};
use crate::world::{World, chmod, ids_in, sorted};
use serde_json::{Value, json};

/// Each ID in `skipped` with its reason, sorted.
fn skipped(report: &Value) -> Vec<String> {
    let items = report["skipped"].as_array().expect("an array").iter();
    sorted(items.map(|item| format!("{} {}", item["id"], item["reason"]).replace('"', "")))
}

/// See `metadata.rs` for all that is corrupt.
#[test]
fn a_workspace_of_unknown_age_is_skipped_by_a_rule_with_a_warning_each_and_exit_0_and_removed_if_given_by_id() {
    let world = World::new();
    let missing = world.workspace().make_without_metadata();
    let corrupt = ["", "{}"].map(|metadata| world.workspace().metadata(metadata).make());
    let future = world.workspace().days_ago(-2).make();
    let reasons = corrupt.iter().map(|id| format!("{id} corrupt"));
    let reasons = sorted(reasons.chain([format!("{missing} missing"), format!("{future} future")]));
    let before: Vec<_> = world.snapshot().split_off(1);
    let stale = world.aged(40);
    let ran = world.prune(&["--max-total-size", "0B"]).run().exits(0);
    assert_eq!((ids_in(&ran.json()["pruned"]), skipped(&ran.json())), (vec![stale], reasons.clone()));
    for reason in &reasons {
        let about = |line: &&str| line.starts_with("warning") && reason.split(' ').all(|part| line.contains(part));
        assert_eq!(ran.stderr.lines().filter(about).count(), 1, "{reason}: {ran:#?}");
    }
    assert_eq!(ran.stderr.lines().count(), reasons.len());
    assert_eq!(world.snapshot().split_off(1), before);
    let ids: Vec<_> = corrupt.iter().chain([&missing, &future]).map(String::as_str).collect();
    assert_eq!(skipped(&world.prune(&ids).run().exits(0).json()), reasons, "with --older-than also if given by ID");

    let report = world.wsctl(["prune", "-y", "--format", "json", "-"]).stdin(ids.join("\n")).run().pruned(ids);
    let pruned = report["pruned"].as_array().expect("an array").iter();
    let known: Vec<_> = pruned.filter(|item| !item["last_accessed"].is_null()).map(|item| &item["id"]).collect();
    assert_eq!((known, world.names()), (vec![&json!(future)], vec![]), "{report}");
}

#[test]
fn a_workspace_that_may_not_be_read_is_skipped_as_denied_and_removed_if_given_by_id() {
    needs!("root", "setpriv");
    let (world, [file, dir, unsearchable]) = World::with_each_aged([40, 41, 42]);
    world.give_away();
    for (path, mode) in [(world.metadata_of(&file), 0), (world.dir_of(&dir), 0), (world.dir_of(&unsearchable), 0o600)] {
        chmod(path, mode);
    }
    let denied = sorted([&file, &dir, &unsearchable].map(|id| format!("{id} denied")));
    for rule in [&[][..], &["--max-total-size", "0B"], &["--use-mtime"]] {
        let report = world.prune(rule).by_ordinary_user().run().exits(0).json();
        assert_eq!((&report["pruned"], skipped(&report)), (&json!([]), denied.clone()), "{rule:?}");
    }
    let by_id = |id: &str, more: &[&str]| world.wsctl(["prune", "-y", id].iter().chain(more)).by_ordinary_user().run();
    let _ = (by_id(&file, &["--use-mtime"]).exits(0), by_id(&dir, &[&unsearchable]).exits(0));
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn a_workspace_with_a_leased_file_keeps_no_prune_waiting() {
    needs!("python3");
    let (world, [leased, deep]) = World::with_each_aged([40, 41]);
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
