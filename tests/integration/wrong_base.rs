//! A base that holds no workspaces while there are some near it: every subcommand says which was probably meant.

use crate::mounted::Mounted;
use crate::tools::set_aside;
use crate::world::{World, numbered};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// What each subcommand says on stderr when this directory is its base, and the ID that it looks for is absent there.
fn said(world: &World, base: &Path, more: &[&str]) -> Vec<String> {
    let absent = numbered(1);
    let commands: [&[&str]; 4] =
        [&["list"], &["validate", &absent], &["touch", &absent], &["prune", "-n", "--older-than", "30d"]];
    let said = commands.map(|args| {
        let stderr = world.wsctl(more.iter().chain(args)).env("WSCTL_BASE", base).run().stderr;
        stderr.lines().filter(|line| line.contains(" did you mean ")).map(str::to_owned).collect::<Vec<_>>()
    });
    assert!(said.iter().all(|lines| *lines == said[0]), "all say the same: {said:?}");
    said[0].clone()
}

#[test]
fn every_subcommand_names_the_base_that_was_probably_meant() {
    let (world, id) = World::with(|it| it.file("data/file", b"x"));
    let base = fs::canonicalize(world.base()).expect("the base").display().to_string();
    // A workspace is found two levels below, and not further down.
    for dir in [&*format!("two/y/z/{id}"), &format!("three/y/z/w/{id}"), "a/b/c"] {
        fs::create_dir_all(world.path(dir)).expect("a directory");
    }
    symlink(world.path(""), world.path("a/link")).expect("a link");
    for wrong in [world.path(""), world.dir_of(&id), world.path("a").join("link")] {
        let name = wrong.display();
        let told = format!("warning: base {name}: holds no workspaces, but {base} does: did you mean --base {base}?");
        assert_eq!(said(&world, &wrong, &[]), [told]);
        assert!(said(&world, &wrong, &["-q"]).is_empty());
    }
    assert!(said(&world, &world.path("two"), &[])[0].ends_with("two/y/z?"));
    for (right, why) in [("three", "it is too deep"), ("a", "a link is not followed"), ("base", "it holds one")] {
        assert!(said(&world, &world.path(right), &[]).is_empty(), "{why}");
    }
    set_aside(&world, "claimed", &id);
    assert!(said(&world, &world.base(), &[]).is_empty(), "a prune has wholly taken it aside");
}

#[test]
fn an_empty_base_is_right_and_the_search_for_a_better_one_enters_no_mount() {
    needs!("root", "mount");
    let world = World::new();
    assert!(said(&world, &world.base(), &[]).is_empty());
    let point = world.base().join("mine");
    fs::create_dir(&point).expect("a directory");
    let _mounted = Mounted::tmpfs(&world, &point, "size=1m");
    fs::create_dir(point.join(numbered(2))).expect("a workspace");
    assert!(said(&world, &world.base(), &[]).is_empty());
}
