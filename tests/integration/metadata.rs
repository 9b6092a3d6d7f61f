//! Metadata that is corrupt or strange: what each subcommand does with it. Corrupt metadata is never changed.

use crate::world::World;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

const OLD: &str = "2020-01-01T00:00:00Z";

/// Metadata of a workspace: what it is called here, and its bytes.
type Content = (&'static str, Vec<u8>);

fn with_time(time: &str) -> Vec<u8> {
    format!("{{\"last_accessed\": \"{time}\"}}").into_bytes()
}

/// An object with so many brackets in another key's value.
fn nested(depth: usize) -> Vec<u8> {
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    format!("{{\"a\": {open}{close}, \"last_accessed\": \"{OLD}\"}}").into_bytes()
}

/// An object of this many bytes.
fn padded(length: usize) -> Vec<u8> {
    let object = format!("{{\"last_accessed\": \"{OLD}\", \"a\": \"\"}}");
    object.replace("\"\"", &format!("\"{}\"", "x".repeat(length - object.len()))).into_bytes()
}

fn corrupt() -> Vec<Content> {
    vec![
        ("empty", Vec::new()),
        ("white space", b" \n".to_vec()),
        ("not JSON", b"last_accessed: 2020-01-01T00:00:00Z".to_vec()),
        ("cut short", b"{\"last_accessed\": \"2020-01".to_vec()),
        ("an array", b"[\"last_accessed\", \"2020-01-01T00:00:00Z\"]".to_vec()),
        ("a string", b"\"2020-01-01T00:00:00Z\"".to_vec()),
        ("two objects", b"{}{}".to_vec()),
        ("a comma too many", format!("{{\"last_accessed\": \"{OLD}\",}}").into_bytes()),
        ("not UTF-8", [b"{\"a\": \"\xff\", ".as_slice(), &with_time(OLD)[1..]].concat()),
        ("a byte order mark", [b"\xef\xbb\xbf".as_slice(), &with_time(OLD)].concat()),
        ("UTF-16", with_time(OLD).iter().flat_map(|byte| [*byte, 0]).collect()),
        ("NULs", vec![0; 300]),
        ("200,000 brackets", vec![b'['; 200_000]),
        ("30,000 brackets that nobody closes", vec![b'['; 30_000]),
        ("30,000 objects that nobody closes", b"{\"a\":".repeat(10_000)),
        ("70 KB", padded(70_000)),
        ("a byte above 64 KiB", padded(64 * 1024 + 1)),
        ("the key twice", format!("{{\"last_accessed\": \"{OLD}\", \"last_accessed\": \"{OLD}\"}}").into_bytes()),
        (
            "the key twice, once escaped",
            format!("{{\"last_accessed\": \"{OLD}\", \"last\\u005faccessed\": \"{OLD}\"}}").into_bytes(),
        ),
        ("the year 0", with_time("0000-01-01T00:00:00Z")),
        ("the year 99999", with_time("99999-01-01T00:00:00Z")),
        ("a time before the year 1 in UTC", with_time("0001-01-01T00:00:00+01:00")),
        ("an empty time", with_time("")),
        ("a control character in a time", with_time("2020-01-01\u{1b}[31m")),
        ("a huge number for a time", b"{\"last_accessed\": 1e999999999}".to_vec()),
        ("a number for a time", b"{\"last_accessed\": 1577836800}".to_vec()),
        ("the bytes of a time", b"{\"last_accessed\": [50, 48, 50, 48]}".to_vec()),
    ]
}

/// What is readable however strange it is: the old time in it is found, and all else is kept.
fn strange() -> Vec<Content> {
    vec![
        ("a huge number in another key", format!("{{\"n\": 1e999999999, \"last_accessed\": \"{OLD}\"}}").into_bytes()),
        ("30,000 nested brackets", nested(30_000)),
        ("64 KiB less the room for the longer time", padded(64 * 1024 - 12)),
        ("another key twice", format!("{{\"a\": 1, \"a\": 2, \"last_accessed\": \"{OLD}\"}}").into_bytes()),
        ("an escaped key", format!("{{\"last\\u005faccessed\": \"{OLD}\"}}").into_bytes()),
        ("a lone surrogate", format!("{{\"description\": \"\\ud800\", \"last_accessed\": \"{OLD}\"}}").into_bytes()),
        ("an escaped NUL in a key", format!("{{\"\\u0000\": \"\\u0000\", \"last_accessed\": \"{OLD}\"}}").into_bytes()),
        ("a description that is none", format!("{{\"description\": [1], \"last_accessed\": \"{OLD}\"}}").into_bytes()),
        ("a created_at that is none", format!("{{\"created_at\": 0, \"last_accessed\": \"{OLD}\"}}").into_bytes()),
    ]
}

/// What can be told of a metadata file without reading it.
fn stat(world: &World, id: &str) -> (u64, u64, u32, [i64; 4]) {
    let stat = world.metadata_of(id).symlink_metadata().expect("a stat");
    let times = [stat.mtime(), stat.mtime_nsec(), stat.ctime(), stat.ctime_nsec()];
    (stat.ino(), stat.size(), stat.mode(), times)
}

/// Asserts what each subcommand makes of corrupt metadata, and that it stays.
#[track_caller]
fn assert_corrupt(world: &World, id: &str, what: &str) {
    println!("{what}"); // shown if it fails
    let before = stat(world, id);
    let listed = world.wsctl(["list", "--format", "json", id]).run().sanely().exits(0).quietly().json();
    let row = &listed["workspaces"][0];
    assert!(row["status"] == "corrupt" && row["last_accessed"].is_null() && row["age_seconds"].is_null(), "{row}");
    let error = format!("error[corrupt-metadata]: workspace {id}: ");
    for option in ["--null", "--no-create"] {
        world.wsctl(["touch", option, id]).run().sanely().exits(65).prints("").complains(&error);
    }
    for rule in [&["--older-than", "0s"][..], &["--older-than", "0s", id], &["--max-total-size", "0B"]] {
        let prune = ["prune", "--yes"].iter().chain(rule);
        let skipped = format!("warning[corrupt-metadata]: workspace {id}: skipped (corrupt): ");
        world.wsctl(prune).run().sanely().exits(0).complains(&skipped);
    }
    world.wsctl(["validate", id]).run().exits(0).prints(&format!("{id}\n")).quietly();
    assert_eq!(stat(world, id), before);
}

#[test]
fn corrupt_metadata_is_listed_as_such_never_overwritten_and_never_pruned_by_a_rule() {
    for (what, content) in corrupt() {
        let world = World::new();
        let id = world.workspace().metadata(content.clone()).make();
        assert_corrupt(&world, &id, what);
        assert_eq!(fs::read(world.metadata_of(&id)).expect("metadata"), content, "{what}");
    }
}

#[test]
fn metadata_that_is_no_regular_file_is_corrupt_and_not_waited_for() {
    let target = World::new();
    let elsewhere = target.workspace().accessed(OLD).make();
    let before = target.snapshot();
    let world = World::new();
    let make = |act: &dyn Fn(&std::path::Path)| {
        let id = world.workspace().make_without_metadata();
        act(&world.metadata_of(&id));
        assert_corrupt(&world, &id, "not a regular file");
        fs::rename(world.dir_of(&id), world.path(&id)).expect("a rename"); // out of the way of the next
    };
    make(&|path| symlink(target.metadata_of(&elsewhere), path).expect("a link"));
    make(&|path| symlink("nowhere", path).expect("a link"));
    make(&|path| symlink(".metadata.json", path).expect("a link"));
    make(&|path| symlink("/dev/zero", path).expect("a link"));
    make(&|path| fs::create_dir(path).expect("a directory"));
    make(&|path| assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success()));
    make(&|path| drop(UnixListener::bind(path).expect("a socket")));
    assert_eq!(target.snapshot(), before);
}

#[test]
fn a_sparse_file_of_a_tebibyte_is_corrupt_and_not_read() {
    let world = World::new();
    let id = world.workspace().make_without_metadata();
    let file = File::create(world.metadata_of(&id)).expect("a file");
    file.set_len(1 << 40).expect("a sparse file");
    assert_corrupt(&world, &id, "a tebibyte");
}

#[test]
fn an_object_without_last_accessed_is_corrupt_to_all_but_touch_which_repairs_it() {
    for content in ["{}", "{\"last_accessed \": \"2020-01-01T00:00:00Z\"}", "{\"Last_Accessed\": 1}"] {
        let world = World::new();
        let id = world.workspace().metadata(content).make();
        let listed = world.wsctl(["list", "--format", "json"]).run().exits(0).quietly().json();
        assert_eq!(listed["workspaces"][0]["status"], "corrupt", "{content}");
        let prune = world.wsctl(["prune", "--yes", "--older-than", "0s"]).run();
        prune.exits(0).complains("skipped (corrupt)");
        world.wsctl(["touch", &id]).run().exits(0).prints("").quietly();
        let listed = world.wsctl(["list", "--format", "json"]).run().exits(0).quietly().json();
        assert_eq!(listed["workspaces"][0]["status"], "ok", "{content}");
    }
}

#[test]
fn strange_but_readable_metadata_is_read_kept_byte_for_byte_and_pruned_when_stale() {
    for (what, content) in strange() {
        println!("{what}"); // shown if it fails
        let world = World::new();
        let id = world.workspace().metadata(content.clone()).make();
        let listed = world.wsctl(["list", "--format", "json"]).run().sanely().exits(0).quietly().json();
        let row = &listed["workspaces"][0];
        assert!(row["status"] == "ok" && row["last_accessed"] == OLD, "{row}");
        world.wsctl(["validate", &id]).run().exits(0).prints(&format!("{id}\n")).quietly();
        world.wsctl(["touch", "--at", "2021-01-01T00:00:00Z", &id]).run().sanely().exits(0).prints("").quietly();
        let text = String::from_utf8(content).expect("UTF-8");
        assert_eq!(world.read_metadata(&id), text.replace(OLD, "2021-01-01T00:00:00.000000+00:00"), "{what}");
        world.wsctl(["prune", "--yes", "--older-than", "1d"]).run().sanely().exits(0).quietly();
        assert!(world.names().is_empty(), "{what}");
    }
}

#[test]
fn touch_makes_no_file_that_is_too_large_to_be_read_again() {
    let world = World::new();
    let id = world.workspace().metadata(padded(64 * 1024)).make();
    let before = world.snapshot();
    world.wsctl(["touch", &id]).run().exits(65).prints("").complains("64 KiB");
    assert_eq!(world.snapshot(), before);
}
