//! The status of each workspace in `wsctl list`, and what cannot be read.

use crate::tools::Lease;
use crate::world::{World, ago, chmod, numbered};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

/// The only workspace there is, as a list that is content shows it.
#[track_caller]
fn only_row(world: &World) -> Value {
    let json = world.wsctl(["list", "--format", "json"]).run().exits(0).quietly().json();
    assert_eq!(json["workspaces"].as_array().map(Vec::len), Some(1), "{json}");
    json["workspaces"][0].clone()
}

#[test]
fn a_workspace_is_ok_or_missing_by_its_metadata_and_neither_is_a_failure() {
    let world = World::new();
    let id = world.workspace().make();
    assert_eq!(only_row(&world)["status"], "ok");
    std::fs::remove_file(world.metadata_of(&id)).expect("unlink");
    assert_eq!(only_row(&world)["status"], "missing");
}

#[test]
fn a_last_access_more_than_five_minutes_ahead_is_future_and_clocks_may_differ_by_less() {
    for (minutes, status) in [(4, "ok"), (10, "future"), (60 * 24 * 365, "future")] {
        let world = World::new();
        let _ = world.workspace().accessed(&ago(-TimeDelta::minutes(minutes))).make();
        let row = only_row(&world);
        assert_eq!(row["status"], status, "{minutes} minutes ahead");
        assert!(row["age_seconds"].as_i64().is_some_and(|age| age < 0), "{row}");
    }
}

/// All forms are in a test beside the code.
#[test]
fn times_with_and_without_an_offset_are_shown_in_utc() {
    for (written, meant) in [
        ("2026-11-23T15:51:30.783208+00:00Z", "2026-11-23T15:51:30.783208Z"),
        ("2024-05-23T14:30:00.5", "2024-05-23T14:30:00.5Z"),
        ("2024-05-23T09:00:00-05:30Z", "2024-05-23T14:30:00Z"),
        ("2024-05-23T14:30:00.123456789Z", "2024-05-23T14:30:00.123456789Z"),
    ] {
        let world = World::new();
        let _ = world.workspace().accessed(written).created(written).make();
        let row = only_row(&world);
        for key in ["last_accessed", "created_at"] {
            let shown = row[key].as_str().unwrap_or_else(|| panic!("{written}: {row}"));
            let (shown_time, meant) = (DateTime::parse_from_rfc3339(shown), DateTime::parse_from_rfc3339(meant));
            assert!(shown.ends_with('Z') && shown_time == meant, "{written} is shown as {shown}");
        }
    }
}

#[test]
fn an_age_is_the_time_from_the_last_access_to_now() {
    let world = World::new();
    let _ = world.aged(3);
    let before = Utc::now();
    let row = only_row(&world);
    let accessed = DateTime::parse_from_rfc3339(row["last_accessed"].as_str().expect("a time")).expect("RFC 3339");
    let age = |now: DateTime<Utc>| (now - accessed.to_utc()).num_seconds();
    let shown = row["age_seconds"].as_i64().expect("an age");
    assert!((age(before)..=age(Utc::now())).contains(&shown), "{shown}");
}

#[test]
fn metadata_that_may_not_be_read_is_denied_and_77_and_the_others_are_listed() {
    needs!("root");
    let world = World::new();
    let (ok, denied) = (world.aged(1), world.aged(2));
    world.give_away();
    chmod(world.metadata_of(&denied), 0o000);
    let list = || world.wsctl(["list", "--format", "json"]);
    let ran = list().by_ordinary_user().run().exits(77).complains("error[permission-denied]: ").complains(&denied);
    let rows = &ran.json()["workspaces"];
    assert_eq!((&rows[0]["id"], &rows[0]["status"]), (&ok.clone().into(), &"ok".into()));
    assert_eq!((&rows[1]["id"], &rows[1]["status"]), (&denied.clone().into(), &"denied".into()));
    assert!(["created_at", "last_accessed", "age_seconds", "description"].iter().all(|key| rows[1][key].is_null()));

    let chosen = world.wsctl(["list", "--status", "denied", "--format", "ids"]).by_ordinary_user().run();
    let _ = chosen.exits(77).prints(&format!("{denied}\n"));
    let json = list().run().exits(0).quietly().json();
    assert_eq!(json["workspaces"][1]["status"], "ok", "root may read it");
}

#[test]
fn a_workspace_that_may_not_be_entered_is_denied_and_reported_once_also_with_its_size() {
    needs!("root");
    let world = World::new();
    let denied = world.aged(2);
    world.give_away();
    chmod(world.dir_of(&denied), 0o000);
    for size in [&["-s"][..], &[]] {
        let list = world.wsctl([&["list", "--format", "jsonl"], size].concat()).by_ordinary_user().run();
        let row = list.exits(77).complains("error[permission-denied]: ").complains(&denied).json();
        assert_eq!((&row["id"], &row["status"]), (&denied.clone().into(), &"denied".into()));
    }
}

#[test]
fn a_workspace_that_cannot_be_measured_has_its_row_and_is_77() {
    needs!("root");
    let world = World::new();
    let (whole, locked) = (world.aged(1), world.aged(2));
    world.give_away();
    chmod(world.dir_of(&locked).join("charts"), 0o000);
    let list = world.wsctl(["list", "-s", "--format", "json"]).by_ordinary_user().run();
    let list = list.exits(77).complains("error[permission-denied]: ").complains(&locked);
    let rows = &list.json()["workspaces"];
    assert_eq!((&rows[0]["id"], &rows[1]["id"]), (&whole.into(), &locked.into()));
    assert!(rows[0]["size_bytes"].is_u64() && rows[1]["status"] == "ok", "{rows}");
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
