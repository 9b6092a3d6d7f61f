//! Two prunes at once, by every rule that looks at more than the metadata: when one run takes a workspace, at any
//! point of the other, neither fails.

use crate::paused::Paused;
use crate::tools::modify;
use crate::world::{World, ids_in};

/// The rules, each of which chooses the only workspace here, and none: then its ID is given.
const RULES: [&[&str]; 5] = [
    &["--older-than", "7d", "--use-mtime"],
    &["--max-total-size", "0B"],
    &["--max-total-size", "0B", "--use-mtime"],
    &["--min-free", "100%", "--older-than", "9weeks"],
    &[],
];

#[test]
fn whenever_another_prune_takes_a_workspace_away_a_prune_by_any_rule_or_id_does_not_fail() {
    needs!("strace");
    for rule in RULES {
        // The calls after which a workspace may turn out to be gone. One that is given by ID and gone before the base was listed,
        // which comes to its end with the second getdents64, is absent.
        let calls: &[_] = match rule {
            [] => &[("openat2", 1), ("getdents64", 3)],
            _ => &[("openat2", 1), ("statx", 1), ("getdents64", 1), ("renameat2", 1)],
        };
        let mut points = 0;
        for (call, first) in calls {
            for nth in *first.. {
                let world = World::in_memory();
                let id = world.workspace().days_ago(40).file("data/lap.csv", b"1").file("notes.md", b"x").make();
                modify(&world, &id, 40);
                let choice = if rule.is_empty() { &[&*id][..] } else { rule };
                let prune = || world.wsctl(["prune", "-y", "--format", "json", "-j", "1"].iter().chain(choice));
                let Ok(paused) = Paused::try_after(&world, (call, nth), prune()) else { break };
                let reports = [prune().run(), paused.go_on()].map(|ran| ran.exits(0).quietly().json());
                let [pruned, failed] = ["pruned", "failed"].map(|part| reports.each_ref().map(|it| ids_in(&it[part])));
                assert_eq!((pruned.concat(), failed.concat()), (vec![id], vec![]), "{rule:?} {call} {nth}");
                assert_eq!(world.names(), [""; 0], "{rule:?} {call} {nth}");
                points += 1;
            }
        }
        assert!(points > if rule.is_empty() { 5 } else { 20 }, "{rule:?}: {points}");
    }
}
