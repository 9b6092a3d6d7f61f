//! `wsctl touch` when something fails or kills it: the file is wholly the old or wholly the new, and nothing else is left. For
//! each call with each of its errors, and kills, see `slow/faults.rs`.

use crate::mounted::Mounted;
use crate::paused::straced;
use crate::tools::{text, tool};
use crate::world::{AT, ORDINARY_USER, WRITTEN, World, chmod, names};
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::os::unix::fs::{chown, symlink};

/// The files below the base, temporary ones too, with all that is known of them; without the directories, whose times change
/// with each temporary file.
fn files(world: &World) -> Vec<String> {
    world.snapshot().into_iter().filter(|line| line.ends_with(')')).collect()
}

#[test]
fn touch_on_a_full_or_a_read_only_file_system_is_an_io_error_and_the_old_content_stays() {
    needs!("root", "mount");
    let fill = "cd \"$0\" && head -c 1M /dev/zero > ballast; touch $(seq 100); true"; // neither a block nor an inode is left
    for (options, then, reason) in [
        ("size=64k", fill, "No space left on device"),
        ("nr_inodes=12", fill, "No space left on device"),
        ("size=1m", "mount -o remount,ro \"$0\"", "Read-only file system"),
    ] {
        let (world, _mounted) = Mounted::base_in_memory(options);
        let ids = [world.workspace().make(), world.workspace().make_without_metadata()];
        tool(&["sh", "-c", then, text(&world.base())]);
        let before = files(&world);
        for id in ids {
            let ran = world.wsctl(["touch", &id]).run().exits(74).prints("");
            ran.complains(&format!("error[io]: workspace {id}: ")).complains(reason);
        }
        assert_eq!(files(&world), before, "{options}");
    }
}

#[test]
fn a_touch_without_the_permission_is_permission_denied_and_leaves_nothing() {
    needs!("root", "setpriv");
    let (world, [read_only, hidden, unreadable]) = World::with_each_aged([1, 2, 3]);
    world.give_away();
    chmod(world.dir_of(&read_only), 0o555);
    chmod(world.dir_of(&hidden), 0o000);
    chmod(world.metadata_of(&unreadable), 0o000);
    // The user owns the directory, and root the file: the user could replace it, but not restore its owner.
    let foreign = world.aged(4);
    chown(world.dir_of(&foreign), Some(ORDINARY_USER), Some(ORDINARY_USER)).expect("chown");
    chmod(world.metadata_of(&foreign), 0o644);
    let before = files(&world);
    for id in [read_only, hidden, unreadable, foreign] {
        let error = format!("error[permission-denied]: workspace {id}: ");
        world.wsctl(["touch", &id]).by_ordinary_user().run().exits(77).prints("").complains(&error);
    }
    assert_eq!(files(&world), before);
}

#[test]
fn a_touch_needs_no_sync_where_none_is_known_tries_a_rename_again_but_not_for_ever_and_reports_a_write_of_no_byte() {
    needs!("strace");
    let world = World::new();
    for (fault, status, category) in [
        ("fsync:error=EINVAL", 0, ""),
        ("fsync:error=ENOSYS", 0, ""),
        ("fsync:error=EOPNOTSUPP", 0, ""),
        // The owner may put a directory in place of the metadata or of the temporary file right before the rename.
        ("/rename:error=EISDIR:when=1", 0, ""),
        ("/rename:error=ENOTDIR:when=1", 0, ""),
        // Others keep changing the file.
        ("/rename:error=EEXIST", 75, "warning[busy]"),
        ("write:retval=0:when=1", 74, "error[io]"),
    ] {
        for id in [world.aged(1), world.workspace().make_without_metadata()] {
            let (before, there) = (files(&world), names(&world.dir_of(&id)));
            let ran = world.wsctl(["touch", "--at", AT, &id]).injecting([fault]).run().exits(status).prints("");
            if status > 0 {
                let _ = ran.complains(&format!("{category}: workspace {id}: "));
                assert_eq!((files(&world), names(&world.dir_of(&id))), (before, there), "{fault}");
                continue;
            }
            assert!(world.read_metadata(&id).contains(WRITTEN), "{fault}");
            if fault.starts_with("fsync") {
                world.wsctl(["prune", "-y", &id]).injecting([fault]).run().exits(0).quietly();
                assert!(!world.dir_of(&id).exists(), "{fault}");
            }
        }
    }
}

#[test]
fn touch_syncs_the_file_renames_it_and_syncs_the_directory_in_this_order() {
    needs!("strace");
    let world = World::new();
    for id in [world.workspace().make(), world.workspace().make_without_metadata()] {
        let (ran, log) = straced(&world, world.wsctl(["touch", &id]), "file,desc");
        let _ = ran.exits(0);
        let (dir, entry) = (format!("/{id}>"), format!("\"{id}\""));
        let steps = log.iter().filter_map(|line| match line.split('(').next()?.split_whitespace().last()? {
            "write" | "pwrite64" | "writev" if line.contains(".wsctl-tmp.") => Some("write"),
            "fsync" | "fdatasync" if line.contains("/.wsctl-tmp.") => Some("sync the file"),
            "fsync" if line.contains(&dir) => Some("sync the directory"),
            call if call.contains("rename") => Some("rename"),
            call if call.contains("stat") && line.contains(&entry) => Some("look where it is"),
            _ => None,
        });
        let expected = ["write", "sync the file", "rename", "sync the directory", "look where it is"];
        assert_eq!(steps.collect::<Vec<_>>(), expected, "{log:#?}");
    }
}

#[test]
fn touch_sweeps_a_thousand_leftovers_of_killed_runs_at_once_and_no_file_of_the_application_or_of_a_living_touch() {
    let theirs = [".metadata.tmp.k3x9.json", "wsctl-tmp.notes", ".wsctl-tm"];
    let ours = [".wsctl-tmp.0123456789abcdef", ".wsctl-tmp.fedcba9876543210"];
    let files = [&theirs[..], &ours, &["data/laps.csv"]].concat();
    let (world, id) = World::with(|it| files.iter().fold(it, |it, name| it.file(name, b"{")));
    let dir = world.dir_of(&id);
    let left = || names(&dir).into_iter().filter(|name| name.starts_with(".wsctl-tmp.")).collect::<Vec<_>>();
    symlink("data/laps.csv", dir.join("link")).expect("a link");
    let file = File::open(dir.join(ours[0])).expect("a file");
    flock(&file, FlockOperation::LockExclusive).expect("the lock of a living touch");
    let touch = || world.wsctl(["touch", &id]).run().exits(0).prints("").quietly();
    let _ = touch();
    assert_eq!(left(), [ours[0]]);
    flock(&file, FlockOperation::Unlock).expect("its end");
    (1..1500).for_each(|number| fs::write(dir.join(format!(".wsctl-tmp.{number:016x}")), "").expect("a leftover"));
    for rest in [500, 0] {
        let _ = touch();
        assert_eq!(left().len(), rest);
    }
    assert_eq!(names(&dir), [".metadata.json", theirs[0], theirs[2], "data", "link", theirs[1]]);
    assert!(theirs.iter().all(|name| fs::read(dir.join(name)).expect("a file") == b"{"));
}
