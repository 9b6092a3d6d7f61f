//! Names in the base that somebody else has made: copies that look claimed, and names that a claim would take.

use crate::mounted::Mounted;
use crate::paused::Paused;
use crate::terminal::at_terminal;
use crate::tools::{access, rules, set_aside, text, the_trash, tool, trash, tree};
use crate::world::{World, ids_in, sorted};
use serde_json::json;
use std::fs;

#[test]
fn a_planted_copy_beside_a_live_workspace_is_skipped_with_a_warning_and_counts_for_nothing_unless_it_is_given_by_id() {
    let (world, id) = World::with_aged(1);
    let copy = world.dir_of(&format!(".wsctl-claimed.{id}.00c0ffee00c0ffee"));
    fs::create_dir(&copy).and_then(|()| fs::write(copy.join("file"), "x")).expect("a directory without metadata");
    let before = world.snapshot();
    for more in [&["-n"][..], &[]] {
        let ran = world.prune(more).run().exits(0).complains("warning[").mentions(&id);
        let report = ran.json();
        assert_eq!((&report["kept"], &report["pruned"], &report["failed"]), (&json!(1), &json!([]), &json!([])));
        assert_eq!(ids_in(&report["skipped"]), [&*id], "{ran:#?}");
        assert_eq!(world.snapshot(), before);
    }

    let stale = world.aged(40);
    let limited = |limit| world.prune(&["--max-delete", limit]).run();
    let _ = limited("40%").exits(78); // one of two; of three it would be less
    assert_eq!(ids_in(&limited("60%").exits(0).json()["pruned"]), [stale]);

    let before = tree(&world.dir_of(&id));
    let _ = world.wsctl(["prune", "-y", &id]).run().mentions(&id).mentions("only the copy is pruned");
    assert_eq!((world.names(), tree(&world.dir_of(&id))), (vec![id], before));
}

#[test]
fn where_copies_and_leftovers_go_too_each_goes_by_itself_but_no_more_workspaces_would_go_than_there_are() {
    needs!("python3");
    let (world, id) = World::with_aged(40);
    for (tag, stage) in ["claimed", "claimed", "doomed"].iter().enumerate() {
        let aside = world.dir_of(&format!(".wsctl-{stage}.{id}.{tag:016x}"));
        tool(&["cp", "-a", text(&world.dir_of(&id)), text(&aside)]);
    }
    let question = at_terminal(100, world.wsctl(["prune", "--older-than", "30d"]), "n\\n").exits(78);
    for part in ["1 of 1 workspace in ", "Also leftovers of earlier prunes: 3\r\n"] {
        assert!(question.stdout.contains(part), "{question:#?}");
    }
    let refused = world.prune(&["--max-delete", "0"]).run().exits(78).mentions("1 of 1 workspace would be deleted");
    assert_eq!(refused.json()["kept"], 1);
    let report = world.prune(&["--max-delete", "100%"]).run().pruned([&id; 4]);
    let found = sorted(rules(&report).iter().map(|(_, rule)| rule));
    assert_eq!(found, ["leftover", "older-than", "older-than", "older-than"]);
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn prune_tries_another_name_where_the_one_for_a_claim_is_taken() {
    needs!("strace");
    for calls in ["1", "2"] {
        let (world, id) = World::with_aged(40);
        world.prune(&[]).injecting([&*format!("renameat2:error=EEXIST:when={calls}")]).run().pruned([id]);
        assert_eq!(world.names(), [""; 0]);
    }
}

#[test]
fn an_accessed_workspace_is_never_put_back_over_a_new_one_also_without_rename_noreplace() {
    needs!("strace");
    for (call, lacking) in [
        ("renameat2", &[][..]),
        ("renameat", &["-e", "inject=renameat2:error=EINVAL"]),
        ("renameat", &["-e", "inject=renameat2:error=EOPNOTSUPP"]),
    ] {
        let (world, id) = World::with_aged(40);
        let paused = Paused::lacking(&world, lacking, call, world.prune(&[]));
        let claimed = &the_trash(&world);
        access(&world.base().join(claimed)); // one that was under way when the claim came
        fs::create_dir(world.dir_of(&id)).expect("the application makes it anew");
        let both = || [&*id, claimed].map(|name| tree(&world.dir_of(name)));
        let before = both();
        paused.go_on().finds_busy(&id);
        assert_eq!((world.names(), both()), (sorted([claimed, &id]), before), "{call}");
    }
    // And where the new one is made right before the way back.
    for errno in ["ENOTEMPTY", "EEXIST"] {
        let (world, id) = World::with_aged(1);
        let claimed = set_aside(&world, "claimed", &id);
        let met = format!("renameat:error={errno}");
        world.prune(&[]).injecting(["renameat2:error=EINVAL", &met]).run().finds_busy(&id);
        assert_eq!(world.names(), [claimed]);
    }
}

/// At each point of a prune, another one puts back what it claimed, and somebody makes a directory of the name that is free now.
#[test]
fn a_directory_made_under_the_name_of_a_claim_does_not_tear_a_workspace() {
    needs!("strace");
    let mut planted = 0;
    for call in ["openat2", "getdents64", "statx", "renameat2"] {
        for nth in 1.. {
            let (world, [id, other]) = World::with_each_aged([40, 1]);
            let before = tree(&world.dir_of(&id));
            let Ok(paused) = Paused::try_after(&world, (call, nth), world.prune(&[])) else { break };
            let claimed = trash(&world).pop().filter(|name| name.contains("claimed"));
            if let Some(name) = &claimed {
                let _ = world.wsctl(["prune", "-y", &other]).run().exits(0);
                fs::create_dir(world.base().join(name)).expect("a directory");
                planted += 1;
            }
            let ran = paused.go_on();
            let is_whole = !world.dir_of(&id).exists() || tree(&world.dir_of(&id)) == before;
            assert!(is_whole, "{call} {nth}: {:?} {ran:#?}", tree(&world.dir_of(&id)));
        }
    }
    assert!(planted > 3, "{planted}");
}

#[test]
fn a_claim_that_is_a_mount_point_fails_once() {
    needs!("root", "mount");
    let world = World::new();
    let claim = world.base().join(set_aside(&world, "claimed", &world.aged(1)));
    let _mounted = Mounted::tmpfs(&world, &claim, "size=1m");
    for more in [&["-n"][..], &[]] {
        let report = world.prune(more).run().exits(75).mentions("something is mounted on it").json();
        assert_eq!((report["failed"].as_array().map(Vec::len), &report["kept"]), (Some(1), &json!(0)), "{report}");
    }
}

#[test]
fn a_dry_run_that_cannot_look_where_a_claim_goes_back_does_not_call_it_taken() {
    needs!("strace");
    let world = World::new();
    let _ = set_aside(&world, "claimed", &world.aged(1));
    let faults = (1..=8).map(|call| format!("statx:error=EIO:when={call}"));
    let told: Vec<_> = faults.map(|fault| world.prune(&["-n"]).injecting([&*fault]).run().stderr).collect();
    assert!(told.iter().any(|told| told.contains("cannot tell whether it can be put back: ")), "{told:#?}");
    assert!(!told.iter().any(|told| told.contains("something new")), "{told:#?}");
}
