//! `wsctl list`: which workspaces it lists, and in what order.

use crate::world::{Ran, World, ids_in, numbered, odd_name, sorted};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

/// Runs `list --format ids` with these arguments.
fn listed(world: &World, args: &[&str]) -> Ran {
    world.wsctl([&["list", "--format", "ids"], args].concat()).run()
}

/// Asserts that a list with these arguments shows just these, in this order, and is content.
#[track_caller]
fn shows<I: AsRef<str>>(world: &World, args: &[&str], ids: &[I]) {
    let list = listed(world, args).exits(0).quietly();
    let expected: Vec<_> = ids.iter().map(AsRef::as_ref).collect();
    assert_eq!(list.lines(), expected, "{args:?}");
}

#[test]
fn every_workspace_is_listed_and_nothing_else_in_the_base() {
    let world = World::new();
    let ours = world.workspace().id(&numbered(0xa)).make();
    let upper = ours.to_uppercase(); // it must not make ours appear twice
    let trash = format!(".wsctl-doomed.{}.00000000000000ff", numbered(2));
    let claimed = format!(".wsctl-claimed.{}.00000000000000ff", numbered(3));
    let braces = format!("{{{}}}", numbered(4));
    let (bare, longer) = (numbered(5).replace('-', ""), format!("{}0", numbered(6)));
    for name in ["monaco-2024", &upper, &trash, &claimed, &braces, &bare, &longer] {
        let _ = world.workspace().id(name).make();
    }
    fs::create_dir(odd_name(&world.base())).expect("a directory");
    symlink(world.dir_of(&ours), world.dir_of(&numbered(7))).expect("a link");
    fs::write(world.dir_of(&numbered(8)), "{}").expect("a file");
    let _socket = UnixListener::bind(world.dir_of(&numbered(9))).expect("a socket");

    shows(&world, &[], &[&ours]);
    let json = world.wsctl(["list", "--format", "json"]).run().exits(0).json();
    assert_eq!((&json["total"], ids_in(&json["workspaces"])), (&1.into(), vec![ours]));
}

#[test]
fn the_list_of_an_empty_base_is_empty_and_no_failure() {
    let world = World::new();
    shows(&world, &[], &[""; 0]);
    let _ = world.wsctl(["list", "--format", "jsonl"]).run().exits(0).prints("").quietly();
    let table = world.wsctl(["list"]).run().exits(0).quietly();
    assert_eq!(table.lines().len(), 1, "the heads alone: {table:#?}");
    let json = world.wsctl(["list", "--format", "json"]).run().exits(0).quietly().json();
    assert_eq!((&json["total"], &json["workspaces"]), (&0.into(), &serde_json::json!([])));
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

#[test]
fn list_shows_only_the_ids_that_are_given() {
    let world = World::new();
    let (a, b, _c) = (world.aged(1), world.aged(2), world.aged(3));
    shows(&world, &[&b.to_uppercase(), &a], &[&a, &b]);
    shows(&world, &["--older-than", "36h", &a, &b], &[&b]);
}

#[test]
fn older_than_and_newer_than_divide_the_workspaces_by_last_access() {
    let world = World::new();
    let [today, week, month] = [0, 7, 30].map(|days| world.aged(days)); // and a minute each
    shows(&world, &["--older-than", "7d"], &[&week, &month]);
    shows(&world, &["--newer-than", "7d"], &[&today]);
    shows(&world, &["--older-than", "1day 12h", "--newer-than", "2weeks"], &[&week]);
    shows(&world, &["--older-than", "3months"], &[""; 0]);
    shows(&world, &["--older-than", "0s"], &[&today, &week, &month]);
}

#[test]
fn a_last_access_that_is_not_known_is_neither_older_nor_newer_and_one_ahead_is_newer() {
    let world = World::new();
    let future = world.workspace().days_ago(-2).make();
    let _ = world.workspace().make_without_metadata();
    let _ = world.workspace().metadata("[]").make();
    shows(&world, &["--older-than", "0s"], &[""; 0]);
    shows(&world, &["--newer-than", "9999d"], &[&future]);
}

#[test]
fn statuses_to_show_are_given_together_or_one_by_one() {
    let world = World::new();
    let (ok, future) = (world.aged(1), world.workspace().days_ago(-1).make());
    let missing = world.workspace().id(&numbered(1)).make_without_metadata();
    let corrupt = world.workspace().id(&numbered(2)).metadata("{").make();
    for (status, ids) in [("ok", &ok), ("future", &future), ("missing", &missing), ("corrupt", &corrupt)] {
        shows(&world, &["--status", status], &[ids]);
    }
    shows(&world, &["--status", "denied"], &[""; 0]);
    shows(&world, &["--status", "corrupt,missing"], &[&missing, &corrupt]);
    shows(&world, &["--status", "corrupt", "--status", "OK"], &[&ok, &corrupt]); // in upper or lower case
    shows(&world, &["--status", "ok,corrupt", "--older-than", "1h"], &[&ok]);
}

#[test]
fn each_sort_key_has_its_order_and_r_reverses_it() {
    let world = World::new();
    // Three orders that have nothing in common.
    let make = |id: u32, days, created: &str, bytes: usize| {
        let workspace = world.workspace().id(&numbered(id)).days_ago(days).created(created);
        workspace.file("data/laps", &vec![7; bytes]).make()
    };
    let a = make(1, 2, "2024-05-23T14:30:00Z", 100_000);
    let b = make(2, 3, "2026-01-01T00:00:00+00:00Z", 300_000);
    let c = make(3, 1, "2025-01-01T00:00:00", 200_000);
    let d = make(4, 4, "2023-01-01T00:00:00+02:00", 400_000);
    shows(&world, &[], &[&c, &a, &b, &d]);
    for (key, order) in [
        ("accessed", [&c, &a, &b, &d]),
        ("created", [&b, &c, &a, &d]),
        ("size", [&d, &b, &c, &a]),
        ("id", [&a, &b, &c, &d]),
    ] {
        shows(&world, &["--sort", key], &order);
        let reversed: Vec<_> = order.into_iter().rev().collect();
        shows(&world, &["-r", "--sort", key], &reversed);
        shows(&world, &["--sort", key, "--reverse"], &reversed);
    }
}

#[test]
fn workspaces_of_the_same_time_or_size_are_sorted_by_id() {
    let world = World::new();
    let time = "2024-05-23T14:30:00Z";
    for number in [3, 1, 4, 2] {
        let workspace = world.workspace().id(&numbered(number)).accessed(time).created(time);
        // Empty files: however many there are, the size is the same.
        let _ = (0..number).fold(workspace, |workspace, file| workspace.file(&file.to_string(), b"")).make();
    }
    let list = world.wsctl(["list", "-s", "--format", "json"]).run().exits(0).json();
    assert_eq!(list["workspaces"][0]["size_bytes"], list["workspaces"][3]["size_bytes"], "no tie: {list:#}");
    for key in ["accessed", "created", "size", "id"] {
        shows(&world, &["--sort", key], &[1, 2, 3, 4].map(numbered));
    }
}

#[test]
fn workspaces_without_a_time_come_last_by_id_also_in_reverse() {
    let world = World::new();
    let time = "2024-05-23T14:30:00Z";
    let accessed = format!(r#"{{"last_accessed": "{time}"}}"#);
    let (old, new) = (world.aged(9), world.workspace().days_ago(1).created(time).make());
    let uncreated = world.workspace().id(&numbered(2)).metadata(accessed).make();
    let unknown = world.workspace().id(&numbered(1)).make_without_metadata();
    shows(&world, &["--sort", "accessed"], &[&new, &old, &uncreated, &unknown]);
    shows(&world, &["--sort", "accessed", "-r"], &[&uncreated, &old, &new, &unknown]);
    shows(&world, &["--sort", "created"], &[&old, &new, &unknown, &uncreated]);
    shows(&world, &["--sort", "created", "-r"], &[&new, &old, &unknown, &uncreated]);
}

#[test]
fn a_limit_shows_the_first_of_the_order_and_the_total_counts_them_all() {
    let world = World::new();
    let ids: Vec<_> = (1..=5).map(|days| world.aged(days)).collect();
    shows(&world, &["--limit", "2"], &ids[..2]);
    shows(&world, &["--limit", "0"], &[""; 0]);
    shows(&world, &["--limit", "99"], &ids);
    let args = ["list", "--limit", "2", "--older-than", "36h", "--format", "json"];
    let json = world.wsctl(args).run().exits(0).json();
    assert_eq!((&json["total"], ids_in(&json["workspaces"])), (&4.into(), sorted(&ids[1..3])));
}
