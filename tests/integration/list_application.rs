//! What `wsctl list` says of workspaces that break the application's own listing. Which forms do, as Python reads them, is in
//! `foreign_bytes.rs`.

use crate::world::{World, numbered};

/// A time as the application writes it.
const AWARE: &str = "2026-11-23T15:51:30.783208+00:00Z";

#[test]
fn json_tells_whether_the_applications_listing_breaks_on_a_workspace() {
    let twice = |first, last| format!(r#"{{"last_accessed": "{first}", "last_accessed": "{last}"}}"#);
    let naive = "2024-05-23T14:30:00Z";
    let cases = [
        (format!(r#"{{"created_at": "{naive}", "last_accessed": "{AWARE}"}}"#), false),
        (r#"{"last_accessed": "2024-05-23T14:30:00-05:30Z"}"#.to_owned(), false),
        (r#"{"last_accessed": "2024-05-23T14:30:00\u002b00:00"}"#.to_owned(), false),
        (r#"{"last_accessed": "2024-05-23T14:30:00Z"}"#.to_owned(), true),
        (r#"{"last_accessed": "2024-05-23T14:30:00"}"#.to_owned(), true),
        (r#"{"last_accessed": "2024-02-30T14:30:00+00:00"}"#.to_owned(), true),
        (r#"{"last_accessed": 1716474600}"#.to_owned(), true),
        ("{}".to_owned(), true),
        (twice(AWARE, naive), true), // Python takes the last
        (twice(naive, AWARE), false),
        (r#"{"last_accessed":"#.to_owned(), false), // it skips what is no JSON
        ("[]".to_owned(), false),
        (String::new(), false),
    ];
    let world = World::new();
    let _ = world.workspace().id(&numbered(0)).make_without_metadata();
    for (number, (metadata, _)) in (1..).zip(&cases) {
        let _ = world.workspace().id(&numbered(number)).metadata(metadata.as_str()).make();
    }
    let list = world.wsctl(["list", "--sort", "id", "--format", "json"]).run().exits(0).quietly().json();
    let rows = &list["workspaces"];
    assert_eq!((&rows[0]["breaks_listing"], rows.as_array().map(Vec::len)), (&true.into(), Some(cases.len() + 1)));
    for (number, (metadata, breaks)) in (1..).zip(cases) {
        assert_eq!(rows[number]["breaks_listing"], breaks, "{metadata}");
    }
}

#[test]
fn with_v_list_reports_a_time_without_an_offset_and_that_touch_repairs_it() {
    for time in ["2024-05-23T14:30:00Z", "2124-05-23T14:30:00"] {
        let world = World::new();
        let (naive, _aware) = (world.workspace().accessed(time).make(), world.workspace().accessed(AWARE).make());
        let _ = world.wsctl(["list"]).run().exits(0).quietly();
        let told = world.wsctl(["list", "-v"]).run().exits(0).complains("wsctl touch repairs it");
        let _ = told
            .complains(&format!("info: workspace {naive}: the application's own listing breaks on its last_accessed"));
        let _ = world.wsctl(["touch", &naive]).run().exits(0).quietly();
        let _ = world.wsctl(["list", "-v", "--format", "json"]).run().exits(0).quietly();
    }
}
