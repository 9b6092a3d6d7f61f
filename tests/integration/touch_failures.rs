//! `wsctl touch` when something fails or kills it: the file is wholly the old or wholly the new, and nothing else is left. For
//! each call with each of its errors see `slow/faults.rs`.

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

/// The names of temporary files in a workspace.
fn temporaries(world: &World, id: &str) -> Vec<String> {
    names(&world.dir_of(id)).into_iter().filter(|name| name.starts_with(".wsctl-tmp.")).collect()
}

/// The application's metadata with the one value changed.
fn with_time(json: &str) -> String {
    let (before, rest) = json.split_once("\"last_accessed\": \"").expect("the key");
    let (_, after) = rest.split_once('"').expect("its end");
    format!("{before}\"last_accessed\": \"{WRITTEN}\"{after}")
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
        let world = World::new();
        let _mount = Mounted::tmpfs(&world, &world.base(), options);
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
    let world = World::new();
    let [read_only, hidden, unreadable] = [1, 2, 3].map(|days| world.aged(days));
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
fn a_touch_in_which_a_call_fails_leaves_the_file_as_it_was_unless_it_is_the_last_sync() {
    needs!("strace");
    let world = World::new();
    for (fault, status, is_new) in [
        ("write:error=EDQUOT:when=1", 74, false),
        ("fsync:error=EIO:when=1", 74, false),
        ("/rename:error=EROFS", 74, false),
        ("/rename:error=EACCES", 77, false),
        ("fchmod:error=EPERM", 77, false),
        ("fsync:error=EIO:when=2", 74, true),
        // A file system that knows no sync needs none.
        ("fsync:error=EINVAL", 0, true),
        ("fsync:error=ENOSYS", 0, true),
        ("fsync:error=EOPNOTSUPP", 0, true),
    ] {
        let (old, missing) = (world.aged(1), world.workspace().make_without_metadata());
        chmod(world.metadata_of(&old), 0o640);
        let (before, json) = (files(&world), world.read_metadata(&old));
        for id in [&old, &missing].into_iter().take(if fault.starts_with("fchmod") { 1 } else { 2 }) {
            let ran = world.wsctl(["touch", "--at", AT, id]).injecting([fault]).run().exits(status).prints("");
            assert!(status == 0 || ran.stderr.contains(&format!("]: workspace {id}: ")), "{fault}: {ran:#?}");
            assert_eq!(temporaries(&world, id), [""; 0], "{fault}");
        }
        if is_new {
            assert_eq!(world.read_metadata(&old), with_time(&json), "{fault}");
            assert!(world.read_metadata(&missing).contains(WRITTEN), "{fault}");
        } else {
            assert_eq!(files(&world), before, "{fault}");
        }
        if status == 0 {
            world.wsctl(["prune", "-y", &old]).injecting([fault]).run().exits(0).quietly();
            assert!(!world.dir_of(&old).exists(), "{fault}");
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
fn a_touch_killed_at_any_step_leaves_the_old_or_the_new_file_and_the_next_touch_sweeps_the_rest() {
    needs!("strace");
    let world = World::new();
    let mut leftovers = 0;
    for (call, nth) in [("flock", 1), ("write", 1), ("fsync", 1), ("/rename", 1), ("fsync", 2)] {
        let id = world.aged(1);
        let old = world.read_metadata(&id);
        let touch = || world.wsctl(["touch", "--at", AT, &id]);
        touch().injecting([&*format!("{call}:signal=KILL:when={nth}")]).run().exits(137);
        let found = world.read_metadata(&id);
        assert!(found == old || found == with_time(&old), "{call} {nth}: {found}");
        leftovers += temporaries(&world, &id).len();
        world.wsctl(["list", "--format", "ids", &id]).run().exits(0).prints(&format!("{id}\n")).quietly();
        touch().run().exits(0).quietly();
        assert_eq!((world.read_metadata(&id), temporaries(&world, &id)), (with_time(&old), vec![]), "{call} {nth}");
    }
    assert!(leftovers > 0, "no kill came while there was a temporary file");
}

#[test]
fn a_touch_sweeps_a_thousand_leftovers_and_leaves_the_rest_to_the_next() {
    let world = World::new();
    let id = world.workspace().days_ago(1).make();
    for number in 0..1500 {
        fs::write(world.dir_of(&id).join(format!(".wsctl-tmp.{number:016x}")), "").expect("a leftover");
    }
    for left in [500, 0] {
        let _ = world.wsctl(["touch", &id]).run().exits(0).quietly();
        assert_eq!(temporaries(&world, &id).len(), left);
    }
}

#[test]
fn touch_sweeps_leftovers_of_killed_runs_and_no_file_of_the_application_or_of_a_living_touch() {
    let world = World::new();
    let theirs = [".metadata.tmp.k3x9.json", "wsctl-tmp.notes", ".wsctl-tm"];
    let ours = [".wsctl-tmp.0123456789abcdef", ".wsctl-tmp.fedcba9876543210"];
    let id = [&theirs[..], &ours, &["data/laps.csv"]]
        .concat()
        .into_iter()
        .fold(world.workspace(), |it, name| it.file(name, b"{"))
        .make();
    let dir = world.dir_of(&id);
    symlink("data/laps.csv", dir.join("link")).expect("a link");
    let file = File::open(dir.join(ours[0])).expect("a file");
    flock(&file, FlockOperation::LockExclusive).expect("the lock of a living touch");
    let touch = || world.wsctl(["touch", &id]).run().exits(0).prints("").quietly();
    let _ = touch();
    assert_eq!(temporaries(&world, &id), [ours[0]]);
    flock(&file, FlockOperation::Unlock).expect("its end");
    let _ = touch();
    assert_eq!(names(&dir), [".metadata.json", theirs[0], theirs[2], "data", "link", theirs[1]]);
    assert!(theirs.iter().all(|name| fs::read(dir.join(name)).expect("a file") == b"{"));
}

#[test]
fn a_write_that_takes_no_byte_is_an_io_error() {
    needs!("strace");
    let world = World::new();
    let id = world.aged(1);
    let state = || (world.read_metadata(&id), names(&world.dir_of(&id)));
    let before = state();
    let _ = world.wsctl(["touch", &id]).injecting(["write:retval=0:when=1"]).run().exits(74).complains("error[io]: ");
    assert_eq!(state(), before);
}
