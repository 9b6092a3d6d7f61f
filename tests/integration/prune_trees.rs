//! `wsctl prune`: the removal of all that an agent may leave in a workspace, and of nothing outside.

use crate::mounted::Immutable;
use crate::tools::{outside, trash, tree};
use crate::world::{World, chmod, ids_in, odd_name, skip};
use serde_json::json;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};

#[test]
fn an_immutable_file_stays_with_the_metadata_and_is_reported_by_each_run_until_it_can_go() {
    needs!("root", "chattr");
    let world = World::new();
    let [id, other] = [world.workspace().days_ago(40).file("data/deep/x", b"x").file("y", b"y").make(), world.aged(41)];
    let Some(immutable) = Immutable::new(&world, &world.dir_of(&id).join("data/deep/x")) else {
        skip("a file system with immutable files");
        return;
    };
    let ran = world.prune(&[]).run().exits(77).complains("error[permission-denied]: ");
    let report = ran.json();
    assert_eq!(ids_in(&report["pruned"]), [other]);
    assert_eq!(
        (ids_in(&report["failed"]), &report["failed"][0]["category"]),
        (vec![id.clone()], &json!("permission-denied"))
    );
    let [left] = &world.names()[..] else { panic!("{:?}", world.names()) };
    assert!(left.starts_with(&format!(".wsctl-doomed.{id}.")), "{left}");
    let left = world.base().join(left);
    assert!(left.join(".metadata.json").exists() && left.join("data/deep/x").exists() && !left.join("y").exists());
    let report = world.prune(&[]).run().exits(77).json();
    assert_eq!((&report["pruned"], ids_in(&report["failed"])), (&json!([]), vec![id.clone()]));
    drop(immutable);
    let report = world.prune(&[]).run().exits(0).quietly().json();
    assert_eq!((ids_in(&report["pruned"]), &report["pruned"][0]["rule"]), (vec![id], &json!("leftover")));
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn an_immutable_workspace_stays_whole_at_its_own_path() {
    needs!("root", "chattr");
    let world = World::new();
    let id = world.aged(40);
    let before = tree(&world.dir_of(&id));
    let Some(_immutable) = Immutable::new(&world, &world.dir_of(&id)) else {
        skip("a file system with immutable files");
        return;
    };
    let _ = world.prune(&[]).run().exits(77).complains("error[permission-denied]: ");
    assert_eq!((world.names(), tree(&world.dir_of(&id))), (vec![id], before));
}

#[test]
fn a_directory_of_another_user_is_reported_as_failed_and_all_the_rest_is_removed() {
    needs!("root", "setpriv");
    let world = World::new();
    let [id, other] = [world.workspace().days_ago(40).file("roots/x", b"x").file("y", b"y").make(), world.aged(41)];
    world.give_away();
    let theirs = world.dir_of(&id).join("roots");
    std::os::unix::fs::chown(&theirs, Some(0), Some(0)).expect("chown");
    let args = ["prune", "-y", "--older-than", "30d", "--format", "json"];
    for _ in 0..2 {
        let ran = world.wsctl(args).by_ordinary_user().run().exits(77).complains("error[permission-denied]: ");
        assert_eq!(ids_in(&ran.json()["failed"]), [&*id]);
    }
    let [left] = &world.names()[..] else { panic!("{:?}, without {other}", world.names()) };
    let left = world.base().join(left);
    assert!(left.join("roots/x").exists() && left.join(".metadata.json").exists() && !left.join("y").exists());
}

#[test]
fn each_of_several_threads_removes_directories_that_their_owner_may_not_read() {
    needs!("root", "setpriv");
    let world = World::new();
    let ids: Vec<_> = (0..150).map(|_| world.workspace().days_ago(40).file("locked/x", b"x").make()).collect();
    for id in &ids {
        chmod(world.dir_of(id).join("locked"), 0o000);
    }
    world.give_away();
    world.wsctl(["prune", "-y", "--older-than", "30d", "-j", "4"]).by_ordinary_user().run().exits(0).quietly();
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn each_of_several_threads_knows_its_own_mount_where_only_proc_tells_it() {
    needs!("strace");
    let world = World::in_memory();
    (0..150).for_each(|_| drop(world.workspace().days_ago(40).file("data/x/y", b"y").make()));
    let run = world.wsctl(["prune", "-y", "--older-than", "30d", "-j", "4"]);
    // strace watches no other call, so that the threads run at once.
    let strace =
        ["strace", "-f", "-o", "/dev/null", "-e", "trace=openat2,statx", "-e", "inject=openat2,statx:error=ENOSYS"];
    run.through(strace).run().exits(0).quietly();
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn hard_links_and_symlinks_to_the_outside_leave_the_outside_as_it_was() {
    let world = World::new();
    let (outside, _) = outside(&world);
    let id = world.workspace().days_ago(40).file("data/x", b"x").make();
    let inside = |name: &str| world.dir_of(&id).join(name);
    fs::hard_link(outside.join("dir/precious"), inside("data/hard")).expect("a hard link");
    let to_base = world.base();
    for (name, to) in [("to-dir", &*outside), ("data/to-dir", &outside.join("dir")), ("to-base", &to_base)] {
        symlink(to, inside(name)).expect("a link");
    }
    for (name, to) in [("to-file", "../../outside/dir/precious"), ("up", ".."), ("self", "self"), ("root", "/")] {
        symlink(to, inside(name)).expect("a link");
    }
    chmod(outside.join("dir"), 0o500); // not to be repaired
    let before = tree(&outside);
    assert_eq!(ids_in(&world.prune(&[]).run().exits(0).quietly().json()["pruned"]), [id]);
    assert_eq!((world.names(), tree(&outside)), (vec![], before));
    assert_eq!(fs::metadata(outside.join("dir/precious")).expect("a stat").nlink(), 1);
}

#[test]
fn fifos_sockets_and_names_of_255_bytes_that_are_no_utf_8_go() {
    let world = World::new();
    let id = world.workspace().days_ago(40).file("data/x", b"x").make();
    let dir = world.dir_of(&id).join("data");
    for name in [&[0xff_u8; 255][..], b"\x1b]0;x\x07", b"-rf", b"new\nline", b" ", b"...", &[b'x'; 255]] {
        fs::write(dir.join(OsStr::from_bytes(name)), "x").expect("a file");
        let nested = dir.join("dirs").join(OsStr::from_bytes(name));
        fs::create_dir_all(nested.join(OsStr::from_bytes(name))).expect("directories");
    }
    fs::create_dir(odd_name(&dir)).expect("a directory");
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mknodat(rustix::fs::CWD, dir.join("fifo"), rustix::fs::FileType::Fifo, mode, 0).expect("a FIFO");
    drop(std::os::unix::net::UnixListener::bind(dir.join("socket")).expect("a socket"));
    assert_eq!(ids_in(&world.prune(&[]).run().exits(0).quietly().json()["pruned"]), [id]);
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn a_wide_tree_of_directories_that_lie_deep_goes() {
    let world = World::new();
    let id = world.aged(40);
    for number in 0..60 {
        let dir = world.dir_of(&id).join(format!("1/2/3/4/5/{number}/7/8/9/10/11/12"));
        fs::create_dir_all(&dir).and_then(|()| fs::write(dir.join("x"), "x")).expect("a deep file");
    }
    assert_eq!(ids_in(&world.prune(&[]).run().exits(0).quietly().json()["pruned"]), [id]);
    assert_eq!(trash(&world), [""; 0]);
}

#[test]
fn metadata_that_is_a_directory_with_files_is_removed() {
    let world = World::new();
    let id = world.workspace().file(".metadata.json/a/b/c/d/e/f/g", b"x").file("x", b"x").make_without_metadata();
    world.wsctl(["prune", "-y", &id]).run().exits(0).quietly();
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn a_directory_that_is_not_empty_after_all_is_emptied_again_twice() {
    needs!("strace");
    // The first call fails of itself, the second unlinks the file, and the third is tried before the listing has ended.
    for (when, status) in [("3..4", 0), ("3..5", 0), ("3..6", 75)] {
        let world = World::new();
        let id = world.workspace().days_ago(40).make();
        fs::remove_dir_all(world.dir_of(&id))
            .and_then(|()| fs::create_dir_all(world.dir_of(&id).join("data")))
            .expect("it");
        fs::write(world.dir_of(&id).join("data/x"), "x").expect("a file");
        fs::write(world.metadata_of(&id), "{\"last_accessed\": \"2020-01-01T00:00:00Z\"}").expect("metadata");
        let inject = format!("unlinkat:error=ENOTEMPTY:when={when}");
        let ran = world.prune(&[]).injecting([&*inject]).run().exits(status);
        assert_eq!(ran.stderr.contains("it does not become empty"), status == 75, "{when}: {ran:#?}");
        assert_eq!(world.names().len(), usize::from(status == 75), "{when}");
        let _ = world.prune(&[]).run().exits(0);
        assert!(world.names().is_empty(), "{when}");
    }
}
