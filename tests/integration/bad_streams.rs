//! Whatever comes on stdin, and whatever becomes of stdout: one clear line for each bad item, the right exit status, nothing
//! lost.

use crate::bad_input::{ON_ID, with};
use crate::world::{World, finish};
use std::process::Stdio;

#[test]
fn a_hundred_thousand_ids_on_stdin_are_all_looked_for() {
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
fn an_empty_stdin_names_no_workspace_and_prunes_none() {
    let world = World::new();
    let _ = (world.aged(400), world.workspace().make_without_metadata());
    let before = world.snapshot();
    for stdin in ["", "\n", "\n\r\n\r\n"] {
        for args in ON_ID.iter().chain(&[&["prune", "--yes", "--older-than", "1d"][..], &["validate"]]) {
            let status = i32::from(args[0] == "validate"); // nobody was told yes
            world.wsctl(with(args, "-")).stdin(stdin).run().sanely().exits(status).quietly();
        }
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_line_on_stdin_that_is_no_id_is_one_bad_item_and_the_others_count() {
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
    let mixed = format!("nonsense\r\n{id}\r\n\r\n\u{7}\r\n{}", id.to_uppercase());
    let ran = world.wsctl(["touch", "-"]).stdin(mixed).run().sanely().exits(2).prints("");
    assert_eq!(ran.stderr.lines().count(), 2, "{ran:#?}");
    assert_ne!(world.snapshot(), before);
}

/// Runs that have something to say on stdout.
fn talkative(id: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["validate", id],
        vec!["validate", "--format", "json", id, "nonsense"],
        vec!["list"],
        vec!["list", "--format", "json"],
        vec!["prune", "--dry-run", "--older-than", "1d"],
        vec!["prune", "--dry-run", "--format", "json", id],
        vec!["--help"],
        vec!["--version"],
    ]
}

#[test]
fn a_stdout_that_cannot_be_written_is_an_io_error() {
    let world = World::new();
    let id = world.aged(400);
    for args in talkative(&id) {
        for redirection in [">/dev/full", ">&-", "1</dev/null"] {
            let sh = format!("exec \"$@\" {redirection}");
            let ran = world.wsctl(&args).through_sh(&sh).run().sanely();
            ran.exits(74).complains("error[io]: cannot write to stdout: ");
        }
    }
    let sh = ["sh", "-c", "exec \"$@\" >&-", "sh"];
    world.wsctl(["touch", &id]).through(sh).run().exits(0).quietly(); // it has nothing to say
    let prune = world.wsctl(["prune", "--yes", &id]).through(sh).run().exits(74);
    prune.complains("error[io]: cannot write to stdout: ");
    assert!(world.names().is_empty(), "what was done is done");
}

#[test]
fn a_stdout_closed_by_its_reader_is_no_error_and_prints_nothing() {
    let world = World::new();
    let id = world.aged(400);
    for args in talkative(&id) {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = world.wsctl(&args).command();
        command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
        let child = command.spawn().expect("the program");
        drop(command); // and its end of the pipe
        let status = i32::from(args.contains(&"nonsense"));
        finish(child, &args).exits(status).quietly();
    }
}
