//! Named after what went wrong elsewhere, with what happened there and why it cannot happen here. Where the test of a promise
//! shows the same, it is named here and stands there:
//!
//! - CVE-2018-6954 (systemd-tmpfiles followed links in parents): a workspace swapped for a link is in `touch_races.rs`.
//! - CVE-2017-18078 (it changed the owner of hard-linked files): `touch.rs` and `prune_trees.rs` have such files.
//! - CVE-2019-3461 (tmpreaper renamed what could be swapped): `prune_before_claim.rs` counts the renames.
//! - CVE-2026-3888 (what was made anew at a removed path was used): `prune_protocol.rs` makes workspaces anew.
//! - CVE-2026-35350 and -35351 (copies kept set-user-ID bits, not their owner): `touch.rs` and `touch_failures.rs`.
//! - steam-for-linux 3671 (`rm -rf "$UNSET/"*`): an empty base is in `command_line.rs`, a wrong one in `prune_protection.rs`.
//! - rear 465 (a clean-up went through a mount in use): `hostile_trees.rs`.
//! - uutils 7995 (rm kept a descriptor for each level): `slow/deep_trees.rs`.
//! - systemd 4679 (a jump of the clock): `--max-delete` is in `prune_protection.rs`.

use crate::paused::Paused;
use crate::tools::{outside, the_trash, tree};
use crate::world::{PRUNE, World};
use std::fs;
use std::os::unix::fs::symlink;

/// CVE-2022-21658: `remove_dir_all` of Rust before 1.58.1 opened a directory by its name after it had looked, so a link that was
/// swapped in between led it elsewhere. Here a link makes the call fail, with openat2 and without it.
#[test]
fn cve_2022_21658_a_directory_swapped_for_a_link_is_not_followed() {
    needs!("strace");
    for lacking in [&[][..], &["-e", "inject=openat2:error=ENOSYS"]] {
        let (world, id) = World::with(|it| it.days_ago(40).file("data/dir/precious", b"theirs"));
        let (outside, before) = outside(&world);
        let paused = Paused::lacking(&world, lacking, "unlinkat", world.prune(&[]));
        let data = world.base().join(the_trash(&world)).join("data");
        fs::rename(&data, world.path("stolen")).and_then(|()| symlink(&outside, &data)).expect("a swap");
        let ran = paused.go_on();
        assert_eq!(tree(&outside), before, "{ran:?}");
        let _ = world.prune(&[]).run().exits(0);
        assert_eq!((world.names(), tree(&outside)), (vec![], before), "{id}");
    }
}

/// CVE-2024-43806: when reading a directory failed, the iterator of rustix before 0.38.19 gave that error for ever. Here an error
/// ends the reading of that directory, whichever call it comes from.
#[test]
fn cve_2024_43806_a_directory_that_cannot_be_read_to_its_end_ends_the_run() {
    needs!("strace", "prlimit");
    for call in [1, 2, 3, 5] {
        let (world, id) = World::with(|it| it.days_ago(40).file("a/b/c/d/e/f/file", b"x"));
        let inject = format!("inject=getdents64:error=EIO:when={call}+");
        let strace = ["strace", "-f", "-o", "/dev/null", "-e", &inject, "prlimit", "--as=1073741824"];
        for args in [&["list", "-s"][..], &PRUNE] {
            let ran = world.wsctl(args).through(strace).run().sanely();
            assert!([0, 74, 75].contains(&ran.status) && ran.stderr.lines().count() < 3, "{inject} {ran:?}");
        }
        let _ = world.prune(&[]).run().exits(0);
        assert_eq!(world.names(), [""; 0], "{id}");
    }
}
