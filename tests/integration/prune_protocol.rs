//! `wsctl prune`: what it does with the leftovers of earlier runs, and the order of its steps.

use crate::paused::straced;
use crate::tools::{rules, set_aside, text, trash, tree};
use crate::world::{World, ids_in, numbered, sorted};
use std::fs;

#[test]
fn a_doomed_leftover_is_finished_and_a_claimed_one_is_decided_on_afresh_and_a_dry_run_says_so() {
    let id = &*numbered(7);
    // The stage, the days since the last access (none: no metadata), what there is anew at its own path, further arguments, and the
    // rule by which the leftover goes; or it is put back, or stays where it is, busy, since there is a new one at its own path.
    for (stage, days, anew, more, end) in [
        ("doomed", Some(1), "", &[][..], "leftover"),
        ("doomed", Some(1), "workspace", &["--exclude", id, "--keep-last", "5"], "leftover"),
        ("doomed", None, "", &["--max-delete", "0"], "leftover"),
        ("claimed", Some(40), "", &[], "older-than"),
        ("claimed", Some(40), "workspace", &[], "older-than"),
        ("claimed", Some(40), "", &["--exclude", id], "put back"),
        ("claimed", Some(1), "", &[], "put back"),
        ("claimed", None, "", &[], "put back"),
        ("claimed", Some(1), "workspace", &[], "busy"),
        ("claimed", Some(1), "file", &[], "busy"),
    ] {
        let what = format!("{stage}, {days:?} days, anew: {anew:?}, {more:?}");
        let world = World::new();
        let old = || world.workspace().id(id).file("data/x", b"x");
        let _ = days.map_or_else(|| old().make_without_metadata(), |days| old().days_ago(days).make());
        let leftover = tree(&world.dir_of(id));
        let name = set_aside(&world, stage, id);
        match anew {
            "workspace" => drop(world.workspace().id(id).description("new").make()),
            "file" => fs::write(world.dir_of(id), "new").expect("a file"),
            _ => {}
        }
        let new = (!anew.is_empty()).then(|| tree(&world.dir_of(id)));
        let before = world.snapshot();
        let dry = world.prune(&[&["-n"], more].concat()).run();
        assert_eq!(world.snapshot(), before, "{what}");
        let real = world.prune(more).run();
        let report = real.json();
        for part in ["pruned", "kept", "skipped", "failed"] {
            assert_eq!(dry.json()[part], report[part], "{what}");
        }
        assert_eq!((dry.status, real.status), (real.status, if end == "busy" { 75 } else { 0 }), "{what}");
        let (pruned, place) = match end {
            "put back" => (vec![], Some(id)),
            "busy" => (vec![], Some(&*name)),
            rule => (vec![(id, rule)], None),
        };
        assert_eq!((rules(&report), ids_in(&report["failed"]).len()), (pruned, usize::from(end == "busy")), "{what}");
        let kept = usize::from(anew == "workspace") + usize::from(end == "put back" && days.is_some());
        assert_eq!(report["kept"], kept, "{what}");
        assert!(place.is_none_or(|place| tree(&world.dir_of(place)) == leftover), "{what}");
        assert!(new.as_ref().is_none_or(|new| tree(&world.dir_of(id)) == *new), "{what}");
        let left = usize::from(new.is_some()) + usize::from(place.is_some());
        assert_eq!(world.names().len(), left, "{what}: {:?}", world.names());
    }
}

#[test]
fn a_prune_by_id_finishes_doomed_leftovers_and_puts_back_claimed_ones_that_it_was_not_given() {
    let (world, [doomed, claimed, given, claimed_and_given]) = World::with_each_aged([40, 41, 42, 1]);
    set_aside(&world, "doomed", &doomed);
    for id in [&claimed, &claimed_and_given] {
        set_aside(&world, "claimed", id);
    }
    let run = world.wsctl(["prune", "-y", "--format", "json", &given, &claimed_and_given]).run();
    let report = run.pruned([&doomed, &given, &claimed_and_given]);
    assert_eq!(sorted(rules(&report).iter().map(|(_, rule)| rule)), ["id", "id", "leftover"]);
    assert_eq!(world.names(), [claimed]);
}

/// A prune was killed after its claim, the application made the workspace anew, and the next prune was killed there, too.
#[test]
fn of_two_claims_of_one_workspace_the_one_accessed_later_is_put_back_and_a_dry_run_says_so() {
    for days in [[1, 3], [3, 1]] {
        let world = World::new();
        let id = numbered(1);
        for days in days {
            let _ = world.workspace().id(&id).days_ago(days).file(&format!("{days} days"), b"").make();
            set_aside(&world, "claimed", &id);
        }
        for more in [&["-n"][..], &[]] {
            let report = world.prune(more).run().exits(75).complains("there is something new with its ID").json();
            assert_eq!((report["kept"].as_u64(), ids_in(&report["failed"])), (Some(1), vec![id.clone()]), "{more:?}");
        }
        assert!(world.dir_of(&id).join("1 days").exists(), "{days:?}");
    }
}

/// So that each counts as one of those that `--keep-last` keeps, and for monitoring.
#[test]
fn several_claims_of_one_workspace_count_as_one() {
    let world = World::new();
    let [twice, kept, stale] = [1, 2, 3].map(numbered);
    for days in [31, 32] {
        set_aside(&world, "claimed", &world.workspace().id(&twice).days_ago(days).make());
    }
    let _ = (world.workspace().id(&kept).days_ago(40).make(), world.workspace().id(&stale).days_ago(50).make());
    let metrics = world.path("metrics.prom");
    for more in [&["-n"][..], &["--metrics", text(&metrics)]] {
        let report = world.prune(&[&["--keep-last", "2"][..], more].concat()).run().pruned([&twice, &stale]);
        assert_eq!(report["kept"], 2, "{more:?}: {report}");
    }
    assert_eq!((world.names(), trash(&world)), (vec![twice, kept], vec![]));
    let metrics = fs::read_to_string(metrics).expect("a file");
    assert!(metrics.lines().any(|line| line.contains("status=\"ok\"") && line.ends_with(" 2")), "{metrics}");
}

#[test]
fn the_base_is_synced_between_the_dooming_of_a_workspace_and_its_first_unlink() {
    needs!("strace");
    let (world, ids) = World::with_each_aged([40; 40]);
    let leftover = world.aged(40);
    set_aside(&world, "doomed", &leftover);
    let (ran, log) = straced(&world, world.prune(&[]), "/rename,fsync,unlink,unlinkat,rmdir");
    let _ = ran.exits(0);
    let base = format!("<{}>)", world.base().display());
    let of = |id: &String, line: &str| line.contains(&format!(".wsctl-doomed.{id}"));
    // What is doomed since the last sync; a leftover's name may not be on disk yet, either.
    let (mut unsynced, mut doomed) = (vec![&leftover], 0);
    for line in &log {
        if line.contains("fsync(") && line.contains(&base) && line.ends_with("= 0") {
            doomed += unsynced.drain(..).count();
        } else if line.contains(" rename") {
            unsynced.extend(ids.iter().filter(|id| of(id, line)));
        } else {
            assert!(!unsynced.iter().any(|id| of(id, line)), "{line}: {log:#?}");
        }
    }
    assert_eq!(doomed, 41, "{log:#?}");
}
