//! How `wsctl list` shows what it lists. Which fields JSON has is in `schemas.rs`.

use crate::tools::{text, tool};
use crate::world::{World, numbered};
use serde_json::{Value, json};

/// A row without its age: two runs may see different seconds.
fn ageless(mut row: Value) -> Value {
    row["age_seconds"].take();
    row
}

#[test]
fn json_is_one_document_and_has_sizes_only_if_they_were_asked_for() {
    let world = World::new();
    let created = "2024-05-23T09:00:00.5-05:30Z";
    let id = world.workspace().created(created).description("Monaco – VER vs HAM").file("a/b", b"").make();
    let list = |args: &[&str]| world.wsctl([&["list", "--format", "json"], args].concat()).run().exits(0).json();
    let json = list(&[]);
    let base = world.base().to_str().expect("UTF-8").to_owned();
    assert_eq!((&json["schema_version"], &json["base"], &json["total"]), (&json!(1), &json!(base), &json!(1)));
    let row = &json["workspaces"][0];
    assert_eq!((&row["id"], &row["path"]), (&json!(id), &json!(format!("{base}/{id}"))));
    assert_eq!((&row["status"], &row["description"]), (&json!("ok"), &json!("Monaco – VER vs HAM")));
    assert_eq!(row["created_at"], "2024-05-23T14:30:00.500Z");
    assert!(row["last_accessed"].as_str().is_some_and(|time| time.ends_with('Z')), "{row}");
    assert!(row["age_seconds"].as_i64().is_some_and(|age| (60..9999).contains(&age)), "{row}");

    for (args, has_size) in [(&["--sort", "size"][..], false), (&["-s"], true), (&["--size"], true)] {
        let row = &list(args)["workspaces"][0];
        assert_eq!((row["files"] == 2, row.get("size_bytes").is_some()), (has_size, has_size), "{row}");
    }
}

#[test]
fn json_says_null_for_what_is_not_known_and_jsonl_has_the_same_rows() {
    let world = World::new();
    let unknown = ["created_at", "last_accessed", "age_seconds", "description"];
    let no_access = r#"{"created_at": "2024-05-23T14:30:00Z", "description": "Spa"}"#;
    let odd = r#"{"last_accessed": "2024-05-23T14:30:00Z", "created_at": 7, "description": ["no text"]}"#;
    let _ = world.workspace().id(&numbered(0)).make_without_metadata();
    for (number, metadata) in [(1, "no JSON"), (2, no_access), (3, odd)] {
        let _ = world.workspace().id(&numbered(number)).metadata(metadata).make();
    }
    let list = |format| world.wsctl(["list", "--sort", "id", "--format", format]).run().exits(0).quietly();
    let json = list("json").json();
    for (number, status, nulls) in [
        (0, "missing", &unknown[..]),
        (1, "corrupt", &unknown),
        (2, "corrupt", &unknown[1..3]),
        (3, "ok", &["created_at", "description"]),
    ] {
        let row = &json["workspaces"][number];
        assert_eq!(row["status"], status);
        for key in unknown {
            assert_eq!(row[key].is_null(), nulls.contains(&key), "{key}: {row}");
        }
    }
    assert_eq!(json["workspaces"][2]["description"], "Spa");
    let lines = list("jsonl");
    let rows = lines.lines().into_iter().map(|line| serde_json::from_str(line).expect("JSON")).map(ageless);
    let expected = json["workspaces"].as_array().expect("rows").iter().cloned().map(ageless);
    assert_eq!(rows.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn json_shows_the_base_as_it_was_given() {
    let world = World::new(); // the program runs in the directory that the base lies in
    let id = world.aged(1);
    std::os::unix::fs::symlink("base", world.path("link")).expect("a link");
    for base in ["./base", "base/../base", "link", "base/"] {
        let json = world.bare(["list", "-b", base, "--format", "json"]).run().exits(0).json();
        let path = format!("{}/{id}", base.trim_end_matches('/'));
        assert_eq!((&json["base"], &json["workspaces"][0]["path"]), (&json!(base), &json!(path)));
    }
}

#[test]
fn times_are_ages_or_dates_in_local_time_or_utc_and_the_same_in_both_columns() {
    let world = World::new();
    let (accessed, created) = ("2026-01-15T23:30:59Z", "2025-07-01T10:00:00+02:00Z");
    let _ = world.workspace().accessed(accessed).created(created).make();
    let times = |tz: &str, args: &[&str]| {
        let ran = world.wsctl([&["list"], args].concat()).env("TZ", tz).run().exits(0).quietly();
        ran.lines()[1].split("  ").skip(2).map(str::trim).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
    };
    let berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
    for (zone, time, shown) in [
        (berlin, "utc", "2026-01-15 23:30Z, 2025-07-01 08:00Z"),
        (berlin, "local", "2026-01-16 00:30+01, 2025-07-01 10:00+02"),
        ("<+0545>-5:45", "local", "2026-01-16 05:15+05:45, 2025-07-01 13:45+05:45"),
    ] {
        assert_eq!(times(zone, &["--time", time]), shown);
    }
    assert_eq!(times(berlin, &[]).matches(" ago").count(), 2);
}

#[test]
fn a_time_zone_that_is_not_known_or_no_regular_file_is_utc_with_a_warning() {
    let world = World::new();
    let _ = world.workspace().accessed("2026-01-15T23:30:59Z").make();
    let pipe = world.path("pipe");
    tool(&["mkfifo", text(&pipe)]);
    for zone in ["Mars/Tharsis", text(&pipe), "/dev/zero"] {
        let list = world.wsctl(["list", "--time", "local"]).env("TZ", zone).run().exits(0).complains("warning: TZ ");
        assert!(list.lines()[1].contains("2026-01-15 23:30Z"), "{list:#?}");
    }
}
