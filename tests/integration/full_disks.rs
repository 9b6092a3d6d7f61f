//! `prune` on file systems that have no block and no inode left, which is when it is needed most.

use crate::mounted::Mounted;
use crate::paused::straced;
use crate::tools::{du, set_aside, text, tool, trash, tree};
use crate::world::{World, ids_in, sorted};
use serde_json::json;
use std::fs;
use std::path::Path;

/// Takes the last block, then the last inode or whatever else a new name in this directory needs.
fn fill(dir: &Path) {
    let script = "import os, sys
os.chdir(sys.argv[1])
ballast = os.open('ballast', os.O_CREAT | os.O_WRONLY)
at, size = 0, 1 << 30
while size >= 512:
    try:
        os.posix_fallocate(ballast, at, size)
        at += size
    except OSError:
        size //= 2
os.sync()
for length in (200, 100, 36, 4):
    for number in range(1 << 20):
        try:
            os.mknod(('%04d' % number).ljust(length, '-'))
        except OSError:
            break";
    tool(&["python3", "-c", script, text(dir)]);
}

#[test]
fn a_full_ext4_stays_whole_with_an_io_error_or_is_pruned_if_any_claim_finds_room_or_a_leftover_makes_some() {
    needs!("root", "mkfs.ext4", "python3", "strace");
    for has_leftover in [false, true] {
        // Without an index: a name may take any room that there is, and does not have to go where its hash says.
        let mkfs = ["mkfs.ext4", "-q", "-b", "1024", "-m", "0", "-N", "4000", "-O", "^dir_index"];
        let Some((world, _mounted)) = Mounted::base(16, &mkfs) else { return };
        let deep = format!("data{}/file", "/level".repeat(40));
        let mut stale = vec![world.workspace().days_ago(60).file(&deep, b"x").make()];
        stale.extend((0..20).map(|number| world.aged(31 + number)));
        if has_leftover {
            stale.push(world.aged(70));
            set_aside(&world, "doomed", &stale[21]);
        }
        let spare = world.base().join("s".repeat(200));
        fs::write(&spare, "").expect("a name");
        fill(&world.base());
        let claim = world.dir_of(&format!(".wsctl-claimed.{}", "x".repeat(53)));
        assert!(fs::create_dir(claim).is_err(), "it is full");
        if has_leftover {
            world.prune(&[]).run().pruned(stale);
            continue;
        }

        let before = tree(&world.base());
        let report = world.prune(&[]).run().exits(74).mentions("No space left on device").json();
        assert_eq!((&report["pruned"], ids_in(&report["failed"])), (&json!([]), sorted(&stale)));
        let mut failed = report["failed"].as_array().expect("failures").iter();
        assert!(failed.all(|failed| failed["category"] == "io"), "{report}");
        assert_eq!(tree(&world.base()), before);

        fs::remove_file(spare).expect("room for two or three claims");
        let ballast = world.dir_of(&stale[0]).join("ballast");
        fs::rename(world.base().join("ballast"), ballast).expect("a workspace that fills its file system");
        let (ran, log) = straced(&world, world.prune(&[]), "renameat2,unlinkat");
        let report = ran.pruned(&stale);
        assert!(report["freed_bytes"].as_u64().is_some_and(|bytes| bytes > 8 << 20), "{report}");
        let no_room = log.iter().position(|line| line.contains("ENOSPC")).expect("a claim that met ENOSPC");
        assert!(log[no_room..].iter().any(|line| line.contains("wsctl-claimed") && line.ends_with("= 0")), "{log:#?}");
    }
}

#[test]
fn a_workspace_that_can_be_neither_claimed_doomed_nor_put_back_is_tried_again_when_others_are_gone() {
    needs!("strace");
    // Three claims, as where an index wants the longer name in a block that is full; a dooming, also with the way back, of the
    // first one; the claim of the second; of what a run had claimed, after the other one is doomed, the same; and the dooming
    // of one whose temporary file makes room when it is swept.
    for (workspaces, is_aside, when) in [
        (8, false, "1..3"),
        (2, false, "2"),
        (2, false, "2..3"),
        (2, false, "3"),
        (2, true, "2..3"),
        (2, true, "3"),
        (2, true, "3..4"),
        (1, false, "2"),
    ] {
        let world = World::new();
        let temporary = if workspaces == 1 { ".metadata.tmp.k3x9.json" } else { "data/x" };
        let workspace = |number: i64| world.workspace().days_ago(41 - number).file(temporary, &[1; 15_000]).make();
        let stale: Vec<_> = (0..workspaces).map(workspace).collect();
        let size: u64 = stale.iter().map(|id| du(&world.dir_of(id))).sum();
        if is_aside {
            set_aside(&world, "claimed", &stale[0]);
        }
        let full = format!("renameat2:error=ENOSPC:when={when}");
        let report = world.prune(&[]).injecting([&*full]).run().pruned(stale);
        assert_eq!((world.names(), report["freed_bytes"].as_u64()), (vec![], Some(size)), "{when}: {report}");
    }
}

#[test]
fn a_prune_ends_although_its_temporary_files_made_room_that_never_suffices() {
    needs!("strace");
    let (world, stale) = World::with(|it| it.days_ago(40).file(".metadata.tmp.k3x9.json", &[1; 15_000]));
    // A claim, a dooming that fails, and the way back, again and again.
    let report = world.prune(&[]).injecting(["renameat2:error=ENOSPC:when=2+3"]).run().exits(74).json();
    assert_eq!((&report["failed"][0]["category"], &report["pruned"]), (&json!("io"), &json!([])), "{report}");
    assert_eq!(world.names(), [stale]);
}

#[test]
fn after_a_signal_a_workspace_without_room_for_its_claim_is_kept_and_not_failed() {
    needs!("strace");
    let (world, stale) = World::with_aged(40);
    let run = world.prune(&[]).injecting(["renameat2:error=ENOSPC:signal=SIGTERM:when=1"]);
    let report = run.run().exits(143).quietly().json();
    assert_eq!((&report["failed"], &report["kept"], world.names()), (&json!([]), &json!(1), vec![stale]), "{report}");
}

/// Prunes so many stale workspaces while the nth rename finds no room, and gives the log.
fn pruned_while_full(workspaces: i64, nth: usize) -> Vec<String> {
    let world = World::new();
    let stale: Vec<_> = (0..workspaces).map(|number| world.aged(40 + number)).collect();
    let inject = format!("inject=renameat2:error=ENOSPC:when={nth}");
    let log = world.path("log");
    let strace = ["strace", "-f", "-o", text(&log), "-e", "trace=renameat2,fsync,unlinkat", "-e", &inject];
    world.prune(&[]).through(strace).run().pruned(stale);
    let log = fs::read_to_string(log).expect("a log");
    log.lines().skip_while(|line| !line.contains("INJECTED")).map(str::to_owned).collect()
}

#[test]
fn what_is_in_hand_and_earlier_batches_are_erased_and_freed_blocks_are_committed_before_a_claim_is_tried_again() {
    needs!("strace");
    let log = pruned_while_full(2, 1);
    let refused = log[0].split('"').nth(1).expect("an ID");
    let place = |parts: &[&str]| log.iter().position(|line| parts.iter().all(|part| line.contains(part)));
    let gone = place(&["unlinkat", "wsctl-doomed", "= 0"]).expect("one that was in hand");
    let again = place(&["renameat2", "wsctl-claimed", refused, "= 0"]).expect("the other one");
    assert!(log[gone..again].iter().any(|line| line.contains("fsync(")), "{log:#?}");
    // The first batch is erased at once, the second is in hand. Each takes 16 claims and 16 doomings.
    let log = pruned_while_full(48, 65);
    let next = log[1..].iter().find(|line| !line.contains("fsync("));
    assert!(next.is_some_and(|line| line.contains("unlinkat")), "{log:#?}");
}

#[test]
fn a_full_xfs_and_a_full_tmpfs_are_pruned() {
    needs!("root", "mount", "mkfs.xfs", "python3");
    for is_xfs in [true, false] {
        let tmpfs = || Some(Mounted::base_in_memory("size=256k,nr_inodes=200"));
        let made = if is_xfs { Mounted::base(300, &["mkfs.xfs", "-q"]) } else { tmpfs() };
        let Some((world, _mounted)) = made else { return };
        let stale: Vec<_> = (0..20).map(|number| world.aged(31 + number)).collect();
        fill(&world.base());
        let more = world.base().join("more");
        let write_more = || fs::create_dir(&more).and_then(|()| fs::write(more.join("file"), [7; 8192]));
        assert!(write_more().is_err(), "it is full");
        let _ = fs::remove_dir_all(&more);
        world.prune(&[]).run().pruned(stale);
        assert_eq!(trash(&world), [""; 0]);
        assert!(write_more().is_ok(), "and that has freed something");
    }
}
