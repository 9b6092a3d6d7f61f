//! Owners who keep writing in their workspaces: prune and list end all the same, report such a workspace as `busy`, and handle the
//! others. A workspace in which nobody writes is not reported as one.

use crate::mounted::Mounted;
use crate::owners::{Owners, memory};
use crate::paused::Paused;
use crate::tools::{text, tool, trash};
use crate::world::{ORDINARY_USER, PRUNE, Ran, Run, World, has, ids_in, is_root, sorted};
use std::fs::{self, FileTimes};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, UNIX_EPOCH};

/// Asserts that the attacked workspace is gone or busy, and told of by name, and that the other one is gone.
#[track_caller]
fn gone_or_busy(ran: &Ran, attacked: &str, other: &str) {
    let report = ran.json();
    let (pruned, failed) = (ids_in(&report["pruned"]), ids_in(&report["failed"]));
    if pruned == sorted([attacked, other]) {
        assert_eq!((ran.status, failed.len(), &*ran.stderr), (0, 0, ""), "{ran:#?}");
        return;
    }
    assert_eq!(
        (ran.status, &pruned[..], &failed[..]),
        (75, &[other.to_owned()][..], &[attacked.to_owned()][..]),
        "{ran:#?}"
    );
    assert_eq!(report["failed"][0]["category"], "busy", "{ran:#?}");
    assert!(ran.stderr.contains("warning[busy]: ") && ran.stderr.contains(attacked), "{ran:#?}");
}

/// Prunes a workspace under attack, and another one, and asserts what [`gone_or_busy`] does. [`Run::run`] fails where it does
/// not end.
#[track_caller]
fn prune_ends(attack: &str, many: usize, run: impl Fn(&World) -> Run<'_>) {
    needs!("root", "cc", "setpriv");
    let world = World::new();
    let _memory = memory(&world);
    let [attacked, other] = [world.aged(40), world.aged(50)];
    tool(&["chown", "-R", &ORDINARY_USER.to_string(), text(&world.dir_of(&other))]);
    let _owners = Owners::begin(&world, attack, many, &world.dir_of(&attacked));
    gone_or_busy(&run(&world).run().sanely(), &attacked, &other);
}

/// A workspace with the two directories that `swap` moves: so many files are in them that the owner sees in time which one is
/// read. They lie on an ext4, which lists them always in the same order, wherever in it a new one comes.
fn two_to_swap() -> Option<(World, Mounted, String)> {
    if !(is_root() && has("cc") && has("mkfs.ext4")) {
        return None;
    }
    let world = World::in_memory();
    let mounted = Mounted::image(&world, &world.base(), 256, &["mkfs.ext4", "-q", "-N", "60000"])?;
    fs::remove_dir(world.base().join("lost+found")).expect("an empty directory");
    let id = world.aged(40);
    for dir in ["a", "b"].map(|name| world.dir_of(&id).join(name)) {
        fs::create_dir(&dir).expect("a directory");
        (0..20_000).for_each(|number| drop(fs::File::create(dir.join(number.to_string())).expect("a file")));
    }
    Some((world, mounted, id))
}

#[test]
fn prune_ends_while_owners_fill_the_workspace_and_set_its_time_ahead() {
    prune_ends("fill", 4, |world| world.prune(&[]));
}

#[test]
fn a_prune_by_an_ordinary_user_ends_while_processes_of_the_same_user_fill_the_workspace() {
    prune_ends("fill", 4, |world| world.prune(&[]).by_ordinary_user());
}

#[test]
fn prune_ends_while_an_inode_that_it_has_met_gets_new_names() {
    prune_ends("relink", 3, |world| world.prune(&[]));
}

#[test]
fn prune_ends_while_chains_of_directories_are_extended() {
    prune_ends("extend", 2, |world| world.prune(&[]));
}

#[test]
fn a_time_that_the_owner_of_the_base_sets_on_it_hides_no_directories_that_come_after_the_doom() {
    needs!("strace");
    let world = World::in_memory();
    let id = world.aged(40);
    // strace writes down no other call, which would take long.
    let paused = Paused::lacking(&world, &["-e", "trace=fsync"], "fsync", None, world.prune(&[]));
    let in_2090 = FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(3_786_912_000));
    fs::File::open(world.base()).and_then(|base| base.set_times(in_2090)).expect("a time");
    let doomed = world.base().join(&trash(&world)[0]);
    for number in 0..101_000 {
        fs::create_dir_all(doomed.join(format!("{number}/x"))).expect("directories");
    }
    let _ = paused.go_on().finds_busy(&id);
}

#[test]
fn prune_ends_while_two_directories_are_moved_into_each_other() {
    let Some((world, _mounted, id)) = two_to_swap() else { return };
    let other = world.aged(50);
    let _owners = Owners::begin(&world, "swap", 1, &world.dir_of(&id));
    gone_or_busy(&world.prune(&[]).run().sanely(), &id, &other);
}

/// Measures a workspace under attack, and asserts that this ends, and that what is missed is told.
#[track_caller]
fn list_ends(world: &World, id: &str) {
    let ran = world.wsctl(["list", "-s", "--format", "jsonl"]).run().sanely();
    assert_eq!(ran.json()["id"], id, "{ran:#?}");
    assert!(ran.status == 0 || (ran.status == 75 && ran.stderr.contains(id)), "{ran:#?}");
}

#[test]
fn list_ends_while_two_directories_are_moved_into_each_other() {
    let Some((world, _mounted, id)) = two_to_swap() else { return };
    let _owners = Owners::begin(&world, "swap", 1, &world.dir_of(&id));
    list_ends(&world, &id);
}

#[test]
fn list_ends_while_a_workspace_keeps_being_written_to() {
    needs!("root", "cc");
    for (attack, many) in [("fill", 4), ("relink", 3), ("extend", 1)] {
        let world = World::new();
        let _memory = memory(&world);
        let id = world.aged(40);
        let _owners = Owners::begin(&world, attack, many, &world.dir_of(&id));
        list_ends(&world, &id);
    }
}

#[test]
fn two_workspaces_that_share_120_000_inodes_go_in_one_run() {
    needs!("root");
    for jobs in ["1", "2"] {
        let world = World::new();
        let _memory = memory(&world);
        let ids = [world.aged(40), world.aged(50)];
        for dir in 0..120 {
            let dirs = ids.each_ref().map(|id| world.dir_of(id).join(format!("cache/{dir}")));
            for dir in &dirs {
                fs::create_dir_all(dir).expect("directories");
            }
            for file in 0..1000 {
                let name = file.to_string();
                fs::File::create(dirs[0].join(&name)).expect("a file");
                fs::hard_link(dirs[0].join(&name), dirs[1].join(&name)).expect("a link");
            }
        }
        let report = world.wsctl(PRUNE[..6].iter().chain(&["-j", jobs])).run().exits(0).quietly().json();
        assert_eq!((ids_in(&report["pruned"]), world.names()), (sorted(ids), vec![]), "-j {jobs}");
    }
}

#[test]
fn files_changed_while_the_clock_was_ahead_are_removed() {
    needs!("root", "debugfs", "mkfs.ext4");
    let world = World::in_memory();
    let mkfs = ["mkfs.ext4", "-q", "-N", "150000", "-I", "256"];
    let Some(_mounted) = Mounted::image(&world, &world.base(), 700, &mkfs) else { return };
    fs::remove_dir(world.base().join("lost+found")).expect("an empty directory");
    let id = world.aged(40);
    let dir = world.dir_of(&id).join("data");
    fs::create_dir(&dir).expect("a directory");
    let inodes = (0..100_500).map(|number| {
        let file = fs::File::create(dir.join(number.to_string())).expect("a file");
        file.metadata().expect("a stat").ino()
    });
    let commands: Vec<_> = inodes.map(|inode| format!("sif <{inode}> ctime 20330101000000\n")).collect();
    tool(&["umount", text(&world.base())]);
    let (image, script) = (world.path("image"), world.path("script"));
    fs::write(&script, commands.concat()).expect("a file");
    tool(&["debugfs", "-w", "-f", text(&script), text(&image)]);
    tool(&["mount", "-o", "loop", text(&image), text(&world.base())]);
    let changed = dir.join("7").metadata().expect("a stat").ctime();
    assert!(changed > chrono::Utc::now().timestamp(), "debugfs has changed nothing");
    let report = world.prune(&[]).run().exits(0).quietly().json();
    assert_eq!((ids_in(&report["pruned"]), world.names()), (vec![id], vec![]));
}
