//! Power cuts: ext4 and xfs on a disk that loses its cache ([`Disk`]), while a touch or a prune is at it. The disk is copied while the
//! program is paused after its k-th call, and the copy is mounted: what must be true then is what must be true after a kill.

use crate::mounted::Mounted;
use crate::paused::{Paused, calls, straced};
use crate::slow::fault_cases::{Case, Kind, cases};
use crate::slow::fault_checks::{Forest, Struck, check_left, check_next, forest, swept};
use crate::tools::{text, tool, wait_until};
use crate::world::{World, skip};
use rustix::fs::ioctl_ficlone;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;
use tempfile::NamedTempFile;

/// A disk with a cache: a copy of it has all that was flushed before, and of the rest what the kernel happened to write out. There are
/// three file systems in one another, each on a loop device:
/// - `host`: an xfs in memory, which holds the platters of the disk, a file. Its FICLONE copies a file as of one moment.
/// - `cache`: an ext4 on the platters, with one file in it, the disk as the computer sees it. What is written there stays in
///   memory, as in the cache of a disk; what is flushed goes to the platters.
/// - the base of the world: ext4 or xfs, on that file.
struct Disk {
    memory: NamedTempFile,
    _mounted: Mounted,
    host: PathBuf,
    cache: PathBuf,
    base: PathBuf,
    options: &'static str,
    cuts: usize,
}

impl Disk {
    /// Makes one and mounts it. `None`, loudly, where that can't be done.
    fn new(kind: &str, world: &World) -> Option<Self> {
        let memory = NamedTempFile::new_in("/dev/shm").expect("an image");
        memory.as_file().set_len(1 << 30).expect("its size");
        // A copy has the UUID of what it was copied from, which xfs may not mount beside it.
        let options = if kind == "xfs" { "loop,nouuid" } else { "loop" };
        let [host, cache] = ["host", "cache"].map(|name| world.path(name));
        let mounted = Mounted(world.path(""));
        let disk = Self { memory, _mounted: mounted, host, cache, base: world.base(), options, cuts: 0 };
        fs::create_dir(&disk.host).and_then(|()| fs::create_dir(&disk.cache)).expect("mount points");
        tool(&["mkfs.xfs", "-q", text(disk.memory.path())]);
        if !mount(disk.memory.path(), &disk.host, "loop,discard") && !skip("loop devices") {
            return None;
        }
        File::create(disk.platters()).and_then(|file| file.set_len(128 << 20)).expect("the platters");
        tool(&["mkfs.ext4", "-q", text(&disk.platters())]);
        assert!(mount(&disk.platters(), &disk.cache, "loop"), "the cache");
        let image = disk.cache.join("disk");
        File::create(&image).and_then(|file| file.set_len(64 << 20)).expect("the disk");
        let small = if kind == "xfs" { &["--unsupported"][..] } else { &[] }; // below 300 MiB
        tool(&[&[&*format!("mkfs.{kind}"), "-q"], small, &[text(&image)]].concat());
        // Where each block has its place on the platters already, it is there as soon as it is written.
        let [from, to] = ["if=", "of="].map(|way| way.to_owned() + text(&image));
        tool(&["dd", &from, &to, "bs=1M", "conv=notrunc,fsync", "status=none"]);
        assert!(mount(&image, &disk.base, options), "the base");
        Some(disk)
    }

    fn platters(&self) -> PathBuf {
        self.host.join(format!("platters.{}", self.cuts))
    }

    /// The power goes: takes the copy.
    fn cut(&mut self) {
        let platters = File::open(self.platters()).expect("the platters");
        self.cuts += 1;
        let copy = File::create(self.platters()).expect("a copy");
        ioctl_ficlone(copy, platters).expect("a file system that copies at once");
    }

    /// The power comes back, and the copy is the disk from now on.
    fn restart(&self) {
        for point in [&self.base, &self.cache] {
            let unmount = || Command::new("umount").arg(point).stderr(Stdio::null()).status().expect("umount");
            wait_until("the killed are gone", || unmount().success());
        }
        fs::remove_file(self.host.join(format!("platters.{}", self.cuts - 1))).expect("the old disk");
        assert!(mount(&self.platters(), &self.cache, "loop"), "the disk does not come back");
        assert!(mount(&self.cache.join("disk"), &self.base, self.options), "it does not recover");
    }
}

fn mount(image: &Path, point: &Path, options: &str) -> bool {
    Command::new("mount").args(["-o", options, text(image), text(point)]).status().expect("mount").success()
}

/// Empties the base, fills it with a copy of the case's, and writes that to the disk. Gives what is in it.
fn fill(world: &World, case: &Case) -> Forest {
    tool(&["find", text(&world.base()), "-mindepth", "1", "!", "-name", "lost+found", "-delete"]);
    case.fill(world);
    tool(&["sync", "-f", text(&world.base())]);
    forest(&world.base())
}

/// Cuts so many times, on both file systems, at the calls of a touch and a prune from the first to the last, and after it has ended.
fn cut(times: usize) {
    needs!("root", "mkfs.ext4", "mkfs.xfs", "mount", "strace");
    let cases: Vec<_> = cases().into_iter().filter(|case| ["touch", "prune"].contains(&case.name)).collect();
    for (kind, case) in ["ext4", "xfs"].into_iter().flat_map(|kind| cases.iter().map(move |case| (kind, case))) {
        let world = World::new();
        let Some(mut disk) = Disk::new(kind, &world) else { return };
        let run = || world.wsctl(&case.args);
        let struck = |ran| Struck { ran, log: String::new(), after: forest(&world.base()) };
        let before = fill(&world, case);
        // Those that change something; `flock` follows the creation of a temporary file.
        let (ran, log) = straced(&world, run(), "flock,write,fchown,fchmod,fsync,renameat,renameat2,unlinkat");
        let (calls, reference) = (calls(&log.join("\n")), struck(ran));
        for number in 0..times / 4 {
            let _ = fill(&world, case);
            let call = calls.get(number * calls.len() / (times / 4 - 1));
            println!("{kind}, {}, cut {number}, after {call:?}", case.name); // shown where it fails
            let paused = call.map(|call| Paused::try_after(&world, (&call.name, call.nth), run()).expect("a stop"));
            if paused.is_none() {
                let _ = run().run().exits(reference.ran.status);
            }
            if number % 2 == 0 {
                // Others are at work meanwhile: what they sync writes the journal, too.
                let notes = File::open(world.base().join("monaco-2024/notes")).expect("a file");
                notes.set_modified(SystemTime::now()).and_then(|()| notes.sync_all()).expect("a sync");
            }
            disk.cut();
            drop(paused); // SIGKILL
            disk.restart();
            let left = forest(&world.base());
            check_left(case, &before, &reference.after, &left).expect("what touch and prune promise");
            let is_new = || left.iter().all(|(id, tree)| swept(tree) == swept(&reference.after[id]));
            let may_be_old = call.is_some() || case.kind != Kind::Touch;
            assert!(may_be_old || is_new(), "touch exited, and what it wrote is not on the disk: {left:#?}");
            check_next(case, &left, &reference, &struck(run().run())).expect("the next run finishes");
        }
    }
}

#[test]
fn after_a_power_cut_nothing_is_lost_and_the_next_prune_finishes_what_was_decided() {
    cut(32);
}

#[test]
#[ignore = "the long form: 600 cuts"]
fn after_600_power_cuts_nothing_is_lost() {
    cut(600);
}
