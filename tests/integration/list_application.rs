//! What `wsctl list` says of workspaces that break the application's own listing.

use crate::tools::tool;
use crate::world::{World, numbered};

/// A time as the application writes it.
const AWARE: &str = "2026-11-23T15:51:30.783208+00:00Z";

/// Forms of a last access, and whether the application's listing breaks on them.
const FORMS: [(&str, bool); 14] = [
    (AWARE, false),
    ("2026-11-23T15:51:30+00:00Z", false),
    ("2026-11-23T15:51:30.783208+00:00", false),
    ("2024-05-23T14:30:00+02:00", false),
    ("2024-05-23T14:30:00-05:30Z", false),
    ("2024-05-23T14:30:00.123456789+00:00", false),
    ("2024-05-23T14:30:00Z", true),
    ("2024-05-23T14:30:00", true),
    ("2024-05-23T14:30:00.5Z", true),
    ("2024-05-23T14:30:00z", true),
    ("2024-05-23T14:30:00+00:00z", true),
    ("2016-12-31T23:59:60+00:00", true),
    ("2024-02-30T14:30:00+00:00", true),
    ("yesterday", true),
];

/// How the application reads times, and sorts them.
#[test]
fn python_cannot_sort_just_those_times_of_which_json_says_so() {
    const SORT: &str = "import sys
from datetime import datetime
def read(value):
    try:
        return datetime.fromisoformat(value.rstrip('Z'))
    except ValueError:
        return datetime.min
def breaks(time, aware):
    try:
        sorted(map(read, [time, aware]))
    except TypeError:
        return True
    return False
for time in sys.argv[2:]:
    print(str(breaks(time, sys.argv[1])).lower())";
    needs!("python3");
    let words = ["python3", "-c", SORT, AWARE].into_iter().chain(FORMS.map(|(time, _)| time));
    let sorted = tool(&words.collect::<Vec<_>>());
    assert_eq!(sorted.lines().collect::<Vec<_>>(), FORMS.map(|(_, breaks)| breaks.to_string()));
}

#[test]
fn json_tells_whether_the_applications_listing_breaks_on_a_workspace() {
    let accessed = |time| format!(r#"{{"last_accessed": "{time}"}}"#);
    let twice = |first, last| format!(r#"{{"last_accessed": "{first}", "last_accessed": "{last}"}}"#);
    let naive = "2024-05-23T14:30:00Z";
    let others = [
        ("{}".to_owned(), true),
        (r#"{"last_accessed": null}"#.to_owned(), true),
        (r#"{"last_accessed": 1716474600}"#.to_owned(), true),
        (String::new(), false),
        ("[]".to_owned(), false),
        (r#"{"last_accessed":"#.to_owned(), false),
        (twice(AWARE, naive), true), // Python takes the last
        (twice(naive, AWARE), false),
        (twice(AWARE, "yesterday+00:00"), true),
        (accessed(r"2024-05-23T14:30:00\u002b00:00"), false),
        (format!(r#"{{"created_at": "{naive}", "last_accessed": "{AWARE}"}}"#), false),
    ];
    let cases: Vec<_> = FORMS.map(|(time, breaks)| (accessed(time), breaks)).into_iter().chain(others).collect();
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
        let _ = told.complains(&format!("info: workspace {naive}: last_accessed has no UTC offset"));
        let _ = world.wsctl(["touch", &naive]).run().exits(0).quietly();
        let _ = world.wsctl(["list", "-v", "--format", "json"]).run().exits(0).quietly();
    }
}
