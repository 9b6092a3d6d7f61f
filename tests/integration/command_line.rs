//! What holds for every subcommand: the base, diagnostics and the exit status.

use crate::hosts::home;
use crate::ids::with;
use crate::world::{ORDINARY_USER, World, chmod, names, numbered, odd_name};
use std::fs;
use std::os::unix::fs::{chown, symlink};

/// Each subcommand as it needs no more than a base and, in it, the workspace 0.
const COMMANDS: [&[&str]; 4] = [
    &["validate", "00000000-0000-4000-8000-000000000000"],
    &["touch", "00000000-0000-4000-8000-000000000000"],
    &["list"],
    &["prune", "--yes", "--older-than", "1d"],
];

#[test]
fn every_subcommand_takes_the_base_from_its_option_or_else_from_the_environment_or_else_from_the_home() {
    for (command, base) in COMMANDS.into_iter().flat_map(|command| ["base", "link"].map(|base| (command, base))) {
        for side in 0..4 {
            let world = World::new();
            let id = world.workspace().id(&numbered(0)).days_ago(9).make();
            symlink("base", world.path("link")).expect("a link");
            let before = world.read_metadata(&id);
            let attached = format!("--base={base}");
            let run = match side {
                0 => world.bare([&["-b", base], command].concat()).env("WSCTL_BASE", "nowhere"),
                1 => world.bare([command, &[&attached]].concat()).env("WSCTL_BASE", "nowhere"),
                2 => world.bare(command).env("WSCTL_BASE", base),
                _ => world.bare(command).env("WSCTL_BASE", "").env("HOME", home(&world)),
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
fn a_base_that_is_missing_or_no_directory_is_an_error_for_each_subcommand() {
    let world = World::new();
    fs::write(world.path("file"), "").expect("a file");
    symlink("nowhere", world.path("dangling")).expect("a link");
    let advice = "name the workspaces' directory with --base or WSCTL_BASE";
    let homeless = ["env", "-u", "HOME"];
    for command in COMMANDS {
        for base in ["file", "file/below", "absent", "dangling"] {
            let ran = world.bare([command, &["--base", base]].concat()).run().sanely().exits(66).prints("");
            ran.complains(&format!("error[not-found]: base {base}: no")).complains(advice);
        }
        let unset = || world.bare(command).env("WSCTL_BASE", "");
        unset().run().sanely().exits(66).complains("/home/.pitlane/workspaces");
        unset().env("HOME", "").run().sanely().exits(2).prints("").complains("error[usage]: ");
        unset().through(homeless).run().exits(2).prints("").complains("error[usage]: ").complains("--base");
        let ran = world.wsctl(command).through(homeless).run();
        assert!([0, 1, 66].contains(&ran.status), "nobody needs the home: {ran:#?}");
    }
}

#[test]
fn a_base_that_an_ordinary_user_may_not_read_is_permission_denied_for_each_subcommand() {
    needs!("root");
    let world = World::new();
    let id = world.aged(400);
    fs::create_dir(world.path("locked")).expect("a directory");
    fs::rename(world.base(), world.path("locked/base")).expect("a rename");
    for (locked, mode) in [("locked/base", 0), ("locked/base", 0o311), ("locked", 0)] {
        chown(world.path(locked), Some(ORDINARY_USER), Some(ORDINARY_USER)).expect("chown");
        chmod(world.path(locked), mode);
        for command in COMMANDS {
            let run = world.bare(command).env("WSCTL_BASE", "locked/base").by_ordinary_user();
            run.run().sanely().exits(77).prints("").complains("error[permission-denied]: base ");
        }
        chmod(world.path(locked), 0o755);
    }
    assert_eq!(names(&world.path("locked/base")), [id]);
}

/// For the order of all categories see the test beside the code.
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
fn names_that_are_not_utf_8_stop_no_subcommand() {
    let world = World::new();
    let id = world.workspace().accessed("2020-01-01T00:00:00Z").make();
    let base = odd_name(&world.path(""));
    fs::create_dir(odd_name(&world.base())).expect("a directory");
    fs::write(odd_name(&world.dir_of(&id)), "").expect("a file");
    fs::rename(world.base(), &base).expect("a rename");
    for command in
        [&["validate", &id][..], &["list", "-s", "--format", "json"], &["prune", "--yes", "--older-than", "1d"]]
    {
        world.bare(with(&[command, &["--base"]].concat(), &base)).run().sanely().exits(0).quietly();
    }
    assert_eq!(fs::read_dir(&base).expect("the base").count(), 1, "only the name that is not ours is left");
}
