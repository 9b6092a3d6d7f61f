//! Help that teaches: short with `-h`, with examples that work and exit statuses with `--help`.

use crate::hosts::shell;
use crate::tools::{text, tool};
use crate::world::World;
use std::collections::BTreeSet;
use std::fs;

const SUBCOMMANDS: [&str; 4] = ["validate", "touch", "list", "prune"];

#[test]
fn every_option_has_words_of_its_own() {
    let mut cli = wsctl::cli::command();
    cli.build();
    for command in SUBCOMMANDS.map(|name| cli.find_subcommand(name).expect("a subcommand")) {
        let mut words = BTreeSet::new();
        for option in command.get_arguments() {
            let help = option.get_help().unwrap_or_else(|| panic!("{command}: no help for {option}")).to_string();
            assert!(words.insert(help), "{command}: {option}");
        }
    }
}

#[test]
fn the_short_help_is_short_and_the_long_one_names_every_option_and_exit_status_and_has_examples() {
    let world = World::new();
    let help = |args: &[&str]| world.bare(args).run().exits(0).quietly().stdout;
    let first_words =
        |text: &str| text.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect();
    let explains = |long: &str| {
        let first_words: BTreeSet<String> = first_words(long.split_once("\nExit statuses ").expect("exit statuses").1);
        let statuses = ["0", "1", "2", "65", "66", "70", "74", "75", "77", "78", "130"];
        assert!(statuses.iter().all(|status| first_words.contains(*status)), "{long}");
        for option in ["-b, --base", "-v, --verbose", "-q, --quiet", "--color", "WSCTL_BASE", "RUST_LOG", "NO_COLOR"] {
            assert!(long.contains(option), "{option}: {long}");
        }
    };
    let general = help(&["--help"]);
    explains(&general);
    let listed: BTreeSet<String> = first_words(&general);
    assert!(general.contains("\nExamples:\n") && general.contains("[alias: ls]"), "{general}");
    for subcommand in SUBCOMMANDS {
        assert!(listed.contains(subcommand), "{general}");
        let [short, long] = ["-h", "--help"].map(|option| help(&[subcommand, option]));
        assert!(
            short.lines().count() < 60 && short.contains("Usage: ") && short.contains("more with '--help'"),
            "{short}"
        );
        assert!(!short.contains("Exit statuses") && !short.contains("Examples:"), "{short}");
        let (about, _) = long.split_once("Usage:").expect("usage");
        assert!(about.split("\n\n").count() >= 3, "a line and what it means: {about}");
        explains(&long);
        assert!(examples(&long)[0].contains(&format!("wsctl {subcommand}")), "{long}");
        assert_eq!(help(&["help", subcommand]), long);
    }
}

/// The command lines among the examples of a help text, without what is said of them.
fn examples(help: &str) -> Vec<String> {
    let (_, examples) = help.split_once("\nExamples:\n").expect("examples");
    let lines = examples.lines().take_while(|line| !line.is_empty());
    lines.map(|line| line.trim().split("   ").next().expect("a command").to_owned()).collect()
}

#[test]
fn every_example_works_on_the_samples() {
    needs!("bash");
    let id = "6c7ab482-a9ca-49d7-9364-b3e425655d2e";
    for subcommand in [&[][..], &["validate"], &["touch"], &["list"], &["prune"]] {
        let help = World::new().bare([subcommand, &["--help"]].concat()).run().exits(0).stdout;
        for example in examples(&help) {
            let world = World::new();
            tool(&["cp", "-r", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/."), text(&world.base())]);
            for file in ["ids.txt", "pinned.txt"] {
                fs::write(world.path(file), format!("{id}\n")).expect("a file");
            }
            let ran = shell(&world, &format!("cookie={id}\n{example}"));
            let asks = ran.stderr.contains("cannot ask without a terminal") && !example.contains("-y");
            let guarded = ran.status == 78 && example.contains("--max-delete");
            assert!(example.contains("wsctl ") && (ran.status == 0 || asks || guarded), "{example}: {ran:#?}");
        }
    }
}

#[test]
fn ls_is_list_by_another_name() {
    let world = World::new();
    let id = world.aged(1);
    let _ = world.wsctl(["ls", "--format", "ids"]).run().exits(0).prints(&format!("{id}\n")).quietly();
}

#[test]
fn the_version_is_the_packages() {
    for option in ["--version", "-V"] {
        let version = format!("wsctl {}\n", env!("CARGO_PKG_VERSION"));
        let _ = World::new().bare([option]).run().exits(0).prints(&version).quietly();
    }
}
