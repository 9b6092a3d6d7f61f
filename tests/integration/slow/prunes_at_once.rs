//! Two prunes at once, by every rule that looks at more than the metadata: when one run takes a workspace, at any
//! point of the other, neither fails.

use crate::paused::Paused;
use crate::tools::modify;
use crate::world::{Ran, World, ids_in, numbered, sorted};
use serde_json::json;
use std::process::Stdio;

/// The rules, each of which chooses all the workspaces here.
const RULES: [&[&str]; 4] = [
    &["--older-than", "7d", "--use-mtime"],
    &["--max-total-size", "0B"],
    &["--max-total-size", "0B", "--use-mtime"],
    &["--min-free", "100%", "--older-than", "9weeks"],
];
/// The calls after which a workspace may turn out to be gone.
const CALLS: [&str; 4] = ["openat2", "statx", "getdents64", "renameat2"];

const PRUNE: [&str; 6] = ["prune", "-y", "--format", "json", "-j", "1"];

/// Makes a workspace of which nothing was accessed or modified for 40 days.
fn stale(world: &World, id: &str) -> String {
    let id = world.workspace().id(id).days_ago(40).file("data/lap.csv", b"1").file("conversations.json", b"[]").make();
    modify(world, &id, 40);
    id
}

/// Pauses a run after each of its calls while another one takes the workspace away, and checks that it does not fail.
/// Gives how many points that were.
fn check_every_point(call: &str, first: usize, args: impl Fn(&str) -> Vec<String>) -> usize {
    for nth in first.. {
        let world = World::in_memory();
        let id = stale(&world, &numbered(1));
        let args = args(&id);
        let Ok(paused) = Paused::try_after(&world, (call, nth), world.wsctl(&args)) else { return nth - first };
        let other = world.wsctl(&args).run().exits(0).quietly().json();
        let report = paused.go_on().exits(0).quietly().json();
        let pruned = [&other, &report].map(|report| ids_in(&report["pruned"]));
        assert_eq!((pruned.concat(), &report["failed"]), (vec![id], &json!([])), "{args:?} {call} {nth}");
        assert_eq!(world.names(), [""; 0], "{args:?} {call} {nth}");
    }
    unreachable!("a run ends")
}

#[test]
fn whenever_another_prune_takes_a_workspace_away_a_prune_by_any_rule_does_not_fail() {
    needs!("strace");
    for rule in RULES {
        let args = |_: &str| PRUNE.iter().chain(rule).map(|&word| word.to_owned()).collect();
        let points: usize = CALLS.iter().map(|call| check_every_point(call, 1, args)).sum();
        assert!(points > 20, "{rule:?}: {points}");
    }
}

/// What was there when the base was listed is not absent. The listing comes to its end with the second call.
#[test]
fn a_workspace_given_by_id_that_another_prune_takes_away_after_the_listing_is_no_failure() {
    needs!("strace");
    let args = |id: &str| PRUNE.iter().chain(&[id]).map(|&word| word.to_owned()).collect();
    let points = check_every_point("openat2", 1, args) + check_every_point("getdents64", 3, args);
    assert!(points > 5, "{points}");
}

#[test]
fn two_prunes_at_once_report_each_workspace_once_and_neither_fails() {
    for rule in RULES {
        for round in 0..6 {
            let world = World::in_memory();
            let all: Vec<_> = (0..100).map(|number| stale(&world, &numbered(number))).collect();
            let mut run = world.wsctl(["prune", "-y", "--format", "json"].iter().chain(rule)).command();
            run.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let both = [(); 2].map(|()| run.spawn().expect("the program"));
            let both = both.map(|child| Ran::new(child.wait_with_output().expect("its output")));
            let pruned = both.map(|ran| ids_in(&ran.exits(0).quietly().json()["pruned"])).concat();
            assert_eq!((sorted(pruned), world.names()), (all, vec![]), "{rule:?}, round {round}");
        }
    }
}

#[test]
fn a_workspace_that_another_run_puts_back_is_claimed_again() {
    needs!("strace");
    let world = World::new();
    let [stale, other] = [world.aged(40), world.aged(41)];
    let args = ["prune", "-y", "--format", "json", "-j", "1", &stale];
    let paused = Paused::after(&world, "renameat2", None, world.wsctl(args));
    let report = world.wsctl(["prune", "-y", "--format", "json", &other]).run().exits(0).json();
    assert_eq!((ids_in(&report["pruned"]), world.names()), (vec![other], vec![stale.clone()]), "it took no part in it");
    let report = paused.go_on().exits(0).quietly().json();
    assert_eq!((ids_in(&report["pruned"]), world.names()), (vec![stale], vec![]));
}
