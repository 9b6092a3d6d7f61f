//! `wsctl prune`: what it does with the leftovers of earlier runs, and the order of its steps.

use crate::paused::straced;
use crate::tools::{rules, set_aside, trash, tree};
use crate::world::{Ran, World, ids_in, sorted};
use serde_json::json;
use std::fs;

#[test]
fn what_was_doomed_is_finished_whatever_its_age_and_reported_as_leftover() {
    let world = World::new();
    let [doomed, kept] = [world.aged(1), world.aged(2)];
    set_aside(&world, "doomed", &doomed);
    let again = world.workspace().id(&doomed).make(); // made anew by the application
    let report = world.prune(&["--exclude", &again, "--keep-last", "5"]).run().exits(0).quietly().json();
    assert_eq!(rules(&report), [(&*doomed, "leftover")]);
    assert_eq!(report["kept"], json!(2));
    assert_eq!(world.names(), sorted([again, kept]));
}

#[test]
fn a_doomed_tree_that_was_torn_already_is_finished_also_without_metadata() {
    let world = World::new();
    let doomed = world.workspace().file("charts/x", b"x").make_without_metadata();
    set_aside(&world, "doomed", &doomed);
    let report = world.prune(&["--max-delete", "0"]).run().exits(0).quietly().json();
    assert_eq!((rules(&report), &report["skipped"]), (vec![(&*doomed, "leftover")], &json!([])));
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn leftovers_are_finished_also_by_a_run_that_is_given_other_ids() {
    let world = World::new();
    let [doomed, claimed, given] = [world.aged(40), world.aged(41), world.aged(42)];
    set_aside(&world, "doomed", &doomed);
    set_aside(&world, "claimed", &claimed);
    let report = world.wsctl(["prune", "-y", "--format", "json", &given]).run().exits(0).quietly().json();
    assert_eq!(sorted(rules(&report).iter().map(|(_, rule)| rule)), ["id", "leftover"]);
    assert_eq!(world.names(), [claimed], "nobody decided on it, so it is put back");
}

#[test]
fn what_was_only_claimed_goes_by_the_rule_of_the_run_that_finds_it() {
    let world = World::new();
    let [old, named] = [world.aged(40), world.aged(1)];
    for id in [&old, &named] {
        set_aside(&world, "claimed", id);
    }
    let report = world.prune(&["--exclude", &named]).run().exits(0).quietly().json();
    assert_eq!(rules(&report), [(&*old, "older-than")]);
    set_aside(&world, "claimed", &named);
    let report = world.wsctl(["prune", "-y", "--format", "json", &named]).run().exits(0).quietly().json();
    assert_eq!(rules(&report), [(&*named, "id")]);
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn what_was_claimed_and_is_fresh_excluded_or_of_unknown_age_is_put_back_whole() {
    let world = World::new();
    let fresh = world.aged(1);
    let excluded = world.aged(40);
    let missing = world.workspace().file("data/x", b"x").make_without_metadata();
    let ids = [&fresh, &excluded, &missing];
    let before = ids.map(|id| tree(&world.dir_of(id)));
    for id in ids {
        set_aside(&world, "claimed", id);
    }
    let report = world.prune(&["--exclude", &excluded]).run().exits(0).json();
    assert_eq!((rules(&report), &report["kept"]), (vec![], &json!(2)));
    assert_eq!(report["skipped"], json!([{"id": missing, "reason": "missing"}]));
    assert_eq!(ids.map(|id| tree(&world.dir_of(id))), before);
    assert_eq!(world.names(), sorted(ids));
}

#[test]
fn a_fresh_claimed_copy_beside_a_new_workspace_stays_and_is_busy() {
    let world = World::new();
    let id = world.aged(1);
    let copy = set_aside(&world, "claimed", &id);
    let new = world.workspace().id(&id).description("new").make();
    let before = world.snapshot();
    let ran = world.prune(&[]).run().exits(75).complains("warning[busy]: ");
    assert_eq!((ids_in(&ran.json()["failed"]), rules(&ran.json())), (vec![id], vec![]));
    assert_eq!(world.names(), sorted([copy, new]));
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_dry_run_reports_a_claimed_copy_that_cannot_be_put_back_as_the_real_run_does() {
    let world = World::new();
    let id = world.aged(1);
    set_aside(&world, "claimed", &id);
    let _ = world.workspace().id(&id).make();
    let [dry, real] = [world.prune(&["-n"]).run(), world.prune(&[]).run()];
    let reported = |ran: &Ran| (ids_in(&ran.json()["failed"]), ran.json()["kept"].clone(), ran.status);
    assert_eq!(reported(&dry), reported(&real));
}

#[test]
fn a_stale_claimed_copy_beside_a_new_workspace_goes_and_the_new_one_stays() {
    let world = World::new();
    let id = world.aged(40);
    set_aside(&world, "claimed", &id);
    let new = world.workspace().id(&id).description("new").make();
    let before = tree(&world.dir_of(&new));
    let report = world.prune(&[]).run().exits(0).quietly().json();
    assert_eq!((rules(&report), &report["kept"]), (vec![(&*id, "older-than")], &json!(1)));
    assert_eq!(world.names(), [&*new]);
    assert_eq!(tree(&world.dir_of(&new)), before);
}

#[test]
fn a_dry_run_touches_no_leftover() {
    let world = World::new();
    let [a, b, c, d] = [40, 41, 1, 2].map(|days| world.aged(days));
    set_aside(&world, "doomed", &a);
    set_aside(&world, "claimed", &b);
    set_aside(&world, "claimed", &c);
    set_aside(&world, "claimed", &d);
    let _ = world.workspace().id(&d).make();
    let before = world.snapshot();
    let report = world.prune(&["-n"]).run().json();
    let expected = [(&*a, "leftover"), (&*b, "older-than")];
    assert_eq!(
        sorted(rules(&report).iter().map(|rule| format!("{rule:?}"))),
        sorted(expected.map(|r| format!("{r:?}")))
    );
    assert_eq!(world.snapshot(), before);
}

#[test]
fn several_leftovers_of_one_workspace_go_each_by_itself() {
    let world = World::new();
    let id = world.aged(40);
    for (tag, stage) in ["claimed", "doomed", "doomed"].iter().enumerate() {
        fs::rename(world.dir_of(&id), world.base().join(format!(".wsctl-{stage}.{id}.{tag:016x}"))).expect("a rename");
        let _ = world.workspace().id(&id).days_ago(40).make();
    }
    let report = world.prune(&[]).run().exits(0).quietly().json();
    let found = sorted(rules(&report).iter().map(|(_, rule)| rule));
    assert_eq!(found, ["leftover", "leftover", "older-than", "older-than"]);
    assert_eq!(world.names(), [""; 0]);
}

/// Where in a log the first line stands that holds all of these.
#[track_caller]
fn place(log: &[String], parts: &[&str]) -> usize {
    let holds = |line: &String| parts.iter().all(|part| line.contains(part));
    log.iter().position(holds).unwrap_or_else(|| panic!("{parts:?}: {log:#?}"))
}

#[test]
fn the_base_is_synced_between_the_dooming_of_a_workspace_and_its_first_unlink() {
    needs!("strace");
    let world = World::new();
    let ids: Vec<_> = (0..40).map(|number| world.aged(40 + number)).collect();
    let leftover = world.aged(40);
    set_aside(&world, "doomed", &leftover);
    let run = world.wsctl(["prune", "-y", "--older-than", "30d", "-j", "1"]);
    let (ran, log) = straced(&world, run, "renameat,renameat2,fsync,unlink,unlinkat,rmdir");
    let _ = ran.exits(0);
    let base = format!("<{}>)", world.base().display());
    let syncs = |range: std::ops::Range<usize>| {
        log[range].iter().any(|line| line.contains("fsync(") && line.contains(&base) && line.ends_with("= 0"))
    };
    for id in &ids {
        let doomed =
            place(&log, &["renameat2(", &format!(", \".wsctl-claimed.{id}"), &format!("\".wsctl-doomed.{id}")]);
        let unlinked = place(&log, &["unlinkat(", &format!(".wsctl-doomed.{id}")]);
        assert!(doomed < unlinked && syncs(doomed..unlinked), "{id}: {log:#?}");
    }
    let unlinked = place(&log, &["unlinkat(", &format!(".wsctl-doomed.{leftover}")]);
    assert!(syncs(0..unlinked), "a leftover's name may not be on disk yet: {log:#?}");
}

#[test]
fn the_metadata_is_the_last_that_is_unlinked_in_a_doomed_tree() {
    needs!("strace");
    let world = World::new();
    let files = ["a/b/c/d/e/f/g/h/i", "data/x", "zzz", "...", ".metadata.json.bak"];
    let workspace = files.iter().fold(world.workspace().days_ago(40), |workspace, path| workspace.file(path, b"x"));
    let id = workspace.make();
    let (ran, log) = straced(&world, world.wsctl(["prune", "-y", &id]), "unlink,unlinkat,rmdir");
    let _ = ran.exits(0);
    let inside: Vec<_> = log.iter().filter(|line| line.contains(".wsctl-doomed.") && line.ends_with("= 0")).collect();
    let [.., metadata, root] = &inside[..] else { panic!("{log:#?}") };
    assert!(metadata.contains("\".metadata.json\", 0)"), "{log:#?}");
    assert!(root.contains("\".wsctl-doomed.") && root.contains("AT_REMOVEDIR"), "{log:#?}");
}

#[test]
fn a_claimed_workspace_is_looked_at_twice_and_in_between_what_waits_to_be_its_metadata_is_unlinked() {
    needs!("strace");
    let world = World::new();
    let names = [".metadata.tmp.x1y2.json", ".wsctl-tmp.0123456789abcdef"];
    let id = names.iter().fold(world.workspace().days_ago(40), |workspace, name| workspace.file(name, b"{}")).make();
    let calls = "renameat2,newfstatat,statx,unlinkat";
    let (ran, log) = straced(&world, world.wsctl(["prune", "-y", "--older-than", "30d"]), calls);
    let _ = ran.exits(0);
    let claimed = place(&log, &["renameat2(", &format!("\".wsctl-claimed.{id}")]);
    let doomed = place(&log, &["renameat2(", &format!("\".wsctl-doomed.{id}")]);
    let between = &log[claimed + 1..doomed];
    let looks: Vec<_> = (0..between.len())
        .filter(|at| between[*at].contains("stat") && between[*at].contains("\".metadata.json\""))
        .collect();
    let swept = names.map(|name| place(between, &["unlinkat(", &format!("\"{name}\", 0) = 0")]));
    assert_eq!(looks.len(), 2, "{between:#?}");
    assert!(swept.iter().all(|at| looks[0] < *at && *at < looks[1]), "{between:#?}");
}

#[test]
fn a_directory_named_like_a_temporary_file_is_no_obstacle() {
    let world = World::new();
    let id = world.workspace().days_ago(40).file(".metadata.tmp.x.json/y", b"x").file(".wsctl-tmp.z/y", b"x").make();
    assert_eq!(rules(&world.prune(&[]).run().exits(0).quietly().json()), [(&*id, "older-than")]);
    assert_eq!(trash(&world), [""; 0]);
}

#[test]
fn a_claimed_one_that_stays_and_finds_no_room_to_go_back_is_an_io_error_and_not_kept_without_a_word() {
    needs!("strace");
    let world = World::new();
    let fresh = world.aged(1);
    let name = set_aside(&world, "claimed", &fresh);
    let run = world
        .wsctl(["prune", "--older-than", "30d", "-y", "--format", "json"])
        .injecting(["renameat2:error=ENOSPC"])
        .run()
        .exits(74);
    let report = run.json();
    assert_eq!((report["kept"].as_u64(), report["failed"][0]["category"].as_str()), (Some(0), Some("io")), "{run:#?}");
    assert_eq!(trash(&world), [name]);
}
