//! How `wsctl list` shows what it lists.

use crate::tools::{text, tool};
use crate::world::{World, ids_in, numbered, sorted};
use serde_json::{Value, json};

const KEYS: [&str; 8] =
    ["age_seconds", "breaks_listing", "created_at", "description", "id", "last_accessed", "path", "status"];

/// The keys of a JSON object, sorted.
fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// A row without its age: two runs may see different seconds.
fn ageless(mut row: Value) -> Value {
    row["age_seconds"].take();
    row
}

#[test]
fn json_is_one_document_with_these_keys_and_no_others() {
    let world = World::new();
    let id = world.workspace().created("2024-05-23T14:30:00Z").description("Monaco – VER vs HAM").make();
    let list = ["list", "--format", "json"];
    let json = world.wsctl(list).run().exits(0).quietly().json();
    let limited = world.wsctl(list.iter().chain(&["--limit", "1"])).run().exits(0).json();
    assert_eq!(limited["workspaces"][0]["description"], "Monaco – VER vs HAM");
    let base = world.base().to_str().expect("UTF-8").to_owned();
    assert_eq!(keys(&json), ["base", "schema_version", "total", "workspaces"]);
    assert_eq!((&json["schema_version"], &json["base"], &json["total"]), (&json!(1), &json!(base), &json!(1)));
    let row = &json["workspaces"][0];
    assert_eq!(keys(row), KEYS);
    assert_eq!((&row["id"], &row["path"]), (&json!(id), &json!(format!("{base}/{id}"))));
    assert_eq!((&row["status"], &row["description"]), (&json!("ok"), &json!("Monaco – VER vs HAM")));
    assert_eq!(row["created_at"], "2024-05-23T14:30:00Z");
    assert!(row["last_accessed"].as_str().is_some_and(|time| time.ends_with('Z')), "{row}");
    assert!(row["age_seconds"].as_i64().is_some_and(|age| age >= 60), "{row}");
}

#[test]
fn json_has_sizes_only_if_they_were_asked_for() {
    let world = World::new();
    let _ = world.aged(1);
    let row = |args: &[&str]| {
        let mut json = world.wsctl([&["list", "--format", "json"], args].concat()).run().exits(0).json();
        json["workspaces"][0].take()
    };
    let mut with_size = [&KEYS[..], &["files", "size_bytes"]].concat();
    with_size.sort_unstable();
    for option in ["-s", "--size"] {
        let row = row(&[option]);
        assert_eq!(keys(&row), with_size);
        assert!(row["size_bytes"].is_u64() && row["files"] == 3, "{row}");
    }
    assert_eq!(keys(&row(&["--sort", "size"])), KEYS);
}

#[test]
fn json_says_null_for_what_is_not_known_and_shows_the_rest() {
    let world = World::new();
    let unknown = ["created_at", "last_accessed", "age_seconds", "description"];
    let no_access = r#"{"created_at": "2024-05-23T14:30:00Z", "description": "Spa"}"#;
    let odd = r#"{"last_accessed": "2024-05-23T14:30:00Z", "created_at": 7, "description": ["no text"]}"#;
    let _ = world.workspace().id(&numbered(0)).make_without_metadata();
    for (number, metadata) in [(1, "no JSON"), (2, no_access), (3, odd)] {
        let _ = world.workspace().id(&numbered(number)).metadata(metadata).make();
    }
    let json = world.wsctl(["list", "--sort", "id", "--format", "json"]).run().exits(0).json();
    for (number, status, nulls) in [
        (0, "missing", &unknown[..]),
        (1, "corrupt", &unknown),
        (2, "corrupt", &unknown[1..3]),
        (3, "ok", &["created_at", "description"]),
    ] {
        let row = &json["workspaces"][number];
        assert_eq!((keys(row), &row["status"]), (KEYS.to_vec(), &json!(status)));
        for key in unknown {
            assert_eq!(row[key].is_null(), nulls.contains(&key), "{key}: {row}");
        }
    }
    assert_eq!(json["workspaces"][2]["description"], "Spa");
}

#[test]
fn json_shows_the_base_as_it_was_given() {
    let world = World::new(); // the program runs in the directory that the base lies in
    let id = world.aged(1);
    std::os::unix::fs::symlink("base", world.path("link")).expect("a link");
    for base in ["base", "./base", "base/../base", "link"] {
        let json = world.bare(["list", "-b", base, "--format", "json"]).run().exits(0).json();
        assert_eq!((&json["base"], &json["workspaces"][0]["path"]), (&json!(base), &json!(format!("{base}/{id}"))));
    }
    let json = world.bare(["list", "-b", "base/", "--format", "json"]).run().exits(0).json();
    assert_eq!(json["base"], "base/");
}

#[test]
fn jsonl_is_one_such_workspace_object_a_line_in_the_same_order() {
    let world = World::new();
    let _: Vec<_> = (1..=3).map(|days| world.aged(days)).collect();
    for size in [&[][..], &["-s"]] {
        let run = |format| world.wsctl([&["list", "--format", format], size].concat()).run().exits(0).quietly();
        let (mut document, lines) = (run("json").json(), run("jsonl"));
        let expected: Vec<_> =
            document["workspaces"].as_array_mut().expect("rows").iter_mut().map(|row| ageless(row.take())).collect();
        let rows: Vec<Value> =
            lines.lines().iter().map(|line| ageless(serde_json::from_str(line).expect("JSON"))).collect();
        assert_eq!(rows, expected);
        assert!(lines.stdout.ends_with('\n'));
    }
}

#[test]
fn ids_are_one_a_line_or_with_0_each_followed_by_nul() {
    let world = World::new();
    let (a, b) = (world.aged(1), world.aged(2));
    let _ = world.wsctl(["list", "--format", "ids"]).run().exits(0).prints(&format!("{a}\n{b}\n")).quietly();
    for null in ["-0", "--null"] {
        let _ = world.wsctl(["list", "--format", "ids", null]).run().exits(0).prints(&format!("{a}\0{b}\0")).quietly();
    }
}

#[test]
fn a_list_of_ids_is_input_for_another_command() {
    let world = World::new();
    let ids: Vec<_> = (1..=3).map(|days| world.aged(days)).collect();
    for null in [&[][..], &["-0"]] {
        let list = world.wsctl([&["list", "--format", "ids"], null].concat()).run().exits(0);
        let again = world.wsctl([&["list", "--format", "jsonl", "-"], null].concat()).stdin(list.stdout).run().exits(0);
        let rows = again.lines().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(ids_in(&Value::Array(rows)), sorted(&ids));
    }
}

#[test]
fn the_table_has_a_row_for_each_workspace_below_its_heads() {
    let world = World::new();
    let id = world.workspace().days_ago(3).description("Monaco – VER vs HAM").make();
    let missing = world.workspace().make_without_metadata();
    let table = world.wsctl(["list"]).run().exits(0).quietly();
    let lines = table.lines();
    assert_eq!(lines.len(), 3, "{table:#?}");
    let heads: Vec<_> = lines[0].split("  ").filter(|head| !head.is_empty()).map(str::trim).collect();
    assert_eq!(heads, ["ID", "STATUS", "LAST ACCESSED", "CREATED", "DESCRIPTION"]);
    let column = |line: &str, head: &str| line[lines[0].find(head).expect("a head")..].to_owned();
    assert!(lines[1].starts_with(&id) && lines[2].starts_with(&missing), "{table:#?}");
    for (head, text) in [("STATUS", "ok "), ("LAST ACCESSED", "3d ago "), ("CREATED", "100d ago ")] {
        assert!(column(lines[1], head).starts_with(text), "{head}: {table:#?}");
    }
    assert_eq!(column(lines[1], "DESCRIPTION"), "Monaco – VER vs HAM");
    assert!(column(lines[2], "STATUS").starts_with("missing "), "{table:#?}");
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
    assert_eq!(times(berlin, &["--time", "utc"]), "2026-01-15 23:30Z, 2025-07-01 08:00Z");
    assert_eq!(times(berlin, &["--time", "local"]), "2026-01-16 00:30+01, 2025-07-01 10:00+02");
    assert_eq!(times("", &["--time", "local"]), "2026-01-15 23:30Z, 2025-07-01 08:00Z");
    assert_eq!(times("<+0545>-5:45", &["--time", "local"]), "2026-01-16 05:15+05:45, 2025-07-01 13:45+05:45");
    for ages in [times(berlin, &[]), times(berlin, &["--time", "relative"])] {
        assert_eq!(ages.matches(" ago").count(), 2, "{ages}");
    }
    let json =
        |args: &[&str]| ageless(world.wsctl([&["list", "--format", "jsonl"], args].concat()).run().exits(0).json());
    assert_eq!(json(&["--time", "local"]), json(&[]));
}

#[test]
fn a_time_zone_that_is_not_known_is_utc_with_a_warning() {
    let world = World::new();
    let _ = world.workspace().accessed("2026-01-15T23:30:59Z").make();
    let list =
        |format| world.wsctl(["list", "--time", "local", "--format", format]).env("TZ", "Mars/Tharsis").run().exits(0);
    let table = list("table").complains("warning: TZ names no known time zone: Mars/Tharsis; times are shown in UTC");
    assert!(table.lines()[1].contains("2026-01-15 23:30Z"), "{table:#?}");
    let _ = list("json").quietly();
}

#[test]
fn a_table_that_no_terminal_shows_is_not_cut() {
    let world = World::new();
    let text = "long ".repeat(500) + "end";
    let _ = world.workspace().description(&text).make();
    let table = world.wsctl(["list"]).run().exits(0);
    assert!(table.lines()[1].ends_with(&text), "{table:#?}");
}

#[test]
fn a_time_zone_that_is_no_regular_file_is_not_read() {
    let world = World::new();
    let _ = world.aged(1);
    let pipe = world.path("pipe");
    tool(&["mkfifo", text(&pipe)]);
    for tz in [text(&pipe), "/dev/zero", ":/dev/zero"] {
        let table = world.wsctl(["list", "--time", "local"]).env("TZ", tz).run().exits(0);
        let _ = table.complains("; times are shown in UTC");
    }
}
