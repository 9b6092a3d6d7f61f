//! What holds for every subcommand: the base, help, diagnostics and the exit status.

use crate::ids::with;
use crate::world::{ORDINARY_USER, World, chmod, numbered, odd_name};
use std::fs;
use std::os::unix::fs::{chown, symlink};

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
        for env in ["", "nowhere"] {
            let _ = world.bare(args).env("WSCTL_BASE", env).run().exits(0).prints(&format!("{id}\n")).quietly();
        }
    }
}

#[test]
fn every_subcommand_takes_the_base_from_the_environment_and_on_either_side_and_it_may_be_a_symlink() {
    for (number, base) in (0..4).flat_map(|number| ["base", "link"].map(|base| (number, base))) {
        for side in 0..3 {
            let world = World::new();
            let id = world.aged(1);
            symlink("base", world.path("link")).expect("a link");
            let command = commands(&id)[number].clone();
            let before = world.read_metadata(&id);
            let run = match side {
                0 => world.bare([&["-b", base], &command[..]].concat()),
                1 => world.bare([&command[..], &["-b", base]].concat()),
                _ => world.bare(&command).env("WSCTL_BASE", base),
            };
            let ran = run.run().exits(0).quietly();
            match command[0] {
                "touch" => assert_ne!(world.read_metadata(&id), before),
                "prune" => assert_eq!(world.names(), [""; 0]),
                _ => assert!(ran.stdout.contains(&id), "{ran:#?}"),
            }
            assert!(world.path("link").is_symlink());
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
fn of_several_errors_the_most_severe_decides_the_status_and_each_is_reported_once() {
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
fn permission_denied_decides_over_corrupt_metadata_and_io_over_both() {
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

/// Each subcommand as it needs no more than a base.
const ON_BASE: [&[&str]; 4] = [
    &["validate", "00000000-0000-4000-8000-000000000000"],
    &["touch", "00000000-0000-4000-8000-000000000000"],
    &["list"],
    &["prune", "--yes", "--older-than", "1d"],
];

#[test]
fn a_base_that_is_missing_or_no_directory_is_an_error_for_each_subcommand() {
    let world = World::new();
    fs::write(world.path("file"), "").expect("a file");
    symlink("nowhere", world.path("dangling")).expect("a link");
    for base in ["file", "file/below", "absent", "dangling"] {
        let base = world.path(base);
        for args in ON_BASE {
            let args = with(&[args, &["--base"]].concat(), &base);
            world.bare(args).run().sanely().exits(66).prints("").complains("error[not-found]: base ");
        }
    }
    for args in ON_BASE {
        let empty = with(&[args, &["--base"]].concat(), "");
        world.bare(empty).run().sanely().exits(2).prints("").complains("error[usage]: ");
        let unset = world.bare(args).env("WSCTL_BASE", "").run().exits(66).complains("/home/.pitlane/workspaces");
        unset.sanely();
        let homeless = world.bare(args).env("HOME", "").run().exits(2).prints("").complains("error[usage]: ");
        homeless.sanely();
        let unset = world.bare(args).through(["env", "-u", "HOME"]).run().exits(2).prints("");
        unset.complains("error[usage]: ").complains("--base");
        let ran = world.wsctl(args).through(["env", "-u", "HOME"]).run();
        assert!([0, 1, 66].contains(&ran.status), "nobody needs the home: {ran:#?}");
    }
}

#[test]
fn a_base_that_an_ordinary_user_may_not_read_is_permission_denied_for_each_subcommand() {
    needs!("root");
    let world = World::new();
    let _ = world.aged(400);
    let before = world.snapshot().split_off(1);
    fs::create_dir(world.path("locked")).expect("a directory");
    fs::rename(world.base(), world.path("locked/base")).expect("a rename");
    symlink("locked/base", world.base()).expect("a link");
    for (locked, mode) in [("locked/base", 0), ("locked/base", 0o311), ("locked", 0)] {
        chown(world.path(locked), Some(ORDINARY_USER), Some(ORDINARY_USER)).expect("chown");
        chmod(world.path(locked), mode);
        for args in ON_BASE {
            let ran = world.wsctl(args).by_ordinary_user().run().sanely().exits(77).prints("");
            ran.complains("error[permission-denied]: base ");
        }
        chmod(world.path(locked), 0o755);
    }
    fs::remove_file(world.base()).expect("unlink");
    fs::rename(world.path("locked/base"), world.base()).expect("a rename");
    assert_eq!(world.snapshot().split_off(1), before);
}

/// For wrong values and missing arguments see `complaints.rs`.
#[test]
fn a_wrong_command_line_is_a_usage_error_of_one_line() {
    let world = World::new();
    let _ = world.aged(400);
    let before = world.snapshot();
    for args in [
        "help-me list",
        "--frobnicate list",
        "list --frobnicate",
        "list -Z",
        "-v",
        "touch --no-create",
        "-v -q list",
        "list -q -v",
        "--color sometimes list",
        "prune --yes --older-than 1d --exclude nonsense",
    ] {
        let ran = world.wsctl(args.split(' ')).run().sanely().exits(2).prints("");
        ran.complains("error[usage]: ");
    }
    world.wsctl([""; 0]).run().sanely().exits(2).prints("").mentions("Usage: wsctl");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn names_that_are_not_utf_8_stop_no_subcommand() {
    let world = World::new();
    let id = world.workspace().accessed("2020-01-01T00:00:00Z").make();
    fs::create_dir(odd_name(&world.base())).expect("a directory");
    fs::write(odd_name(&world.dir_of(&id)), "").expect("a file");
    let lines = format!("{id}\n");
    world.wsctl(["list", "-s", "--format", "ids"]).run().sanely().exits(0).prints(&lines).quietly();
    fs::rename(world.base(), odd_name(&world.path(""))).expect("a rename");
    let base = odd_name(&world.path(""));
    let args = |command: &[&str]| with(&[command, &["--base"]].concat(), &base);
    world.bare(args(&["touch", "--at", "2020-01-01T00:00:00Z", &id])).run().sanely().exits(0).quietly();
    world.bare(args(&["list", "--format", "json"])).run().sanely().exits(0).quietly();
    world.bare(args(&["prune", "--yes", "--older-than", "1d"])).run().sanely().exits(0).quietly();
    assert_eq!(fs::read_dir(&base).expect("the base").count(), 1, "only the name that is not ours is left");
}
