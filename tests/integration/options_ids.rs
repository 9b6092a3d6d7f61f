//! IDs as arguments and on stdin, for every subcommand that takes them.

use crate::world::{World, ids_in, numbered, sorted};
use std::os::unix::fs::symlink;

/// When a touch that nobody can mistake for another was.
const TIME: &str = "2001-02-03T04:05:06Z";

/// Each subcommand, told to act on what stands on stdin.
const COMMANDS: [&[&str]; 4] =
    [&["validate", "-"], &["touch", "--at", TIME, "-"], &["list", "--format", "ids", "-"], &["prune", "--yes", "-"]];

/// Asserts that each subcommand, with this on stdin, acts on the first two of three workspaces.
#[track_caller]
fn acts_on_the_first_two(null: bool, stdin: impl Fn(&str, &str) -> String) {
    for command in COMMANDS {
        let world = World::new();
        let [a, b, c] = [1, 2, 3].map(|days| world.aged(days));
        let args = if null { [command, &["-0"]].concat() } else { command.to_vec() };
        let ran = world.wsctl(args).stdin(stdin(&a, &b)).run().exits(0).quietly();
        let touched = |id: &&String| world.metadata_of(id).exists() && world.read_metadata(id).contains(&TIME[..19]);
        match command[0] {
            "validate" => _ = ran.prints(&format!("{a}\n{b}\n")),
            "list" => assert_eq!(ran.stdout, format!("{a}\n{b}\n").replace('\n', if null { "\0" } else { "\n" })),
            "touch" => assert_eq!([&a, &b, &c].into_iter().filter(touched).collect::<Vec<_>>(), [&a, &b]),
            _ => assert_eq!(world.names(), [c]),
        }
    }
}

#[test]
fn ids_on_stdin_are_one_a_line() {
    acts_on_the_first_two(false, |a, b| format!("{a}\n{b}\n"));
    acts_on_the_first_two(false, |a, b| format!("{a}\n{b}")); // the last line may lack its end
}

#[test]
fn lines_may_end_in_crlf() {
    acts_on_the_first_two(false, |a, b| format!("{a}\r\n{b}\r\n"));
}

#[test]
fn blank_lines_are_passed_over() {
    acts_on_the_first_two(false, |a, b| format!("\n\r\n{a}\n\n\n{b}\n\r\n"));
}

#[test]
fn upper_case_on_stdin_is_as_good() {
    acts_on_the_first_two(false, |a, b| format!("{}\n{}\n", a.to_uppercase(), b.to_uppercase()));
}

#[test]
fn with_0_ids_on_stdin_are_separated_by_nul() {
    acts_on_the_first_two(true, |a, b| format!("{a}\0{b}\0"));
    acts_on_the_first_two(true, |a, b| format!("{a}\0{b}"));
}

#[test]
fn with_0_a_line_end_is_part_of_what_is_read_and_without_it_nul_is() {
    let world = World::new();
    let id = world.aged(1);
    for (null, text) in [("--null", format!("{id}\n{id}\n")), ("--quiet", format!("{id}\0{id}\0"))] {
        for command in COMMANDS {
            let status = if command[0] == "validate" { 1 } else { 2 };
            let ran = world.wsctl([command, &[null]].concat()).stdin(&text[..]).run().exits(status);
            assert!(ran.stdout.is_empty() || command[0] == "prune", "{ran:#?}");
            assert_eq!(ran.stderr.lines().count(), usize::from(status == 2), "one item, in one line: {ran:#?}");
        }
    }
    assert_eq!(world.names(), [id]);
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
fn nothing_on_stdin_is_nothing_to_do_and_never_everything() {
    let world = World::new();
    let _ = world.aged(99);
    let before = world.snapshot();
    for command in COMMANDS {
        let status = i32::from(command[0] == "validate"); // nobody was told yes
        let ran = world.wsctl(command).stdin("\n").run().exits(status).quietly();
        assert!(ran.stdout.is_empty() || command[0] == "prune", "{ran:#?}");
    }
    assert_eq!(world.snapshot(), before);
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

#[test]
fn only_the_canonical_form_of_a_uuid_is_an_id() {
    let world = World::new();
    let id = world.aged(1);
    let before = world.snapshot();
    let (bare, braces, urn) = (id.replace('-', ""), format!("{{{id}}}"), format!("urn:uuid:{id}"));
    let (front, back, line) = (format!(" {id}"), format!("{id} "), format!("{id}\n"));
    for text in [&bare, &braces, &urn, &front, &back, &line, "", ".", "*"] {
        let _ = world.wsctl(["validate", text]).run().exits(1).prints("").quietly();
        for command in [&["touch", text][..], &["list", text, "--format", "ids"], &["prune", "-q", "--yes", text]] {
            let _ = world.wsctl(command).run().exits(2).prints("").complains("error[invalid-id]: ");
        }
    }
    assert_eq!(world.snapshot(), before);
}

/// Each subcommand that takes the path of a workspace, with this argument.
fn on_path(path: &str) -> [Vec<&str>; 3] {
    [vec!["touch", "--at", TIME, path], vec!["list", "--format", "ids", path], vec!["prune", "-qy", path]]
}

#[test]
fn the_path_of_a_workspace_in_the_base_is_taken_for_its_id() {
    let world = World::new();
    let base = world.base().to_str().expect("UTF-8").to_owned();
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
    let base = world.base().to_str().expect("UTF-8").to_owned();
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
fn a_link_in_the_base_is_no_workspace_with_a_slash_behind_it_either() {
    let world = World::new();
    let (id, link) = (world.aged(1), numbered(0));
    symlink(world.dir_of(&id), world.dir_of(&link)).expect("a link");
    let before = world.snapshot();
    for command in on_path(&format!("{link}/")) {
        let _ = world.wsctl(command).run().exits(66).prints("");
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_uuid_of_any_version_is_an_id() {
    let world = World::new();
    for id in [
        "00000000-0000-0000-0000-000000000000",
        "6c7ab482-a9ca-11d7-9364-b3e425655d2e",
        "6c7ab482-a9ca-79d7-9364-b3e425655d2e",
        "6c7ab482-a9ca-f9d7-0364-b3e425655d2e",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ] {
        let _ = world.workspace().id(id).make();
        let _ = world.wsctl(["validate", id]).run().exits(0).prints(&format!("{id}\n")).quietly();
    }
    assert_eq!(world.wsctl(["list", "--format", "ids"]).run().exits(0).lines().len(), 5);
}
