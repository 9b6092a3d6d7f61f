//! How much is said, and in what colours.

use crate::world::{Ran, Run, World, numbered};

/// A world with a workspace that has no metadata, and that one's ID. A touch of it warns and succeeds.
fn world_that_warns() -> (World, String) {
    let world = World::new();
    let id = world.workspace().make_without_metadata();
    (world, id)
}

/// A run that has one thing to say at info level, and nothing else.
fn informative<'a>(world: &'a World, options: &[&str]) -> Run<'a> {
    world.wsctl([options, &["validate", "nonsense"]].concat())
}

/// Whether a run said it.
fn informed(ran: &Ran) -> bool {
    assert_eq!(ran.status, 1, "{ran:#?}");
    ran.stderr.lines().any(|line| line.starts_with("info") && line.contains("nonsense"))
}

#[test]
fn by_default_warnings_and_errors_are_shown_and_info_is_not() {
    let (world, id) = world_that_warns();
    let _ = informative(&world, &[]).run().exits(1).quietly();
    let _ = world.wsctl(["touch", &id]).run().exits(0).complains("warning[not-found]: ");
    let _ = world.wsctl(["list", "nonsense"]).run().exits(2).complains("error[invalid-id]: ");
}

#[test]
fn v_shows_info_before_and_after_the_subcommand_and_more_of_it_shows_no_less() {
    let world = World::new();
    for option in ["-v", "--verbose", "-vv", "-vvv", "-vvvv"] {
        assert!(informed(&informative(&world, &[option]).run()), "{option}");
        assert!(informed(&world.wsctl(["validate", "nonsense", option]).run()), "{option}");
    }
    assert!(informed(&informative(&world, &["-v", "--verbose", "-v"]).run()));
}

#[test]
fn q_shows_only_errors_and_keeps_the_exit_status() {
    let (world, id) = world_that_warns();
    for option in ["-q", "--quiet"] {
        let _ = world.wsctl([option, "list", "--format", "ids", &numbered(0), &id]).run().exits(66).quietly();
        let _ = world.wsctl(["list", "nonsense", option]).run().exits(2).complains("error[invalid-id]: ");
        let _ = world.wsctl([option, "-b", "nowhere", "list"]).run().exits(66).complains("error[not-found]: ");
    }
    let _ = world.wsctl(["-q", "touch", &id]).run().exits(0).prints("").quietly();
}

#[test]
fn q_removes_the_summary_and_no_result() {
    let world = World::new();
    let (kept, old) = (world.aged(1), world.aged(9));
    let prune = ["prune", "-n", "--older-than", "2d"];
    assert_ne!(world.wsctl(prune).run().exits(0).stdout, "");
    let _ = world.wsctl([&["-q"][..], &prune].concat()).run().exits(0).prints("").quietly();
    let json = world.wsctl([&prune[..], &["-q", "--format", "json"]].concat()).run().exits(0).quietly().json();
    assert_eq!(json["pruned"][0]["id"], *old);
    let _ = world.wsctl(["list", "-q", "--format", "ids"]).run().exits(0).prints(&format!("{kept}\n{old}\n"));
    let _ = world.wsctl(["validate", "-q", &old]).run().exits(0).prints(&format!("{old}\n"));
}

#[test]
fn rust_log_applies_where_the_command_line_says_nothing() {
    let (world, id) = world_that_warns();
    for (filter, says) in [("info", true), ("trace", true), ("wsctl=debug", true), ("warn", false), ("", false)] {
        assert_eq!(informed(&informative(&world, &[]).env("RUST_LOG", filter).run()), says, "RUST_LOG={filter}");
    }
    let _ = world.wsctl(["touch", &id]).env("RUST_LOG", "error").run().exits(0).quietly();
    let _ = world.wsctl(["touch", "nonsense"]).env("RUST_LOG", "off").run().exits(2).quietly();
}

#[test]
fn v_and_q_come_before_rust_log() {
    let (world, id) = world_that_warns();
    assert!(informed(&informative(&world, &["-v"]).env("RUST_LOG", "error").run()));
    assert!(informed(&informative(&world, &["-v"]).env("RUST_LOG", "off").run()));
    assert!(!informed(&informative(&world, &["-q"]).env("RUST_LOG", "trace").run()));
    let _ = world.wsctl(["touch", "-q", &id]).env("RUST_LOG", "trace").run().exits(0).quietly();
}

/// A run whose stdout and stderr both have something that may be coloured.
fn colourful<'a>(world: &'a World, options: &[&str]) -> Run<'a> {
    world.wsctl([&["list", "nonsense"], options].concat())
}

/// Whether stdout and stderr are coloured; both or none.
#[track_caller]
fn coloured(run: Run<'_>) -> bool {
    let ran = run.run().exits(2);
    assert!(ran.stdout.contains("STATUS") && ran.stderr.contains("invalid-id"), "{ran:#?}");
    assert_eq!(ran.stdout.contains('\x1b'), ran.stderr.contains('\x1b'), "{ran:#?}");
    ran.stdout.contains('\x1b')
}

#[test]
fn without_a_terminal_there_are_colours_only_if_the_command_line_or_else_the_environment_asks_for_them() {
    let world = World::new();
    let (force, no) = (("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1"));
    for (options, environment, expected) in [
        (&[][..], &[][..], false),
        (&["--color", "auto"], &[], false),
        (&["--color=never"], &[], false),
        (&["--color", "always"], &[], true),
        (&[], &[force], true),
        (&[], &[force, no], false),
        (&[], &[force, ("NO_COLOR", "")], true), // empty is unset
        (&["--color", "always"], &[no], true),
        (&["--color", "never"], &[force], false),
    ] {
        let run = environment.iter().fold(colourful(&world, options), |run, (name, value)| run.env(name, value));
        assert_eq!(coloured(run), expected, "{options:?} {environment:?}");
    }
    assert!(coloured(world.wsctl(["--color=always", "list", "nonsense"])));
}

#[test]
fn help_and_usage_errors_obey_color_too() {
    let world = World::new();
    let never = |args: &[&str]| {
        let ran = world.bare([args, &["--color", "never"]].concat()).env("CLICOLOR_FORCE", "1").run();
        assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains('\x1b'), "{args:?}: {ran:#?}");
    };
    never(&["--color=never", "list", "--help"]);
    never(&["--color=never", "list", "--bogus"]);
    never(&["list", "--sort", "bogus"]);
    let help = world.bare(["--color", "always", "--help"]).run().exits(0);
    assert!(help.stdout.contains('\x1b'), "{help:#?}");
    let advice = world.bare(["--color", "always"]).run().exits(2);
    assert!(advice.stderr.contains('\x1b'), "{advice:#?}");
}

#[test]
fn json_and_ids_are_never_coloured() {
    let world = World::new();
    let _ = world.aged(1);
    for format in ["json", "jsonl", "ids"] {
        let list = world.wsctl(["list", "--color", "always", "--format", format]).run().exits(0).quietly();
        assert!(!list.stdout.contains('\x1b'), "{list:#?}");
    }
}
