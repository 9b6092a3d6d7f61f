//! What the metadata file keeps beside its content, mode and owner when `touch` replaces it: ACLs and extended attributes. And
//! where one cannot be kept, that nobody gains a right.

use crate::mounted::AppendOnly;
use crate::paused::straced;
use crate::tools::{text, tool};
use crate::world::{AT, ORDINARY_USER, WRITTEN, World, chmod, names};
use std::os::unix::fs::{PermissionsExt, chown};

/// The group has nothing, though the mask, which is what the mode shows, lets others read and write.
const ACL: &str = "u::rw,u:65534:rw,u:12345:-,g::-,m::rw,o::r";

/// Mode, owner, ACL and all attributes that we may see.
fn attributes(world: &World, id: &str) -> String {
    let file = world.metadata_of(id);
    let acl = tool(&["getfacl", "--absolute-names", "--numeric", text(&file)]);
    acl + &tool(&["getfattr", "--absolute-names", "--dump", "--match=-", text(&file)])
}

fn mode(world: &World, id: &str) -> u32 {
    world.metadata_of(id).metadata().expect("a stat").permissions().mode() & 0o7777
}

/// A workspace of nothing but metadata.
fn plain(world: &World) -> String {
    world.workspace().days_ago(1).make()
}

fn set_acl(world: &World, id: &str, acl: &str) {
    tool(&["setfacl", "-m", acl, text(&world.metadata_of(id))]);
}

#[test]
fn touch_keeps_the_acl_and_extended_attributes() {
    needs!("root", "setfacl", "setfattr", "strace");
    let world = World::new();
    for (owner, mode) in [(0, 0o600), (ORDINARY_USER, 0o4640)] {
        let id = plain(&world);
        let file = world.metadata_of(&id);
        chown(&file, Some(owner), Some(owner)).expect("chown");
        chmod(&file, mode);
        set_acl(&world, &id, ACL);
        for (name, value) in [("user.note", "0x00ff"), ("user.empty", "\"\""), ("trusted.note", "x")] {
            tool(&["setfattr", "-n", name, "-v", value, text(&file)]);
        }
        let before = attributes(&world, &id);
        assert!(before.contains("user:65534:rw-") && before.contains("trusted.note"), "{before}");
        let touch = world.wsctl(["touch", "--at", AT, &id]);
        let (ran, calls) = straced(&world, touch, "fchown,fchmod,fsetxattr");
        let _ = ran.exits(0).quietly();
        assert_eq!(attributes(&world, &id), before);
        assert!(world.read_metadata(&id).contains(WRITTEN));
        // At no time may the group do what the mask says: whoever opens the file then keeps it open.
        let modes: Vec<_> = calls.iter().filter(|line| line.contains("fchmod(")).collect();
        assert!(modes.iter().all(|line| line.contains("00)")), "{calls:#?}");
    }
}

#[test]
fn a_file_without_an_acl_gets_none_from_its_directory() {
    needs!("setfacl", "setfattr", "strace");
    let world = World::new();
    let (old, missing) = (plain(&world), world.workspace().make_without_metadata());
    chmod(world.metadata_of(&old), 0o640);
    let before = attributes(&world, &old);
    for id in [&old, &missing] {
        tool(&["setfacl", "-d", "-m", "u::rwx,u:65534:rwx,g::rwx,o::rx", text(&world.dir_of(id))]);
    }
    let _ = world.wsctl(["touch", "--at", AT, &old, &missing]).run().exits(0);
    assert_eq!(attributes(&world, &old), before);
    assert!(!attributes(&world, &missing).contains("65534:"), "{}", attributes(&world, &missing));
    assert_eq!(mode(&world, &missing), 0o600);
}

#[test]
fn where_an_acl_cannot_be_kept_only_the_owner_has_access() {
    needs!("setfacl", "setfattr", "strace");
    for error in ["EPERM", "ENOSPC", "EOPNOTSUPP"] {
        let world = World::new();
        let id = plain(&world);
        set_acl(&world, &id, ACL);
        let failing = format!("fsetxattr:error={error}");
        world.wsctl(["touch", "--at", AT, &id]).injecting([&*failing]).run().exits(0).quietly();
        assert_eq!(mode(&world, &id), 0o600, "{error}");
        assert!(world.read_metadata(&id).contains(WRITTEN) && !attributes(&world, &id).contains("65534:"));
    }
}

#[test]
fn touch_leaves_out_an_attribute_that_it_may_not_set_and_keeps_the_others() {
    needs!("root", "setfacl", "setfattr", "strace", "setpriv");
    let world = World::new();
    let id = plain(&world);
    set_acl(&world, &id, "u:12345:r");
    for name in ["security.note", "trusted.note", "user.note"] {
        tool(&["setfattr", "-n", name, "-v", "x", text(&world.metadata_of(&id))]);
    }
    world.give_away();
    world.wsctl(["touch", "--at", AT, &id]).by_ordinary_user().run().exits(0).quietly();
    let after = attributes(&world, &id);
    assert!(after.contains("user.note") && after.contains("user:12345:r--"), "{after}");
    assert!(!after.contains("security.note") && !after.contains("trusted.note"), "{after}");
}

#[test]
fn touch_leaves_out_hashes_of_the_old_content_and_what_cannot_be_read() {
    needs!("root", "setfattr", "strace");
    let world = World::new();
    let id = plain(&world);
    for name in ["security.evm", "security.ima", "security.note", "user.note"] {
        tool(&["setfattr", "-n", name, "-v", "x", text(&world.metadata_of(&id))]);
    }
    let touch = || world.wsctl(["touch", "--at", AT, &id]);
    touch().run().exits(0).quietly();
    let after = attributes(&world, &id);
    assert!(after.contains("user.note") && after.contains("security.note"), "{after}");
    assert!(!after.contains("security.evm") && !after.contains("security.ima"), "{after}");
    touch().injecting(["fgetxattr:error=ENODATA"]).run().exits(0).quietly();
    assert!(!attributes(&world, &id).contains("note"));
}

#[test]
fn touch_reports_an_io_error_where_attributes_cannot_be_read() {
    needs!("setfacl", "setfattr", "strace");
    let world = World::new();
    let id = plain(&world);
    set_acl(&world, &id, ACL);
    tool(&["setfattr", "-n", "user.note", "-v", "x", text(&world.metadata_of(&id))]);
    let before = (attributes(&world, &id), world.read_metadata(&id));
    for call in ["flistxattr:error=EIO", "fgetxattr:error=EIO:when=2", "fgetxattr:error=EIO:when=3"] {
        let _ = world.wsctl(["touch", &id]).injecting([call]).run().exits(74).complains("error[io]: ");
        assert_eq!((attributes(&world, &id), world.read_metadata(&id)), before, "{call}");
        assert_eq!(names(&world.dir_of(&id)), [".metadata.json"]);
    }
}

#[test]
fn touch_in_a_user_namespace_that_does_not_map_the_owner_is_permission_denied() {
    needs!("root", "unshare");
    let world = World::new();
    let id = plain(&world);
    world.give_away();
    chmod(world.dir_of(&id), 0o777);
    chmod(world.metadata_of(&id), 0o644);
    let before = world.read_metadata(&id);
    let namespace = ["unshare", "--user", "--map-root-user"];
    let ran = world.wsctl(["touch", &id]).through(namespace).run();
    ran.exits(77).prints("").complains(&format!("error[permission-denied]: workspace {id}: cannot keep the owner"));
    assert_eq!((names(&world.dir_of(&id)), world.read_metadata(&id)), (vec![".metadata.json".to_owned()], before));
}

#[test]
fn touch_makes_no_temporary_file_where_it_could_not_remove_it() {
    needs!("root", "chattr");
    let world = World::new();
    for id in [plain(&world), world.workspace().make_without_metadata()] {
        let Some(_append_only) = AppendOnly::new(&world.dir_of(&id)) else { return };
        let before = world.snapshot();
        let error = format!("error[permission-denied]: workspace {id}: ");
        let ran = world.wsctl(["touch", &id]).run().exits(77).prints("").complains(&error).mentions("append-only");
        assert_eq!(world.snapshot(), before, "{ran:#?}");
    }
}
