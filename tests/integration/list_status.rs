//! The status of each workspace in `wsctl list`, and what cannot be read.

use crate::tools::Lease;
use crate::world::{World, ago, chmod, numbered};
use chrono::{DateTime, TimeDelta, Utc};

#[test]
fn a_last_access_more_than_five_minutes_ahead_is_future_and_its_age_is_negative() {
    for (minutes, status) in [(-60 * 24 * 3, "ok"), (4, "ok"), (10, "future"), (60 * 24 * 365, "future")] {
        let world = World::new();
        let _ = world.workspace().accessed(&ago(-TimeDelta::minutes(minutes))).make();
        let before = Utc::now();
        let row = world.wsctl(["list", "--format", "jsonl"]).run().exits(0).quietly().json();
        let accessed = DateTime::parse_from_rfc3339(row["last_accessed"].as_str().expect("a time")).expect("RFC 3339");
        let age = |now: DateTime<Utc>| (now - accessed.to_utc()).num_seconds();
        let shown = row["age_seconds"].as_i64().expect("an age");
        assert!((age(before)..=age(Utc::now())).contains(&shown), "{minutes} minutes ahead: {row}");
        assert_eq!((&row["status"], shown < 0), (&status.into(), minutes > 0), "{minutes} minutes ahead: {row}");
    }
}

#[test]
fn a_workspace_that_may_not_be_read_is_denied_and_77_and_the_others_are_listed() {
    needs!("root");
    for locked in ["", ".metadata.json"] {
        let world = World::new();
        let (ok, denied) = (world.aged(1), world.aged(2));
        world.give_away();
        chmod(world.dir_of(&denied).join(locked), 0o000);
        for size in [&[][..], &["-s"]] {
            let list = || world.wsctl([&["list", "--sort", "accessed", "--format", "json"], size].concat());
            let ran = list().by_ordinary_user().run().exits(77);
            let rows = &ran.complains("error[permission-denied]: ").complains(&denied).json()["workspaces"];
            assert_eq!((&rows[0]["id"], &rows[0]["status"]), (&ok.clone().into(), &"ok".into()));
            assert_eq!((&rows[1]["id"], &rows[1]["status"]), (&denied.clone().into(), &"denied".into()));
            let unknown = ["created_at", "last_accessed", "age_seconds", "description"];
            assert!(unknown.iter().all(|key| rows[1][key].is_null()), "{rows}");
            let json = list().run().exits(0).quietly().json();
            assert_eq!(json["workspaces"][1]["status"], "ok", "root may read it");
        }
        let chosen = world.wsctl(["list", "--status", "denied", "--format", "ids"]).by_ordinary_user().run();
        let _ = chosen.exits(77).prints(&format!("{denied}\n"));
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
