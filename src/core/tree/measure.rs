//! Measures disk usage as `du -sx` counts it, and finds the newest modification time in a tree.
//!
//! A size is never more than the truth. What others changed since the measurement began may have been counted under another name
//! already, so it is not counted, and that is reported. This needs no set of all inodes: an inode with an old stamp is where it
//! was before, and is met once. The stamp is the change time, which only the kernel sets.

use super::super::dirfd::DirFd;
use super::super::error::{Category, Error};
use super::super::stat::{FileTime, Stat};
use super::super::timestamp::Timestamp;
use super::names::Kind;
use super::walk::{Entered, Scratch, Steps, walk};
use super::{Links, Stop};
use rustix::io::{Errno, Result};
use std::ffi::CStr;

/// How often a tree that others are changing is measured.
const TRIES: usize = 3;
/// How many changes by others are met before the rest is left uncounted.
const CHANGES: usize = 1000;

/// The result of a measurement.
#[derive(Debug, Default)]
pub struct Usage {
    /// Allocated bytes, also of directories, each inode once. Never more than the truth.
    pub bytes: u64,
    /// The number of names, without directories.
    pub files: u64,
    /// The newest modification time of everything that was seen, including the root.
    pub newest: Option<Timestamp>,
    /// Why not everything was counted. [`Category::NotFound`] if there is no such tree.
    pub error: Option<Error>,
}

/// Measures the directory `name`, without entering other mounts. Tries again if others change it.
pub fn measure(base: &DirFd, name: &str, stop: Stop<'_>, scratch: &mut Scratch) -> Usage {
    for _ in 1..TRIES {
        let mut try_once = Measuring::new(stop);
        try_once.run(base, name, scratch);
        match try_once.changed {
            Some(stamp) if !stop() => std::thread::sleep(stamp.next_grain()),
            _ => return try_once.usage,
        }
    }
    let mut last = Measuring::new(stop);
    last.run(base, name, scratch);
    last.usage
}

struct Measuring<'a> {
    usage: Usage,
    links: Links,
    device: u64,
    begun: FileTime,
    /// The latest change time of what others changed since the measurement began.
    changed: Option<FileTime>,
    changes: usize,
    stop: Stop<'a>,
}

impl<'a> Measuring<'a> {
    fn new(stop: Stop<'a>) -> Self {
        let (usage, links) = (Usage::default(), Links::default());
        Self { usage, links, device: 0, begun: FileTime::now(), changed: None, changes: 0, stop }
    }

    fn run(&mut self, base: &DirFd, name: &str, scratch: &mut Scratch) {
        let walked = base.open_dir(name).and_then(|dir| {
            let stat = dir.stat_self()?;
            self.device = stat.device;
            self.count(&stat);
            walk(Entered::new(dir, stat, stat.changed), self, scratch)
        });
        match walked {
            Ok(_) => {}
            Err(Errno::STALE) => self.meet_change(FileTime::now()),
            Err(Errno::CANCELED) if self.changes > CHANGES => {}
            Err(errno) => self.note(errno),
        }
    }

    fn count(&mut self, stat: &Stat) {
        self.usage.bytes += self.links.allocated(stat);
        self.see(stat);
    }

    fn see(&mut self, stat: &Stat) {
        self.usage.newest = self.usage.newest.max(Some(stat.modified.into()));
    }

    /// Whether an inode may have been counted already.
    fn is_changed(&mut self, stat: &Stat) -> bool {
        let is_changed = stat.changed.is_since(self.begun);
        if is_changed {
            self.see(stat);
            self.meet_change(stat.changed);
        }
        is_changed
    }

    fn count_if_unchanged(&mut self, stat: &Stat) {
        if !self.is_changed(stat) {
            self.count(stat);
        }
    }

    fn meet_change(&mut self, stamp: FileTime) {
        self.changes += 1;
        self.changed = self.changed.max(Some(stamp));
        self.usage
            .error
            .get_or_insert_with(|| Error::new(Category::Busy, "not all of it was measured: others are changing it"));
    }

    /// Remembers what could not be counted.
    fn note(&mut self, errno: Errno) {
        self.usage.error.get_or_insert_with(|| describe(errno));
    }

    fn enter(&mut self, dir: &DirFd, name: &CStr) -> Result<Option<Entered<FileTime>>> {
        let below = dir.open_dir(name)?;
        let stat = below.stat_self()?;
        if stat.device != self.device || self.is_changed(&stat) {
            return Ok(None); // `du -x` does not count subvolumes
        }
        self.count(&stat);
        Ok(Some(Entered::new(below, stat, stat.changed)))
    }

    /// Counts a name that is not entered.
    fn look(&mut self, dir: &DirFd, name: &CStr) -> Result<Option<Entered<FileTime>>> {
        let stat = dir.stat(name)?;
        if stat.is_dir() {
            return self.enter(dir, name).inspect_err(|_| self.count_if_unchanged(&stat));
        }
        self.usage.files += 1;
        self.count_if_unchanged(&stat);
        Ok(None)
    }
}

impl Steps for Measuring<'_> {
    /// The change time of a directory when it was entered.
    type Level = FileTime;

    fn is_over(&mut self) -> bool {
        self.changes > CHANGES || (self.stop)()
    }

    fn meet(&mut self, dir: &DirFd, name: &CStr, kind: Kind, _: &mut FileTime) -> Option<Entered<FileTime>> {
        let met = match kind {
            Kind::Directory => match self.enter(dir, name) {
                // It cannot be entered, or is no directory any more.
                Err(Errno::ACCESS | Errno::NOTDIR | Errno::LOOP) => self.look(dir, name),
                entered => entered,
            },
            Kind::Other | Kind::Unknown => self.look(dir, name),
        };
        match met {
            Ok(entered) => entered,
            // Another mount is not part of the tree. What has vanished has changed the directory that it was in.
            Err(Errno::XDEV | Errno::NOENT) => None,
            Err(errno) => {
                self.note(errno);
                None
            }
        }
    }

    fn fail(&mut self, errno: Errno, _: &mut FileTime) {
        self.note(errno);
    }

    fn end(&mut self, dir: &DirFd, entered: &mut FileTime) {
        match dir.stat_self() {
            Ok(stat) if stat.changed == *entered => {}
            Ok(stat) => self.meet_change(stat.changed),
            Err(errno) => self.note(errno),
        }
    }
}

/// Explains why not everything was counted.
fn describe(errno: Errno) -> Error {
    match errno {
        Errno::LOOP | Errno::NOTDIR => Error::new(Category::Busy, "not all of it was measured: others are changing it"),
        Errno::XDEV => Error::new(Category::Busy, "not measured: something is mounted on it"),
        Errno::CANCELED => Error::new(Category::Busy, "not all of it was measured: interrupted"),
        _ => Error::os(errno, "cannot measure all of it"),
    }
}
