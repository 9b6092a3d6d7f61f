//! How much is said, in what colours, and with a priority in front of each line where the journal reads it.

use crate::world::{Run, World, numbered};
use std::fs;
use std::os::unix::fs::MetadataExt;

#[test]
fn the_command_line_or_else_rust_log_says_how_much_is_logged() {
    let (world, corrupt) = World::with(|it| it.metadata(""));
    let list = ["list", "nonsense", &numbered(0), &corrupt]; // it has something to say at each level
    let levels = ["error", "warning", "info", "debug", "trace"];
    for (options, rust_log, number) in [
        (&[][..], None, 2),
        (&["-v"], None, 3),
        (&["-vv"], None, 4),
        (&["-v", "--verbose", "-v"], None, 5),
        (&["-vvvv"], None, 5),
        (&["--quiet"], None, 1),
        (&[], Some("off"), 0),
        (&[], Some(""), 2),
        (&[], Some("wsctl=debug"), 4),
        (&["-v"], Some("off"), 3),
        (&["-q"], Some("trace"), 1),
    ] {
        for args in [[options, &list].concat(), [&list, options].concat()] {
            let run = rust_log.iter().fold(world.wsctl(&args), |run, filter| run.env("RUST_LOG", filter));
            let ran = run.run().exits(2);
            let is_said = |level: &&&str| ran.stderr.lines().any(|line| line.split([':', '[']).next() == Some(**level));
            let said: Vec<_> = levels.iter().filter(is_said).copied().collect();
            assert_eq!(said, levels[..number], "{args:?} RUST_LOG={rust_log:?}: {ran:#?}");
        }
    }
}

#[test]
fn q_removes_the_summary_and_no_result() {
    let (world, old) = World::with_aged(9);
    let prune = ["prune", "-n", "--older-than", "2d"];
    assert_ne!(world.wsctl(prune).run().exits(0).stdout, "");
    let _ = world.wsctl([&["-q"][..], &prune].concat()).run().exits(0).prints("").quietly();
    let json = world.wsctl([&prune[..], &["-q", "--format", "json"]].concat()).run().exits(0).quietly().json();
    assert_eq!(json["pruned"][0]["id"], *old);
    for args in [&["list", "--format", "ids"][..], &["validate", &old]] {
        let _ = world.wsctl([args, &["-q"]].concat()).run().exits(0).prints(&format!("{old}\n"));
    }
}

#[test]
fn without_a_terminal_there_are_colours_only_if_the_command_line_or_else_the_environment_asks_for_them() {
    let (world, _) = World::with_aged(1);
    let (force, no) = (("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1"));
    for (line, environment, expected) in [
        ("list nonsense", &[][..], false),
        ("--color=always list nonsense", &[], true),
        ("list nonsense", &[force], true),
        ("list nonsense", &[force, no], false),
        ("list nonsense", &[force, ("NO_COLOR", "")], true), // empty is unset
        ("list nonsense --color always", &[no], true),
        ("list nonsense --color never", &[force], false),
        // Help and a wrong command line.
        ("--color always --help", &[], true),
        ("--color=never list --help", &[force], false),
        ("list --bogus --color never", &[force], false),
        // What scripts read.
        ("list --color always --format json", &[force], false),
        ("list --color always --format ids", &[force], false),
    ] {
        let run = world.wsctl(line.split(' '));
        let ran = environment.iter().fold(run, |run, (name, value)| run.env(name, value)).run();
        let said: Vec<_> = [&ran.stdout, &ran.stderr].into_iter().filter(|text| !text.is_empty()).collect();
        let is_expected = !said.is_empty() && said.iter().all(|text| text.contains('\x1b') == expected);
        assert!(is_expected, "{line} {environment:?}: {ran:#?}");
    }
}

/// The lines that a run writes to a file, which stands for the journal, with this in `JOURNAL_STREAM`: `DEV` and `INO` are the
/// file's device and inode.
fn lines(world: &World, run: Run<'_>, named: &str, status: i32) -> Vec<String> {
    let journal = world.path("journal");
    fs::write(&journal, "").expect("a file");
    let stat = journal.metadata().expect("a stat");
    let named = named.replace("DEV", &stat.dev().to_string()).replace("INO", &stat.ino().to_string());
    run.env("JOURNAL_STREAM", named).through_sh("exec \"$@\" 2>>journal").run().exits(status).quietly();
    fs::read_to_string(journal).expect("UTF-8").lines().map(str::to_owned).collect()
}

#[test]
fn in_the_journal_every_line_has_its_priority_and_no_colours_whatever_is_asked_for() {
    let world = World::new();
    let (absent, corrupt) = (numbered(0), world.workspace().metadata("").make());
    let all = ["<3>error[invalid-id]: ", "<4>warning[not-found]: ", "<6>info: ", "<7>debug: ", "<7>trace: "];
    for (args, status, marks) in [
        (&["-vvv", "list", "nonsense", &absent, &corrupt][..], 2, &all[..]),
        (&["list", "--bogus", "--color", "always"], 2, &["<3>error[usage]: "]),
        (&["-b", "nowhere", "list"], 66, &["<3>error[not-found]: "]),
    ] {
        let lines = lines(&world, world.wsctl(args).env("CLICOLOR_FORCE", "1"), "DEV:INO", status);
        assert!(!lines.concat().contains('\x1b'), "{lines:#?}");
        let is_marked = |line: &String| marks.iter().any(|mark| line.starts_with(mark));
        assert!(lines.iter().all(is_marked), "{lines:#?}");
        assert!(marks.iter().all(|mark| lines.iter().any(|line| line.starts_with(mark))), "{lines:#?}");
    }
}

#[test]
fn a_stream_that_is_not_the_one_named_gets_no_priorities() {
    let world = World::new();
    let list = || world.wsctl(["list", "nonsense"]);
    for named in ["DEV:INO0", "1DEV:INO", "INO:DEV", "DEV:INO:0", "DEV:", ":INO", ":", "", "99999999999999999999999:-1"]
    {
        let lines = lines(&world, list(), named, 2);
        assert!(lines.len() == 1 && lines[0].starts_with("error[invalid-id]: "), "{named:?}: {lines:#?}");
    }
}
