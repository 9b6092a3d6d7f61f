//! The status of each workspace in `wsctl list`, and what cannot be read.

use crate::world::{World, ago, chmod, numbered, skip};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The only workspace there is, as a list that is content shows it.
#[track_caller]
fn only_row(world: &World) -> Value {
    let json = world.wsctl(["list", "--format", "json"]).run().exits(0).quietly().json();
    assert_eq!(json["workspaces"].as_array().map(Vec::len), Some(1), "{json}");
    json["workspaces"][0].clone()
}

/// The status of a workspace with this for its metadata.
#[track_caller]
fn status_of(metadata: impl Into<Vec<u8>>) -> Value {
    let world = World::new();
    let _ = world.workspace().metadata(metadata).make();
    only_row(&world)["status"].clone()
}

#[test]
fn a_workspace_whose_last_access_is_known_is_ok() {
    let world = World::new();
    let _ = world.aged(3);
    assert_eq!(only_row(&world)["status"], "ok");
}

#[test]
fn a_workspace_without_metadata_is_missing_and_that_is_no_failure() {
    let world = World::new();
    let _ = world.workspace().make_without_metadata();
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

#[test]
fn metadata_that_is_not_what_the_application_writes_is_corrupt_and_that_is_no_failure() {
    let time = r#""last_accessed": "2024-05-23T14:30:00Z""#;
    for metadata in [
        "",
        "null",
        "[]",
        "\"2024-05-23T14:30:00Z\"",
        "{",
        "{}",
        r#"{"workspace_id": "x", "created_at": "2024-05-23T14:30:00Z"}"#,
        r#"{"last_accessed": null}"#,
        r#"{"last_accessed": 1716474600}"#,
        r#"{"last_accessed": "yesterday"}"#,
        r#"{"last_accessed": "2024-05-23"}"#,
        r#"{"last_accessed": "2024-02-30T00:00:00Z"}"#,
        r#"{"last_accessed": ["2024-05-23T14:30:00Z"]}"#,
        &format!("{{{time}, {time}}}"),
        &format!("{{{time}}} {{}}"),
        &format!("{{{time},}}"),
    ] {
        assert_eq!(status_of(metadata), "corrupt", "{metadata}");
    }
    assert_eq!(status_of(b"{\"last_accessed\": \"2024-05-23T14:30:00Z\", \"x\": \"\xff\"}"), "corrupt");
}

#[test]
fn metadata_of_64_kib_is_read_and_a_byte_more_is_corrupt() {
    let text = r#"{"last_accessed": "2024-05-23T14:30:00Z"}"#;
    let padded = |len: usize| text.to_owned() + &" ".repeat(len - text.len());
    assert_eq!(status_of(padded(65_536)), "ok");
    assert_eq!(status_of(padded(65_537)), "corrupt");
}

#[test]
fn metadata_that_is_no_regular_file_is_corrupt_and_keeps_nobody_waiting() {
    let world = World::new();
    let real = world.path("real.json");
    fs::write(&real, r#"{"last_accessed": "2024-05-23T14:30:00Z"}"#).expect("a file");
    let metadata = |number| world.metadata_of(&world.workspace().id(&numbered(number)).make_without_metadata());
    symlink(&real, metadata(1)).expect("a link");
    symlink("nowhere", metadata(2)).expect("a link");
    fs::create_dir(metadata(3)).expect("a directory");
    assert!(Command::new("mkfifo").arg(metadata(4)).status().expect("mkfifo").success());
    // Through a link, since the path of a socket may have 107 bytes at most.
    symlink(world.base(), world.path("b")).expect("a link");
    let socket = world.path("b").join(numbered(5)).join(".metadata.json");
    fs::create_dir(world.dir_of(&numbered(5))).expect("a workspace");
    let _socket = UnixListener::bind(socket).expect("a socket");

    let json = world.wsctl(["list", "--sort", "id", "--format", "json"]).run().exits(0).quietly().json();
    let rows = json["workspaces"].as_array().expect("rows");
    let statuses: Vec<_> = rows.iter().map(|row| &row["status"]).collect();
    assert_eq!(statuses, ["corrupt"; 5], "{json}");
}

#[test]
fn every_form_of_time_that_is_found_in_the_wild_is_read() {
    for (written, meant) in [
        ("2026-11-23T15:51:30.783208+00:00Z", "2026-11-23T15:51:30.783208Z"),
        ("2026-11-23T15:51:30+00:00Z", "2026-11-23T15:51:30Z"),
        ("2024-05-23T14:30:00Z", "2024-05-23T14:30:00Z"),
        ("2024-05-23T14:30:00+00:00", "2024-05-23T14:30:00Z"),
        ("2024-05-23T14:30:00", "2024-05-23T14:30:00Z"),
        ("2024-05-23T14:30:00.5", "2024-05-23T14:30:00.5Z"),
        ("2024-05-23T16:30:00+02:00", "2024-05-23T14:30:00Z"),
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
fn a_base_that_may_not_be_read_is_77() {
    needs!("root");
    let world = World::new();
    let _ = world.aged(1);
    world.give_away();
    chmod(world.base(), 0o000);
    for args in [&["list"][..], &["validate", &numbered(1)]] {
        let _ = world
            .wsctl(args)
            .by_ordinary_user()
            .run()
            .exits(77)
            .prints("")
            .complains("error[permission-denied]: base ");
    }
}

/// Holds a lease on a file until it is dropped.
struct Lease(Child);

impl Lease {
    /// `None` where the file system has no leases, or there is no python3.
    fn take(file: &Path) -> Option<Self> {
        // A lease that somebody would break sends SIGIO, which kills unless it is ignored.
        const HOLD: &str = "import fcntl, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
file = open(sys.argv[1])
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('held', flush=True)
sys.stdin.read()";
        let mut python = Command::new("python3");
        python.args(["-c", HOLD]).arg(file).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = python.spawn().ok()?;
        let mut line = String::new();
        let read = BufReader::new(holder.stdout.take()?).read_line(&mut line);
        let lease = Self(holder);
        (read.is_ok() && line == "held\n").then_some(lease)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.0.stdin.take()); // it waits for the end of its stdin
        let _ = self.0.wait();
    }
}

#[test]
fn metadata_under_a_lease_is_denied_and_busy_and_keeps_nobody_waiting() {
    let world = World::new();
    let (leased, free) = (world.aged(1), world.aged(2));
    let Some(_lease) = Lease::take(&world.metadata_of(&leased)) else {
        skip("leases, and python3 to take one");
        return;
    };
    let ran = world.wsctl(["list", "--format", "json"]).run().exits(75);
    let rows = &ran.complains("warning[busy]: ").complains(&leased).json()["workspaces"];
    let status = |id: &str| rows.as_array().expect("rows").iter().find(|row| row["id"] == id).map(|row| &row["status"]);
    assert_eq!((status(&leased), status(&free)), (Some(&"denied".into()), Some(&"ok".into())));

    let _ = world.wsctl(["list", &leased, &numbered(0)]).run().exits(75).mentions("not-found");
    let _ = world.wsctl(["list", &leased, "nonsense"]).run().exits(2).mentions("busy");
}
