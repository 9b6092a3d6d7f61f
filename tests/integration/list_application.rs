//! What `wsctl list` says of workspaces that break the application's own listing: see `foreign_bytes.rs` for other forms.

use crate::world::{World, numbered};

/// A time as the application writes it.
const AWARE: &str = "2026-11-23T15:51:30.783208+00:00Z";

#[test]
fn json_tells_whether_the_applications_listing_breaks_on_a_workspace() {
    let naive = "2024-05-23T14:30:00Z";
    let cases = [
        (format!(r#"{{"created_at": "{naive}", "last_accessed": "{AWARE}"}}"#), false),
        (format!(r#"{{"last_accessed": "{naive}"}}"#), true),
        ("{}".to_owned(), true),
        (format!(r#"{{"last_accessed": "{AWARE}", "last_accessed": "{naive}"}}"#), true), // Python takes the last
        ("[]".to_owned(), false), // it skips what is no JSON object
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
