//! Named after what went wrong elsewhere, with what happened there and why it cannot happen here. rear 1774 could not be looked
//! up: rear 465 is the same accident.

use crate::mounted::Mounted;
use crate::paused::{Paused, straced};
use crate::tools::{du, outside, set_aside, text, the_trash, tool, tree};
use crate::world::{ORDINARY_USER, PRUNE, World, ago, chmod, ids_in, snapshot, sorted};
use chrono::TimeDelta;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};

/// CVE-2022-21658: `remove_dir_all` of Rust before 1.58.1 opened a directory by its name after it had looked, so a link that was
/// swapped in between led it elsewhere. Here a link makes the call fail, with openat2 and without it.
#[test]
fn cve_2022_21658_a_directory_swapped_for_a_link_is_not_followed() {
    needs!("strace");
    for lacking in [&[][..], &["-e", "inject=openat2:error=ENOSYS"]] {
        let world = World::new();
        let (outside, before) = outside(&world);
        let id = world.workspace().days_ago(40).file("data/dir/precious", b"theirs").make();
        let paused = Paused::lacking(&world, lacking, "unlinkat", None, world.prune(&[]));
        let data = world.base().join(the_trash(&world)).join("data");
        fs::rename(&data, world.path("stolen")).and_then(|()| symlink(&outside, &data)).expect("a swap");
        let ran = paused.go_on();
        assert_eq!(tree(&outside), before, "{ran:?}");
        let _ = world.prune(&[]).run().exits(0);
        assert_eq!((world.names(), tree(&outside)), (vec![], before), "{id}");
    }
}

/// CVE-2018-6954: systemd-tmpfiles through 237 followed links in all but the last part of a path: who put a link in the place of
/// a directory was given other people's files. Here the workspace's directory is opened once, and a touch goes through that.
#[test]
fn cve_2018_6954_a_workspace_swapped_for_a_link_gives_no_file_behind_it_away() {
    needs!("root", "strace");
    let world = World::new();
    let (outside, _) = outside(&world);
    let id = world.aged(40);
    world.give_away();
    fs::copy(world.metadata_of(&id), outside.join(".metadata.json")).expect("a copy");
    chown(outside.join(".metadata.json"), Some(0), Some(0)).expect("chown");
    let before = snapshot(&outside);
    let paused = Paused::after(&world, "fsync", None, world.wsctl(["touch", &id]));
    fs::rename(world.dir_of(&id), world.path("aside"))
        .and_then(|()| symlink(&outside, world.dir_of(&id)))
        .expect("swap");
    let _ = paused.go_on().exits(75).complains("warning[busy]: ");
    let _ = world.wsctl(["touch", &id]).run().exits(66);
    assert_eq!(snapshot(&outside), before);
}

/// CVE-2017-18078: systemd-tmpfiles before 237 changed the owner of files with several names: who hard-linked /etc/passwd into
/// his directory came to own it. Here no owner and no mode of an existing file is ever changed: touch makes a new one.
#[test]
fn cve_2017_18078_a_hard_linked_file_keeps_its_owner() {
    needs!("root");
    let world = World::new();
    let id = world.aged(40);
    world.give_away();
    let shadow = world.path("shadow");
    fs::write(&shadow, "{\"last_accessed\": \"2026-01-01T00:00:00Z\"}").expect("a file");
    chmod(&shadow, 0o4640);
    fs::remove_file(world.metadata_of(&id)).expect("rm");
    for name in [".metadata.json", ".metadata.tmp.1.json", "charts/hard"] {
        fs::hard_link(&shadow, world.dir_of(&id).join(name)).expect("a hard link");
    }
    let facts = || {
        let stat = fs::metadata(&shadow).expect("a stat");
        ((stat.uid(), stat.gid(), stat.mode(), stat.mtime(), fs::read(&shadow).expect("a file")), stat.nlink())
    };
    let (before, _) = facts();
    for (args, links) in [(&["touch", &id][..], 3), (&["prune", "-y", &id], 1)] {
        world.wsctl(args).run().exits(0).quietly();
        assert_eq!(facts(), (before.clone(), links));
    }
}

/// CVE-2019-3461: to find out whether a directory is a mount point, tmpreaper renamed it to a name inside itself. It could be
/// swapped before, and then files of the attacker's choice were moved. Here nothing is renamed but to a fresh name in the base.
#[test]
fn cve_2019_3461_nothing_is_renamed_to_a_name_that_somebody_can_have_prepared() {
    needs!("strace");
    let world = World::new();
    let _ = world.workspace().days_ago(40).file("a/b/c/d/e/f/g/h/i/j/k/file", b"x").make();
    let (ran, log) = straced(&world, world.prune(&[]), "rename,renameat,renameat2");
    let _ = ran.exits(0).quietly();
    let fresh = format!("<{}>, \".wsctl-", text(&world.base()));
    let targets =
        log.iter().filter(|line| line.contains("rename")).map(|line| line.split_once("\", ").expect("names").1);
    let are_fresh: Vec<_> = targets.map(|to| to.contains(&fresh)).collect();
    assert_eq!(are_fresh, [true; 2], "a claim and a dooming: {log:#?}");
}

/// CVE-2026-3888: systemd-tmpfiles removed a directory of snap-confine's, a local user made it anew with other content, and root
/// used that. Here nobody touches what is made anew at the path of a workspace that is being removed, or takes it for the old.
#[test]
fn cve_2026_3888_a_workspace_created_during_the_removal_is_left_alone() {
    needs!("strace");
    let world = World::new();
    let (outside, before) = outside(&world);
    let id = world.aged(40);
    let paused = Paused::after(&world, "fsync", None, world.prune(&[]));
    let _ = world.workspace().id(&id).file("conversations.json", b"new").make();
    symlink(&outside, world.dir_of(&id).join("charts")).expect("a link");
    let anew = tree(&world.dir_of(&id));
    assert_eq!(ids_in(&paused.go_on().exits(0).quietly().json()["pruned"]), [&*id]);
    set_aside(&world, "doomed", &world.aged(50));
    let _ = world.prune(&[]).run().exits(0).quietly();
    assert_eq!((world.names(), tree(&world.dir_of(&id)), tree(&outside)), (vec![id], anew, before));
}

/// CVE-2026-35350 and -35351: cp of uutils gave a copy the set-user-ID bits of the original also without its owner, and its mv left
/// moved files to whoever moved them. Here the owner comes first, then the mode, and without both the old file stays.
#[test]
fn cve_2026_35350_and_35351_a_file_keeps_its_owner_or_is_not_replaced() {
    needs!("root", "setpriv", "strace");
    let world = World::new();
    let id = world.aged(40);
    world.give_away();
    let metadata = world.metadata_of(&id);
    let facts = || fs::metadata(&metadata).map(|stat| (stat.uid(), stat.gid(), stat.mode() & 0o7777)).expect("a stat");
    chmod(&metadata, 0o6755);
    world.wsctl(["touch", &id]).run().exits(0).quietly();
    assert_eq!(facts(), (ORDINARY_USER, ORDINARY_USER, 0o6755), "touched by root");
    chown(&metadata, Some(0), Some(0)).expect("chown");
    chmod(&metadata, 0o6755);
    let before = tree(&world.dir_of(&id));
    let (touch, log) = straced(&world, world.wsctl(["touch", &id]).by_ordinary_user(), "fchown,fchmod");
    let _ = touch.exits(77).complains("error[permission-denied]: ");
    assert_eq!((tree(&world.dir_of(&id)), facts()), (before, (0, 0, 0o6755)));
    assert!(!log.iter().any(|line| line.contains("fchmod(")), "not even for a moment: {log:#?}");
}

/// CVE-2024-43806: when reading a directory failed, the iterator of rustix before 0.38.19 gave that error for ever. Here an error
/// ends the reading of that directory, whichever call it comes from.
#[test]
fn cve_2024_43806_a_directory_that_cannot_be_read_to_its_end_ends_the_run() {
    needs!("strace", "prlimit");
    for call in [1, 2, 3, 5] {
        for error in ["EIO", "ENOENT"] {
            let world = World::new();
            let id = world.workspace().days_ago(40).file("a/b/c/d/e/f/file", b"x").make();
            let inject = format!("inject=getdents64:error={error}:when={call}+");
            let strace = ["strace", "-f", "-o", "/dev/null", "-e", &inject, "prlimit", "--as=1073741824"];
            for args in [&["list", "-s"][..], &PRUNE] {
                let ran = world.wsctl(args).through(strace).run().sanely();
                assert!([0, 66, 74, 75].contains(&ran.status) && ran.stderr.lines().count() < 3, "{inject} {ran:?}");
            }
            let _ = world.wsctl(["prune", "-y", "--older-than", "30d"]).run().exits(0);
            assert_eq!(world.names(), [""; 0], "{id}");
        }
    }
}

/// uutils issue 7995: rm kept a descriptor for each level, and ended with "Too many open files". Here the walk keeps a handful,
/// finds its way back through `..`, and never builds a path, however long the names are.
#[test]
fn uutils_7995_a_tree_deeper_than_the_descriptor_limit_is_measured_and_removed() {
    needs!("python3", "prlimit");
    let script = "import os, sys
os.chdir(sys.argv[1])
for _ in range(int(sys.argv[3])):
    open('a', 'w').close(); os.mkdir(sys.argv[2]); open('z', 'w').close(); os.chdir(sys.argv[2])";
    for (name, levels) in [("x", 2000), (&*"n".repeat(255), 300)] {
        let world = World::new();
        let id = world.aged(40);
        tool(&["python3", "-c", script, text(&world.dir_of(&id)), name, &levels.to_string()]);
        let few = ["prlimit", "--nofile=24"];
        let row = world.wsctl(["list", "-s", "--format", "jsonl"]).through(few).run().exits(0).quietly().json();
        // A file on each level, before and after the directory: the walk comes back to where it was.
        assert_eq!(row["size_bytes"], du(&world.dir_of(&id)));
        assert_eq!(row["files"], 2 * levels + 3);
        world.prune(&[]).through(few).run().pruned([id]);
        assert_eq!(world.names(), [""; 0]);
    }
}

/// steam-for-linux issue 3671: a script ran `rm -rf "$STEAMROOT/"*` with an empty variable, and removed all that its user owned.
/// Here an empty base is refused, and a wrong one loses nothing: only directories with a workspace's name are looked at.
#[test]
fn steam_3671_an_empty_base_is_refused_and_in_a_wrong_one_nothing_is_deleted() {
    let world = World::new();
    let id = world.aged(40);
    let above = world.path("");
    let before = tree(&above);
    let _ = world.bare(["prune", "-y", &id, "--base", ""]).run().exits(2);
    let nothing = "pruned 0 workspaces, freed 0 B; kept 0\n";
    for (base, status, told) in [("", 2, ""), ("/dev/null", 66, ""), ("nowhere/", 66, ""), (text(&above), 0, nothing)] {
        let _ = world.bare(["prune", "-y", "--older-than", "1s", "--base", base]).run().exits(status).prints(told);
    }
    assert_eq!(tree(&above), before);
}

/// rear issue 465: what was mounted in a temporary directory was in use and could not be unmounted, and the clean-up removed it
/// nevertheless, with the backups of all hosts behind it. Here a mount is a reason to leave a workspace alone.
#[test]
fn rear_465_a_mount_that_is_still_in_use_is_not_removed_through() {
    needs!("root", "mount");
    let world = World::new();
    let (outside, before) = outside(&world);
    let id = world.workspace().days_ago(40).file("outputfs/x", b"x").make();
    let _mounted = Mounted::bind(&world, &outside, &world.dir_of(&id).join("outputfs"));
    let _in_use = fs::File::open(world.dir_of(&id).join("outputfs/dir/precious")).expect("a file");
    for args in [&PRUNE[..], &["prune", "-y", &id, "--format", "json"]] {
        let report = world.wsctl(args).run().exits(75).complains("warning[busy]: ").json();
        assert_eq!((ids_in(&report["failed"]), tree(&outside)), (vec![id.clone()], before.clone()));
    }
    assert_eq!(world.names(), [id]);
}

/// systemd issue 4679: on a machine that boots without the right time, systemd-tmpfiles-clean removed files of the last minutes
/// once the clock was set. Here `--max-delete` stops such a run, and where the clock is behind nothing is stale.
#[test]
fn systemd_4679_after_a_jump_of_the_clock_nothing_is_deleted() {
    let world = World::new();
    for _ in 0..5 {
        let _ = world.workspace().accessed("1970-01-01T00:10:00.000001+00:00Z").make();
    }
    let before = world.snapshot();
    let guarded = ["prune", "-y", "--older-than", "10d", "--max-delete", "50%"];
    let _ = world.wsctl(guarded).run().exits(78).complains("error[refused]: ");
    assert_eq!(world.snapshot(), before);
    let world = World::new();
    let ahead: Vec<_> = (0..5).map(|_| world.workspace().accessed(&ago(TimeDelta::days(-20_000))).make()).collect();
    let _ = world.wsctl(["prune", "-y", "--older-than", "10d", "--max-total-size", "1K"]).run().exits(0);
    assert_eq!(world.names(), sorted(&ahead));
}

/// A clock before 1970, which std and chrono take for impossible.
#[test]
fn a_clock_before_1970_is_accepted() {
    needs!("faketime");
    let world = World::new();
    let id = world.aged(1);
    let at = ["faketime", "-f", "@1900-01-01 00:00:00"];
    let list = world.wsctl(["list", "--format", "json"]).through(at).run().exits(0).quietly().json();
    assert_eq!(list["workspaces"][0]["status"], "future");
    let _ = world.prune(&[]).through(at).run().exits(0).mentions("skipped (future)");
    world.wsctl(["touch", &id]).through(at).run().exits(0).quietly();
    assert!(world.read_metadata(&id).contains("\"1900-01-01T00:00:0"), "{}", world.read_metadata(&id));
}
