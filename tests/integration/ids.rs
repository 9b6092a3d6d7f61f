//! IDs as arguments and on stdin, for every subcommand that takes them: which are well formed, what is a workspace, and that a
//! bad one stops no other.

use crate::tools::{set_aside, text, tool};
use crate::world::{World, ids_in, numbered, odd_name, sorted};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

/// The time of a touch, unlike any other.
const TIME: &str = "2001-02-03T04:05:06Z";

/// Each subcommand on the IDs on stdin.
const COMMANDS: [&[&str]; 4] =
    [&["validate", "-"], &["touch", "--at", TIME, "-"], &["list", "--format", "ids", "-"], &["prune", "--yes", "-"]];

/// Each subcommand on an ID that follows.
const ON_ID: [&[&str]; 4] =
    [&["touch"], &["list"], &["prune", "--yes"], &["prune", "--yes", "--older-than", "1d", "--format", "json"]];

/// These arguments, and one more.
pub fn with(args: &[&str], last: impl AsRef<OsStr>) -> Vec<OsString> {
    args.iter().map(OsString::from).chain([last.as_ref().to_owned()]).collect()
}

fn is_touched(world: &World, id: &str) -> bool {
    world.metadata_of(id).exists() && world.read_metadata(id).contains(&TIME[..19])
}

#[test]
fn every_subcommand_acts_on_the_ids_on_stdin_by_line_or_by_nul() {
    // The last item may lack its end, and an ID may be in upper case.
    let all = ["A\nB\n", "A\r\nB", "\n\r\nA\n\n\nB\n\r\n", "A\0B\0", "A\0\0B"];
    for (stdin, command) in all.into_iter().flat_map(|stdin| COMMANDS.map(|command| (stdin, command))) {
        let (world, [a, b, c]) = World::with_each_aged([1, 2, 3]);
        let is_null = stdin.contains('\0');
        let args = [command, if is_null { &["-0"] } else { &[] }].concat();
        let stdin = stdin.replace('A', &a).replace('B', &b.to_uppercase());
        let ran = world.wsctl(args).stdin(stdin).run().exits(0).quietly();
        match command[0] {
            "list" if is_null => drop(ran.prints(&format!("{a}\0{b}\0"))),
            "list" | "validate" => drop(ran.prints(&format!("{a}\n{b}\n"))),
            "touch" => assert_eq!([&a, &b, &c].map(|id| is_touched(&world, id)), [true, true, false]),
            _ => assert_eq!(world.names(), [c]),
        }
    }
}

#[test]
fn an_empty_stdin_names_no_workspace_and_one_that_cannot_be_read_is_an_io_error() {
    let world = World::new();
    let _ = (world.aged(400), world.workspace().make_without_metadata());
    let before = world.snapshot();
    let by_rules: [&[&str]; 2] = [&["prune", "-y", "--older-than", "1d"], &["prune", "-y", "--max-total-size", "0B"]];
    for args in COMMANDS.into_iter().chain(by_rules) {
        let args = args.strip_suffix(&["-"]).unwrap_or(args);
        for (stdin, null) in [("", "-q"), ("\n", "-q"), ("\n\r\n\r\n", "-q"), ("", "-0")] {
            let status = i32::from(args[0] == "validate"); // nobody was told yes
            let ran = world.wsctl([args, &[null, "-"]].concat()).stdin(stdin).run().sanely().exits(status).quietly();
            assert!(args[0] == "prune" || ran.stdout.is_empty(), "{ran:#?}");
        }
        // nohup(1) leaves it open only for writing.
        for redirection in ["<&-", "0>/dev/null", "</"] {
            let run = world.wsctl([args, &["-"]].concat()).through_sh(&format!("exec \"$@\" {redirection}"));
            run.run().sanely().exits(74).prints("").complains("error[io]: cannot read stdin: ");
        }
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn one_bad_item_never_stops_the_others_each_is_reported_once_and_a_dash_may_stand_among_them() {
    let (world, corrupt) = World::with(|it| it.id(&numbered(7)).metadata("no JSON"));
    for is_stdin in [false, true] {
        let [a, b] = [8, 9].map(|days| world.aged(days));
        let items = [&a, &numbered(0), "nonsense", &format!(" {a}"), &corrupt, &b];
        // For the order of all categories see the test beside the code.
        let run = |command: &[&str], status, reported: &[&str]| {
            let args = if is_stdin { &[items[0], "-", items[5]][..] } else { &items };
            let ran = world.wsctl([command, args].concat()).stdin(items[1..5].join("\n")).run().exits(status);
            let category = |line: &str| line.split(['[', ']']).nth(1).expect("a category").to_owned();
            assert_eq!(sorted(ran.stderr.lines().map(category)), sorted(reported), "{ran:#?}");
            ran
        };
        let bad = ["not-found", "invalid-id", "invalid-id"];
        let _ = run(&["validate"], 1, &[]).prints(&format!("{a}\n{corrupt}\n{b}\n"));
        let _ = run(&["list", "--format", "ids"], 2, &bad).prints(&format!("{a}\n{b}\n{corrupt}\n"));
        let _ = run(&["touch", "--at", TIME], 65, &[&bad[..], &["corrupt-metadata"]].concat());
        assert!(is_touched(&world, &a) && is_touched(&world, &b));
        assert_eq!(world.read_metadata(&corrupt), "no JSON");
        let _ = run(&["prune", "--yes", "--max-delete", "0"], 78, &[&bad[..], &["refused"]].concat());
        let _ = run(&["prune", "--yes"], 2, &bad);
        assert_eq!(world.names(), [""; 0]);
        let _ = world.workspace().id(&corrupt).metadata("no JSON").make();
    }
}

#[test]
fn an_id_in_upper_case_and_the_path_of_a_workspace_in_the_base_are_taken_for_its_id() {
    let world = World::new();
    let base = text(&world.base()).to_owned();
    for (given, before, after) in
        [(&*base, "", "/"), (&base, &*format!("{base}/"), "/"), ("base", "base/", ""), ("./base//", "./base//", "//")]
    {
        let id = world.aged(1);
        let path = format!("{before}{}{after}", id.to_uppercase());
        for command in [&["touch", "--at", TIME][..], &["list", "--format", "ids"], &["prune", "-qy"]] {
            let ran = world.bare([&["-b", given], command, &[&path]].concat()).run().exits(0).quietly();
            assert_eq!(ran.stdout.contains(&id), command[0] == "list", "{ran:#?}");
            assert!(command[0] == "prune" || is_touched(&world, &id), "{ran:#?}");
        }
        assert_eq!(world.names(), [""; 0]);
    }
}

/// Asserts that no subcommand takes this for an ID, as an argument or, with these options, on stdin, and what each advises.
fn is_refused(world: &World, bad: impl AsRef<[u8]>, stdin: Option<&[&str]>, advice: &str) {
    let bad = bad.as_ref();
    let given = |args: &[&str]| match stdin {
        None => world.wsctl(with(args, OsStr::from_bytes(bad))),
        Some(options) => world.wsctl([args, options, &["-"]].concat()).stdin(bad),
    };
    for args in ON_ID {
        let ran = given(args).run().sanely().exits(2).complains("error[invalid-id]: ").complains(advice);
        assert!(ran.stderr.len() < 1000, "{ran:#?}");
    }
    given(&["validate"]).run().exits(1).prints("").quietly();
    given(&["validate", "-v"]).run().sanely().exits(1).complains("malformed");
    let json = given(&["validate", "--format", "json"]).run().sanely().exits(1).quietly().json();
    assert!(json[0]["valid"] == false && json[0]["id"].is_null(), "{json}");
}

#[test]
fn a_malformed_id_is_refused_in_one_line_and_nothing_is_lost() {
    let world = World::new();
    let (id, advice) = (world.aged(400), "write a UUID of 36 characters");
    let before = world.snapshot();
    let long = "x".repeat(100_000);
    for bad in ["", "\n", ".", "../..", "/", "nonsense", "é", "ID/..", " ID", "ID\n", "{ID}", &id[1..], &long] {
        is_refused(&world, bad.replace("ID", &id), None, advice);
    }
    is_refused(&world, [0xff; 36], None, advice);
    for line in ["ID\0ID\0", "ID ID", " ID", "\u{feff}ID", &format!("ID{}", "x".repeat(10_000_000))] {
        is_refused(&world, line.replace("ID", &id), Some(&[]), advice);
    }
    for item in ["ID\nID\n", "ID\r\n"] {
        is_refused(&world, item.replace("ID", &id), Some(&["--null"]), advice);
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn another_path_is_refused_with_the_id_to_write() {
    let (world, id) = World::with_aged(400);
    symlink("base", world.path("link")).and_then(|()| symlink(".", world.path("base/self"))).expect("links");
    let before = world.snapshot();
    let base = text(&world.base()).to_owned();
    let advice = format!("write only the ID, {id}");
    for parent in ["link/", "base/", "./", "../", "/", "self/", &format!("{base}/../base/")] {
        is_refused(&world, format!("{parent}{id}"), None, &advice);
    }
    let slash = format!("{id}/");
    is_refused(&world, &slash, Some(&[]), &advice);
    for path in [&slash, &format!("{base}/{id}")] {
        let _ = world.wsctl(["validate", path]).run().exits(1).prints("").quietly();
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_link_a_file_a_socket_a_fifo_and_a_directory_of_another_name_are_no_workspaces() {
    let (world, ours) = World::with(|it| it.id(&numbered(0xa)));
    let [link, dangling, file, socket, fifo, absent] = [1, 2, 3, 4, 5, 6].map(numbered);
    symlink(world.dir_of(&ours), world.dir_of(&link)).expect("a link");
    symlink("nowhere", world.dir_of(&dangling)).expect("a link");
    fs::write(world.dir_of(&file), "").expect("a file");
    let _socket = UnixListener::bind(world.dir_of(&socket)).expect("a socket");
    tool(&["mkfifo", text(&world.dir_of(&fifo))]);
    let upper = world.workspace().id(&numbered(0xabc).to_uppercase()).make();
    let also_lower = ours.to_uppercase(); // it must not make ours appear twice
    for name in ["monaco-2024", &also_lower] {
        let _ = world.workspace().id(name).make();
    }
    fs::create_dir(odd_name(&world.base())).expect("a directory");
    let (lower, slash) = (upper.to_lowercase(), format!("{link}/"));
    let before = world.snapshot();
    for id in [&link, &dangling, &file, &socket, &fifo, &absent, &upper, &lower, &slash] {
        let warning = format!("warning[not-found]: workspace {}: does not exist", id[..36].to_lowercase());
        let list = world.wsctl(["list", "--format", "ids", id, &ours]).run().exits(66).complains(&warning);
        let _ = list.prints(&format!("{ours}\n"));
        world.wsctl(["touch", id]).run().exits(66).prints("").complains(&warning);
        world.wsctl(["prune", "-qy", id]).run().exits(66).prints("").quietly();
        world.wsctl(["prune", "-y", id]).run().exits(66).complains(&warning);
        world.wsctl(["validate", id]).run().exits(1).prints("").quietly();
    }
    assert_eq!(world.snapshot(), before);
    for stage in ["claimed", "doomed"] {
        set_aside(&world, stage, &world.aged(1));
    }
    let all = world.wsctl(["list", "--format", "json"]).run().exits(0).quietly().json();
    assert_eq!((&all["total"], ids_in(&all["workspaces"])), (&1.into(), vec![ours]));
}
