//! Files that somebody holds open where the file system cannot let go of them: they come back under another name at each
//! unlink (FUSE), or are refused with EBUSY (NFS).

use crate::mounted::Bindfs;
use crate::tools::{du, text, tool, wait_until};
use crate::world::{Ran, World, ids_in};
use std::fs;

/// Asserts that this one is left to a later run because a file in it may still be open.
#[track_caller]
fn may_be_open(ran: Ran, id: &str) -> Ran {
    // libfuse answers EIO to a listing under whose hands it renames.
    let is_told = ran.stderr.contains("open") && ran.status == 75;
    assert!(is_told || (ran.status == 74 && ran.stderr.contains("Input/output error")), "{ran:#?}");
    assert_eq!(ids_in(&ran.json()["failed"]), [id]);
    ran
}

#[test]
fn a_file_held_open_on_a_fuse_mount_is_left_to_the_run_after_it_is_closed() {
    needs!("root", "bindfs");
    let world = World::new();
    let (source, deep, large) = (world.path("source"), "data/a/b/c/d/e/f/log", vec![7; 100_000]);
    let stale = || world.workspace().days_ago(40).file(deep, &large).file("top", &large);
    fs::rename(world.base(), &source).and_then(|()| fs::create_dir(world.base())).expect("a mount point");
    let _mounted = Bindfs::by_root(&world, &source, &world.base(), 0);
    for place in [deep, "top"] {
        let id = stale().make();
        let size = du(&source.join(&id));
        let open = fs::File::open(world.dir_of(&id).join(place)).expect("a file");
        let ran = may_be_open(world.prune(&[]).run(), &id);
        assert!(!ran.stderr.contains("mount"), "nothing is mounted inside: {ran:#?}");
        assert!(ran.json()["freed_bytes"].as_u64().is_some_and(|freed| freed <= size), "{size}: {ran:#?}");
        drop(open);
        // Nobody is told when the daemon has seen that no file is open any more.
        wait_until("no file is hidden", || {
            tool(&["find", text(&source), "-ignore_readdir_race", "-name", ".fuse_hidden*"]).is_empty()
        });
        world.prune(&[]).run().pruned([id]);
        assert_eq!(world.names(), [""; 0]);
    }
}

#[test]
fn a_file_that_answers_ebusy_may_still_be_open() {
    needs!("strace");
    let (world, id) = World::with_aged(40);
    may_be_open(world.prune(&[]).injecting(["unlinkat:error=EBUSY"]).run(), &id);
    world.prune(&[]).run().pruned([id]);
    assert_eq!(world.names(), [""; 0]);
}
