//! The pieces of which the work on each workspace is made, one at a time, in memory.
//!
//! ```sh
//! cargo bench --bench pieces
//! cargo bench --bench pieces -- timestamp        # those whose name has this in it
//! ```
#![allow(clippy::expect_used)]

use divan::{Bencher, black_box};
use std::ffi::OsStr;
use wsctl::commands::prune::plan::{self, Rules};
use wsctl::commands::prune::survey::{Found, Place, Survey};
use wsctl::core::metadata::{self, Metadata};
use wsctl::core::workspace::{Seen, Status};
use wsctl::core::{Timestamp, WorkspaceId};

const ID: &str = "6c7ab482-a9ca-49d7-9364-b3e425655d2e";
/// As the application leaves it: malformed times, two spaces, no final newline.
const METADATA: &[u8] = br#"{
  "workspace_id": "6c7ab482-a9ca-49d7-9364-b3e425655d2e",
  "created_at": "2026-08-01T10:00:00.123456+00:00Z",
  "last_accessed": "2026-08-03T16:29:11.482077+00:00Z"
}"#;

fn main() {
    divan::main();
}

#[divan::bench]
fn id_parse() -> Option<WorkspaceId> {
    WorkspaceId::parse(black_box(ID.as_bytes()))
}

#[divan::bench]
fn id_of_a_directory_name() -> Option<WorkspaceId> {
    WorkspaceId::from_dir_name(black_box(OsStr::new(ID)))
}

#[divan::bench]
fn id_of_another_name() -> Option<WorkspaceId> {
    WorkspaceId::from_dir_name(black_box(OsStr::new("monaco-2024")))
}

/// The forms that occur in metadata: with an offset and a `Z`, with either, with neither.
#[divan::bench(args = [
    "2026-11-23T15:51:30.783208+00:00Z",
    "2026-11-23T15:51:30.783208+00:00",
    "2024-05-23T14:30:00Z",
    "2024-05-23T14:30:00",
])]
fn timestamp_parse(text: &str) -> Option<Timestamp> {
    Timestamp::parse_metadata(black_box(text))
}

#[divan::bench]
fn timestamp_write(bencher: Bencher) {
    let time = Timestamp::from_unix(1_800_000_000, 783_208_000);
    bencher.bench(|| black_box(time).to_metadata());
}

#[divan::bench]
fn metadata_read() -> Metadata {
    Metadata::parse(black_box(METADATA)).expect("metadata")
}

#[divan::bench]
fn metadata_edit(bencher: Bencher) {
    let time = Timestamp::from_unix(1_800_000_000, 783_208_000);
    bencher.bench(|| metadata::with_last_accessed(black_box(METADATA), time).expect("metadata"));
}

/// As large as it may be, by a long description.
#[divan::bench]
fn metadata_edit_of_64_kib(bencher: Bencher) {
    let time = Timestamp::from_unix(1_800_000_000, 783_208_000);
    let text =
        String::from_utf8_lossy(METADATA).replacen('{', &format!("{{\"description\": \"{}\",", "x".repeat(65_000)), 1);
    bencher.bench(|| metadata::with_last_accessed(black_box(text.as_bytes()), time).expect("metadata"));
}

/// What there is to decide on in a base of so many workspaces, last accessed at any time in a hundred days.
fn facts(workspaces: u32) -> Survey {
    let found = |number: u32| {
        let scattered = u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        let id = uuid::Uuid::from_u128(scattered).to_string();
        Found {
            id: WorkspaceId::parse(id.as_bytes()).expect("an ID"),
            place: Place::Own,
            status: Status::Ok,
            last_access: Some(Timestamp::from_unix(NOW - i64::from(number.wrapping_mul(2_654_435_761) % 8_640_000), 0)),
            tag: 0,
            may_be_later: false,
            seen: Seen::Unknown(None),
            size: std::num::NonZero::new(4096),
            unknown: None,
            unmeasured: None,
        }
    };
    Survey { found: (0..workspaces).map(found).collect(), ..Survey::default() }
}

const NOW: i64 = 1_800_000_000;

#[divan::bench(args = [1_000, 10_000, 100_000])]
fn plan_by_age(bencher: Bencher, workspaces: u32) {
    let cutoff = Some(Timestamp::from_unix(NOW - 30 * 86_400, 0));
    let rules = Rules { cutoff, ..Rules::default() };
    bencher.with_inputs(|| facts(workspaces)).bench_values(|facts| plan::decide(facts, &rules));
}

/// These sort all of them by their last access.
#[divan::bench(args = [1_000, 10_000, 100_000])]
fn plan_by_size(bencher: Bencher, workspaces: u32) {
    let rules = Rules { max_total_size: Some(1 << 20), keep_last: 100, ..Rules::default() };
    bencher.with_inputs(|| facts(workspaces)).bench_values(|facts| plan::decide(facts, &rules));
}
