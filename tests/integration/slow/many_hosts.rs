//! Several bases, several hosts, several prunes on one base: driven by GNU parallel, here and over ssh, with reports that are
//! merged by jq.

use crate::hosts::{Hosts, home, shell};
use crate::tools::{du, text};
use crate::world::{World, ids_in, sorted};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What merges JSON reports into one.
const MERGE: &str = "jq -s '{pruned: map(.pruned[]), skipped: map(.skipped[]), failed: map(.failed[]), kept: map(.kept) | add, \
                     freed_bytes: map(.freed_bytes) | add, reports: length}'";

/// A base beside the world's own, with a stale workspace for each of these ages and a fresh one.
struct Other {
    world: World,
    stale: Vec<String>,
    fresh: String,
}

impl Other {
    fn new(stale: i64) -> Self {
        let world = World::new();
        let stale = (0..stale).map(|number| world.aged(31 + number)).collect();
        let fresh = world.aged(1);
        Self { world, stale, fresh }
    }

    fn base(&self) -> PathBuf {
        self.world.base()
    }

    fn size(&self) -> u64 {
        self.stale.iter().map(|id| du(&self.world.dir_of(id))).sum()
    }
}

/// Asserts that merged reports tell of just these workspaces, each once, and of all that they held. It is the freed bytes that
/// add up: of two runs that are at one tree each counts what it freed, and only one of them has the tree in its list.
#[track_caller]
fn assert_pruned(merged: &Value, stale: &[&String], freed: u64) {
    assert_eq!(ids_in(&merged["pruned"]), sorted(stale), "{merged}");
    assert_eq!((&merged["skipped"], &merged["failed"]), (&json!([]), &json!([])), "{merged}");
    assert_eq!(merged["freed_bytes"], json!(freed), "{merged}");
}

#[test]
fn several_bases_are_pruned_by_one_parallel_and_their_reports_add_up() {
    needs!("bash", "parallel", "jq");
    let (here, [a, b]) = (World::new(), [Other::new(3), Other::new(2)]);
    let freed = a.size() + b.size();
    let prune = "parallel wsctl -b {} prune --older-than 30d -y --format json :::";
    let bases = format!("{} {}", text(&a.base()), text(&b.base()));
    let merged = shell(&here, &format!("{prune} {bases} | {MERGE}")).exits(0).quietly().json();
    assert_pruned(&merged, &a.stale.iter().chain(&b.stale).collect::<Vec<_>>(), freed);
    assert_eq!((&merged["reports"], &merged["kept"]), (&json!(2), &json!(2)));
    assert_eq!((a.world.names(), b.world.names()), (vec![a.fresh], vec![b.fresh]));
}

#[test]
fn a_base_that_fails_has_its_own_status_and_the_others_are_pruned() {
    needs!("bash", "parallel", "jq");
    let (here, a) = (World::new(), Other::new(1));
    let bases = format!("{} {}", text(&here.path("absent")), text(&a.base()));
    let script = format!(
        "parallel --joblog log wsctl -b {{}} prune --older-than 30d -y ::: {bases} || tail -n +2 log | cut -f 7 | sort"
    );
    let ran = shell(&here, &script).exits(0).mentions("error[not-found]: ");
    assert_eq!(ran.lines()[1..], ["0", "66"], "{ran:?}");
    assert_eq!(a.world.names(), [a.fresh]);
}

#[test]
fn several_hosts_are_pruned_over_ssh() {
    needs!("bash", "parallel", "jq");
    let (here, [a, b]) = (World::new(), [Other::new(3), Other::new(2)]);
    let homes = [("host-a", &*home(&a.world)), ("host-b", &*home(&b.world))];
    let Some(_hosts) = Hosts::new(&here, &homes) else { return };
    let freed = a.size() + b.size();
    let prune = "parallel --nonall -S host-a,host-b wsctl prune --older-than 30d -y --format json";
    let merged = shell(&here, &format!("{prune} | {MERGE}")).exits(0).quietly().json();
    assert_pruned(&merged, &a.stale.iter().chain(&b.stale).collect::<Vec<_>>(), freed);
    assert_eq!((&merged["reports"], &merged["kept"]), (&json!(2), &json!(2)));
    assert_eq!((a.world.names(), b.world.names()), (vec![a.fresh], vec![b.fresh]));
}

#[test]
fn the_list_of_one_host_is_pruned_in_parts_by_others_on_a_shared_base() {
    needs!("bash", "parallel", "jq");
    let (here, shared) = (World::new(), Other::new(11));
    let (base, home) = (shared.base(), home(&shared.world));
    let homes = [("host-a", &*home), ("host-b", &*home)];
    let Some(_hosts) = Hosts::new(&here, &homes) else { return };
    let freed = shared.size();
    let list = format!("wsctl -b {} list --format ids --older-than 30d", text(&base));
    let prune = "parallel --pipe -N 3 -S host-a,host-b wsctl prune --older-than 30d -y --format json -";
    let merged = shell(&here, &format!("{list} | {prune} | {MERGE}")).exits(0).quietly().json();
    assert_pruned(&merged, &shared.stale.iter().collect::<Vec<_>>(), freed);
    assert_eq!((&merged["reports"], &merged["kept"]), (&json!(4), &json!(0)));
    assert_eq!(shared.world.names(), [shared.fresh]);
}

#[test]
fn one_list_is_pruned_in_parts_by_line_or_by_nul() {
    needs!("bash", "parallel", "jq");
    for (null, record) in [("", ""), ("-0", "--recend '\\0'")] {
        let (here, shared) = (World::new(), Other::new(10));
        let (base, freed) = (shared.base(), shared.size());
        let list = format!("wsctl -b {} list --format ids {null} --older-than 30d", text(&base));
        let prune = format!("wsctl -b {} prune --older-than 30d -y --format json {null} -", text(&base));
        let script = format!("{list} | parallel --pipe {record} -N 4 {prune} | {MERGE}");
        let merged = shell(&here, &script).exits(0).quietly().json();
        assert_pruned(&merged, &shared.stale.iter().collect::<Vec<_>>(), freed);
        assert_eq!((&merged["reports"], &merged["kept"]), (&json!(3), &json!(0)));
        assert_eq!(shared.world.names(), [shared.fresh]);
    }
}

#[test]
fn a_workspace_accessed_after_it_was_listed_is_kept() {
    needs!("bash", "parallel", "jq");
    let world = World::new();
    let [stale, touched] = [world.aged(40), world.aged(41)];
    let freed = du(&world.dir_of(&stale));
    let prune = "parallel --pipe -N 1 wsctl prune --older-than 30d -y --format json -";
    let script =
        format!("wsctl list --format ids --older-than 30d > list; wsctl touch {touched}; {prune} < list | {MERGE}");
    let merged = shell(&world, &script).exits(0).quietly().json();
    assert_pruned(&merged, &[&stale], freed);
    assert_eq!((&merged["kept"], world.names()), (&json!(1), vec![touched]));
}

#[test]
fn prunes_that_run_at_once_on_one_base_report_each_workspace_once() {
    needs!("bash", "parallel", "jq");
    let world = World::new();
    let stale: Vec<_> = (0..120).map(|number| world.aged(31 + number)).collect();
    let fresh = world.aged(1);
    let freed = stale.iter().map(|id| du(&world.dir_of(id))).sum();
    let prune = "parallel -j 6 -N 0 wsctl prune --older-than 30d -y --format json ::: 1 2 3 4 5 6";
    let merged = shell(&world, &format!("{prune} | {MERGE}")).exits(0).quietly().json();
    assert_pruned(&merged, &stale.iter().collect::<Vec<_>>(), freed);
    assert_eq!((&merged["reports"], world.names()), (&json!(6), vec![fresh]));
}
