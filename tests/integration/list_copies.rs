//! Copies that a prune left aside beside a new workspace: `list` warns of them, and `prune` says how to get them back.

use crate::hosts::shell;
use crate::tools::{set_aside, tree};
use crate::world::World;
use std::fs;

/// A workspace that has been made anew while a prune had it aside; its ID, and the name of what was left aside.
fn copied(world: &World, old: &str) -> String {
    let name = set_aside(world, "claimed", old);
    let _ = world.workspace().id(old).description("new").make();
    name
}

#[test]
fn list_warns_of_each_copy_beside_a_live_workspace_with_its_name_and_age_and_exits_0() {
    let world = World::new();
    let old = [world.aged(3), world.workspace().make_without_metadata(), world.workspace().metadata("{").make()];
    let names = old.each_ref().map(|id| copied(&world, id));
    let doomed = world.aged(9);
    set_aside(&world, "doomed", &doomed);
    let _ = world.workspace().id(&doomed).make(); // what was doomed is no copy
    let before = world.snapshot();
    let list = world.wsctl(["list", "--format", "ids"]).run().exits(0);
    for ((id, name), age) in old.iter().zip(&names).zip(["3d ago", "unknown", "unknown"]) {
        let is_warning = |line: &&str| [&**id, &**name, age, "warning[busy]: "].iter().all(|part| line.contains(part));
        assert_eq!(list.stderr.lines().filter(is_warning).count(), 1, "{list:#?}");
    }
    assert_eq!((list.stderr.lines().count(), world.snapshot()), (old.len(), before), "{list:#?}");
    let _ = world.wsctl(["list", &old[0]]).run().exits(0).quietly();
}

#[test]
fn the_command_that_prune_suggests_restores_a_copy() {
    for option in ["-n", "-y"] {
        let world = World::new();
        let id = world.aged(3);
        let before = tree(&world.dir_of(&id));
        copied(&world, &id);
        let ran = world.wsctl(["prune", option, "--older-than", "30d"]).run().complains("warning[busy]: ");
        let (_, words) = ran.stderr.trim_end().split_once("move the new one away and run: mv ").expect("advice");
        let advised = || shell(&world, &format!("mv {words}"));
        assert_ne!(advised().status, 0, "while the new one is in the way");
        fs::rename(world.dir_of(&id), world.path("new")).expect("a rename");
        let _ = advised().exits(0).quietly();
        assert_eq!((world.names(), tree(&world.dir_of(&id))), (vec![id], before));
    }
}
