//! `wsctl prune` beside others: prunes, the application, and users who mount or swap things. The runs are paused at a
//! system call, so that nothing here depends on who is faster.

use crate::mounted::{Immutable, Mounted};
use crate::paused::{Paused, straced};
use crate::tools::{access, du, modify, rewrite, set_aside, text, the_trash, tool, tree};
use crate::world::{PRUNE, World, ago, finish, ids_in, numbered, sorted};
use chrono::TimeDelta;
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

#[test]
fn eight_prunes_at_once_report_each_workspace_once_and_none_fails() {
    let world = World::in_memory();
    let stale: Vec<_> = (0..300).map(|number| world.aged(31 + number)).collect();
    let fresh = world.aged(1);
    let leftovers = ["claimed", "doomed", "doomed", "doomed"].map(|stage| {
        let files = (0..50).map(|file| format!("data/{file}"));
        let id = files.fold(world.workspace(), |workspace, path| workspace.file(&path, b"x")).make();
        set_aside(&world, stage, &id);
        id
    });
    let used = du(&world.base());
    let begin = |jobs| world.wsctl(PRUNE[..6].iter().chain(&["-j", jobs])).begin();
    let children: Vec<_> = ["1", "2"].repeat(4).into_iter().map(begin).collect();
    let ended = children.into_iter().map(|child| finish(child, &"a prune").exits(0).quietly().json());
    let reports: Vec<_> = ended.collect();
    let pruned = reports.iter().flat_map(|report| ids_in(&report["pruned"]));
    assert_eq!(sorted(pruned), sorted(stale.iter().chain(&leftovers[1..])));
    let freed: u64 = reports.iter().filter_map(|report| report["freed_bytes"].as_u64()).sum();
    assert_eq!(freed, used - du(&world.base()), "it is the freed bytes that add up");
    assert_eq!(world.names(), sorted([&fresh, &leftovers[0]]));
}

#[test]
fn a_prune_does_not_fail_when_another_run_finishes_what_it_claimed_or_was_about_to_finish() {
    needs!("strace");
    for (is_doomed, call) in [(true, "fsync"), (true, "openat2"), (true, "getdents64"), (false, "renameat2")] {
        let (world, id) = World::with_aged(40);
        let doomed = is_doomed.then(|| world.base().join(set_aside(&world, "doomed", &id)));
        let path = doomed.as_deref().filter(|_| call != "fsync");
        let paused = Paused::after(&world, call, path, world.prune(&[]));
        world.prune(&[]).run().pruned([id]);
        let report = paused.go_on().pruned([""; 0]);
        assert!(is_doomed || report["freed_bytes"] == json!(0), "{call}: {report}");
        assert_eq!(world.names(), [""; 0], "{call}");
    }
}

#[test]
fn a_dry_run_does_not_report_what_another_run_has_removed_meanwhile() {
    needs!("strace");
    let world = World::new();
    let id = world.aged(40);
    let paused = Paused::after(&world, "readlink,readlinkat", None, world.prune(&["-n"]));
    world.prune(&[]).run().pruned([id]);
    paused.go_on().pruned([""; 0]);
}

#[test]
fn a_dry_run_does_not_fail_when_another_run_puts_a_claim_back_meanwhile() {
    needs!("strace");
    let world = World::new();
    let id = world.aged(1);
    let metadata = world.base().join(set_aside(&world, "claimed", &id)).join(".metadata.json");
    let paused = Paused::after(&world, "read", Some(&metadata), world.prune(&["-n"]));
    world.prune(&[]).run().pruned([""; 0]);
    assert_eq!(world.names(), [id]);
    paused.go_on().pruned([""; 0]);
}

#[test]
fn a_claimed_workspace_that_another_run_puts_back_is_claimed_again_at_its_own_path() {
    needs!("strace");
    for (is_of_an_earlier_run, call) in [(true, "readlink,readlinkat"), (false, "renameat2")] {
        let (world, id) = World::with_aged(40);
        if is_of_an_earlier_run {
            set_aside(&world, "claimed", &id);
        }
        let paused = Paused::after(&world, call, None, world.prune(&[]));
        world.wsctl(["prune", "-y", "--older-than", "100d"]).run().exits(0).quietly();
        assert_eq!(world.names(), [&*id], "{call}");
        paused.go_on().pruned([id]);
        assert_eq!(world.names(), [""; 0], "{call}");
    }
}

#[test]
fn what_is_accessed_after_its_claim_goes_back_and_with_use_mtime_what_is_written_in_too() {
    needs!("strace");
    let write: fn(&Path) = |dir| fs::write(dir.join("lap.csv"), "new").expect("a write");
    for (file, call, options, act, is_saved) in [
        // A rename that had resolved its directory before the claim; the sweep is between the looks.
        ("lap.csv", "renameat2", &[][..], access as fn(&Path), true),
        (".metadata.tmp.old.json", "unlinkat", &[], access, true),
        ("lap.csv", "renameat2", &["--use-mtime"], write, true),
        ("lap.csv", "renameat2", &[], write, false),
    ] {
        let (world, id) = World::with(|it| it.days_ago(40).file(file, b"{}"));
        modify(&world, &id, 40);
        let paused = Paused::after(&world, call, None, world.prune(options));
        let claimed = world.base().join(the_trash(&world));
        act(&claimed);
        let content =
            |dir: &Path| -> Vec<_> { tree(dir).into_iter().filter(|line| !line.contains(".tmp.")).skip(1).collect() };
        let (accessed, ran) = (content(&claimed), paused.go_on());
        if is_saved {
            ran.finds_busy(&id);
            assert_eq!((world.names(), content(&world.dir_of(&id))), (vec![id], accessed), "{call} {options:?}");
        } else {
            ran.pruned([id]);
        }
    }
}

#[test]
fn a_workspace_swapped_for_a_link_after_the_decision_is_not_followed() {
    needs!("strace");
    let (world, both) = World::with_each_aged([50, 40]);
    let outside = world.path("outside");
    let paused = Paused::after(&world, "renameat2", None, world.prune(&[]));
    let [first, swapped] = if world.dir_of(&both[0]).exists() { [&both[1], &both[0]] } else { both.each_ref() };
    fs::rename(world.dir_of(swapped), &outside).expect("a rename");
    symlink(&outside, world.dir_of(swapped)).expect("a link");
    let before = tree(&outside);
    let report = paused.go_on().finds_busy(swapped);
    assert_eq!((ids_in(&report["pruned"]), tree(&outside)), (vec![first.clone()], before));
    assert_eq!(world.names(), std::slice::from_ref(swapped), "and the link is where it was");
}

#[test]
fn a_file_written_in_a_doomed_tree_is_removed_before_its_metadata() {
    needs!("root", "strace", "chattr");
    let (world, id) = World::with(|it| it.days_ago(40).file("x", b"x"));
    // As it usually is: the base has been changed since the workspace was.
    tool(&["touch", "-d", "40 days ago", text(&world.dir_of(&id))]);
    let paused = Paused::after(&world, "fsync", None, world.prune(&[]));
    let doomed = world.base().join(the_trash(&world));
    fs::write(doomed.join("late"), "x").expect("a file");
    let Some(_immutable) = Immutable::set(&world, "+i", &doomed.join("late")) else { return };
    assert_eq!(ids_in(&paused.go_on().exits(77).json()["failed"]), [id]);
    assert!(!doomed.join("x").exists() && doomed.join(".metadata.json").exists(), "the application's listing goes on");
}

#[test]
fn every_open_follows_no_link_and_waits_for_nothing() {
    needs!("strace");
    let (world, id) = World::with(|it| it.days_ago(40).file("data/x", b"x"));
    let (ran, log) = straced(&world, world.prune(&["-b", text(&world.base())]), "open,openat,openat2");
    let _ = ran.exits(0);
    let below = |line: &&String| line.contains(&format!("{}>", world.base().display())) || line.contains(&id);
    let below: Vec<_> = log.iter().filter(below).filter(|line| !line.contains("= -1")).collect();
    assert!(!below.is_empty(), "{log:#?}");
    for line in below {
        let directory = line.contains("O_DIRECTORY") || line.contains("O_PATH"); // which opens nothing
        let careful = ["O_NONBLOCK", "O_NOCTTY", "O_NOFOLLOW"].iter().all(|flag| line.contains(flag));
        let no_links = line.contains("O_NOFOLLOW") || line.contains("NO_SYMLINKS") || line.contains("AT_FDCWD");
        assert!((directory || careful) && no_links, "{line}");
    }
}

/// Makes so many workspaces without metadata that a listing of the base takes several calls, and returns them in its order.
fn many(world: &World) -> Vec<String> {
    (1..=1500).for_each(|number| fs::create_dir(world.dir_of(&numbered(number))).expect("a workspace"));
    let listed = fs::read_dir(world.base()).expect("the base").map(|entry| entry.expect("a name").file_name());
    listed.map(|name| name.into_string().expect("UTF-8")).collect()
}

#[test]
fn a_workspace_that_is_listed_twice_since_another_run_has_put_it_back_counts_once() {
    needs!("root", "mkfs.xfs", "strace");
    let Some((world, _mounted)) = Mounted::base(300, &["mkfs.xfs", "-q"]) else { return };
    let all = many(&world);
    let [newest, older, oldest] = [(&all[0], 1), (&all[1], 2), (&all[2], 3)].map(|(id, days)| {
        rewrite(&world.dir_of(id), &format!("{{\"last_accessed\": \"{}\"}}", ago(TimeDelta::days(days))));
        id
    });
    let run = world.prune(&["--max-total-size", "0B", "--keep-last", "2"]);
    let paused = Paused::try_after(&world, ("getdents64", 3), run).expect("a second piece");
    let aside = world.base().join("aside");
    fs::rename(world.dir_of(newest), &aside).expect("a claim");
    fs::create_dir(world.dir_of(&numbered(0))).expect("another workspace, in the gap of the listing");
    fs::rename(&aside, world.dir_of(newest)).expect("put back, at its end");
    assert_eq!(ids_in(&paused.go_on().exits(0).json()["pruned"]), [&**oldest]);
    assert!(world.dir_of(older).exists() && world.dir_of(newest).exists());
}

#[test]
fn an_id_that_the_listing_misses_since_another_run_has_put_it_back_is_pruned() {
    needs!("strace");
    let world = World::in_memory();
    let all = many(&world);
    let last = all.last().expect("a workspace");
    let run = world.wsctl(["prune", "-y", "--format", "json", last]);
    let paused = Paused::try_after(&world, ("getdents64", 3), run).expect("a second piece");
    let aside = world.base().join("aside");
    fs::rename(world.dir_of(last), &aside).and_then(|()| fs::rename(&aside, world.dir_of(last))).expect("put back");
    let _ = paused.go_on().pruned([last]);
}
