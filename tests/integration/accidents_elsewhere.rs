//! Named after what went wrong elsewhere, with what happened there and why it cannot happen here. rear 1774 could not be looked
//! up: rear 465 is the same accident.

use crate::mounted::Mounted;
use crate::paused::{Paused, straced};
use crate::tools::{outside, set_aside, text, the_trash, tool, tree};
use crate::world::{ORDINARY_USER, PRUNE, World, ago, chmod, ids_in, sorted};
use chrono::TimeDelta;
use serde_json::json;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};

/// CVE-2022-21658: `remove_dir_all` of Rust before 1.58.1 looked whether something was a directory and then opened it by its
/// name, so a link that was swapped in between led it elsewhere. Here a directory is opened so that a link makes the call
/// fail, with openat2 and without it; the swap is done right between the look and the call.
#[test]
fn cve_2022_21658_a_directory_swapped_for_a_link_is_not_followed() {
    needs!("strace");
    for lacking in [&[][..], &["-e", "inject=openat2:error=ENOSYS"]] {
        let world = World::new();
        let (outside, before) = outside(&world);
        let id = world.workspace().days_ago(40).file("data/dir/precious", b"theirs").make();
        let paused = Paused::lacking(&world, lacking, "unlinkat", None, world.prune(&[]));
        let doomed = &the_trash(&world);
        let data = world.base().join(doomed).join("data");
        fs::rename(&data, world.path("stolen")).and_then(|()| symlink(&outside, &data)).expect("a swap");
        let ran = paused.go_on();
        assert_eq!(tree(&outside), before, "{ran:?}");
        let _ = world.prune(&[]).run().exits(0);
        assert_eq!((world.names(), tree(&outside)), (vec![], before), "{id}");
    }
}

/// CVE-2018-6954: systemd-tmpfiles through 237 followed links in all but the last part of a path: who made a directory with a
/// file and then put a link in the place of the directory was given other people's files. Here the workspace's directory is
/// opened once, without links, and all of a touch goes through that descriptor, whatever is at its path meanwhile.
#[test]
fn cve_2018_6954_a_workspace_swapped_for_a_link_gives_no_file_behind_it_away() {
    needs!("root", "strace");
    let world = World::new();
    let (outside, _) = outside(&world);
    let id = world.aged(40);
    world.give_away();
    fs::copy(world.metadata_of(&id), outside.join(".metadata.json")).expect("a copy");
    chown(outside.join(".metadata.json"), Some(0), Some(0)).expect("chown");
    let before = crate::world::snapshot(&outside);
    let paused = Paused::after(&world, "fsync", None, world.wsctl(["touch", &id]));
    fs::rename(world.dir_of(&id), world.path("aside"))
        .and_then(|()| symlink(&outside, world.dir_of(&id)))
        .expect("swap");
    let _ = paused.go_on().exits(75).complains("warning[busy]: ");
    let _ = world.wsctl(["touch", &id]).run().exits(66);
    assert_eq!(crate::world::snapshot(&outside), before);
}

/// CVE-2017-18078: systemd-tmpfiles before 237 changed the owner of files with several names, so that who hard-linked
/// /etc/passwd into his directory came to own it. Here no owner and no mode of an existing file is ever changed: touch gives
/// them to a new file of its own making, which takes the one name.
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
        (stat.uid(), stat.gid(), stat.mode(), stat.mtime(), fs::read(&shadow).expect("a file"))
    };
    let before = facts();
    world.wsctl(["touch", &id]).run().exits(0).quietly();
    let stat = fs::metadata(&shadow).expect("a stat");
    assert_eq!((facts(), stat.nlink()), (before.clone(), 3));
    world.wsctl(["prune", "-y", &id]).run().exits(0).quietly();
    assert_eq!((facts(), fs::metadata(&shadow).expect("a stat").nlink()), (before, 1));
}

/// CVE-2019-3461: to find out whether a directory is a mount point, tmpreaper renamed it to a name inside itself and looked
/// for EXDEV. The directory could be swapped before the call, which then moved files of the attacker's choice to a place of
/// his choice. Here mounts are found in the kernel's table and by openat2, and nothing is renamed but to a fresh name in the
/// base.
#[test]
fn cve_2019_3461_nothing_is_renamed_to_a_name_that_somebody_can_have_prepared() {
    needs!("strace");
    let world = World::new();
    let _ = world.workspace().days_ago(40).file("a/b/c/d/e/f/g/h/i/j/k/file", b"x").make();
    let (ran, log) = straced(&world, world.prune(&[]), "rename,renameat,renameat2");
    let _ = ran.exits(0).quietly();
    let renames: Vec<_> = log.iter().filter(|line| line.contains("rename")).collect();
    assert_eq!(renames.len(), 2, "a claim and a dooming: {log:#?}");
    let base = world.base();
    for line in renames {
        let (_, to) = line.split_once("\", ").expect("a new name");
        assert!(to.contains(&format!("<{}>, \".wsctl-", base.display())), "{line}");
    }
}

/// CVE-2026-3888: systemd-tmpfiles removed the directory that snap-confine uses in /tmp, a local user made it anew with other
/// content, and root used that. Here whatever is made anew at the path of a workspace that is being removed belongs to
/// whoever made it: this run does not touch it, and no later one takes it for the old one.
#[test]
fn cve_2026_3888_what_is_made_anew_while_the_old_one_goes_is_neither_used_nor_touched() {
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

/// CVE-2026-35350 and -35351: cp of uutils gave a copy the set-user-ID bits of the original also where it could not give it
/// the owner, and its mv left moved files to whoever moved them. Here the owner comes first, the mode only after it has been
/// given, and without both nothing takes the place of the old file.
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
    let log = world.path("log");
    let strace = ["strace", "-f", "-o", text(&log), "-e", "trace=fchown,fchmod"];
    let touch = world.wsctl(["touch", &id]).by_ordinary_user().through(strace).run();
    let _ = touch.exits(77).complains("error[permission-denied]: ");
    assert_eq!((tree(&world.dir_of(&id)), facts()), (before, (0, 0, 0o6755)));
    let log = fs::read_to_string(log).expect("a log");
    assert!(log.contains("fchown(") && !log.contains("fchmod("), "not even for a moment: {log}");
}

/// CVE-2024-43806: when reading a directory failed, the iterator of rustix before 0.38.19 gave that error for ever, and took
/// more memory each time. Here an error ends the reading of that directory, whichever call it comes from.
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

/// uutils issue 7995: rm kept a descriptor for each level, and ended with "Too many open files" in a deep tree. Here the walk
/// keeps a handful, finds its way back through `..`, and never builds a path, however long the names are.
#[test]
fn uutils_7995_a_tree_deeper_than_there_are_descriptors_is_measured_and_goes() {
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
        assert_eq!(row["size_bytes"], json!(crate::tools::du(&world.dir_of(&id))));
        assert_eq!(row["files"], 2 * levels + 3);
        world.prune(&[]).through(few).run().pruned([id]);
        assert_eq!(world.names(), [""; 0]);
    }
}

/// steam-for-linux issue 3671: a script ran `rm -rf "$STEAMROOT/"*` with an empty variable, and removed all that its user
/// owned. Here an empty base is refused, and a base that is the wrong directory loses nothing: only real directories with a
/// workspace's name are ever looked at.
#[test]
fn steam_3671_an_empty_base_is_refused_and_in_a_wrong_one_nothing_is_deleted() {
    let world = World::new();
    let id = world.aged(40);
    let all = ["prune", "-y", "--older-than", "1s", "--base"];
    for nothing in ["", "/dev/null", "nowhere/"] {
        let ran = world.bare(all.iter().chain(&[nothing])).run();
        assert!([2, 66].contains(&ran.status) && ran.stdout.is_empty(), "{ran:?}");
    }
    let _ = world.bare(["prune", "-y", &id, "--base", ""]).run().exits(2);
    let before = tree(&world.path(""));
    let above = world.path("");
    let _ =
        world.bare(all.iter().chain(&[text(&above)])).run().exits(0).prints("pruned 0 workspaces, freed 0 B; kept 0\n");
    assert_eq!(tree(&world.path("")), before);
}

/// rear issue 465: what was mounted in a temporary directory could not be unmounted, being in use, and the clean-up removed
/// the directory nevertheless, with the backups of all hosts behind it. Here a mount is a reason to leave a workspace alone.
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

/// systemd issue 4679: on a machine that boots without the right time, systemd-tmpfiles-clean removed files of the last
/// minutes, as soon as the clock had been set. Here `--max-delete` stops a run that would remove more than is plausible, and
/// where the clock is behind nothing is stale: what lies ahead of it is kept.
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
fn a_clock_before_1970_is_a_clock() {
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
