//! Several bases, several hosts, several prunes on one base: driven by GNU parallel, here and over ssh, with reports that are
//! merged by jq.

use crate::hosts::{Hosts, home, shell};
use crate::tools::{du, text};
use crate::world::{World, ids_in, sorted};
use serde_json::json;

/// A base with this many stale workspaces and a fresh one.
struct Base {
    world: World,
    stale: Vec<String>,
    fresh: String,
}

impl Base {
    fn new(stale: i64) -> Self {
        let world = World::new();
        let (stale, fresh) = ((0..stale).map(|number| world.aged(31 + number)).collect(), world.aged(1));
        Self { world, stale, fresh }
    }
}

/// Has a script prune all of these bases, of which the first is the default one; in it, `PRUNE` and `LIST` say which are stale.
/// `host-a` and `host-b` have the first base and the last. So many reports must tell of each stale workspace once, and of
/// all that they held. It is the freed bytes that add up: of two runs that are at one tree each counts what it freed, and only
/// one of them has the tree in its list.
fn check(script: &str, bases: &[Base], reports: usize) {
    let (first, last) = (&bases[0].world, &bases[bases.len() - 1].world);
    let hosts = [("host-a", &*home(first)), ("host-b", &*home(last))];
    let hosts = script.contains("host-").then(|| Hosts::new(first, &hosts));
    if matches!(hosts, Some(None)) {
        return;
    }
    let stale = || bases.iter().flat_map(|base| base.stale.iter().map(move |id| (base, id)));
    let freed: u64 = stale().map(|(base, id)| du(&base.world.dir_of(id))).sum();
    let script = script.replace("BASES", &[first, last].map(|world| text(&world.base()).to_owned()).join(" "));
    let script = script.replace("PRUNE", "prune --older-than 30d -y --format json");
    let script = script.replace("LIST", "list --older-than 30d --format ids");
    let merge = "jq -s '{pruned: map(.pruned[]), skipped: map(.skipped[]), failed: map(.failed[]), \
                 freed_bytes: map(.freed_bytes) | add, reports: length}'";
    let merged = shell(first, &format!("{script} | {merge}")).exits(0).quietly().json();
    assert_eq!(ids_in(&merged["pruned"]), sorted(stale().map(|(_, id)| id)), "{script}: {merged}");
    assert_eq!((&merged["skipped"], &merged["failed"]), (&json!([]), &json!([])), "{script}: {merged}");
    assert_eq!((&merged["freed_bytes"], &merged["reports"]), (&json!(freed), &json!(reports)), "{script}: {merged}");
    assert!(bases.iter().all(|base| base.world.names() == [&*base.fresh]), "{script}");
}

#[test]
fn the_reports_of_prunes_of_several_bases_and_hosts_and_of_one_base_at_once_add_up() {
    needs!("bash", "parallel", "jq");
    let one_base = |stale| vec![Base::new(stale)];
    let two_bases = || vec![Base::new(3), Base::new(2)];
    check("parallel wsctl -b {} PRUNE ::: BASES", &two_bases(), 2);
    check("parallel --nonall -S host-a,host-b wsctl PRUNE", &two_bases(), 2);
    check("wsctl LIST | parallel --pipe -N 3 -S host-a,host-b wsctl PRUNE -", &one_base(11), 4);
    check("wsctl LIST -0 | parallel --pipe --recend '\\0' -N 4 wsctl PRUNE -0 -", &one_base(10), 3);
    check("parallel -j 6 -N 0 wsctl PRUNE ::: 1 2 3 4 5 6", &one_base(120), 6);
}
