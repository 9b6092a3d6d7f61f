//! Nothing reaches a terminal raw, and a stdout that cannot be written is noticed.

use crate::world::{Ran, World, ids_in, numbered, odd_name};
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// A colour, an end of line, a bell, C1's own CSI, a right-to-left override and isolate, and a mark.
const NASTY: &str = "a\x1b[31m\n\r\t\x07\u{7f}\u{9b}31m\u{202e}\u{2066}\u{200f}z";
/// How each of them but the line end is to be read in text.
const ESCAPED: [&str; 8] = ["\\u{1b}[31m", "\\r", "\\t", "\\u{7}", "\\u{7f}", "\\u{9b}", "\\u{202e}", "\\u{2066}"];

/// Asserts that neither stream has anything but line ends that a terminal would obey.
#[track_caller]
fn is_clean(ran: &Ran) {
    let raw = |c: char| {
        let bidi = ['\u{61c}', '\u{200e}', '\u{200f}'].contains(&c)
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c);
        bidi || (c.is_control() && c != '\n')
    };
    assert!(!ran.stdout.contains(raw) && !ran.stderr.contains(raw), "{ran:#?}");
}

/// Asserts that `text` tells of [`NASTY`], escaped.
#[track_caller]
fn tells_of_it(text: &str) {
    assert!(ESCAPED.iter().all(|part| text.contains(part)), "{text}");
}

#[test]
fn a_description_is_escaped_in_the_table_and_by_jsons_rules_in_json() {
    let world = World::new();
    let _ = world.workspace().description(NASTY).make();
    let table = world.wsctl(["list"]).run().exits(0).quietly();
    is_clean(&table);
    assert_eq!(table.lines().len(), 2, "{table:#?}");
    tells_of_it(table.lines()[1]);
    for format in ["json", "jsonl"] {
        let list = world.wsctl(["list", "--format", format]).run().exits(0).quietly();
        is_clean(&list);
        assert_eq!(list.lines().len(), 1, "{list:#?}");
        let json = list.json();
        let row = if format == "json" { &json["workspaces"][0] } else { &json };
        assert_eq!(row["description"], NASTY);
    }
}

#[test]
fn a_malformed_id_is_escaped_in_text_and_in_json() {
    let world = World::new();
    for args in [&["touch", NASTY][..], &["list", NASTY], &["prune", "-n", NASTY], &["validate", "-v", NASTY]] {
        let ran = world.wsctl(args).run();
        is_clean(&ran);
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:#?}");
        tells_of_it(&ran.stderr);
    }
    let validate = world.wsctl(["validate", "--format", "json", NASTY]).run().exits(1);
    is_clean(&validate);
    assert_eq!(validate.json()[0]["input"], NASTY);
    let prune = world.wsctl(["prune", "-n", "--format", "json", NASTY]).run().exits(2);
    is_clean(&prune);
    assert_eq!(prune.json()["failed"][0]["id"], NASTY);
}

#[test]
fn an_id_that_is_no_utf_8_is_only_malformed() {
    let world = World::new();
    let odd = odd_name("".as_ref());
    let list = world.wsctl(["list".as_ref(), odd.as_os_str()]).run().exits(2).complains("error[invalid-id]: ");
    is_clean(&list);
    let validate = world.wsctl(["validate", "-v", "-"]).stdin(odd.as_os_str().as_bytes()).run().exits(1);
    is_clean(&validate.complains("malformed"));
}

#[test]
fn the_name_of_the_base_is_escaped() {
    let world = World::new();
    let missing = world.bare(["list", "-b", NASTY]).run().exits(66).complains("error[not-found]: ");
    is_clean(&missing);
    tells_of_it(&missing.stderr);
    fs::create_dir(world.path(NASTY)).expect("a directory");
    fs::create_dir(world.path(NASTY).join(numbered(1))).expect("a workspace");
    let list = world.bare(["list", "-b", NASTY, "--format", "json"]).run().exits(0);
    is_clean(&list);
    let json = list.json();
    assert_eq!(
        (&json["base"], &json["workspaces"][0]["path"]),
        (&NASTY.into(), &format!("{NASTY}/{}", numbered(1)).into())
    );
    let touch = world.bare(["touch", "-b", NASTY, "-c", &numbered(1)]).run().exits(66);
    is_clean(&touch);
}

#[test]
fn names_in_the_base_that_are_not_ours_reach_nobody() {
    let world = World::new();
    let ours = world.aged(9);
    for name in [world.base().join(NASTY), odd_name(&world.base())] {
        fs::create_dir(name).expect("a directory");
    }
    let list = world.wsctl(["-vvv", "list", "--format", "ids"]).run().exits(0).prints(&format!("{ours}\n"));
    is_clean(&list);
    let prune = world.wsctl(["-vvv", "prune", "-n", "--older-than", "1d"]).run().exits(0);
    is_clean(&prune);
    assert!(!prune.stdout.contains("31m"), "{prune:#?}");
}

#[test]
fn what_is_wrong_with_the_command_line_is_escaped_and_nothing_of_it_is_lost() {
    let world = World::new();
    let (option, attached) = (format!("--{NASTY}"), format!("--sort={NASTY}"));
    for args in [&["list", &option][..], &["list", &attached], &["list", "--older-than", NASTY], &[NASTY]] {
        let ran = world.wsctl(args).run().exits(2).prints("").complains("error[usage]: ");
        is_clean(&ran);
        tells_of_it(&ran.stderr);
    }
}

#[test]
fn a_list_of_exceptions_is_named_and_quoted_escaped() {
    let world = World::new();
    let _ = world.aged(9);
    let prune = |file: &str| world.wsctl(["prune", "-y", "--older-than", "1d", "--exclude-from", file]).run();
    let missing = prune(NASTY).complains("cannot read");
    is_clean(&missing);
    tells_of_it(&missing.stderr);
    fs::write(world.path("list"), "x\x1b[31m\u{202e}\n").expect("a file");
    let malformed = prune("list").exits(2).complains("error[invalid-id]: ").complains("\\u{1b}[31m\\u{202e}");
    is_clean(&malformed);
    assert_eq!(world.names().len(), 1);
}

/// What each subcommand that prints something is run with, on a world with one workspace.
fn printing(id: &str) -> [Vec<&str>; 7] {
    [
        vec!["validate", id],
        vec!["validate", "--format", "json", id],
        vec!["list"],
        vec!["list", "--format", "json"],
        vec!["prune", "-n", "--older-than", "1d"],
        vec!["prune", "-n", "--format", "json", id],
        vec!["--help"],
    ]
}

#[test]
fn a_stdout_that_is_closed_or_full_is_74_and_never_silent() {
    let world = World::new();
    let id = world.aged(9);
    for redirection in ["exec \"$@\" >&-", "exec \"$@\" > /dev/full"] {
        for args in printing(&id) {
            let ran = world.wsctl(&args).through_sh(redirection).run();
            let _ = ran.exits(74).complains("error[io]: ").complains("stdout");
        }
    }
}

#[test]
fn who_prints_nothing_needs_no_stdout() {
    let world = World::new();
    let id = world.aged(9);
    for redirection in ["exec \"$@\" >&-", "exec \"$@\" > /dev/full"] {
        let _ = world.wsctl(["touch", &id]).through_sh(redirection).run().exits(0).quietly();
    }
}

#[test]
fn a_full_stdout_is_graver_than_what_else_went_wrong_and_both_are_said() {
    let world = World::new();
    let full = ["sh", "-c", "exec \"$@\" > /dev/full", "sh"];
    let list = world.wsctl(["list", "nonsense", &numbered(0)]).through(full).run().exits(74);
    let _ = list.mentions("error[io]: ").mentions("error[invalid-id]: ").mentions("warning[not-found]: ");
}

#[test]
fn a_prune_that_cannot_print_its_summary_has_pruned_and_says_so_with_74() {
    let world = World::new();
    let id = world.aged(9);
    let full = ["sh", "-c", "exec \"$@\" > /dev/full", "sh"];
    let _ = world.wsctl(["prune", "--yes", &id]).through(full).run().exits(74).complains("error[io]: ");
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let world = World::new();
    let id = world.aged(9);
    (0..1199).for_each(|_| drop(world.workspace().days_ago(9).make()));
    let ids = format!("{id}\n").repeat(9000);
    // Each of them prints more than a pipe holds, so that it must meet the closed end.
    let first_line = ["sh", "-c", "{ \"$@\"; echo \"status $?\" >&2; } | head -n 1", "sh"];
    for args in [
        &["list"][..],
        &["list", "--format", "jsonl"],
        &["prune", "-n", "-v", "--older-than", "1d"],
        &["validate", "-"],
    ] {
        let whole = world.wsctl(args).stdin(&ids[..]).run().exits(0).stdout;
        let cut = world.wsctl(args).stdin(&ids[..]).through(first_line).run().exits(0);
        let cut = cut.complains("status 0");
        assert_eq!((&cut.stdout[..36], cut.lines().len()), (&whole[..36], 1), "{args:?}"); // ages may differ later on
        assert!(whole.len() > 65_536, "a pipe holds all of it: {args:?}");
    }
}

#[test]
fn json_that_nobody_reads_to_its_end_is_no_failure() {
    let world = World::new();
    let ids: Vec<_> = (0..1000).map(|_| world.workspace().days_ago(9).description(&"x".repeat(200)).make()).collect();
    for args in [&["list", "--format", "json"][..], &["prune", "-n", "--older-than", "1d", "--format", "json"]] {
        let ran = world.wsctl(args).run().exits(0);
        let key = if args[0] == "list" { "workspaces" } else { "pruned" };
        assert_eq!(ids_in(&ran.json()[key]).len(), ids.len());
        let pipe = ["sh", "-c", "{ \"$@\"; echo \"status $?\" >&2; } | head -c 20", "sh"];
        let cut = world.wsctl(args).through(pipe).run().exits(0).complains("status 0");
        assert_eq!(cut.stdout, ran.stdout[..20]);
        assert!(ran.stdout.len() > 65_536, "a pipe holds all of it: {args:?}");
    }
}
