//! File systems whose power can be cut, for `power_cuts`: one that is shut down, and one on a disk that has a cache.

use crate::quiet;
use crate::slow::soak::random;
use crate::tools::{text, tool, wait_until};
use crate::world::{World, skip};
use rustix::fs::{Advice, fadvise, ioctl_ficlone};
use std::fs::{self, File};
use std::io::Read;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::NamedTempFile;

/// A file system in a file, mounted for as long as this lives.
pub struct Disk {
    image: NamedTempFile,
    point: PathBuf,
}

impl Disk {
    /// Makes one and mounts it. `None`, loudly, where that can't be done.
    pub fn new(kind: &str, point: PathBuf) -> Option<Self> {
        let image = NamedTempFile::new_in("/dev/shm").expect("an image");
        image.as_file().set_len(320 << 20).expect("its size"); // xfs makes none below 300 MiB; most of it is a hole
        tool(&[&format!("mkfs.{kind}"), "-q", text(image.path())]);
        let disk = Self { image, point };
        (disk.mount() || skip("loop devices")).then_some(disk)
    }

    fn mount(&self) -> bool {
        mount(self.image.path(), &self.point, "loop")
    }

    /// The power comes back.
    pub fn restart(&self) {
        unmount(&self.point);
        // Another test's mount namespace may be a copy of ours, for a moment; then `mount` would show again what was shut down.
        wait_until("the disk is let go", || !is_attached(self.image.path()));
        assert!(self.mount(), "it does not recover");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount_lazily(&self.point);
    }
}

fn mount(image: &Path, point: &Path, options: &str) -> bool {
    quiet::before_a_mount();
    let mounted = Command::new("mount").args(["-o", options, text(image), text(point)]).status();
    mounted.expect("mount").success()
}

fn unmount(point: &Path) {
    let unmounted = || Command::new("umount").arg(point).stderr(Stdio::null()).status().expect("umount").success();
    wait_until("the killed are gone", unmounted);
}

fn unmount_lazily(point: &Path) {
    let _ = Command::new("umount").arg("--lazy").arg(point).stderr(Stdio::null()).status();
}

/// Whether a loop device has this file.
fn is_attached(image: &Path) -> bool {
    let devices = fs::read_dir("/sys/block").expect("the devices").flatten();
    let files = devices.filter_map(|device| fs::read_to_string(device.path().join("loop/backing_file")).ok());
    files.into_iter().any(|file| Path::new(file.trim_end()) == image)
}

/// Somebody with a hand on the plug.
pub struct Cutter(Child);

impl Cutter {
    const PROGRAM: &str = "import fcntl, os, struct, sys
disk = os.open(sys.argv[1], os.O_RDONLY)
print('.', end='', flush=True)
sys.stdin.read()
fcntl.ioctl(disk, 0x8004587d, struct.pack('I', int(sys.argv[2])))";

    /// `flush`: the journal is written out first, which is a cut a moment later; without, it ends where it ended.
    pub fn new(disk: &Disk, flush: bool) -> Self {
        let flags = if flush { "1" } else { "2" };
        let mut python = Command::new("python3");
        python.args(["-c", Self::PROGRAM, text(&disk.point), flags]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().expect("python3");
        child.stdout.as_mut().expect("stdout").read_exact(&mut [0]).expect("it is ready");
        Self(child)
    }

    pub fn cut(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().expect("the cut").success());
    }
}

/// What a disk does, as its power goes, with what it was told to write but not to flush.
#[derive(Debug, Clone, Copy)]
pub enum Unflushed {
    /// All of it is lost, but for what the kernel happened to write out.
    Lost,
    /// Some of it was written, in any order.
    Torn,
    /// All of it was written.
    Written,
}

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
/// So a copy has all that was flushed before the copy began. Of the rest it has what [`Unflushed`] says, by pages and in
/// whatever order; a disk may do that, and a file system with a journal must bear it. It is as if the kernel's memory and the
/// disk's were lost at the same instant.
pub struct CachedDisk {
    memory: NamedTempFile,
    host: PathBuf,
    cache: PathBuf,
    base: PathBuf,
    /// How the base is mounted.
    options: &'static str,
    cuts: usize,
}

impl CachedDisk {
    const SIZE: u64 = 64 << 20;
    const PAGE: u64 = 4096;

    /// Makes one and mounts it. `None`, loudly, where that can't be done.
    pub fn new(kind: &str, world: &World) -> Option<Self> {
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
    pub fn cut(&mut self, unflushed: Unflushed) {
        match unflushed {
            Unflushed::Lost => {}
            Unflushed::Torn => self.write_out_some(),
            Unflushed::Written => File::open(self.image()).and_then(|image| image.sync_data()).expect("a flush"),
        }
        let platters = File::open(self.platters()).expect("the platters");
        self.cuts += 1;
        let copy = File::create(self.platters()).expect("a copy");
        ioctl_ficlone(copy, platters).expect("a file system that copies at once");
    }

    /// Lets the cache write out stretches of what it holds.
    fn write_out_some(&self) {
        let (image, mut at) = (File::open(self.image()).expect("the disk"), 0);
        while at < Self::SIZE {
            let length = Self::PAGE * (1 + random(64));
            if random(2) == 0 {
                fadvise(&image, at, NonZero::new(length), Advice::DontNeed).expect("advice");
            }
            at += length;
        }
    }

    /// The power comes back, and the copy is the disk from now on.
    pub fn restart(&self) {
        unmount(&self.base);
        unmount(&self.cache);
        fs::remove_file(self.host.join(format!("platters.{}", self.cuts - 1))).expect("the old disk");
        assert!(mount(&self.platters(), &self.cache, "loop"), "the disk does not come back");
        assert!(mount(&self.image(), &self.base, self.options), "it does not recover");
    }
}

impl Drop for CachedDisk {
    fn drop(&mut self) {
        for point in [&self.base, &self.cache, &self.host] {
            unmount_lazily(point);
        }
    }
}
