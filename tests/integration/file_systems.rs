//! Whatever `rm -rf` removes goes, on any file system, also where a rename inside the tree is refused. Where even the claim is
//! refused, the message tells why. For full file systems see `full_disks.rs`.

use crate::mounted::{Bindfs, Mounted};
use crate::paused::Paused;
use crate::run::finish;
use crate::tools::{set_aside, text, tool, tree};
use crate::world::{World, ago, ids_in, skip, sorted};
use chrono::TimeDelta;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

/// A path of this many directories.
fn levels(count: usize) -> String {
    vec!["level"; count].join("/")
}

/// A stale workspace with a file 40 levels below `dir`.
fn deep(world: &World, dir: &str) -> String {
    world.workspace().days_ago(40).file(&format!("{dir}/{}/file", levels(40)), b"x").make()
}

/// Asserts that `list -s` measures these and that one prune removes them, without a word.
#[track_caller]
fn all_go(world: &World, ids: &[&str]) {
    let _ = world.wsctl(["list", "-s"]).run().exits(0).quietly();
    world.prune(&[]).run().pruned(ids);
    let names = world.names();
    assert!(!names.iter().any(|name| ids.iter().any(|id| name.contains(id))), "{names:?}");
}

#[test]
fn a_btrfs_subvolume_with_a_deep_tree_and_a_workspace_that_is_a_subvolume_are_removed() {
    needs!("root", "mkfs.btrfs", "btrfs");
    let Some((world, _mounted)) = Mounted::base(300, &["mkfs.btrfs", "-q"]) else { return };
    let [inside, whole] = [world.aged(40), deep(&world, "data")];
    let aside = world.base().join("aside");
    fs::rename(world.dir_of(&whole), &aside).expect("a rename");
    for subvolume in [world.dir_of(&whole), world.dir_of(&inside).join("sub")] {
        tool(&["btrfs", "subvolume", "create", text(&subvolume)]);
        tool(&["cp", "-aT", text(&aside), text(&subvolume)]);
    }
    all_go(&world, &[&inside, &whole]);
}

/// Such a daemon takes a position for a number of bytes in its listing now, from which names have gone: through this run or another.
#[test]
fn deep_trees_side_by_side_are_removed_through_a_fuse_daemon_that_lists_names_without_positions() {
    needs!("root", "bindfs");
    let world = World::new();
    let stale = || {
        let workspace = world.workspace().days_ago(40);
        let file = |number: usize| format!("data/{}/{}/file", "x".repeat(number * 4 + 1), levels(6));
        (0..60).fold(workspace, |workspace, number| workspace.file(&file(number), b"x")).make()
    };
    let (id, leftover) = (stale(), stale());
    let doomed = set_aside(&world, "doomed", &leftover);
    let source = world.path("source");
    fs::rename(world.base(), &source).and_then(|()| fs::create_dir(world.base())).expect("a mount point");
    let _mounted = Bindfs::by_root(&world, &source, &world.base(), 0);
    let prune = || world.wsctl(["prune", "-y", "--older-than", "90d"]).begin();
    for run in [prune(), prune(), prune()] {
        let _ = finish(run, &doomed).exits(0).quietly();
    }
    all_go(&world, &[&id]);
}

#[test]
fn a_tree_with_xfs_project_ids_that_its_owner_has_set_is_removed() {
    needs!("root", "mkfs.xfs", "chattr", "setpriv");
    let Some((world, _mounted)) = Mounted::base(300, &["mkfs.xfs", "-q"]) else { return };
    let id = deep(&world, "data");
    world.give_away();
    let (top, below) = (world.dir_of(&id), world.dir_of(&id).join("data").join(levels(20)));
    let owner = "setpriv --reuid=nobody --regid=nogroup --clear-groups chattr";
    for (words, path) in [("-p 77", &below), ("+P", &below), ("-p 88", &top), ("+P", &top)] {
        tool(&[&format!("{owner} {words}").split(' ').collect::<Vec<_>>()[..], &[text(path)]].concat());
    }
    all_go(&world, &[&id]);
}

/// Encrypts an empty directory, makes a deep tree in it, and takes the key away again, by three ioctls of fscrypt (see its page
/// in the kernel's documentation): `FS_IOC_ADD_ENCRYPTION_KEY`, `FS_IOC_SET_ENCRYPTION_POLICY`, `FS_IOC_REMOVE_ENCRYPTION_KEY`.
const ENCRYPT: &str = "
import fcntl, os, struct, sys
ADD, SET, REMOVE = 0xC0506617, 0x800C6613, 0xC0406618
mount, dir = (os.open(path, os.O_RDONLY) for path in sys.argv[1:3])
key = bytearray(struct.pack('=II32sII32s', 2, 0, b'', 64, 0, b'') + bytes(range(64)))
try:
    fcntl.ioctl(mount, ADD, key)
except OSError as error:
    sys.exit(f'no encryption: {error}')
name = bytes(key[8:24])
fcntl.ioctl(dir, SET, struct.pack('=BBBBBxxx16s', 2, 1, 4, 3, 0, name))
os.close(dir)
os.makedirs(os.path.join(sys.argv[2], sys.argv[3]))
for top, dirs, files in os.walk(sys.argv[2]):
    open(os.path.join(top, 'file'), 'w').write('x')
os.sync()
removed = bytearray(struct.pack('=II32sI20s', 2, 0, name, 0, b''))
fcntl.ioctl(mount, REMOVE, removed)
assert struct.unpack_from('=I', removed, 40) == (0,), 'somebody still uses it'";

#[test]
fn an_encrypted_tree_without_its_key_is_removed() {
    needs!("root", "mkfs.ext4", "python3");
    let mkfs = ["mkfs.ext4", "-q", "-O", "encrypt,^filetype"]; // nor does its listing show which names are directories
    let Some((world, _mounted)) = Mounted::base(32, &mkfs) else { return };
    let id = world.aged(40);
    let data = world.dir_of(&id).join("data");
    fs::create_dir(&data).expect("a directory");
    let mut python = Command::new("python3");
    let made = python.args(["-c", ENCRYPT, text(&world.base()), text(&data), &levels(40)]).status();
    if !made.expect("python3").success() {
        skip("a kernel with fscrypt");
        return;
    }
    assert!(!data.join("level").exists(), "no name can be read without the key");
    all_go(&world, &[&id]);
}

#[test]
fn workspaces_in_a_lower_layer_of_an_overlay_are_removed_if_it_redirects_and_else_stay_whole_with_the_reason() {
    needs!("root", "mount");
    for option in ["redirect_dir=on", "redirect_dir=off"] {
        let world = World::new();
        let lower = [world.aged(40), deep(&world, "data")];
        let [layer, upper, work] = ["lower", "upper", "work"].map(|name| world.path(name));
        fs::rename(world.base(), &layer).expect("a rename");
        for dir in [&world.base(), &upper, &work] {
            fs::create_dir(dir).expect("a directory");
        }
        let options = format!("lowerdir={},upperdir={},workdir={},{option}", text(&layer), text(&upper), text(&work));
        let _mounted = Mounted::new(&world, &["-t", "overlay", "-o", &options, "wsctl-test"], &world.base());
        let before = tree(&world.base());
        let dry = world.prune(&["-n"]).run();
        if option == "redirect_dir=on" {
            let _ = dry.exits(0).quietly();
            all_go(&world, &lower.each_ref().map(String::as_str));
            continue;
        }
        let _ = dry.exits(0).complains("warning: the base is on an overlay");
        let new = world.aged(40);
        let ran = world.prune(&[]).run().exits(74).sanely();
        assert_eq!(ran.stderr.matches("cannot claim it: it is in a lower layer of an overlay").count(), 2, "{ran:#?}");
        let report = ran.json();
        assert_eq!((ids_in(&report["pruned"]), ids_in(&report["failed"])), (vec![new], sorted(&lower)));
        assert_eq!(tree(&world.base()), before);
        let _ = world.wsctl(["touch", &lower[0], &lower[1]]).run().exits(0).quietly();
    }
}

#[test]
fn a_claim_that_the_kernel_refuses_leaves_all_as_it_was_and_the_message_gives_possible_causes() {
    needs!("strace");
    let (world, id) = World::with_aged(40);
    let before = tree(&world.base());
    for (errno, status, category, why) in [
        ("EXDEV", 74, "[io]", "it is in a lower layer of an overlay (redirect_dir=off), or has another project ID"),
        ("EPERM", 77, "[permission-denied]", "Operation not permitted"), // it is immutable
        // In an idmapped mount: what would change an inode of an owner without a number there is refused.
        ("EOVERFLOW", 77, "[permission-denied]", "Its owner or this user has no ID"),
    ] {
        let ran = world.prune(&[]).injecting([&*format!("renameat,renameat2:error={errno}")]).run().exits(status);
        ran.complains(&format!("error{category}: workspace {id}: cannot claim it: {why}")).sanely();
        assert_eq!(tree(&world.base()), before);
    }
}

#[test]
fn two_accesses_in_one_second_that_reuse_the_inode_save_a_workspace() {
    needs!("root", "mkfs.ext4", "strace");
    let mkfs = ["mkfs.ext4", "-q", "-I", "128"]; // no room for fractions of a second
    let Some((world, _mounted)) = Mounted::base(16, &mkfs) else { return };
    for _ in 0..30 {
        let stale = ago(TimeDelta::days(40));
        let id = world.workspace().accessed(&stale).make();
        let dir = fs::File::open(world.dir_of(&id)).expect("the application's descriptor");
        let name = |name: &str| Path::new("/proc/self/fd").join(dir.as_raw_fd().to_string()).join(name);
        // By what a file can be told from another without reading it.
        let signature = || {
            let stat = name(".metadata.json").metadata().expect("a stat");
            (stat.ino(), stat.size(), stat.mtime(), stat.ctime())
        };
        let before = signature();
        let fresh = world.read_metadata(&id).replace(&stale, &ago(TimeDelta::minutes(1)));
        let paused = Paused::after(&world, "renameat2", None, world.prune(&[]));
        for _ in 0..2 {
            fs::write(name(".metadata.tmp.x1y2.json"), &fresh).expect("a file");
            fs::rename(name(".metadata.tmp.x1y2.json"), name(".metadata.json")).expect("a rename");
        }
        let is_same = signature() == before;
        paused.go_on().finds_busy(&id);
        assert_eq!(world.read_metadata(&id), fresh);
        if is_same {
            return;
        }
    }
    panic!("the metadata never got its old inode within its second");
}
