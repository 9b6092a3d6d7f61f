//! `wsctl prune`: the removal of all that an agent may leave in a workspace, and of nothing outside.

use crate::mounted::Immutable;
use crate::tools::{outside, set_aside, text, the_trash, tool, tree};
use crate::world::{World, chmod, ids_in, odd_name};
use serde_json::json;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::PathBuf;

#[test]
fn what_cannot_go_stays_with_the_metadata_alone_and_is_reported_by_each_run_until_it_can() {
    needs!("root", "setpriv", "chattr");
    for is_immutable in [false, true] {
        let (world, id) = World::with(|it| it.days_ago(40).file("data/deep/x", b"x").file("y", b"y"));
        let other = world.aged(41);
        world.give_away();
        let stuck = world.dir_of(&id).join("data/deep");
        let immutable = is_immutable.then(|| Immutable::set(&world, "+i", &stuck.join("x")));
        if immutable.as_ref().is_some_and(Option::is_none) {
            return;
        }
        chown(&stuck, Some(0), Some(0)).expect("chown");
        for others in [&[other][..], &[]] {
            let run = world.prune(&[]);
            let run = if is_immutable { run } else { run.by_ordinary_user() };
            let report = run.run().exits(77).complains("error[permission-denied]: ").json();
            assert_eq!((ids_in(&report["pruned"]), ids_in(&report["failed"])), (others.to_vec(), vec![id.clone()]));
            assert_eq!(report["failed"][0]["category"], json!("permission-denied"));
            let left = the_trash(&world);
            assert!(left.starts_with(&format!(".wsctl-doomed.{id}.")) && world.names() == [&*left], "{left}");
            let left = world.dir_of(&left);
            assert!(left.join(".metadata.json").exists() && left.join("data/deep/x").exists());
            assert!(!left.join("y").exists());
        }
        drop(immutable);
        assert_eq!(world.prune(&[]).run().pruned([id])["pruned"][0]["rule"], json!("leftover"));
        assert_eq!(world.names(), [""; 0]);
    }
}

#[test]
fn each_of_several_threads_repairs_permissions_and_knows_its_own_mount_where_only_proc_tells_it() {
    needs!("root", "setpriv", "strace");
    for is_locked in [true, false] {
        let world = World::in_memory();
        for _ in 0..150 {
            let id = world.workspace().days_ago(40).file("data/x/y", b"y").make();
            chmod(world.dir_of(&id).join("data"), if is_locked { 0o000 } else { 0o755 });
        }
        world.give_away();
        let run = world.wsctl(["prune", "-y", "--older-than", "30d", "-j", "4"]).by_ordinary_user();
        // strace watches no other call, so that the threads run at once.
        let strace = ["strace", "-f", "-o", "/dev/null", "-e", "trace=openat2,statx"];
        let lacking = ["-e", "inject=openat2,statx:error=ENOSYS"];
        let run = if is_locked { run } else { run.through(strace.iter().chain(&lacking)) };
        run.run().exits(0).quietly();
        assert_eq!(world.names(), [""; 0], "locked: {is_locked}");
    }
}

#[test]
fn whatever_an_agent_leaves_is_removed_and_the_outside_stays_as_it_was() {
    let world = World::new();
    let (outside, _) = outside(&world);
    let workspace = world.workspace().days_ago(40).file("data/x", b"x").file(".metadata.tmp.x.json/y", b"x");
    let workspace = workspace.file(".wsctl-tmp.z/y", b"x");
    let wide_and_deep = |number| format!("1/2/3/4/5/{number}/7/8/9/10/11/12/x");
    let id = (0..60).fold(workspace, |workspace, number| workspace.file(&wide_and_deep(number), b"x")).make();
    let is_directory = world.workspace().file(".metadata.json/a/b/c/d/e/f/g", b"x").file("x", b"x");
    let is_directory = is_directory.make_without_metadata();
    let inside = |name: &str| world.dir_of(&id).join(name);

    fs::hard_link(outside.join("dir/precious"), inside("data/hard")).expect("a hard link");
    for (name, to) in [("to-dir", &*outside), ("data/to-dir", &outside.join("dir")), ("to-base", &world.base())] {
        symlink(to, inside(name)).expect("a link");
    }
    for (name, to) in [("to-file", "../../outside/dir/precious"), ("up", ".."), ("self", "self"), ("root", "/")] {
        symlink(to, inside(name)).expect("a link");
    }
    chmod(outside.join("dir"), 0o500); // not to be repaired
    for name in [&[0xff_u8; 255][..], b"\x1b]0;x\x07", b"-rf", b"new\nline", b" ", b"...", &[b'x'; 255]] {
        let name = OsStr::from_bytes(name);
        fs::write(inside("data").join(name), "x").expect("a file");
        fs::create_dir_all(inside("data/dirs").join(name).join(name)).expect("directories");
    }
    fs::create_dir(odd_name(&inside("data"))).expect("a directory");
    tool(&["mkfifo", text(&inside("data/fifo"))]);
    drop(std::os::unix::net::UnixListener::bind(inside("data/socket")).expect("a socket"));

    let before = tree(&outside);
    world.wsctl(["prune", "-y", "--format", "json", &id, &is_directory]).run().pruned([&id, &is_directory]);
    assert_eq!((world.names(), tree(&outside)), (vec![], before));
    assert_eq!(fs::metadata(outside.join("dir/precious")).expect("a stat").nlink(), 1);
}

#[test]
fn a_directory_that_is_not_empty_after_all_is_emptied_again() {
    needs!("strace");
    // The first call fails of itself, the second unlinks the file, and the third is tried before the listing has ended.
    for (when, status) in [("3..4", 0), ("3..20", 0), ("3..99", 75)] {
        let (world, _) = World::with(|it| it.days_ago(40).file("data/x", b"x"));
        let ran = world.prune(&[]).injecting([&*format!("unlinkat:error=ENOTEMPTY:when={when}")]).run().exits(status);
        assert_eq!(ran.stderr.contains("it does not become empty"), status == 75, "{when}: {ran:#?}");
        assert_eq!(world.names().len(), usize::from(status == 75), "{when}");
        let _ = world.prune(&[]).run().exits(0);
        assert!(world.names().is_empty(), "{when}");
    }
}

/// On a file system that skips names in a listing after others are removed, the next listing has the rest. Here, the first five
/// calls that unlink the file only seem to.
#[test]
fn a_directory_whose_listing_skips_names_is_emptied_again() {
    needs!("strace");
    let (world, id) = World::with(|it| it.days_ago(40).file("data/x", b"x"));
    let data = world.base().join(set_aside(&world, "doomed", &id)).join("data");
    world.prune(&[]).injecting_at(&data, "unlinkat:retval=0:when=1..5").run().pruned([id]);
    assert_eq!(world.names(), [""; 0]);
}

/// Of a directory that another run or another host has removed, file servers and FUSE daemons answer ESTALE or ENOENT, even if it is
/// open, and ext4 answers EINVAL to a seek.
#[test]
fn what_another_run_did_to_a_directory_meanwhile_is_no_failure_whichever_call_tells() {
    needs!("strace");
    for (dir, inject) in [
        ("", "fstat:error=ESTALE:when=1"),
        ("", "unlinkat:error=ESTALE:when=1"),
        ("a/b", "fstat:error=ENOENT:when=1"),
        ("a/b", "lseek:error=EINVAL:when=1"),
        ("a/b", "unlinkat:error=ESTALE:when=1"),
        ("a/b", "openat2:error=ESTALE:when=1"),
        ("a/b/c/d/e/f", "unlinkat:error=ESTALE:when=1"),
        ("a/b/c/d/e/f", "getdents64:error=ESTALE:when=1"),
        // The other one has just granted itself the right that this one lacked.
        ("a/b/c/d/e/f", "unlinkat:error=EACCES:when=1"),
    ] {
        let (world, id) = World::with(|it| it.days_ago(40).file("a/b/c/d/e/f/x", b"x"));
        let dir: PathBuf = world.base().join(set_aside(&world, "doomed", &id)).join(dir).components().collect();
        world.prune(&[]).injecting_at(&dir, inject).run().pruned([id]);
        assert_eq!(world.names(), [""; 0], "{inject} {dir:?}");
    }
}
