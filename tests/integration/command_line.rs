//! What holds for every subcommand: which base it takes, and what it says of one that it cannot use.

use crate::hosts::home;
use crate::ids::with;
use crate::world::{ORDINARY_USER, World, chmod, names, numbered, odd_name};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{chown, symlink};

/// Each subcommand as it needs no more than a base and, in it, the workspace 0.
const COMMANDS: [&[&str]; 4] = [
    &["validate", "00000000-0000-4000-8000-000000000000"],
    &["touch", "00000000-0000-4000-8000-000000000000"],
    &["list", "-s", "--format", "json"],
    &["prune", "--yes", "--older-than", "1d"],
];

#[test]
fn every_subcommand_takes_the_base_from_its_option_or_else_from_the_environment_or_else_from_the_home() {
    for (command, is_link) in COMMANDS.into_iter().flat_map(|command| [false, true].map(|is_link| (command, is_link))) {
        for side in 0..4 {
            let (world, id) = World::with(|it| it.id(&numbered(0)).days_ago(9));
            let link = odd_name(&world.path("")); // no UTF-8
            symlink("base", &link).expect("a link");
            let base = if is_link { link.as_os_str() } else { OsStr::new("base") };
            let before = world.read_metadata(&id);
            let elsewhere = |args: Vec<OsString>| world.bare(args).env("WSCTL_BASE", "nowhere");
            let run = match side {
                0 => elsewhere([with(&["-b"], base), command.iter().map(OsString::from).collect()].concat()),
                1 => elsewhere(with(&[command, &["--base"]].concat(), base)),
                2 => world.bare(command).env("WSCTL_BASE", base),
                _ => world.bare(command).env("WSCTL_BASE", "").env("HOME", home(&world)),
            };
            let ran = run.run().exits(0).quietly();
            match command[0] {
                "touch" => assert_ne!(world.read_metadata(&id), before),
                "prune" => assert_eq!(world.names(), [""; 0]),
                _ => assert!(ran.stdout.contains(&id), "{ran:#?}"),
            }
            assert!(link.is_symlink());
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
    let (world, id) = World::with_aged(400);
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
