//! Metadata that is corrupt or strange: what each subcommand does with it. Corrupt metadata is never changed. For all that is
//! corrupt see `foreign_bytes.rs`.

use crate::tools::{text, tool};
use crate::world::World;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

/// The time that the texts call OLD.
const OLD: &str = "2020-01-01T00:00:00Z";

/// An object of this many bytes.
fn padded(length: usize) -> String {
    let object = r#"{"last_accessed": "OLD", "a": ""}"#.replace("OLD", OLD);
    object.replace("\"\"", &format!("\"{}\"", "x".repeat(length - object.len())))
}

/// What can be told of a metadata file without reading it.
fn stat(world: &World, id: &str) -> (u64, u64, u32, [i64; 4]) {
    let stat = world.metadata_of(id).symlink_metadata().expect("a stat");
    (stat.ino(), stat.size(), stat.mode(), [stat.mtime(), stat.mtime_nsec(), stat.ctime(), stat.ctime_nsec()])
}

/// Asserts what each subcommand makes of corrupt metadata, made by `make`, and that it stays.
fn assert_corrupt(make: &dyn Fn(&Path)) {
    let world = World::new();
    let id = world.workspace().make_without_metadata();
    make(&world.metadata_of(&id));
    let before = stat(&world, &id);
    let listed = world.wsctl(["list", "--format", "json", &id]).run().sanely().exits(0).quietly().json();
    let row = &listed["workspaces"][0];
    assert!(row["status"] == "corrupt" && row["last_accessed"].is_null() && row["age_seconds"].is_null(), "{row}");
    let error = format!("error[corrupt-metadata]: workspace {id}: ");
    for option in ["--null", "--no-create"] {
        world.wsctl(["touch", option, &id]).run().sanely().exits(65).prints("").complains(&error);
    }
    for rule in [&["--older-than", "0s"][..], &["--older-than", "0s", &id], &["--max-total-size", "0B"]] {
        let prune = ["prune", "--yes"].iter().chain(rule);
        let skipped = format!("warning[corrupt-metadata]: workspace {id}: skipped (corrupt): ");
        world.wsctl(prune).run().sanely().exits(0).complains(&skipped);
    }
    world.wsctl(["validate", &id]).run().exits(0).prints(&format!("{id}\n")).quietly();
    assert_eq!(stat(&world, &id), before);
}

#[test]
fn corrupt_metadata_is_listed_as_such_never_overwritten_and_never_pruned_by_a_rule() {
    let (deep, nested, large) = ("[".repeat(200_000), "{\"a\":".repeat(10_000), padded(64 * 1024 + 1));
    let contents: [&[u8]; 11] = [
        b"",
        b"last_accessed: 2020-01-01T00:00:00Z",
        br#"{"last_accessed": "2020-01-01T00:00:00Z",}"#,
        br#"{"last_accessed": "2020-01-01T00:00:00Z", "last\u005faccessed": "2020-01-01T00:00:00Z"}"#,
        br#"{"last_accessed": "0001-01-01T00:00:00+01:00"}"#, // before the year 1 in UTC
        b"{\"last_accessed\": \"2020-01-01\x1b[31m\"}",
        br#"{"last_accessed": 1e999999999}"#,
        b"{\"a\": \"\xff\", \"last_accessed\": \"2020-01-01T00:00:00Z\"}",
        deep.as_bytes(),
        nested.as_bytes(),
        large.as_bytes(),
    ];
    for content in contents {
        println!("{}", String::from_utf8_lossy(&content[..content.len().min(80)])); // shown if it fails
        assert_corrupt(&|path| fs::write(path, content).expect("a file"));
    }
}

#[test]
fn metadata_that_is_no_regular_file_or_is_large_is_corrupt_and_neither_read_nor_waited_for() {
    let target = World::new();
    let elsewhere = target.metadata_of(&target.workspace().accessed(OLD).make());
    let before = target.snapshot();
    let makers: [&dyn Fn(&Path); 8] = [
        &|path| symlink(&elsewhere, path).expect("a link"),
        &|path| symlink("nowhere", path).expect("a link"),
        &|path| symlink(".metadata.json", path).expect("a link"),
        &|path| symlink("/dev/zero", path).expect("a link"),
        &|path| fs::create_dir(path).expect("a directory"),
        &|path| drop(tool(&["mkfifo", text(path)])),
        &|path| drop(UnixListener::bind(path).expect("a socket")),
        &|path| File::create(path).and_then(|file| file.set_len(1 << 40)).expect("a sparse file of a tebibyte"),
    ];
    makers.into_iter().for_each(assert_corrupt);
    assert_eq!(target.snapshot(), before);
}

#[test]
fn strange_but_readable_metadata_is_read_kept_byte_for_byte_and_pruned_when_stale() {
    for content in [
        r#"{"n": 1E+999999999, "n": 2, "last_accessed": "OLD"}"#,
        r#"{"last\u005faccessed": "OLD"}"#,
        r#"{"description": "\ud800", "last_accessed": "OLD"}"#,
        r#"{"\u0000": "\u0000", "description": [1], "created_at": 0, "last_accessed": "OLD"}"#,
        &format!(r#"{{"a": {}{}, "last_accessed": "OLD"}}"#, "[".repeat(30_000), "]".repeat(30_000)),
        &padded(64 * 1024 - 12), // there is just room for the longer time
    ] {
        let content = content.replace("OLD", OLD);
        println!("{content:.80}"); // shown if it fails
        let (world, id) = World::with(|it| it.metadata(&*content));
        let row = world.wsctl(["list", "--format", "jsonl"]).run().sanely().exits(0).quietly().json();
        assert!(row["status"] == "ok" && row["last_accessed"] == OLD, "{row}");
        world.wsctl(["touch", "--at", "2021-01-01T00:00:00Z", &id]).run().sanely().exits(0).prints("").quietly();
        assert_eq!(world.read_metadata(&id), content.replace(OLD, "2021-01-01T00:00:00.000000+00:00"));
        world.wsctl(["prune", "--yes", "--older-than", "1d"]).run().sanely().exits(0).quietly();
        assert!(world.names().is_empty());
    }
}
