//! `wsctl touch`: what it writes, what it leaves as it was, and how it takes its IDs.

use crate::world::{ORDINARY_USER, World, chmod};
use chrono::{DateTime, Utc};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

const AT: &str = "2026-11-23T15:51:30.783208Z";
const WRITTEN: &str = "2026-11-23T15:51:30.783208+00:00";
const ABSENT: &str = "00000000-0000-4000-8000-000000000000";

/// Permission bits, owner and group.
fn rights(path: &Path) -> (u32, u32, u32) {
    let stat = path.symlink_metadata().expect("a stat");
    (stat.mode() & 0o7777, stat.uid(), stat.gid())
}

/// The names in a workspace, sorted.
fn names_in(world: &World, id: &str) -> Vec<String> {
    let entries = fs::read_dir(world.dir_of(id)).expect("the workspace");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

#[test]
fn only_the_bytes_of_the_one_value_change() {
    let world = World::new();
    for (before, after) in [
        ("{\"last_accessed\":\"2020-01-01T00:00:00Z", "\"}"),
        ("{\n  \"session_id\": \"x\",\n  \"last_accessed\": \"2026-11-23T15:51:30.783208+00:00Z", "\"\n}"),
        ("\r\n\t{ \"last_accessed\"\n:\t\"2020-01-01T00:00:00", "\" ,\"z\":[1 ,2.50,-0,1E+2],\"a\":null }\n\n"),
        ("{\"n\":123456789012345678901234567890.10,\"last_accessed\":\"2020-01-01T00:00:00+02:00", "\",\"n\":1}"),
        (
            "{\"d\":\"\\u00e9\\ud800\\/é\",\"last\\u005faccessed\":\"2020-01-01T00:00:00.5Z",
            "\",\"\":{\"last_accessed\":1}}",
        ),
        ("{\"last_accessed\":\"2020\\u002d01-01T00:00:00Z", "\"}"),
    ] {
        let id = world.workspace().metadata([before, after].concat()).file("data/laps.csv", b"1,2").make();
        world.wsctl(["touch", "--at", AT, &id]).run().exits(0).prints("").quietly();
        let start = &before[..=before.rfind("\"20").expect("a value")];
        assert_eq!(world.read_metadata(&id), [start, WRITTEN, after].concat());
        assert_eq!(names_in(&world, &id), [".metadata.json", "data"]);
    }
}

#[test]
fn a_missing_key_is_appended_in_the_style_of_the_file() {
    let world = World::new();
    for (before, after) in [
        ("{\n  \"session_id\": \"x\"\n}", "{\n  \"session_id\": \"x\",\n  \"last_accessed\": \"T\"\n}"),
        ("{\"a\":1,\"b\":[]}", "{\"a\":1,\"b\":[],\"last_accessed\":\"T\"}"),
        ("{\r\n\t\"a\" : 1\r\n}\r\n", "{\r\n\t\"a\" : 1,\r\n\t\"last_accessed\" : \"T\"\r\n}\r\n"),
        ("{\"a\": {\"last_accessed\": 7}}", "{\"a\": {\"last_accessed\": 7},\"last_accessed\": \"T\"}"),
        ("{}", "{\"last_accessed\": \"T\"}"),
    ] {
        let id = world.workspace().metadata(before).make();
        world.wsctl(["touch", "--no-create", "--at", AT, &id]).run().exits(0).prints("").quietly();
        assert_eq!(world.read_metadata(&id), after.replace('T', WRITTEN));
    }
}

#[test]
fn what_is_written_is_a_time_that_python_reads_with_its_offset() {
    needs!("python3");
    let world = World::new();
    for (at, written) in [
        ("2026-11-23T15:51:30Z", "2026-11-23T15:51:30.000000+00:00"),
        ("2026-11-23T15:51:30.783208999Z", "2026-11-23T15:51:30.783208+00:00"),
        ("2026-11-23T15:51:30.5+02:00", "2026-11-23T13:51:30.500000+00:00"),
        ("2026-11-23T15:51:30-11:30", "2026-11-24T03:21:30.000000+00:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000+00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000000+00:00"),
    ] {
        for id in [world.workspace().make(), world.workspace().make_without_metadata()] {
            world.wsctl(["touch", "--at", at, &id]).run().exits(0).prints("");
            let json: serde_json::Value = world.json_of(&id);
            assert_eq!(json["last_accessed"], written, "{at}");
            let read = "import sys, datetime; v = sys.argv[1]; \
                time = datetime.datetime.fromisoformat(v.rstrip('Z')); \
                assert time.utcoffset() is not None and time.isoformat(timespec='microseconds') == v";
            assert!(Command::new("python3").args(["-c", read, written]).status().expect("python3").success(), "{at}");
        }
    }
}

#[test]
fn without_at_the_time_is_now() {
    let world = World::new();
    let (old, missing) = (world.aged(30), world.workspace().make_without_metadata());
    let before = Utc::now();
    world.wsctl(["touch", &old, &missing]).run().exits(0).prints("").complains(&missing);
    let after = Utc::now();
    for id in [old, missing] {
        let json: serde_json::Value = world.json_of(&id);
        let written = json["last_accessed"].as_str().expect("a time").to_owned();
        let time = DateTime::parse_from_rfc3339(&written).expect("RFC 3339").to_utc();
        assert!(time >= before - chrono::TimeDelta::microseconds(1) && time <= after, "{before} {time} {after}");
    }
}

#[test]
fn a_time_that_is_not_rfc_3339_is_a_usage_error_and_nothing_is_touched() {
    let world = World::new();
    let (id, _) = (world.aged(1), world.workspace().make_without_metadata());
    let before = world.snapshot();
    for at in [
        "",
        "now",
        "1700000000",
        "2026-11-23",
        "2026-11-23T15:51:30",
        "2026-11-23T15:51:30+00:00Z",
        "2026-11-23T15:51Z",
        "2026-02-30T15:51:30Z",
        "2026-11-23T15:51:30.1234567890Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "99999-01-01T00:00:00Z",
    ] {
        world.wsctl(["touch", "--at", at, &id]).run().exits(2).prints("").complains("error[usage]: ");
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_missing_file_is_made_anew_with_a_warning_or_left_missing() {
    let world = World::new();
    let id = world.workspace().make_without_metadata();
    let before = world.snapshot();
    for option in ["-c", "--no-create"] {
        world.wsctl(["touch", option, &id]).run().exits(66).prints("").complains("warning[not-found]: ");
    }
    assert_eq!(world.snapshot(), before);
    let warning = format!("warning[not-found]: workspace {id}: .metadata.json is missing");
    // Whatever the umask of whoever runs it.
    let sh = ["sh", "-c", "umask 0; exec \"$@\"", "sh"];
    world.wsctl(["touch", "--at", AT, &id]).through(sh).run().exits(0).prints("").complains(&warning);
    assert_eq!(
        world.read_metadata(&id),
        format!(
            "{{\n  \"workspace_id\": \"{id}\",\n  \"created_at\": \"{WRITTEN}\",\n  \"last_accessed\": \"{WRITTEN}\"\n}}"
        )
    );
    assert_eq!(rights(&world.metadata_of(&id)).0, 0o600);
    assert_eq!(names_in(&world, &id), [".metadata.json"]);
}

#[test]
fn corrupt_metadata_is_never_overwritten() {
    let world = World::new();
    for corrupt in [
        "",
        "null",
        "[]",
        "{\"last_accessed\":",
        "{\"last_accessed\":null}",
        "{\"last_accessed\":1700000000}",
        "{\"last_accessed\":\"yesterday\"}",
        "{\"last_accessed\":\"2020-01-01T00:00:00Z\",\"last_accessed\":\"2020-01-01T00:00:00Z\"}",
    ] {
        let id = world.workspace().metadata(corrupt).make();
        let before = world.snapshot();
        let error = format!("error[corrupt-metadata]: workspace {id}: ");
        world.wsctl(["touch", "--at", AT, &id]).run().exits(65).prints("").complains(&error);
        assert_eq!(world.snapshot(), before, "{corrupt}");
    }
}

#[test]
fn metadata_that_is_no_regular_file_is_corrupt_and_left_alone_without_waiting() {
    let world = World::new();
    let target = world.aged(1);
    let (link, dangling, fifo, dir, socket) = (
        world.workspace().make_without_metadata(),
        world.workspace().make_without_metadata(),
        world.workspace().make_without_metadata(),
        world.workspace().make_without_metadata(),
        world.workspace().make_without_metadata(),
    );
    symlink(world.metadata_of(&target), world.metadata_of(&link)).expect("a link");
    symlink("nowhere", world.metadata_of(&dangling)).expect("a link");
    assert!(Command::new("mkfifo").arg(world.metadata_of(&fifo)).status().expect("mkfifo").success());
    fs::create_dir(world.metadata_of(&dir)).expect("a directory");
    let _listener = UnixListener::bind(world.metadata_of(&socket)).expect("a socket");
    let before = world.snapshot();
    for id in [link, dangling, fifo, dir, socket] {
        world.wsctl(["touch", &id]).run().exits(65).prints("").complains("error[corrupt-metadata]: ");
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn mode_and_owner_stay_whoever_runs_it_and_whatever_his_umask() {
    let world = World::new();
    let ids = [world.aged(1), world.aged(2)];
    for (id, mode) in ids.iter().zip([0o640, 0o4755]) {
        chmod(world.metadata_of(id), mode);
    }
    let sh = ["sh", "-c", "umask 777; exec \"$@\"", "sh"];
    let before = ids.each_ref().map(|id| rights(&world.metadata_of(id)));
    world.wsctl(["touch", "--at", AT, &ids[0], &ids[1]]).through(sh).run().exits(0).quietly();
    assert_eq!(ids.each_ref().map(|id| rights(&world.metadata_of(id))), before);
    assert!(ids.iter().all(|id| world.read_metadata(id).contains(WRITTEN)));
}

#[test]
fn an_ordinary_users_files_stay_his_also_when_root_touches_them() {
    needs!("root", "setpriv");
    let world = World::new();
    for as_root in [true, false] {
        let (old, missing) = (world.aged(1), world.workspace().make_without_metadata());
        chmod(world.metadata_of(&old), 0o640);
        world.give_away();
        let run = world.wsctl(["touch", "--at", AT, &old, &missing]);
        let run = if as_root { run } else { run.by_ordinary_user() };
        let _ = run.run().exits(0).prints("").complains("created anew");
        assert!(world.read_metadata(&old).contains(WRITTEN) && world.read_metadata(&missing).contains(WRITTEN));
        assert_eq!(rights(&world.metadata_of(&old)), (0o640, ORDINARY_USER, ORDINARY_USER));
        assert_eq!(rights(&world.metadata_of(&missing)), (0o600, ORDINARY_USER, ORDINARY_USER));
    }
}

#[test]
fn another_name_of_the_metadata_file_keeps_its_content() {
    let world = World::new();
    let id = world.aged(3);
    let (other, before) = (world.path("other"), world.read_metadata(&id));
    fs::hard_link(world.metadata_of(&id), &other).expect("a link");
    world.wsctl(["touch", "--at", AT, &id]).run().exits(0).quietly();
    assert_eq!(fs::read_to_string(other).expect("the other"), before);
    assert!(world.read_metadata(&id).contains(WRITTEN));
}

#[test]
fn ids_come_in_any_case_and_number_also_from_stdin() {
    let world = World::new();
    let [a, b, c] = [1, 2, 3].map(|days| world.aged(days));
    for (args, stdin) in [
        (vec![a.to_uppercase(), b.clone(), a.clone(), c.clone(), c.clone()], String::new()),
        (vec!["-".to_owned()], format!("{a}\n\n{}\r\n\r\n{c}\n{c}", b.to_uppercase())),
        (vec!["-0".to_owned(), "-".to_owned()], format!("{a}\0{b}\0\0{c}")),
        (vec![a.clone(), "-".to_owned(), b.clone()], format!("{c}\n")),
    ] {
        let all = ["touch".to_owned(), "--at".to_owned(), "2001-01-01T00:00:00Z".to_owned()];
        world.wsctl(all.iter().chain([&a, &b, &c])).run().exits(0).quietly();
        let touch = ["touch".to_owned(), "--at".to_owned(), AT.to_owned()];
        world.wsctl(touch.iter().chain(&args)).stdin(stdin).run().exits(0).prints("").quietly();
        assert!([&a, &b, &c].iter().all(|id| world.read_metadata(id).contains(WRITTEN)), "{args:?}");
    }
    assert_eq!(world.names().len(), 3);
}

#[test]
fn one_bad_item_does_not_stop_the_others_and_the_gravest_decides() {
    let world = World::new();
    let (corrupt, untouched) = (world.workspace().metadata("[").make(), world.aged(9));
    let before = world.read_metadata(&untouched);
    for (bad, status, word) in
        [("nonsense", 2, "invalid-id"), (ABSENT, 66, "not-found"), (&corrupt, 65, "corrupt-metadata")]
    {
        let (first, last) = (world.aged(1), world.aged(2));
        let touch = ["touch", "--at", AT, &first, bad, &last];
        world.wsctl(touch).run().exits(status).prints("").complains(&format!("[{word}]: "));
        assert!([first, last].iter().all(|id| world.read_metadata(id).contains(WRITTEN)), "{bad}");
    }
    let all = world.wsctl(["touch", ABSENT, "nonsense", &corrupt, ABSENT]).run().exits(65).prints("");
    assert_eq!(all.stderr.lines().count(), 4, "{all:#?}");
    assert_eq!(world.read_metadata(&untouched), before);
}

#[test]
fn what_is_no_workspace_is_not_found_and_nothing_behind_a_link_is_touched() {
    let world = World::new();
    let target = world.aged(1);
    let names = [1, 2, 3, 4].map(|n| ABSENT.replace("00000000", &n.to_string().repeat(8)));
    symlink(world.dir_of(&target), world.dir_of(&names[0])).expect("a link");
    symlink("nowhere", world.dir_of(&names[1])).expect("a link");
    fs::write(world.dir_of(&names[2]), "").expect("a file");
    assert!(Command::new("mkfifo").arg(world.dir_of(&names[3])).stdin(Stdio::null()).status().unwrap().success());
    let before = world.snapshot();
    for id in names.iter().map(String::as_str).chain([ABSENT]) {
        let warning = format!("warning[not-found]: workspace {id}: does not exist");
        world.wsctl(["touch", id]).run().exits(66).prints("").complains(&warning);
    }
    assert_eq!(world.snapshot(), before);
}
