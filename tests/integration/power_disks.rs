//! File systems whose power can be cut, for `power_cuts`.

use crate::quiet;
use crate::tools::{text, tool};
use crate::world::skip;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
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
        quiet::before_a_mount();
        let mounted = Command::new("mount").args(["-o", "loop", text(self.image.path()), text(&self.point)]).status();
        mounted.expect("mount").success()
    }

    /// The power comes back.
    pub fn restart(&self) {
        let begun = Instant::now();
        while !Command::new("umount").arg(&self.point).stderr(Stdio::null()).status().expect("umount").success() {
            assert!(begun.elapsed() < Duration::from_secs(20), "somebody holds on to it");
            thread::sleep(Duration::from_millis(5)); // the killed are still on their way out
        }
        assert!(self.mount(), "it does not recover");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.point).stderr(Stdio::null()).status();
    }
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
