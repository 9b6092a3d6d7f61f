//! Help that teaches: short with `-h`, with examples that work and exit statuses with `--help`.

use crate::world::World;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const SUBCOMMANDS: [&str; 4] = ["validate", "touch", "list", "prune"];

#[test]
fn every_option_has_words_of_its_own() {
    let mut cli = wsctl::cli::command();
    cli.build();
    let commands = SUBCOMMANDS.map(|name| cli.find_subcommand(name).expect("a subcommand"));
    for command in commands {
        let mut all: Vec<String> = command
            .get_arguments()
            .map(|arg| arg.get_help().unwrap_or_else(|| panic!("{command}: no help for {arg}")).to_string())
            .collect();
        let number = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), number, "{command}: {all:#?}");
    }
}

#[test]
fn the_short_help_is_short_and_the_long_one_explains() {
    let world = World::new();
    for subcommand in SUBCOMMANDS {
        let [short, long] =
            ["-h", "--help"].map(|option| world.bare([subcommand, option]).run().exits(0).quietly().stdout);
        assert!(
            short.lines().count() < 60 && !short.contains("Exit statuses") && !short.contains("Examples:"),
            "{short}"
        );
        assert!(short.contains("see more with '--help'"), "{short}");
        let (about, _) = long.split_once("Usage:").expect("usage");
        assert!(about.split("\n\n").count() >= 3, "a line and what it means: {about}");
        assert!(long.contains("\nExamples:\n") && long.contains("\nExit statuses "), "{long}");
        assert_eq!(world.bare(["help", subcommand]).run().exits(0).stdout, long);
    }
    let help = world.bare(["--help"]).run().exits(0).stdout;
    assert!(help.contains("\nExamples:\n") && help.contains("\nExit statuses "), "{help}");
}

/// The command lines among the examples of a help text, without what is said of them.
fn examples(help: &str) -> Vec<String> {
    let (_, examples) = help.split_once("\nExamples:\n").expect("examples");
    let lines = examples.lines().take_while(|line| !line.is_empty());
    lines.map(|line| line.trim().split("   ").next().expect("a command").to_owned()).collect()
}

#[test]
fn every_example_works_on_the_samples() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/.");
    let binary = Path::new(env!("CARGO_BIN_EXE_wsctl")).parent().expect("a directory").to_owned();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").expect("PATH"));
    let id = "6c7ab482-a9ca-49d7-9364-b3e425655d2e";
    for subcommand in ["", "validate", "touch", "list", "prune"] {
        let help =
            World::new().bare([subcommand, "--help"].iter().filter(|word| !word.is_empty())).run().exits(0).stdout;
        for example in examples(&help) {
            let world = World::new();
            let copied = std::process::Command::new("cp").arg("-r").arg(&samples).arg(world.base()).status();
            assert!(copied.expect("cp").success());
            fs::create_dir_all(world.path("home/.pitlane")).expect("a home");
            symlink(world.base(), world.path("home/.pitlane/workspaces")).expect("a link");
            for file in ["ids.txt", "pinned.txt"] {
                fs::write(world.path(file), format!("{id}\n")).expect("a file");
            }
            let run = world.bare::<&str>([]).env("PATH", &path).env("cookie", id).through(["sh", "-c", &example]).run();
            let asks = run.stderr.contains("there is no terminal to ask on") && !example.contains("-y");
            let guarded = run.status == 78 && example.contains("--max-delete");
            assert!(example.contains("wsctl ") && (run.status == 0 || asks || guarded), "{example}: {run:#?}");
        }
    }
}

#[test]
fn help_names_every_option_and_exit_status_and_that_of_a_subcommand_has_examples() {
    let world = World::new();
    let statuses = ["0", "1", "2", "65", "66", "70", "74", "75", "77", "78", "130"];
    let helps = |args: &[&str]| {
        let help = world.bare(args).run().exits(0).quietly();
        let (_, table) = help.stdout.split_once("Exit statuses").expect("exit statuses");
        for status in statuses {
            assert!(table.lines().any(|line| line.split_whitespace().next() == Some(status)), "{status}: {help:#?}");
        }
        for option in ["-b, --base", "-v, --verbose", "-q, --quiet", "--color", "WSCTL_BASE", "RUST_LOG", "NO_COLOR"] {
            assert!(help.stdout.contains(option), "{option}: {help:#?}");
        }
        help.stdout
    };
    let help = helps(&["--help"]);
    for subcommand in SUBCOMMANDS {
        assert!(help.lines().any(|line| line.split_whitespace().next() == Some(subcommand)), "{help}");
        let text = helps(&[subcommand, "--help"]);
        let (_, examples) = text.split_once("Examples:\n").expect("examples");
        assert!(examples.lines().next().is_some_and(|line| line.contains(&format!("wsctl {subcommand}"))), "{text}");
        let short = world.bare([subcommand, "-h"]).run().exits(0).quietly();
        assert!(short.stdout.contains("Usage: ") && short.stdout.len() < text.len(), "{short:#?}");
    }
}

#[test]
fn ls_is_list_by_another_name() {
    let world = World::new();
    let id = world.aged(1);
    let _ = world.wsctl(["ls", "--format", "ids"]).run().exits(0).prints(&format!("{id}\n")).quietly();
    let help = world.bare(["--help"]).run().exits(0).stdout;
    assert!(help.contains("[alias: ls]"), "{help}");
}

#[test]
fn the_version_is_the_packages() {
    let world = World::new();
    for option in ["--version", "-V"] {
        let version = format!("wsctl {}\n", env!("CARGO_PKG_VERSION"));
        let _ = world.bare([option]).run().exits(0).prints(&version).quietly();
    }
}
