//! Whatever is wrong on the command line or with the base: one clear line, the right exit status,
//! nothing lost.

use crate::world::{ORDINARY_USER, World, chmod, odd_name};
use std::ffi::{OsStr, OsString};
use std::fs::{self};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{chown, symlink};

/// Each subcommand on an ID that follows.
pub const ON_ID: [&[&str]; 4] =
    [&["touch"], &["list"], &["prune", "--yes"], &["prune", "--yes", "--older-than", "1d", "--format", "json"]];
/// Each subcommand as it needs no more than a base.
const ON_BASE: [&[&str]; 4] = [
    &["validate", "00000000-0000-4000-8000-000000000000"],
    &["touch", "00000000-0000-4000-8000-000000000000"],
    &["list"],
    &["prune", "--yes", "--older-than", "1d"],
];

/// These arguments, and one more.
pub fn with(args: &[&str], last: impl AsRef<OsStr>) -> Vec<OsString> {
    args.iter().map(OsString::from).chain([last.as_ref().to_owned()]).collect()
}

#[test]
fn what_is_no_id_is_refused_in_one_line_and_nothing_is_lost() {
    let world = World::new();
    let id = world.aged(400);
    let long = "x".repeat(100_000);
    let mut bad: Vec<OsString> = ["", " ", "\t", "\n", ".", "..", "../..", "/", "*", "nonsense", "é", &long]
        .map(OsString::from)
        .into_iter()
        .chain([b"\xff\xfe".as_slice(), &[0xff; 36], b"\x1b[31m\x07", "\u{202e}\u{9b}".as_bytes()].map(as_arg))
        .collect();
    bad.extend([format!("{id}/.."), format!("./{id}"), format!("../base/{id}"), format!(" {id}")].map(OsString::from));
    bad.extend([format!("{id} "), format!("{id}\n"), format!("{id}0"), id[1..].to_owned()].map(OsString::from));
    bad.extend([format!("{{{id}}}"), format!("urn:uuid:{id}"), id.replace('-', "")].map(OsString::from));
    bad.push(id.replacen(&id[..2], "٤", 1).into()); // as many bytes
    bad.push(id.replacen(&id[..1], "４", 1).into()); // as many characters
    let before = world.snapshot();
    for bad in &bad {
        for args in ON_ID {
            let ran = world.wsctl(with(args, bad)).run().sanely().exits(2).complains("error[invalid-id]: ");
            assert!(ran.stderr.len() < 1000, "{ran:#?}");
        }
        world.wsctl(with(&["validate"], bad)).run().exits(1).prints("").quietly();
        world.wsctl(with(&["validate", "-v"], bad)).run().sanely().exits(1).complains("malformed");
        let json = world.wsctl(with(&["validate", "--format", "json"], bad)).run().sanely().exits(1).quietly().json();
        assert!(json[0]["valid"] == false && json[0]["id"].is_null(), "{json}");
    }
    assert_eq!(world.snapshot(), before);
}

fn as_arg(bytes: &[u8]) -> OsString {
    OsStr::from_bytes(bytes).to_owned()
}

#[test]
fn names_that_are_not_utf_8_stop_nobody() {
    let world = World::new();
    let id = world.workspace().accessed("2020-01-01T00:00:00Z").make();
    fs::create_dir(odd_name(&world.base())).expect("a directory");
    fs::write(odd_name(&world.dir_of(&id)), "").expect("a file");
    let lines = format!("{id}\n");
    world.wsctl(["list", "-s", "--format", "ids"]).run().sanely().exits(0).prints(&lines).quietly();
    fs::rename(world.base(), odd_name(&world.path(""))).expect("a rename");
    let base = odd_name(&world.path(""));
    let args = |command: &[&str]| with(&[command, &["--base"]].concat(), &base);
    world.bare(args(&["touch", "--at", "2020-01-01T00:00:00Z", &id])).run().sanely().exits(0).quietly();
    world.bare(args(&["list", "--format", "json"])).run().sanely().exits(0).quietly();
    world.bare(args(&["prune", "--yes", "--older-than", "1d"])).run().sanely().exits(0).quietly();
    assert_eq!(fs::read_dir(&base).expect("the base").count(), 1, "only the name that is not ours is left");
}

#[test]
fn a_duration_that_is_none_is_a_usage_error_that_says_what_to_write() {
    let world = World::new();
    let _ = (world.aged(400), world.aged(1));
    let before = world.snapshot();
    for (duration, advice) in [
        ("7", "write 7d"),
        ("0", "unit"),
        ("5m", "5months"),
        ("5M", "5min"),
        ("-3d", "negative"),
        ("7 bananas", "bananas"),
        ("99999999999d", "10,000 years"),
        ("9999999999999999999999999d", "write 7d"),
        ("", "write 7d"),
        ("d", "write 7d"),
        ("٣d", "write 7d"),
    ] {
        for args in [&["list", "--older-than"][..], &["list", "--newer-than"], &["prune", "--yes", "--older-than"]] {
            let ran = world.wsctl(with(args, duration)).run().sanely().exits(2).prints("").complains("error[usage]: ");
            assert!(ran.stderr.contains(advice), "{advice}: {ran:#?}");
        }
    }
    for valid in ["0s", "7d", "12h", "2weeks", "1day 12h", "3months"] {
        world.wsctl(["list", "--older-than", valid, "--newer-than", valid]).run().exits(0).quietly();
        world.wsctl(["prune", "--dry-run", "--older-than", valid]).run().exits(0).quietly();
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_base_that_is_missing_or_no_directory_is_an_error_for_each_subcommand() {
    let world = World::new();
    fs::write(world.path("file"), "").expect("a file");
    symlink("nowhere", world.path("dangling")).expect("a link");
    for base in ["file", "file/below", "absent", "dangling"] {
        let base = world.path(base);
        for args in ON_BASE {
            let args = with(&[args, &["--base"]].concat(), &base);
            world.bare(args).run().sanely().exits(66).prints("").complains("error[not-found]: base ");
        }
    }
    for args in ON_BASE {
        let empty = with(&[args, &["--base"]].concat(), "");
        world.bare(empty).run().sanely().exits(2).prints("").complains("error[usage]: ");
        let unset = world.bare(args).env("WSCTL_BASE", "").run().exits(66).complains("/home/.pitlane/workspaces");
        unset.sanely();
        let homeless = world.bare(args).env("HOME", "").run().exits(2).prints("").complains("error[usage]: ");
        homeless.sanely();
    }
}

#[test]
fn a_base_that_an_ordinary_user_may_not_read_is_permission_denied_for_each_subcommand() {
    needs!("root");
    let world = World::new();
    let _ = world.aged(400);
    let before = world.snapshot().split_off(1);
    fs::create_dir(world.path("locked")).expect("a directory");
    fs::rename(world.base(), world.path("locked/base")).expect("a rename");
    symlink("locked/base", world.base()).expect("a link");
    for (locked, mode) in [("locked/base", 0), ("locked/base", 0o311), ("locked", 0)] {
        chown(world.path(locked), Some(ORDINARY_USER), Some(ORDINARY_USER)).expect("chown");
        chmod(world.path(locked), mode);
        for args in ON_BASE {
            let ran = world.wsctl(args).by_ordinary_user().run().sanely().exits(77).prints("");
            ran.complains("error[permission-denied]: base ");
        }
        chmod(world.path(locked), 0o755);
    }
    fs::remove_file(world.base()).expect("unlink");
    fs::rename(world.path("locked/base"), world.base()).expect("a rename");
    assert_eq!(world.snapshot().split_off(1), before);
}

#[test]
fn a_wrong_command_line_is_a_usage_error_of_one_line() {
    let world = World::new();
    let _ = world.aged(400);
    let before = world.snapshot();
    for args in [
        "frobnicate",
        "help-me list",
        "--frobnicate list",
        "list --frobnicate",
        "list -Z",
        "-v",
        "validate",
        "touch",
        "touch --at",
        "touch --no-create",
        "prune",
        "prune --yes",
        "prune --yes --older-than",
        "prune --yes --use-mtime --keep-last 1",
        "-v -q list",
        "list -q -v",
        "list --sort colour",
        "list --status lost",
        "list --format xml",
        "list --limit -1",
        "list --limit many",
        "--color sometimes list",
        "prune --yes --older-than 1d --jobs 0",
        "prune --yes --older-than 1d --exclude nonsense",
        "prune --yes --older-than 1d --max-delete 101%",
        "prune --yes --older-than 1d --keep-last -1",
        "prune --yes --max-total-size 10XB",
        "prune --yes --max-total-size -1",
        "prune --yes --min-free 200%",
        "prune --older-than 1d",
    ] {
        let ran = world.wsctl(args.split(' ')).run().sanely().exits(2).prints("");
        ran.complains("error[usage]: ");
    }
    world.wsctl([""; 0]).run().sanely().exits(2).prints("").mentions("Usage: wsctl");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn control_characters_in_a_value_are_shown_escaped_not_swallowed() {
    let world = World::new();
    for args in [&["list", "--older-than"][..], &["list", "--limit"], &["touch", "--at"], &["touch"]] {
        let ran = world.wsctl(with(args, "\u{1b}[31m")).run().sanely().exits(2).prints("");
        ran.complains("'\\u{1b}[31m'");
    }
}

#[test]
fn nothing_from_the_command_line_reaches_stderr_raw() {
    let world = World::new();
    let nasty = [b"\x1b]0;owned\x07\x1b[31m\r\n\x08".as_slice(), "\u{9b}1m\u{202e}txt\u{202c}".as_bytes(), b"\xff\x1b"];
    for nasty in nasty.map(OsStr::from_bytes) {
        let flag = as_arg(&[b"--", nasty.as_bytes()].concat());
        for args in [
            &[][..],
            &["list", "--base"],
            &["list", "--older-than"],
            &["list", "--sort"],
            &["list", "--status"],
            &["list", "--limit"],
            &["list", "--color"],
            &["list"],
            &["touch"],
            &["touch", "--at"],
            &["prune", "--yes"],
            &["prune", "--yes", "--max-total-size"],
            &["prune", "--yes", "--older-than", "1d", "--exclude"],
            &["prune", "--yes", "--older-than", "1d", "--exclude-from"],
        ] {
            let ran = world.wsctl(with(args, nasty)).run().sanely();
            assert!([2, 66].contains(&ran.status), "{ran:#?}");
            ran.complains("error[");
            world.wsctl(with(args, &flag)).run().sanely().complains("error[");
        }
    }
}
