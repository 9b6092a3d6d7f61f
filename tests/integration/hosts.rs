//! A shell in which `wsctl` is the program, and hosts that it reaches by `ssh`.

use crate::tools::{text, tool};
use crate::world::{Ran, World};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Runs a script in which `wsctl` is this build, on the default base, and no part of a pipeline may fail.
#[must_use]
pub fn shell(world: &World, script: &str) -> Ran {
    bash(world, &["-e", "-u", "-o", "pipefail"], script)
}

#[must_use]
pub fn bash(world: &World, options: &[&str], script: &str) -> Ran {
    let _ = home(world);
    let binary = world.binary.parent().expect("a directory");
    let path = [text(&world.path("bin")), text(binary), &std::env::var("PATH").expect("PATH")].join(":");
    world.bare::<&str>([]).env("PATH", path).through([&["bash"], options, &["-c", script]].concat()).run()
}

/// A home directory in which the world's base is the default one.
pub fn home(world: &World) -> PathBuf {
    let home = world.path("home");
    fs::create_dir_all(home.join(".pitlane")).expect("a directory");
    let _ = symlink(world.base(), home.join(".pitlane/workspaces")); // it may be there
    home
}

/// Puts an `ssh` into the [`shell`] of this world that runs the command here, as it would on a host of that name: with this home
/// directory, and nothing else in its environment but a `PATH`.
pub fn reach(world: &World, hosts: &[(&str, &Path)]) {
    let cases = hosts.iter().map(|(name, home)| format!("{name}) home='{}' ;;\n", text(home)));
    let script = format!(
        "#!/bin/sh\nwhile case $1 in -[lp]) shift ;; -*) ;; *) false ;; esac; do shift; done\n\
         case $1 in\n{}*) exit 255 ;;\nesac\nshift\n[ \"$1\" != -- ] || shift\n\
         cd \"$home\" && exec env -i SHELL=/bin/sh HOME=\"$home\" PATH={}:/usr/bin:/bin sh -c \"$*\"\n",
        cases.collect::<String>(),
        text(world.binary.parent().expect("a directory"))
    );
    fs::write(world.path("ssh"), script).expect("a script");
    // By another process, since what is open for writing, or was when somebody forked, cannot be run.
    tool(&["install", "-D", text(&world.path("ssh")), text(&world.path("bin/ssh"))]);
}
