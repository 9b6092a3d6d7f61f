//! The README's commands, run on a copy of the workspaces that ship with the repository.

use crate::world::World;
use std::fs;
use std::path::Path;

fn copy_of_the_samples(world: &World) {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/.");
    let copied = std::process::Command::new("cp").arg("-r").arg(samples).arg(world.base()).status();
    assert!(copied.expect("cp").success());
}

/// The lines that a shell is given in the README's `console` blocks.
fn commands() -> Vec<String> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("README.md");
    let blocks = readme.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("$ "));
    lines.map(str::to_owned).collect()
}

#[test]
fn every_command_in_the_readme_works_on_the_samples() {
    let commands = commands();
    assert!(commands.len() >= 14, "{commands:#?}");
    let binary = Path::new(env!("CARGO_BIN_EXE_wsctl")).parent().expect("a directory").to_owned();
    for command in commands {
        let world = World::new();
        copy_of_the_samples(&world);
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").expect("PATH"));
        let run = world.wsctl::<&str>([]).env("PATH", path).through(["sh", "-c", &command]);
        run.run().exits(0).quietly();
    }
}

#[test]
fn the_first_command_lists_the_samples_and_shows_what_would_be_pruned() {
    let world = World::new();
    copy_of_the_samples(&world);
    let before = world.snapshot();
    let list = world.wsctl(["list", "-s"]).run().exits(0);
    assert_eq!(list.lines().len(), 7, "a head and the six that are ours: {list:#?}");
    let prune = world.wsctl(["prune", "--older-than", "7d", "--keep-last", "2", "-n", "-v"]).run().exits(0);
    assert!(prune.lines().len() >= 4 && !prune.stdout.contains("62bbc962"), "{prune:#?}");
    assert_eq!(world.snapshot(), before);
}
