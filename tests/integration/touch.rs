//! `wsctl touch`: what it writes, and what it leaves as it was.

use crate::world::{AT, ORDINARY_USER, WRITTEN, World, chmod, names};
use chrono::{DateTime, TimeDelta, Utc};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Permission bits, owner and group.
pub fn rights(path: &Path) -> (u32, u32, u32) {
    let stat = path.symlink_metadata().expect("a stat");
    (stat.mode() & 0o7777, stat.uid(), stat.gid())
}

/// For each style that a file may have see the tests beside the code, and for strange ones `metadata.rs`.
#[test]
fn touch_changes_only_the_bytes_of_one_value_and_appends_a_missing_key() {
    let world = World::new();
    for (before, after) in [
        ("{\n  \"last_accessed\": \"2026-11-23T15:51:30.1+00:00Z\"\n}", "{\n  \"last_accessed\": \"T\"\n}"),
        ("{\r\n\t\"a\" : 1\r\n}\r\n", "{\r\n\t\"a\" : 1,\r\n\t\"last_accessed\" : \"T\"\r\n}\r\n"),
    ] {
        let id = world.workspace().metadata(before).file("data/laps.csv", b"1,2").make();
        let other = world.path(&id);
        fs::hard_link(world.metadata_of(&id), &other).expect("another name of the file");
        world.wsctl(["touch", "--no-create", "--at", AT, &id]).run().exits(0).prints("").quietly();
        assert_eq!(world.read_metadata(&id), after.replace('T', WRITTEN));
        assert_eq!(fs::read_to_string(other).expect("the old file"), before);
        assert_eq!(names(&world.dir_of(&id)), [".metadata.json", "data"]);
    }
}

/// As Python writes them: see `foreign_bytes.rs`.
#[test]
fn touch_writes_times_in_utc_with_microseconds_and_an_offset() {
    let world = World::new();
    for (at, written) in [
        ("2026-11-23T15:51:30.783208999Z", "2026-11-23T15:51:30.783208+00:00"),
        ("2026-11-23T15:51:30-11:30", "2026-11-24T03:21:30.000000+00:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000+00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000000+00:00"),
    ] {
        for id in [world.workspace().make(), world.workspace().make_without_metadata()] {
            world.wsctl(["touch", "--at", at, &id]).run().exits(0).prints("");
            assert_eq!(world.json_of(&id)["last_accessed"], written, "{at}");
        }
    }
}

#[test]
fn without_at_touch_writes_the_current_time() {
    let world = World::new();
    let (old, missing) = (world.aged(30), world.workspace().make_without_metadata());
    let before = Utc::now() - TimeDelta::microseconds(1);
    world.wsctl(["touch", &old, &missing]).run().exits(0).prints("").complains(&missing);
    for id in [old, missing] {
        let json = world.json_of(&id);
        let written = DateTime::parse_from_rfc3339(json["last_accessed"].as_str().expect("a time")).expect("RFC 3339");
        assert!((before..=Utc::now()).contains(&written.to_utc()), "{before} {json}");
    }
}

#[test]
fn touch_makes_a_missing_file_anew_with_a_warning_or_leaves_it_missing() {
    let world = World::new();
    let id = world.workspace().make_without_metadata();
    let before = world.snapshot();
    for option in ["-c", "--no-create"] {
        world.wsctl(["touch", option, &id]).run().exits(66).prints("").complains("warning[not-found]: ");
    }
    assert_eq!(world.snapshot(), before);
    let warning = format!("warning[not-found]: workspace {id}: .metadata.json is missing: created anew");
    let touch = world.wsctl(["touch", "--at", AT, &id]).through_sh("umask 0; exec \"$@\"");
    touch.run().exits(0).prints("").complains(&warning);
    let expected = "{\n  \"workspace_id\": \"ID\",\n  \"created_at\": \"T\",\n  \"last_accessed\": \"T\"\n}";
    assert_eq!(world.read_metadata(&id), expected.replace("ID", &id).replace('T', WRITTEN));
    assert_eq!(rights(&world.metadata_of(&id)).0, 0o600);
    assert_eq!(names(&world.dir_of(&id)), [".metadata.json"]);
}

#[test]
fn touch_keeps_mode_and_owner_whatever_the_umask_and_whether_root_or_the_owner_runs_it() {
    needs!("root", "setpriv");
    let world = World::new();
    for as_root in [true, false] {
        let (missing, modes) = (world.workspace().make_without_metadata(), [0o640, 0o4755]);
        let olds = modes.map(|_| world.aged(1));
        world.give_away();
        olds.iter().zip(modes).for_each(|(id, mode)| chmod(world.metadata_of(id), mode));
        let run = world.wsctl(["touch", "--at", AT, &olds[0], &olds[1], &missing]).through_sh("umask 777; exec \"$@\"");
        let run = if as_root { run } else { run.by_ordinary_user() };
        let _ = run.run().exits(0).prints("").complains("created anew");
        for (id, mode) in [(&olds[0], modes[0]), (&olds[1], modes[1]), (&missing, 0o600)] {
            assert!(world.read_metadata(id).contains(WRITTEN));
            assert_eq!(rights(&world.metadata_of(id)), (mode, ORDINARY_USER, ORDINARY_USER));
        }
    }
}
