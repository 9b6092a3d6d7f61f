//! Owners who keep writing in their workspaces: prune and list end all the same, report such a workspace as `busy`, and handle the
//! others. A workspace in which nobody writes is not reported as one.

use crate::mounted::Mounted;
use crate::owners::{Owners, memory};
use crate::paused::Paused;
use crate::tools::{set_aside, text, tool, trash};
use crate::world::{ORDINARY_USER, PRUNE, Ran, World, has, ids_in, is_root};
use std::fs::{self, FileTimes};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, UNIX_EPOCH};

/// Asserts that the attacked workspace is gone or busy, and told of by name, and that the other one is gone.
#[track_caller]
fn gone_or_busy(ran: Ran, attacked: &str, other: &str) {
    if ran.status == 0 {
        ran.pruned([attacked, other]);
    } else {
        let report = ran.mentions(attacked).finds_busy(attacked);
        assert_eq!(ids_in(&report["pruned"]), [other], "{report:#}");
    }
}

/// Measures a workspace under attack, and asserts that this ends, and that what is missed is told. `Run::run` fails where it
/// does not end.
#[track_caller]
fn list_ends(world: &World, id: &str) {
    let ran = world.wsctl(["list", "-s", "--format", "jsonl", id]).run().sanely();
    assert_eq!(ran.json()["id"], id, "{ran:#?}");
    assert!(ran.status == 0 || (ran.status == 75 && ran.stderr.contains(id)), "{ran:#?}");
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
fn prune_and_list_end_while_owners_fill_a_workspace_link_its_inodes_anew_and_extend_its_directories() {
    needs!("root", "cc", "setpriv");
    for (attack, many, subcommand) in [
        ("fill", 4, "list"),
        ("fill", 4, "prune"),
        ("fill", 4, "prune by the owner"),
        ("stage", 3, "prune"),
        ("relink", 3, "list"),
        ("relink", 3, "prune"),
        ("extend", 1, "list"),
        ("extend", 2, "prune"),
    ] {
        let world = World::new();
        let _memory = memory(&world);
        let [attacked, other] = [world.aged(40), world.aged(50)];
        tool(&["chown", "-R", &ORDINARY_USER.to_string(), text(&world.dir_of(&other))]);
        let _owners = Owners::begin(&world, attack, many, &world.dir_of(&attacked));
        match subcommand {
            "list" => list_ends(&world, &attacked),
            "prune" => gone_or_busy(world.prune(&[]).run().sanely(), &attacked, &other),
            _ => gone_or_busy(world.prune(&[]).by_ordinary_user().run().sanely(), &attacked, &other),
        }
    }
}

#[test]
fn prune_and_list_end_while_two_directories_are_moved_into_each_other() {
    let Some((world, _mounted, id)) = two_to_swap() else { return };
    let other = world.aged(50);
    let _owners = Owners::begin(&world, "swap", 1, &world.dir_of(&id));
    list_ends(&world, &id);
    gone_or_busy(world.prune(&[]).run().sanely(), &id, &other);
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

/// An earlier run may have begun to remove it after the base last changed.
#[test]
fn a_leftover_whose_directories_changed_after_the_base_is_removed_in_one_run() {
    let world = World::in_memory();
    let id = world.aged(40);
    let doomed = world.base().join(set_aside(&world, "doomed", &id));
    for number in 0..100_000 {
        fs::create_dir_all(doomed.join(format!("{number}/x"))).expect("directories");
    }
    world.prune(&[]).run().pruned([id]);
    assert_eq!(trash(&world), [""; 0]);
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
        world.wsctl(PRUNE[..6].iter().chain(&["-j", jobs])).run().pruned(ids);
        assert_eq!(world.names(), [""; 0], "-j {jobs}");
    }
}

#[test]
fn files_changed_while_the_clock_was_ahead_are_removed() {
    needs!("root", "debugfs", "mkfs.ext4");
    let world = World::in_memory();
    let mkfs = ["mkfs.ext4", "-q", "-N", "150000", "-I", "256", "-O", "^has_journal"];
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
    tool(&["sync", "-f", text(&world.base())]);
    tool(&["umount", text(&world.base())]);
    let (image, script) = (world.path("changed"), world.path("script"));
    fs::write(&script, commands.concat()).expect("a file");
    // A copy: another process may have the image mounted still, in a namespace that it made meanwhile.
    tool(&["cp", "--sparse=always", text(&world.path("image")), text(&image)]);
    tool(&["debugfs", "-w", "-f", text(&script), text(&image)]);
    tool(&["mount", "-o", "loop", text(&image), text(&world.base())]);
    let changed = dir.join("7").metadata().expect("a stat").ctime();
    assert!(changed > chrono::Utc::now().timestamp(), "debugfs has changed nothing");
    world.prune(&[]).run().pruned([id]);
    assert_eq!(world.names(), [""; 0]);
}
