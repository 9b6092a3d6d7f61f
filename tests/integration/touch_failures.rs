//! `wsctl touch` when something fails or kills it: the file is wholly the old or wholly the new, and nothing else is left.

use crate::mounted::Mounted;
use crate::paused::straced;
use crate::tools::{text, tool};
use crate::world::{AT, ORDINARY_USER, WRITTEN, World, chmod, names};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// The names of temporary files in a workspace, the application's and ours.
fn temporaries(world: &World, id: &str) -> Vec<String> {
    names(&world.dir_of(id)).into_iter().filter(|name| name.contains("tmp.")).collect()
}

#[test]
fn touch_on_a_full_file_system_is_an_io_error_and_the_old_content_stays() {
    needs!("root", "mount");
    for options in ["size=64k", "nr_inodes=12"] {
        let world = World::new();
        let _mount = Mounted::tmpfs(&world, &world.base(), options);
        let (old, missing) = (world.workspace().make(), world.workspace().make_without_metadata());
        fill(&world);
        let before = contents(&world);
        for id in [old, missing] {
            let error = format!("error[io]: workspace {id}: ");
            let ran = world.wsctl(["touch", &id]).run().exits(74).prints("").complains(&error);
            assert!(ran.stderr.contains("No space left on device"), "{ran:#?}");
            assert_eq!(temporaries(&world, &id), [""; 0]);
        }
        assert_eq!(contents(&world), before);
    }
}

/// Leaves a file system neither a block nor an inode.
fn fill(world: &World) {
    let mut ballast = File::create(world.base().join("ballast")).expect("a file");
    let page = [7; 4096];
    while ballast.write(&page).is_ok_and(|written| written > 0) && ballast.metadata().expect("a stat").len() < 1 << 20 {
    }
    let mut number = 0;
    while number < 100 && File::create(world.base().join(format!("file-{number}"))).is_ok() {
        number += 1;
    }
}

/// The files below the base, with all that is known of them, and without the directories, whose times change with each temporary
/// file.
fn contents(world: &World) -> Vec<String> {
    world.snapshot().into_iter().filter(|line| line.ends_with(')')).collect()
}

#[test]
fn touch_on_a_read_only_file_system_is_an_io_error() {
    needs!("root", "mount");
    let world = World::new();
    let _mount = Mounted::tmpfs(&world, &world.base(), "size=1m");
    let (old, missing) = (world.workspace().make(), world.workspace().make_without_metadata());
    tool(&["mount", "-o", "remount,ro", text(&world.base())]);
    let before = world.snapshot();
    for id in [old, missing] {
        world.wsctl(["touch", &id]).run().exits(74).prints("").complains("Read-only file system");
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn where_a_file_system_knows_no_sync_none_is_needed() {
    needs!("strace");
    let world = World::new();
    for errno in ["EINVAL", "ENOSYS", "EOPNOTSUPP"] {
        let injection = &*format!("fsync:error={errno}");
        let (touched, stale) = (world.aged(1), world.aged(40));
        world.wsctl(["touch", "--at", AT, &touched]).injecting([injection]).run().exits(0).quietly();
        assert_eq!(world.json_of(&touched)["last_accessed"], WRITTEN, "{errno}");
        world.wsctl(["prune", "-y", &stale]).injecting([injection]).run().exits(0).quietly();
        assert!(!world.dir_of(&stale).exists(), "{errno}");
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
    std::os::unix::fs::chown(world.dir_of(&foreign), Some(ORDINARY_USER), Some(ORDINARY_USER)).expect("chown");
    chmod(world.metadata_of(&foreign), 0o644);
    for id in [read_only, hidden, unreadable, foreign] {
        let before = contents(&world);
        let error = format!("error[permission-denied]: workspace {id}: ");
        world.wsctl(["touch", &id]).by_ordinary_user().run().exits(77).prints("").complains(&error);
        assert_eq!(temporaries(&world, &id), [""; 0]);
        assert_eq!(contents(&world), before);
    }
}

#[test]
fn a_touch_in_which_a_call_fails_leaves_the_file_as_it_was() {
    needs!("strace");
    let world = World::new();
    for (injection, status) in [
        ("write:error=ENOSPC:when=1", 74),
        ("write:error=EDQUOT:when=1", 74),
        ("fsync:error=EIO:when=1", 74),
        ("fsync:error=ENOSPC:when=1", 74),
        ("/rename:error=EIO", 74),
        ("/rename:error=EROFS", 74),
        ("/rename:error=EACCES", 77),
        ("fchmod:error=EPERM", 77),
    ] {
        let (old, missing) = (world.aged(1), world.workspace().make_without_metadata());
        chmod(world.metadata_of(&old), 0o640);
        let before = contents(&world);
        let ids: &[_] = if injection.starts_with("fchmod") { &[old] } else { &[old, missing] };
        for id in ids {
            let ran = world.wsctl(["touch", id]).injecting([injection]).run().exits(status).prints("");
            ran.complains(&format!("workspace {id}: "));
            assert_eq!(temporaries(&world, id), [""; 0], "{injection}");
        }
        assert_eq!(contents(&world), before, "{injection}");
    }
}

/// The application's metadata with the one value changed.
fn with_time(json: &str) -> String {
    let start = json.find("\"last_accessed\": \"").expect("the key") + "\"last_accessed\": \"".len();
    let end = start + json[start..].find('"').expect("its end");
    [&json[..start], WRITTEN, &json[end..]].concat()
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
    for injection in ["flock", "write", "fsync", "/rename", "fsync:when=2"] {
        let id = world.aged(1);
        let old = world.read_metadata(&id);
        let (call, when) = injection.split_once(':').unwrap_or((injection, "when=1"));
        let kill = format!("{call}:signal=KILL:{when}");
        world.wsctl(["touch", "--at", AT, &id]).injecting([&*kill]).run().exits(137);
        let found = world.read_metadata(&id);
        assert!(found == old || found == with_time(&old), "{injection}: {found}");
        leftovers += temporaries(&world, &id).len();
        // The leftover does no harm meanwhile, and it goes whether the next touch writes or fails.
        world.wsctl(["list", "--format", "ids", &id]).run().exits(0).prints(&format!("{id}\n")).quietly();
        world.wsctl(["touch", "--at", AT, &id]).run().exits(0).quietly();
        assert_eq!(world.read_metadata(&id), with_time(&old));
        assert_eq!(temporaries(&world, &id), [""; 0], "{injection}");
    }
    assert!(leftovers > 0, "no kill came while there was a temporary file");
}

#[test]
fn touch_sweeps_leftovers_of_killed_runs_and_no_file_of_the_application() {
    let world = World::new();
    let theirs = [".metadata.tmp.k3x9.json", "wsctl-tmp.notes", ".wsctl-tm"];
    let mut workspace = world.workspace();
    for name in theirs.iter().chain(&[".wsctl-tmp.0123456789abcdef", ".wsctl-tmp.fedcba9876543210", "data/laps.csv"]) {
        workspace = workspace.file(name, b"{");
    }
    let id = workspace.make();
    std::os::unix::fs::symlink("data/laps.csv", world.dir_of(&id).join("link")).expect("a link");
    world.wsctl(["touch", &id]).run().exits(0).prints("").quietly();
    assert_eq!(
        names(&world.dir_of(&id)),
        [".metadata.json", theirs[0], ".wsctl-tm", "data", "link", "wsctl-tmp.notes"]
    );
    assert!(theirs.iter().all(|name| fs::read(world.dir_of(&id).join(name)).expect("a file") == b"{"));
}

#[test]
fn a_temporary_file_that_a_living_process_has_locked_is_not_swept() {
    needs!("python3");
    let world = World::new();
    let name = ".wsctl-tmp.0123456789abcdef";
    let id = world.workspace().file(name, b"").make();
    let lock = "import fcntl, sys; file = open(sys.argv[1], 'r+'); fcntl.flock(file, fcntl.LOCK_EX); \
        print('locked', flush=True); sys.stdin.read()";
    let mut python = Command::new("python3");
    python.args(["-c", lock]).arg(world.dir_of(&id).join(name)).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut living = python.spawn().expect("python3");
    let mut line = String::new();
    BufReader::new(living.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
    assert_eq!(line, "locked\n");
    world.wsctl(["touch", "--at", AT, &id]).run().exits(0).quietly();
    assert_eq!(temporaries(&world, &id), [name]);
    drop(living.stdin.take());
    assert!(living.wait().expect("its end").success());
    world.wsctl(["touch", &id]).run().exits(0).quietly();
    assert_eq!(temporaries(&world, &id), [""; 0]);
}

#[test]
fn a_touch_whose_directory_cannot_be_synced_reports_an_error_and_the_file_is_wholly_the_new() {
    needs!("strace");
    let world = World::new();
    let id = world.aged(1);
    let json = world.read_metadata(&id);
    let touch = world.wsctl(["touch", "--at", AT, &id]).injecting(["fsync:error=EIO:when=2"]);
    touch.run().exits(74).complains(&format!("error[io]: workspace {id}: "));
    assert_eq!((world.read_metadata(&id), temporaries(&world, &id)), (with_time(&json), vec![]));
}
