//! IDs as arguments and on stdin, for every subcommand that takes them: which are well formed, what is a workspace, and that a
//! bad one stops no other.

use crate::tools::text;
use crate::tools::tool;
use crate::world::{World, ids_in, numbered, sorted};
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

#[test]
fn every_subcommand_acts_on_the_ids_on_stdin_by_line_or_by_nul() {
    type Stdin = fn(&str, &str) -> String;
    let by_line: [Stdin; 4] = [
        |a, b| format!("{a}\n{b}\n"),
        |a, b| format!("{a}\r\n{b}"), // the last line may lack its end
        |a, b| format!("\n\r\n{a}\n\n\n{b}\n\r\n"),
        |a, b| format!("{}\n{}\n", a.to_uppercase(), b.to_uppercase()),
    ];
    let by_nul: [Stdin; 2] = [|a, b| format!("{a}\0{b}\0"), |a, b| format!("{a}\0\0{b}")];
    let all = by_line.map(|stdin| (stdin, &[][..])).into_iter().chain(by_nul.map(|stdin| (stdin, &["-0"][..])));
    for ((stdin, null), command) in all.flat_map(|how| COMMANDS.map(|command| (how, command))) {
        let world = World::new();
        let [a, b, c] = [1, 2, 3].map(|days| world.aged(days));
        let ran = world.wsctl([command, null].concat()).stdin(stdin(&a, &b)).run().exits(0).quietly();
        let touched = |id: &&String| world.metadata_of(id).exists() && world.read_metadata(id).contains(&TIME[..19]);
        match command[0] {
            "validate" => _ = ran.prints(&format!("{a}\n{b}\n")),
            "list" => {
                assert_eq!(ran.stdout, format!("{a}\n{b}\n").replace('\n', if null.is_empty() { "\n" } else { "\0" }));
            }
            "touch" => assert_eq!([&a, &b, &c].into_iter().filter(touched).collect::<Vec<_>>(), [&a, &b]),
            _ => assert_eq!(world.names(), [c]),
        }
    }
}

#[test]
fn an_empty_stdin_names_no_workspace_and_prunes_none() {
    let world = World::new();
    let _ = (world.aged(400), world.workspace().make_without_metadata());
    let before = world.snapshot();
    let by_rules: [&[&str]; 2] = [&["prune", "-y", "--older-than", "1d"], &["prune", "-y", "--max-total-size", "0B"]];
    for (args, stdin) in ON_ID
        .into_iter()
        .chain(by_rules)
        .chain([&["validate"][..]])
        .flat_map(|args| ["", "\n", "\n\r\n\r\n"].map(|stdin| (args, stdin)))
    {
        let status = i32::from(args[0] == "validate"); // nobody was told yes
        let ran = world.wsctl(with(args, "-")).stdin(stdin).run().sanely().exits(status).quietly();
        assert!(args[0] == "prune" || ran.lines().len() < 2, "{ran:#?}");
        world.wsctl(with(&[args, &["-0"]].concat(), "-")).run().exits(status).quietly();
    }
    world.wsctl(["list", "--format", "ids", "-"]).run().exits(0).prints("");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_dash_may_stand_among_ids() {
    let world = World::new();
    let [a, b, c] = [1, 2, 3].map(|days| world.aged(days));
    let validate = world.wsctl(["validate", &c, "-", &a]).stdin(format!("{b}\n")).run();
    let _ = validate.exits(0).prints(&format!("{c}\n{b}\n{a}\n")).quietly();
}

#[test]
fn a_bad_line_on_stdin_does_not_stop_those_after_it() {
    let world = World::new();
    let (a, b) = (world.aged(1), world.aged(2));
    let stdin = format!("{a}\nnonsense\n {a}\n{}\n{b}\n", numbered(0));
    let list = world.wsctl(["list", "--format", "ids", "-"]).stdin(stdin).run().exits(2);
    let list = list.prints(&format!("{a}\n{b}\n")).mentions("'nonsense'").mentions(&format!("' {a}'"));
    let _ = list.mentions("warning[not-found]: ");
}

#[test]
fn ids_are_upper_or_lower_case_on_input_and_lower_case_on_output_and_on_disk() {
    let world = World::new();
    let id = world.workspace().id(&numbered(0xabc_def)).make();
    let upper = id.to_uppercase();
    assert_ne!(id, upper);
    let run = |args: &[&str]| world.wsctl(args).run().exits(0).quietly();
    let _ = run(&["validate", &upper]).prints(&format!("{id}\n"));
    let answers = run(&["validate", "--format", "json", &upper]).json();
    assert_eq!(answers, serde_json::json!([{"input": upper, "id": id, "valid": true}]));
    let _ = run(&["list", "--format", "ids", &upper]).prints(&format!("{id}\n"));
    let _ = run(&["touch", "--at", TIME, &upper]);
    assert!(world.read_metadata(&id).contains(&TIME[..19]) && world.names() == [&id[..]]);
    let kept = run(&["prune", "-y", "--older-than", "1d", "--exclude", &upper, "--format", "json"]).json();
    assert_eq!(kept["pruned"], serde_json::json!([]));
    let pruned = run(&["prune", "-y", "--format", "json", &upper]).json();
    assert_eq!((ids_in(&pruned["pruned"]), world.names()), (sorted([id]), vec![]));
}

/// Each subcommand that takes the path of a workspace, with this argument.
fn on_path(path: &str) -> [Vec<&str>; 3] {
    [vec!["touch", "--at", TIME, path], vec!["list", "--format", "ids", path], vec!["prune", "-qy", path]]
}

#[test]
fn the_path_of_a_workspace_in_the_base_is_taken_for_its_id() {
    let world = World::new();
    let base = text(&world.base()).to_owned();
    for (given, before) in [(&*base, ""), (&base, &*format!("{base}/")), ("base", "base/"), ("./base//", "./base//")] {
        for after in ["", "/", "//"] {
            if before.len() + after.len() == 0 {
                continue;
            }
            let id = world.aged(1);
            let path = format!("{before}{}{after}", id.to_uppercase());
            for command in on_path(&path) {
                let ran = world.bare([&["-b", given], &command[..]].concat()).run().exits(0).quietly();
                assert_eq!(ran.stdout.contains(&id), command[0] == "list", "{ran:#?}");
            }
            assert_eq!(world.names(), [""; 0]);
        }
    }
}

#[test]
fn another_path_is_refused_with_the_id_to_write() {
    let world = World::new();
    let id = world.aged(1);
    symlink("base", world.path("link")).and_then(|()| symlink(".", world.path("base/self"))).expect("links");
    let before = world.snapshot();
    let base = text(&world.base()).to_owned();
    let paths = ["link/", "base/", "./", "../", "/", "/srv/other/", "self/", &format!("{base}/../base/")];
    for path in paths.map(|before| format!("{before}{id}")) {
        for command in on_path(&path) {
            let ran = world.wsctl(command).run().exits(2).prints("").complains("error[invalid-id]: ");
            assert!(ran.stderr.contains(&format!("write {id}")), "{ran:#?}");
        }
    }
    let (slash, dots) = (format!("{id}/"), format!("{id}/.."));
    for command in on_path(&dots) {
        let _ = world.wsctl(command).run().exits(2).prints("").complains("a UUID of 36 characters");
    }
    for command in on_path("-") {
        let _ = world.wsctl(command).stdin(&*slash).run().exits(2).prints("").complains(&format!("write {id}"));
    }
    for command in on_path("--") {
        let _ = world.wsctl([&command[..], &[&slash]].concat()).run().exits(2).prints("").complains("[invalid-id]");
    }
    for text in [&slash, &format!("{base}/{id}")] {
        let _ = world.wsctl(["validate", text]).run().exits(1).prints("").quietly();
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_malformed_id_is_refused_in_one_line_and_nothing_is_lost() {
    let world = World::new();
    let id = world.aged(400);
    let long = "x".repeat(100_000);
    let mut bad: Vec<OsString> = ["", " ", "\t", "\n", ".", "..", "../..", "/", "*", "nonsense", "é", &long]
        .map(OsString::from)
        .into_iter()
        .chain(
            [b"\xff\xfe".as_slice(), &[0xff; 36], b"\x1b[31m\x07", "\u{202e}\u{9b}".as_bytes()]
                .map(|bytes| OsStr::from_bytes(bytes).to_owned()),
        )
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

#[test]
fn a_line_on_stdin_that_is_no_id_is_one_bad_item_and_changes_nothing() {
    let world = World::new();
    let id = world.aged(400);
    let long = "x".repeat(10_000_000);
    let before = world.snapshot();
    for (bad, option) in [
        (format!("{id}\0{id}\0"), "--no-create"),
        (format!("{id}\0"), "--no-create"),
        (format!("{id}\n{id}\n"), "--null"),
        (format!("{id}\r\n"), "--null"),
        (format!("{id} {id}"), "--no-create"),
        (format!(" {id}"), "--no-create"),
        (format!("\u{feff}{id}"), "--no-create"),
        ("\u{1b}]0;owned\u{7}".to_owned(), "--no-create"),
        (format!("{id}{long}"), "--no-create"),
    ] {
        let ran = world.wsctl(["touch", option, "-"]).stdin(&*bad).run().sanely().exits(2).prints("");
        let ran = ran.complains("error[invalid-id]: ");
        assert!(ran.stderr.len() < 1000, "{ran:#?}");
        let option = if option == "--null" { "-0" } else { "-q" };
        for args in [&["list", "--format", "ids"][..], &["prune", "--yes"]] {
            let args = with(&[args, &[option]].concat(), "-");
            world.wsctl(args).stdin(&*bad).run().sanely().exits(2).complains("error[invalid-id]: ");
        }
        world.wsctl(["validate", option, "-"]).stdin(&*bad).run().exits(1).prints("").quietly();
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_hundred_thousand_ids_on_stdin_are_all_looked_up() {
    let world = World::new();
    let id = world.workspace().accessed("2020-01-01T00:00:00Z").make();
    let mut stdin: Vec<_> = (1..100_000).map(|number| format!("{number:08x}-0000-4000-8000-000000000000")).collect();
    stdin.insert(50_000, id.clone());
    let stdin = stdin.join("\n");
    let found = format!("{id}\n");
    world.wsctl(["validate", "-"]).stdin(&*stdin).run().exits(1).prints(&found).quietly();
    for (args, stdout) in [(&["touch", "-"][..], ""), (&["list", "--format", "ids", "-"], &found)] {
        let ran = world.wsctl(args).stdin(&*stdin).run().sanely().exits(66).prints(stdout);
        let reported = ran.stderr.lines().filter(|line| line.starts_with("warning[not-found]: workspace ")).count();
        assert_eq!((reported, ran.stderr.lines().count()), (99_999, 99_999));
    }
    assert!(!world.read_metadata(&id).contains("2020-01-01"));
    let prune = world.wsctl(["prune", "--yes", "-"]).stdin(stdin).run().sanely().exits(66);
    assert_eq!(prune.stderr.lines().count(), 99_999);
    assert!(world.names().is_empty());
}

#[test]
fn a_link_a_file_a_socket_a_fifo_and_an_upper_case_directory_are_no_workspaces() {
    let world = World::new();
    let ours = world.aged(1);
    let [link, dangling, file, socket, fifo, absent] = [1, 2, 3, 4, 5, 6].map(numbered);
    symlink(world.dir_of(&ours), world.dir_of(&link)).expect("a link");
    symlink("nowhere", world.dir_of(&dangling)).expect("a link");
    fs::write(world.dir_of(&file), "").expect("a file");
    let _socket = UnixListener::bind(world.dir_of(&socket)).expect("a socket");
    tool(&["mkfifo", text(&world.dir_of(&fifo))]);
    let upper = world.workspace().id(&numbered(0xabc).to_uppercase()).make();
    let lower = upper.to_lowercase();
    let before = world.snapshot();
    let slash = format!("{link}/");
    for id in [&link, &dangling, &file, &socket, &fifo, &absent, &upper, &lower] {
        let warning = format!("warning[not-found]: workspace {}: does not exist", id.to_lowercase());
        let list = world.wsctl(["list", "--format", "ids", id, &ours]).run().exits(66).complains(&warning);
        let _ = list.prints(&format!("{ours}\n"));
        world.wsctl(["touch", id]).run().exits(66).prints("").complains(&warning);
        world.wsctl(["prune", "-qy", id]).run().exits(66).prints("");
        world.wsctl(["prune", "-y", id]).run().exits(66).complains(&warning);
        world.wsctl(["validate", id]).run().exits(1).prints("").quietly();
    }
    for command in on_path(&slash) {
        world.wsctl(command).run().exits(66).prints("");
    }
    world.wsctl(["list", "--format", "ids"]).run().exits(0).prints(&format!("{ours}\n")).quietly();
    assert_eq!(world.snapshot(), before);
}

#[test]
fn one_bad_item_never_stops_the_others() {
    let world = World::new();
    let (a, b) = (world.aged(8), world.aged(9));
    let corrupt = world.workspace().id(&numbered(7)).metadata("no JSON").make();
    let items = [&numbered(0), "nonsense", "", &a, &corrupt, &"x".repeat(9999), &b];
    let run = |args: &[&str]| world.wsctl([args, &items].concat()).run();

    let _ = run(&["validate"]).exits(1).prints(&format!("{a}\n{corrupt}\n{b}\n")).quietly();
    let _ = run(&["list", "--format", "ids"]).exits(2).prints(&format!("{a}\n{b}\n{corrupt}\n"));
    let _ = run(&["touch", "--at", "2001-02-03T04:05:06Z"]).exits(65).mentions("[not-found]").mentions("[invalid-id]");
    assert!([&a, &b].iter().all(|id| world.read_metadata(id).contains("2001-02-03T04:05:06")));
    assert_eq!(world.read_metadata(&corrupt), "no JSON");
    let _ = run(&["prune", "--yes"]).exits(2).mentions("[not-found]").mentions("[invalid-id]");
    assert_eq!(world.names(), [""; 0]);
}
