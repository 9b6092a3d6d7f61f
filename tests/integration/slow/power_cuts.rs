//! Power cuts: ext4 and xfs on a disk that has a cache and loses it ([`Disk`]), while touches and a prune are at it. Nothing is shut
//! down: the disk is copied in the midst of it all, and the copy is mounted, which recovers the journal.
//!
//! Most cuts come while the program is paused after its k-th file-system call, for one k after the other; every fourth comes at a
//! random moment while everything runs free.

use crate::paused::{Call, Paused, calls, straced};
use crate::quiet;
use crate::slow::power_scenes::{PRUNE, Scene};
use crate::slow::soak::random;
use crate::tools::{Ended, text, tool, trash, wait_until};
use crate::world::{World, skip};
use rustix::fs::ioctl_ficlone;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// The calls after which the power goes: those that change something. `flock` follows the creation of a temporary file.
const CALLS: &str = "flock,write,fchown,fchmod,fsync,renameat,renameat2,unlinkat";

/// A disk with a cache, and a file system on it. Of the disk a copy can be taken at any moment, while everything goes on: what
/// is in the copy is what is left when the power goes at that moment.
///
/// There are three file systems in one another, each on a loop device:
/// - `host`: an xfs in memory, which holds the platters of the disk, a file. Its FICLONE copies a file as of one moment: it
///   holds the lock of the file that every write takes, so that it comes before or after each of them.
/// - `cache`: an ext4 on the platters, with one file in it, the disk as the computer sees it. What is written there stays in
///   memory, as in the cache of a disk; what is flushed (the loop device makes an fsync of a flush) goes to the platters.
/// - the base of the world: ext4 or xfs, on that file.
///
/// So a copy has all that was flushed before the copy began, and of the rest what the kernel happened to write out. It is as if the
/// kernel's memory and the disk's were lost at the same instant.
struct Disk {
    memory: NamedTempFile,
    host: PathBuf,
    cache: PathBuf,
    base: PathBuf,
    /// How the base is mounted.
    options: &'static str,
    cuts: usize,
}

impl Disk {
    const SIZE: u64 = 64 << 20;

    /// Makes one and mounts it. `None`, loudly, where that can't be done.
    fn new(kind: &str, world: &World) -> Option<Self> {
        let memory = NamedTempFile::new_in("/dev/shm").expect("an image");
        memory.as_file().set_len(1 << 30).expect("its size");
        // A copy has the UUID of what it was copied from, which xfs may not mount beside it.
        let options = if kind == "xfs" { "loop,nouuid" } else { "loop" };
        let [host, cache] = ["host", "cache"].map(|name| world.path(name));
        let disk = Self { memory, host, cache, base: world.base(), options, cuts: 0 };
        fs::create_dir(&disk.host).and_then(|()| fs::create_dir(&disk.cache)).expect("mount points");
        tool(&["mkfs.xfs", "-q", text(disk.memory.path())]);
        if !mount(disk.memory.path(), &disk.host, "loop,discard") {
            skip("loop devices");
            return None;
        }
        File::create(disk.platters()).and_then(|file| file.set_len(2 * Self::SIZE)).expect("the platters");
        tool(&["mkfs.ext4", "-q", text(&disk.platters())]);
        assert!(mount(&disk.platters(), &disk.cache, "loop"), "the cache");
        File::create(disk.image()).and_then(|file| file.set_len(Self::SIZE)).expect("the disk");
        let small = if kind == "xfs" { &["--unsupported"][..] } else { &[] }; // below 300 MiB
        tool(&[&[&*format!("mkfs.{kind}"), "-q"], small, &[text(&disk.image())]].concat());
        // Where each block has its place on the platters already, it is there as soon as it is written.
        let image = text(&disk.image()).to_owned();
        tool(&["dd", &format!("if={image}"), &format!("of={image}"), "bs=1M", "conv=notrunc,fsync", "status=none"]);
        assert!(mount(&disk.image(), &disk.base, options), "the base");
        Some(disk)
    }

    fn platters(&self) -> PathBuf {
        self.host.join(format!("platters.{}", self.cuts))
    }

    fn image(&self) -> PathBuf {
        self.cache.join("disk")
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
            let unmounted =
                || Command::new("umount").arg(point).stderr(Stdio::null()).status().expect("umount").success();
            wait_until("the killed are gone", unmounted);
        }
        fs::remove_file(self.host.join(format!("platters.{}", self.cuts - 1))).expect("the old disk");
        assert!(mount(&self.platters(), &self.cache, "loop"), "the disk does not come back");
        assert!(mount(&self.image(), &self.base, self.options), "it does not recover");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        for point in [&self.base, &self.cache, &self.host] {
            let _ = Command::new("umount").arg("--lazy").arg(point).stderr(Stdio::null()).status();
        }
    }
}

fn mount(image: &Path, point: &Path, options: &str) -> bool {
    quiet::before_a_mount();
    let mounted = Command::new("mount").args(["-o", options, text(image), text(point)]).status();
    mounted.expect("mount").success()
}

/// Every moment that there is in a prune, or in a touch, by a run that nothing stops.
fn moments(world: &World, prunes: bool) -> Vec<Call> {
    let scene = Scene::new(world);
    let (ran, log) = straced(world, scene.begin(prunes), CALLS);
    let _ = ran.exits(0);
    scene.check();
    calls(&log.join("\n"))
}

/// Touches and prunes; does something in the midst of it.
fn amidst(world: &World, scene: &Scene<'_>, act: impl FnOnce()) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let ids = scene.to_touch().iter().cycle();
            ids.take_while(|_| !over.load(Ordering::Relaxed)).for_each(|id| scene.touch(id));
        });
        scope.spawn(|| drop(world.wsctl(PRUNE).run()));
        let _ended = Ended(&over);
        act();
    });
}

/// Cuts so many times, on both file systems.
fn cut(times: usize) {
    needs!("root", "mkfs.ext4", "mkfs.xfs", "mount", "strace");
    for kind in ["ext4", "xfs"] {
        let world = World::new();
        let Some(mut disk) = Disk::new(kind, &world) else { return };
        let moments = [true, false].map(|prunes| moments(&world, prunes));
        let (scene, begun) = (Scene::new(&world), Instant::now());
        amidst(&world, &scene, || drop(world.wsctl(PRUNE).run()));
        let longest = u64::try_from(begun.elapsed().as_micros()).expect("a short time");
        scene.check();
        let mut in_the_midst = 0;
        for number in 0..times / 2 {
            let scene = Scene::new(&world);
            let mut power_goes = || {
                scene.power_goes();
                disk.cut();
            };
            let at = format!("{kind}, cut {number} of {}", times / 2);
            if number % 4 == 3 {
                let moment = Duration::from_micros(random(longest));
                println!("{at}, after {moment:?}"); // shown where it fails
                amidst(&world, &scene, || {
                    thread::sleep(moment);
                    power_goes();
                });
            } else {
                let prunes = number % 4 != 2;
                let moments = &moments[usize::from(!prunes)];
                let Call { name, nth, .. } =
                    &moments[(number * 2 + usize::from(kind == "xfs")) * moments.len() / times];
                println!("{at}, after {name} {nth}, prune: {prunes}"); // shown where it fails
                let paused = Paused::try_after(&world, (name, *nth), scene.begin(prunes)).expect("a stop");
                if number / 4 % 2 == 1 {
                    scene.touch_others();
                }
                power_goes();
                drop(paused); // SIGKILL
            }
            disk.restart();
            in_the_midst += usize::from(scene.check());
        }
        println!("{kind}: {in_the_midst} of {} cuts in the midst of a prune", times / 2);
        assert_eq!(trash(&world), [""; 0]);
    }
}

#[test]
fn after_a_power_cut_nothing_is_lost_and_the_next_prune_finishes_what_was_decided() {
    cut(30);
}

#[test]
#[ignore = "the long form: 600 cuts"]
fn after_600_power_cuts_nothing_is_lost() {
    cut(600);
}
