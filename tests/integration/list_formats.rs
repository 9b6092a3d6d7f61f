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
fn json_is_one_document_with_the_base_as_it_was_given_and_sizes_only_if_they_were_asked_for() {
    let world = World::new(); // the program runs in the directory that the base lies in
    std::os::unix::fs::symlink("base", world.path("link")).expect("a link");
    let created = "2024-05-23T09:00:00.5-05:30Z";
    let workspace = world.workspace().id(&numbered(1)).created(created).description("Monaco – VER vs HAM");
    let id = workspace.file("a/b", b"").make();
    let _ = world.workspace().id(&numbered(0)).days_ago(-3).make();
    for (base, args, has_size) in [
        (text(&world.base()), &[][..], false),
        ("./base", &["--sort", "size", "-r"], false),
        ("base/../base", &["-s"], true),
        ("link", &["--size"], true),
        ("base/", &[], false),
    ] {
        let json = world.bare([&["-b", base, "list", "--format=json"], args].concat()).run().exits(0).quietly().json();
        assert_eq!((&json["schema_version"], &json["base"], &json["total"]), (&json!(1), &json!(base), &json!(2)));
        let [ahead, row] = [0, 1].map(|number| &json["workspaces"][number]);
        let path = format!("{}/{id}", base.trim_end_matches('/'));
        assert_eq!((&row["id"], &row["path"]), (&json!(id), &json!(path)));
        assert_eq!((&row["status"], &row["description"]), (&json!("ok"), &json!("Monaco – VER vs HAM")));
        assert_eq!(row["created_at"], "2024-05-23T14:30:00.500Z");
        assert!(row["last_accessed"].as_str().is_some_and(|time| time.ends_with('Z')), "{row}");
        assert!(row["age_seconds"].as_i64().is_some_and(|age| (60..9999).contains(&age)), "{row}");
        assert_eq!((row["files"] == 2, row.get("size_bytes").is_some()), (has_size, has_size), "{row}");
        assert!(ahead["age_seconds"].as_i64().is_some_and(|age| (-259_140..-249_200).contains(&age)), "{ahead}");
        assert_eq!(ahead["status"], "future");
    }
}

/// For other forms of what breaks the application's listing see `foreign_bytes.rs`.
#[test]
fn json_says_null_for_what_is_not_known_and_what_breaks_the_applications_listing_and_jsonl_has_the_same_rows() {
    let world = World::new();
    let unknown = ["last_accessed", "age_seconds", "created_at", "description"];
    let [naive, aware] = ["2024-05-23T14:30:00Z", "2026-11-23T15:51:30.783208+00:00Z"];
    let cases = [
        (r#"{"created_at": "NAIVE", "last_accessed": "AWARE", "description": "Spa"}"#, "ok", &[][..], false),
        (r#"{"last_accessed": "NAIVE", "created_at": 7, "description": ["no text"]}"#, "ok", &unknown[2..], true),
        (r#"{"created_at": "NAIVE", "description": "Spa"}"#, "corrupt", &unknown[..2], true),
        (r#"{"last_accessed": "AWARE", "last_accessed": "NAIVE"}"#, "corrupt", &unknown, true), // Python takes the last
        ("no JSON", "corrupt", &unknown, false), // it skips what is no JSON object
    ];
    for (number, (metadata, ..)) in (0..).zip(&cases) {
        let metadata = metadata.replace("NAIVE", naive).replace("AWARE", aware);
        let _ = world.workspace().id(&numbered(number)).metadata(metadata).make();
    }
    let _ = world.workspace().id(&numbered(99)).make_without_metadata();
    let list = |format| world.wsctl(["list", "--sort", "id", "--format", format]).run().exits(0).quietly();
    let json = list("json").json();
    let rows = json["workspaces"].as_array().expect("rows");
    let cases = cases.into_iter().chain([("no file", "missing", &unknown[..], true)]);
    for (row, (metadata, status, nulls, breaks)) in rows.iter().zip(cases) {
        assert_eq!((&row["status"], &row["breaks_listing"]), (&json!(status), &json!(breaks)), "{metadata}: {row}");
        for key in unknown {
            assert_eq!(row[key].is_null(), nulls.contains(&key), "{metadata}: {key}: {row}");
        }
    }
    let lines = list("jsonl");
    let lines = lines.lines().into_iter().map(|line| ageless(serde_json::from_str(line).expect("JSON")));
    assert_eq!(lines.collect::<Vec<_>>(), rows.iter().cloned().map(ageless).collect::<Vec<_>>());
}

#[test]
fn times_are_ages_or_dates_in_local_time_or_utc_and_the_same_in_both_columns() {
    let world = World::new();
    let (accessed, created) = ("2026-01-15T23:30:59Z", "2025-07-01T10:00:00+02:00Z");
    let _ = world.workspace().accessed(accessed).created(created).make();
    let times = |zone: &str, args: &[&str], warning| {
        let ran = world.wsctl([&["list"], args].concat()).env("TZ", zone).run().exits(0);
        assert_eq!((ran.stderr.lines().count(), ran.stderr.contains("warning: TZ ")), (usize::from(warning), warning));
        ran.lines()[1].split("  ").skip(2).map(str::trim).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
    };
    let (berlin, utc, pipe) =
        ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-01-15 23:30Z, 2025-07-01 08:00Z", world.path("pipe"));
    tool(&["mkfifo", text(&pipe)]);
    for (zone, time, shown, warning) in [
        (berlin, "utc", utc, false),
        (berlin, "local", "2026-01-16 00:30+01, 2025-07-01 10:00+02", false),
        // Not known, or no regular file. For other zones see the tests beside the code.
        ("Mars/Tharsis", "local", utc, true),
        (text(&pipe), "local", utc, true),
        ("/dev/zero", "local", utc, true),
    ] {
        assert_eq!(times(zone, &["--time", time], warning), shown, "{zone}");
    }
    assert_eq!(times(berlin, &[], false).matches(" ago").count(), 2);
}
