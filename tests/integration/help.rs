//! Help that teaches: short with `-h`, with examples that work and exit statuses with `--help`.

use crate::hosts::shell;
use crate::tools::{repository, text, tool};
use crate::world::World;
use std::fs;

#[test]
fn the_short_help_is_short_and_the_long_one_names_every_option_and_exit_status_and_has_examples() {
    let world = World::new();
    let help = |args: &[&str]| world.bare(args).run().exits(0).quietly().stdout;
    let general = help(&["--help"]);
    for subcommand in ["validate", "touch", "list", "prune"] {
        let [short, long] = ["-h", "--help"].map(|option| help(&[subcommand, option]));
        assert!(short.lines().count() < 60 && short.contains("Usage: "), "{short}");
        assert!(!short.contains("Exit statuses") && !short.contains("Examples:"), "{short}");
        assert!(examples(&long)[0].contains(&format!("wsctl {subcommand}")), "{long}");
        assert_eq!(help(&["help", subcommand]), long);
        for help in [&general, &long] {
            let (_, exits) = help.split_once("\nExit statuses ").expect("exit statuses");
            let statuses = ["0", "1", "2", "65", "66", "70", "74", "75", "77", "78", "130"];
            let is_told = |status: &&str| exits.lines().any(|line| line.split_whitespace().next() == Some(*status));
            assert!(statuses.iter().all(is_told), "{help}");
            for word in ["--base", "--verbose", "--quiet", "--color", "WSCTL_BASE", "RUST_LOG", "NO_COLOR", subcommand]
            {
                assert!(help.contains(word), "{word}: {help}");
            }
        }
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
            tool(&["cp", "-r", text(&repository("tests/samples/.")), text(&world.base())]);
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
fn the_version_is_the_packages_and_ls_is_list_by_another_name() {
    let world = World::new();
    let _ = world.wsctl(["ls", "--format", "ids"]).run().exits(0).prints("").quietly();
    for option in ["--version", "-V"] {
        let _ =
            world.bare([option]).run().exits(0).prints(concat!("wsctl ", env!("CARGO_PKG_VERSION"), "\n")).quietly();
    }
}
