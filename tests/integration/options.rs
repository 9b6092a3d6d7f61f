//! What holds for every subcommand: the base, help, diagnostics and the exit status.

use crate::world::{World, chmod, numbered};
use std::fs;
use std::os::unix::fs::symlink;

const SUBCOMMANDS: [&str; 4] = ["validate", "touch", "list", "prune"];

/// Each subcommand with the arguments that one ID, which it may change, is enough for.
fn commands(id: &str) -> [Vec<&str>; 4] {
    [vec!["validate", id], vec!["touch", id], vec!["list", id], vec!["prune", "--yes", id]]
}

#[test]
fn the_base_may_be_given_before_and_after_the_subcommand_and_comes_before_the_environment() {
    let world = World::new();
    let id = world.aged(1);
    let base = world.base().to_str().expect("UTF-8").to_owned();
    let attached = format!("--base={base}");
    for args in [
        &["-b", &base, "list", "--format", "ids"][..],
        &["--base", &base, "list", "--format", "ids"],
        &["list", "--format", "ids", "-b", &base],
        &["list", "--base", &base, "--format", "ids", &id],
        &["list", &attached, "--format", "ids"],
    ] {
        for env in ["", "/nowhere"] {
            let _ = world.bare(args).env("WSCTL_BASE", env).run().exits(0).prints(&format!("{id}\n")).quietly();
        }
    }
}

#[test]
fn every_subcommand_takes_the_base_from_the_environment_and_on_either_side() {
    for number in 0..4 {
        for side in 0..3 {
            let world = World::new();
            let id = world.aged(1);
            let command = commands(&id)[number].clone();
            let base = world.base().to_str().expect("UTF-8").to_owned();
            let _ = match side {
                0 => world.bare([&["-b", &base], &command[..]].concat()).run().exits(0).quietly(),
                1 => world.bare([&command[..], &["-b", &base]].concat()).run().exits(0).quietly(),
                _ => world.wsctl(command).run().exits(0).quietly(),
            };
        }
    }
}

#[test]
fn the_default_base_lies_below_home_also_where_the_environment_names_an_empty_one() {
    let world = World::new();
    let id = world.aged(1);
    fs::create_dir_all(world.path("home/.pitlane")).expect("a home");
    symlink(world.base(), world.path("home/.pitlane/workspaces")).expect("a link");
    let list = || world.bare(["list", "--format", "ids"]);
    let _ = list().run().exits(0).prints(&format!("{id}\n")).quietly();
    let _ = list().env("WSCTL_BASE", "").run().exits(0).prints(&format!("{id}\n")).quietly();
}

#[test]
fn without_a_home_there_is_no_default_base_and_that_is_a_usage_error() {
    let world = World::new();
    for command in commands(&numbered(1)) {
        let unset = world.bare(&command).through(["env", "-u", "HOME"]).run().exits(2).prints("");
        let _ = unset.complains("error[usage]: ").complains("--base");
        let _ = world.bare(&command).env("HOME", "").run().exits(2).complains("error[usage]: ");
    }
    let list = world.wsctl(["list"]).through(["env", "-u", "HOME"]).run();
    let _ = list.exits(0).quietly(); // nobody needs the home
}

#[test]
fn an_empty_base_is_a_usage_error_also_where_the_environment_names_one() {
    let world = World::new();
    for args in [&["-b", "", "list"][..], &["list", "--base", ""], &["list", "--base="]] {
        let _ = world.wsctl(args).run().exits(2).prints("").complains("error[usage]: ").complains("--base");
    }
}

#[test]
fn the_base_may_be_a_symlink_for_every_subcommand() {
    let world = World::new();
    let id = world.aged(1);
    symlink("base", world.path("link")).expect("a link");
    let before = world.read_metadata(&id);
    let run = |args: &[&str]| world.bare([&["-b", "link"], args].concat()).run().exits(0).quietly();
    let _ = run(&["validate", &id]).prints(&format!("{id}\n"));
    let _ = run(&["list", "--format", "ids"]).prints(&format!("{id}\n"));
    let _ = run(&["touch", &id]);
    assert_ne!(world.read_metadata(&id), before);
    let _ = run(&["prune", "--yes", &id]);
    assert_eq!(world.names(), [""; 0]);
    assert!(world.path("link").is_symlink());
}

#[test]
fn a_base_that_is_missing_or_no_directory_is_66_and_an_error() {
    let world = World::new();
    fs::write(world.path("file"), "").expect("a file");
    symlink("nowhere", world.path("dangling")).expect("a link");
    for base in ["missing", "file", "file/below", "dangling"] {
        for command in commands(&numbered(1)) {
            let ran = world.bare([&["-b", base], &command[..]].concat()).run().exits(66).prints("");
            let _ = ran.complains("error[not-found]: ").complains(base);
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
fn a_status_is_taken_in_upper_or_lower_case() {
    let world = World::new();
    let (id, corrupt) = (world.aged(1), world.workspace().metadata("no JSON").make());
    for (status, found) in [("OK", &id), ("Corrupt", &corrupt), ("missing,CORRUPT", &corrupt)] {
        let list = world.wsctl(["list", "--format", "ids", "--status", status]).run().exits(0);
        let _ = list.prints(&format!("{found}\n")).quietly();
    }
}

#[test]
fn the_version_is_the_packages() {
    let world = World::new();
    for option in ["--version", "-V"] {
        let version = format!("wsctl {}\n", env!("CARGO_PKG_VERSION"));
        let _ = world.bare([option]).run().exits(0).prints(&version).quietly();
    }
}

#[test]
fn a_wrong_command_line_is_one_line_and_2_and_does_nothing() {
    let world = World::new();
    let id = world.aged(9);
    let before = world.snapshot();
    for args in [
        &["prone"][..],
        &["list", "--colour"],
        &["list", "--color", "sometimes"],
        &["list", "--sort"],
        &["validate"],
        &["touch"],
        &["touch", "--at", "yesterday", &id],
        &["prune"],
        &["prune", "--yes"],
        &["prune", "--yes", "--older-than", "7"],
        &["prune", "--yes", "--jobs", "0", &id],
        &["-q", "-v", "list"],
    ] {
        let _ = world.wsctl(args).run().exits(2).prints("").complains("error[usage]: ");
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn without_a_subcommand_the_help_is_shown_on_stderr_with_2() {
    let _ = World::new().bare([""; 0]).run().exits(2).prints("").mentions("Usage: ").mentions("prune");
}

#[test]
fn a_diagnostic_is_one_line_with_its_severity_and_category() {
    let world = World::new();
    let (corrupt, missing) = (world.workspace().metadata("no\nJSON").make(), world.workspace().make_without_metadata());
    let absent = numbered(0);
    for (args, status, line) in [
        (&["list", &absent][..], 66, format!("warning[not-found]: workspace {absent}: ")),
        (&["touch", "-c", &missing], 66, format!("warning[not-found]: workspace {missing}: .metadata.json is missing")),
        (&["touch", &corrupt], 65, format!("error[corrupt-metadata]: workspace {corrupt}: .metadata.json ")),
        (&["touch", "nonsense"], 2, "error[invalid-id]: ".into()),
        (&["list", "--bogus"], 2, "error[usage]: ".into()),
        (&["list", "-b", "missing"], 66, "error[not-found]: base missing".into()),
    ] {
        let ran = world.wsctl(args).run().exits(status).complains(&line);
        assert!(ran.stderr.starts_with(&line), "{ran:#?}");
    }
}

#[test]
fn of_several_categories_the_most_severe_gives_the_status_and_each_is_said_once() {
    let world = World::new();
    let (corrupt, old) = (world.workspace().metadata("no JSON").make(), world.aged(9));
    let absent = numbered(0);
    for (args, status, categories) in [
        (&["touch", &absent, "nonsense", &corrupt][..], 65, &["not-found", "invalid-id", "corrupt-metadata"][..]),
        (&["touch", &corrupt, "nonsense", &absent], 65, &["corrupt-metadata", "invalid-id", "not-found"]),
        (&["list", &absent, "nonsense"], 2, &["invalid-id", "not-found"]),
        (&["prune", "-n", &absent, "nonsense"], 2, &["invalid-id", "not-found"]),
        (&["prune", "-y", "--older-than", "1d", "--max-delete", "0", &old, "nonsense"], 78, &["refused", "invalid-id"]),
    ] {
        let ran = world.wsctl(args).run().exits(status);
        assert_eq!(ran.stderr.lines().count(), categories.len(), "{ran:#?}");
        for category in categories {
            assert_eq!(ran.stderr.matches(&format!("[{category}]: ")).count(), 1, "{category}: {ran:#?}");
        }
    }
}

#[test]
fn what_may_not_be_read_is_graver_than_what_is_corrupt_and_a_full_stdout_graver_still() {
    needs!("root");
    let world = World::new();
    let (denied, corrupt) = (world.aged(1), world.workspace().metadata("no JSON").make());
    world.give_away();
    chmod(world.metadata_of(&denied), 0o000);
    let touch = world.wsctl(["touch", &denied, &corrupt, "nonsense"]).by_ordinary_user().run().exits(77);
    let _ = touch.mentions("permission-denied").mentions("corrupt-metadata").mentions("invalid-id");
    let full = ["sh", "-c", "exec \"$@\" > /dev/full", "sh"];
    let list = world.wsctl(["list", &denied, "nonsense"]).by_ordinary_user().through(full).run().exits(74);
    let _ = list.mentions("error[io]: ").mentions("permission-denied").mentions("invalid-id");
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
