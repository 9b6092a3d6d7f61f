//! What the metadata file keeps beside its content, mode and owner when `touch` replaces it: ACLs and extended attributes. And
//! where one cannot be kept, that nobody gains a right.

use crate::mounted::Immutable;
use crate::paused::straced;
use crate::tools::{text, tool, tree, wait_until};
use crate::touch::rights;
use crate::world::{AT, ORDINARY_USER, Run, WRITTEN, World, chmod, finish, names};
use std::fs;
use std::os::unix::fs::chown;

/// The group has nothing, though the mask, which is what the mode shows, lets others read and write.
const ACL: &str = "u::rw,u:65534:rw,u:12345:-,g::-,m::rw,o::r";

/// A workspace of nothing but metadata, with this ACL and these extended attributes: names and values.
fn workspace_with(world: &World, acl: &str, attributes: &[(&str, &str)]) -> String {
    let id = world.workspace().days_ago(1).make();
    let file = world.metadata_of(&id);
    tool(&["setfacl", "-m", acl, text(&file)]);
    for (name, value) in attributes {
        tool(&["setfattr", "-n", name, "-v", value, text(&file)]);
    }
    id
}

/// Mode, owner, ACL and all attributes that we may see.
fn attributes(world: &World, id: &str) -> String {
    let file = world.metadata_of(id);
    let acl = tool(&["getfacl", "--absolute-names", "--numeric", text(&file)]);
    acl + &tool(&["getfattr", "--absolute-names", "--dump", "--match=-", text(&file)])
}

fn touch<'a>(world: &'a World, id: &str) -> Run<'a> {
    world.wsctl(["touch", "--at", AT, id])
}

#[test]
fn touch_keeps_the_acl_and_extended_attributes() {
    needs!("root", "setfacl", "setfattr", "strace");
    let world = World::new();
    for (owner, mode) in [(0, 0o660), (ORDINARY_USER, 0o4660)] {
        let notes = [("user.note", "0x00ff"), ("user.empty", "\"\""), ("trusted.note", "x")];
        let id = workspace_with(&world, ACL, &notes);
        chown(world.metadata_of(&id), Some(owner), Some(owner)).expect("chown");
        chmod(world.metadata_of(&id), mode);
        let before = attributes(&world, &id);
        assert!(before.contains("user:65534:rw-") && before.contains("trusted.note"), "{before}");
        let (ran, calls) = straced(&world, touch(&world, &id), "fchown,fchmod,fsetxattr");
        let _ = ran.exits(0).quietly();
        assert_eq!(attributes(&world, &id), before);
        assert!(world.read_metadata(&id).contains(WRITTEN));
        // At no time may the group do what the mask says: whoever opens the file then keeps it open.
        let mut modes = calls.iter().filter(|line| line.contains("fchmod("));
        assert!(modes.all(|line| line.contains("00)")), "{calls:#?}");
    }
}

#[test]
fn a_file_without_an_acl_gets_none_from_its_directory() {
    needs!("setfacl", "setfattr");
    let (world, old) = World::with_aged(1);
    let missing = world.workspace().make_without_metadata();
    chmod(world.metadata_of(&old), 0o640);
    let before = attributes(&world, &old);
    for id in [&old, &missing] {
        tool(&["setfacl", "-d", "-m", "u::rwx,u:65534:rwx,g::rwx,o::rx", text(&world.dir_of(id))]);
        let _ = touch(&world, id).run().exits(0);
    }
    assert_eq!(attributes(&world, &old), before);
    assert!(!attributes(&world, &missing).contains("65534:"), "{}", attributes(&world, &missing));
    assert_eq!(rights(&world.metadata_of(&missing)).0, 0o600);
}

#[test]
fn where_an_acl_cannot_be_kept_only_the_owner_has_access() {
    needs!("setfacl", "setfattr", "strace");
    let world = World::new();
    for error in ["EPERM", "ENOSPC", "EOPNOTSUPP"] {
        let id = workspace_with(&world, ACL, &[]);
        touch(&world, &id).injecting([&*format!("fsetxattr:error={error}")]).run().exits(0).quietly();
        assert_eq!(rights(&world.metadata_of(&id)).0, 0o600, "{error}");
        assert!(world.read_metadata(&id).contains(WRITTEN) && !attributes(&world, &id).contains("65534:"));
    }
}

#[test]
fn touch_leaves_out_what_may_not_be_set_or_read_and_hashes_of_the_old_content_and_keeps_the_others() {
    needs!("root", "setfacl", "setfattr", "strace", "setpriv");
    let notes = ["security.evm", "security.ima", "security.note", "trusted.note", "user.note"];
    for (how, kept, acl) in [
        ("by root", &notes[2..], "user:12345:r--"),
        ("by the owner", &notes[4..], "user:12345:r--"),
        ("while they vanish", &[], ""),
    ] {
        let world = World::new();
        let id = workspace_with(&world, "u:12345:r", &notes.map(|name| (name, "x")));
        world.give_away();
        let touch = touch(&world, &id);
        let touch = match how {
            "by root" => touch,
            "by the owner" => touch.by_ordinary_user(),
            _ => touch.injecting(["fgetxattr:error=ENODATA"]),
        };
        touch.run().exits(0).quietly();
        let after = attributes(&world, &id);
        let found: Vec<_> = notes.into_iter().filter(|name| after.contains(&format!("{name}="))).collect();
        assert!(found == kept && after.contains(acl), "{how}: {after}");
    }
}

#[test]
fn touch_reports_an_io_error_where_attributes_cannot_be_read() {
    needs!("setfacl", "setfattr", "strace");
    let world = World::new();
    let id = workspace_with(&world, ACL, &[("user.note", "x")]);
    let before = (attributes(&world, &id), world.read_metadata(&id));
    for call in ["flistxattr:error=EIO", "fgetxattr:error=EIO:when=2", "fgetxattr:error=EIO:when=3"] {
        let _ = touch(&world, &id).injecting([call]).run().exits(74).complains("error[io]: ");
        assert_eq!((attributes(&world, &id), world.read_metadata(&id)), before, "{call}");
        assert_eq!(names(&world.dir_of(&id)), [".metadata.json"]);
    }
}

#[test]
fn touch_in_a_user_namespace_that_does_not_map_the_owner_is_permission_denied() {
    needs!("root", "unshare");
    // The shell waits in a user namespace of its own until there is a map of its users and groups.
    let mapped = ["unshare", "--user", "sh", "-c", "until grep -q . /proc/self/gid_map; do :; done; exec \"$@\"", "sh"];
    // In the second one, the number that stands for every owner without one is that of a user, who must not get the file.
    for map in ["0 0 1", "0 0 1\n65534 12345 1"] {
        let world = World::new();
        let ids = [world.workspace().days_ago(1).make(), world.workspace().make_without_metadata()];
        world.give_away();
        chmod(world.metadata_of(&ids[0]), 0o644);
        for id in &ids {
            chmod(world.dir_of(id), 0o777);
        }
        let before = tree(&world.base());
        for id in &ids {
            let child = touch(&world, id).through(mapped).begin();
            let of = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/user")).expect("a namespace");
            let pid = child.id().to_string();
            wait_until("it has a namespace of its own", || of(&pid) != of("self"));
            for file in ["uid_map", "gid_map"] {
                fs::write(format!("/proc/{pid}/{file}"), map).expect("a map");
            }
            let told = format!("[permission-denied]: workspace {id}: cannot keep the owner");
            finish(child, &map).exits(77).prints("").complains(&told);
        }
        assert_eq!(tree(&world.base()), before, "{map}");
    }
}

#[test]
fn touch_makes_no_temporary_file_where_it_could_not_remove_it() {
    needs!("root", "chattr");
    let world = World::new();
    for id in [world.workspace().make(), world.workspace().make_without_metadata()] {
        let Some(_append_only) = Immutable::set(&world, "+a", &world.dir_of(&id)) else { return };
        let before = world.snapshot();
        let error = format!("error[permission-denied]: workspace {id}: ");
        let ran = touch(&world, &id).run().exits(77).prints("").complains(&error).complains("append-only");
        assert_eq!(world.snapshot(), before, "{ran:#?}");
    }
}
