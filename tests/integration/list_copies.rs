//! Copies that a prune left aside beside a new workspace: `list` warns of them, and `prune` says how to get them back.

use crate::hosts::shell;
use crate::tools::{set_aside, text, tree};
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
    let before = world.snapshot();
    for format in ["table", "json", "jsonl", "ids"] {
        let mut list = world.wsctl(["list", "--format", format]).run().exits(0);
        for ((id, name), age) in
            old.iter().zip(&names).zip(["last accessed 3d ago", "last access unknown", "last access unknown"])
        {
            list = list.mentions(&format!(
                "warning[busy]: workspace {id}: an earlier prune left a claimed copy of it as {name} ({age}); "
            ));
        }
        assert_eq!(list.stderr.lines().count(), old.len(), "{list:#?}");
    }
    assert_eq!(world.snapshot(), before);
    let _ = world.wsctl(["-q", "list"]).run().exits(0).quietly();
}

#[test]
fn list_warns_of_no_copy_where_ids_are_given_and_of_nothing_else_that_a_prune_left() {
    let world = World::new();
    let [id, doomed, claimed] = [1, 2, 3].map(|days| world.aged(days));
    set_aside(&world, "doomed", &doomed);
    let _ = world.workspace().id(&doomed).make();
    set_aside(&world, "claimed", &claimed); // no copy, but the workspace itself
    fs::write(world.base().join(format!(".wsctl-claimed.{id}.00c0ffee00c0ffee")), "").expect("a file");
    let _ = world.wsctl(["list"]).run().exits(0).quietly();

    let copied_id = world.aged(4);
    copied(&world, &copied_id);
    let _ = world.wsctl(["list", &copied_id]).run().exits(0).quietly();
}

/// What follows `mv` in the only line that a run said.
#[track_caller]
fn advised(stderr: &str) -> String {
    let (_, words) = stderr.trim_end().split_once("move the new one away and run: mv ").expect("advice");
    format!("mv {words}")
}

#[test]
fn the_command_that_prune_suggests_restores_a_copy() {
    for unknown in [false, true] {
        for option in ["-n", "-y"] {
            let world = World::new();
            let id = if unknown { world.workspace().make_without_metadata() } else { world.aged(3) };
            let before = tree(&world.dir_of(&id));
            let name = copied(&world, &id);
            let ran = world.wsctl(["prune", option, "--older-than", "30d"]).run();
            let ran =
                ran.complains(&format!("warning[{}]: workspace {id}: ", if unknown { "not-found" } else { "busy" }));
            let (copy, own) = (world.base().join(&name), world.dir_of(&id));
            assert_eq!(advised(&ran.stderr), format!("mv -T {} {}", text(&copy), text(&own)), "{ran:#?}");

            let refused = shell(&world, &advised(&ran.stderr)); // while the new one is in the way
            assert!(refused.status != 0 && copy.exists() && own.exists(), "{refused:#?}");
            fs::rename(&own, world.path("new")).expect("a rename");
            let _ = shell(&world, &advised(&ran.stderr)).exits(0).quietly();
            assert_eq!((world.names(), tree(&own)), (vec![id], before));
        }
    }
}
