//! How much is said, and in what colours.

use crate::world::{Run, World, numbered};

#[test]
fn the_command_line_or_else_rust_log_says_how_much_is_logged() {
    let world = World::new();
    let corrupt = world.workspace().metadata("").make();
    let absent = numbered(0);
    let list = ["list", "nonsense", &absent, &corrupt]; // it has something to say at each level
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
    let world = World::new();
    let old = world.aged(9);
    let prune = ["prune", "-n", "--older-than", "2d"];
    assert_ne!(world.wsctl(prune).run().exits(0).stdout, "");
    let _ = world.wsctl([&["-q"][..], &prune].concat()).run().exits(0).prints("").quietly();
    let json = world.wsctl([&prune[..], &["-q", "--format", "json"]].concat()).run().exits(0).quietly().json();
    assert_eq!(json["pruned"][0]["id"], *old);
    for args in [&["list", "--format", "ids"][..], &["validate", &old]] {
        let _ = world.wsctl([args, &["-q"]].concat()).run().exits(0).prints(&format!("{old}\n"));
    }
}

/// Whether stdout and stderr are coloured; both or none, where both have something.
#[track_caller]
fn is_coloured(run: Run<'_>) -> bool {
    let ran = run.run();
    let [stdout, stderr] = [&ran.stdout, &ran.stderr].map(|text| (!text.is_empty()).then(|| text.contains('\x1b')));
    assert!(stdout.is_none() || stderr.is_none() || stdout == stderr, "{ran:#?}");
    stdout.or(stderr).expect("some text")
}

#[test]
fn without_a_terminal_there_are_colours_only_if_the_command_line_or_else_the_environment_asks_for_them() {
    let world = World::new();
    let _ = world.aged(1);
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
        let run = environment.iter().fold(run, |run, (name, value)| run.env(name, value));
        assert_eq!(is_coloured(run), expected, "{line} {environment:?}");
    }
}
