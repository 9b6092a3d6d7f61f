//! `wsctl list`: which workspaces it lists, in what order, and what it says of those that cannot be read and of copies that a
//! prune left aside. What is no workspace is in `ids.rs`.

use crate::hosts::shell;
use crate::tools::{Lease, set_aside, tree};
use crate::world::{World, chmod, ids_in, numbered, sorted};
use std::fs;

/// Asserts that a list with these arguments shows just these, in this order, and is content.
#[track_caller]
fn shows<I: AsRef<str>>(world: &World, args: &[&str], ids: &[I]) {
    let list = world.wsctl([&["list", "--format", "ids"], args].concat()).run().exits(0).quietly();
    let expected: Vec<_> = ids.iter().map(AsRef::as_ref).collect();
    assert_eq!(list.lines(), expected, "{args:?}");
}

#[test]
fn a_thousand_workspaces_are_each_listed_once() {
    let world = World::in_memory();
    // The IDs are random, so the workspaces lie scattered over what several threads share out.
    let ids: Vec<_> = (0..1000).map(|_| world.workspace().make()).collect();
    shows(&world, &["--sort", "id"], &sorted(&ids));
    let json = world.wsctl(["list", "-s", "--format", "json"]).run().exits(0).quietly().json();
    assert_eq!((&json["total"], ids_in(&json["workspaces"])), (&1000.into(), sorted(&ids)));
}

/// A last access that is not known is neither older nor newer than anything, and one ahead of the clock is newer.
#[test]
fn ids_ages_statuses_and_a_limit_choose_what_is_listed() {
    let (world, [ahead, today, week, month]) = World::with_each_aged([-2, 0, 7, 30]); // and a minute each
    let missing = world.workspace().id(&numbered(1)).make_without_metadata();
    let corrupt = world.workspace().id(&numbered(2)).metadata("[]").make();
    let upper = week.to_uppercase();
    let cases: [(&[&str], &[&String]); 16] = [
        (&[], &[&ahead, &today, &week, &month, &missing, &corrupt]),
        (&[&upper, &today], &[&today, &week]),
        (&["--older-than", "36h", &today, &week], &[&week]),
        (&["--older-than", "7d"], &[&week, &month]),
        (&["--newer-than", "7d"], &[&ahead, &today]),
        (&["--older-than", "1day 12h", "--newer-than", "2weeks"], &[&week]),
        (&["--older-than", "0s"], &[&today, &week, &month]),
        (&["--newer-than", "9999d"], &[&ahead, &today, &week, &month]),
        (&["--status", "ok"], &[&today, &week, &month]),
        (&["--status", "future"], &[&ahead]),
        (&["--status", "corrupt,missing"], &[&missing, &corrupt]),
        (&["--status", "corrupt", "--status", "FUTURE"], &[&ahead, &corrupt]), // in upper or lower case
        (&["--status", "ok,corrupt", "--older-than", "8d"], &[&month]),
        (&["--limit", "2"], &[&ahead, &today]),
        (&["--limit", "0"], &[]),
        (&["--limit", "99", "--status", "missing"], &[&missing]),
    ];
    for (args, chosen) in cases {
        shows(&world, args, chosen);
    }
    let limited = ["list", "--limit", "2", "--older-than", "0s", "--format", "json"];
    let json = world.wsctl(limited).run().exits(0).json();
    assert_eq!((&json["total"], ids_in(&json["workspaces"])), (&3.into(), sorted([&today, &week])));
}

#[test]
fn v_says_what_is_wrong_with_those_that_are_listed_and_with_no_others() {
    let world = World::new();
    let missing = world.workspace().make_without_metadata();
    let corrupt = world.workspace().metadata("[]").make();
    let naive = world.workspace().accessed("2024-05-23T14:30:00Z").make(); // it breaks the application's listing
    for (filter, listed) in [("missing", &missing), ("corrupt", &corrupt), ("ok", &naive)] {
        let ran = world.wsctl(["list", "-v", "--status", filter, "--format", "ids"]).run().exits(0);
        let _ = ran.prints(&format!("{listed}\n")).complains(&format!("info: workspace {listed}: "));
    }
}

#[test]
fn each_sort_key_has_its_order_r_reverses_it_and_what_is_not_known_comes_last_by_id() {
    let world = World::new();
    // Three orders that have nothing in common.
    let make = |id: u32, days, created: &str, bytes: usize| {
        world.workspace().id(&numbered(id)).days_ago(days).created(created).file("data/laps", &vec![7; bytes]).make()
    };
    let a = make(1, 2, "2024-05-23T14:30:00Z", 100_000);
    let b = make(2, 3, "2026-01-01T00:00:00+00:00Z", 300_000);
    let c = make(3, 1, "2025-01-01T00:00:00", 200_000);
    let d = make(4, 4, "2023-01-01T00:00:00+02:00", 400_000);
    // These have no times, and the same size.
    let [m1, m2] = [5, 6].map(|number| world.workspace().id(&numbered(number)).make_without_metadata());
    for (key, order, reversed) in [
        ("accessed", [&c, &a, &b, &d, &m1, &m2], [&d, &b, &a, &c, &m1, &m2]),
        ("created", [&b, &c, &a, &d, &m1, &m2], [&d, &a, &c, &b, &m1, &m2]),
        ("size", [&d, &b, &c, &a, &m1, &m2], [&m1, &m2, &a, &c, &b, &d]),
        ("id", [&a, &b, &c, &d, &m1, &m2], [&m2, &m1, &d, &c, &b, &a]),
    ] {
        shows(&world, &["--sort", key], &order);
        shows(&world, &["-r", "--sort", key], &reversed);
    }
}

#[test]
fn a_workspace_that_may_not_be_read_or_measured_has_its_row_and_is_77() {
    needs!("root");
    for (locked, status, more) in [("", "denied", "-s"), (".metadata.json", "denied", "-r"), ("charts", "ok", "-s")] {
        let (world, [ok, id]) = World::with_each_aged([1, 1]);
        world.give_away();
        chmod(world.dir_of(&id).join(locked), 0o000);
        let list = world.wsctl(["list", "--sort", "accessed", "--format", "json", more]);
        let ran = list.by_ordinary_user().run().exits(77);
        let rows = &ran.complains("error[permission-denied]: ").complains(&id).json()["workspaces"];
        let row = |id: &str| rows.as_array().expect("rows").iter().find(|row| row["id"] == id).expect("a row");
        assert_eq!((&row(&ok)["status"], &row(&id)["status"]), (&"ok".into(), &status.into()), "{locked:?} {more}");
        let unknown = ["created_at", "last_accessed", "age_seconds"];
        assert!(unknown.iter().all(|key| row(&id)[key].is_null() == (status == "denied")), "{rows}");
        let chosen = world.wsctl(["list", "--status", "denied", "--format", "ids"]).by_ordinary_user().run();
        let is_denied = status == "denied";
        let _ = chosen.exits(if is_denied { 77 } else { 0 }).prints(&if is_denied { id + "\n" } else { String::new() });
    }
}

#[test]
fn metadata_under_a_lease_is_denied_and_busy_and_keeps_nobody_waiting() {
    needs!("python3");
    let world = World::new();
    let (leased, free) = (world.aged(1), world.aged(2));
    let _lease = Lease::on(&world.metadata_of(&leased));
    let ran = world.wsctl(["list", "--format", "json"]).run().exits(75);
    let rows = &ran.complains("warning[busy]: ").complains(&leased).json()["workspaces"];
    let status = |id: &str| rows.as_array().expect("rows").iter().find(|row| row["id"] == id).map(|row| &row["status"]);
    assert_eq!((status(&leased), status(&free)), (Some(&"denied".into()), Some(&"ok".into())));

    let _ = world.wsctl(["list", &leased, &numbered(0)]).run().exits(75).mentions("not-found");
    let _ = world.wsctl(["list", &leased, "nonsense"]).run().exits(2).mentions("busy");
}

/// A workspace that has been made anew while a prune had it aside; its ID, and the name of what was left aside.
fn copied(world: &World, old: &str) -> String {
    let name = set_aside(world, "claimed", old);
    let _ = world.workspace().id(old).description("new").make();
    name
}

#[test]
fn list_warns_of_each_copy_beside_a_live_workspace_with_its_name_and_age_and_exits_0() {
    let world = World::new();
    let old = [world.aged(3), world.workspace().make_without_metadata(), world.workspace().metadata("{").make()];
    let names = old.each_ref().map(|id| copied(&world, id));
    let doomed = world.aged(9);
    set_aside(&world, "doomed", &doomed);
    let _ = world.workspace().id(&doomed).make(); // what was doomed is no copy
    let before = world.snapshot();
    let list = world.wsctl(["list", "--format", "ids"]).run().exits(0);
    for ((id, name), age) in old.iter().zip(&names).zip(["3d ago", "unknown", "unknown"]) {
        let is_warning = |line: &&str| [&**id, &**name, age, "warning[busy]: "].iter().all(|part| line.contains(part));
        assert_eq!(list.stderr.lines().filter(is_warning).count(), 1, "{list:#?}");
    }
    assert_eq!((list.stderr.lines().count(), world.snapshot()), (old.len(), before), "{list:#?}");
    let _ = world.wsctl(["list", &old[0]]).run().exits(0).quietly();
}

#[test]
fn the_command_that_prune_suggests_restores_a_copy() {
    for option in ["-n", "-y"] {
        let (world, id) = World::with_aged(3);
        let before = tree(&world.dir_of(&id));
        copied(&world, &id);
        let ran = world.wsctl(["prune", option, "--older-than", "30d"]).run().complains("warning[busy]: ");
        let (_, words) = ran.stderr.trim_end().split_once("move the new one away and run: mv ").expect("advice");
        let advised = || shell(&world, &format!("mv {words}"));
        assert_ne!(advised().status, 0, "while the new one is in the way");
        fs::rename(world.dir_of(&id), world.path("new")).expect("a rename");
        let _ = advised().exits(0).quietly();
        assert_eq!((world.names(), tree(&world.dir_of(&id))), (vec![id], before));
    }
}
