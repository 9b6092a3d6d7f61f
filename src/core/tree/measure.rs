//! Measures the disk usage of a tree like `du -sx`, and finds its newest modification time.
//!
//! A size is never more than the truth. If an inode changed after the measurement began, somebody may have moved it, so that it
//! would be counted twice: it is not counted, and this is reported. An older change time, which only the kernel sets, proves that
//! it was not moved. So no set of all inodes is needed. The newest time can be told even so: a file may be looked at twice.

use super::super::dirfd::DirFd;
use super::super::error::{Category, Error};
use super::super::stat::{FileTime, Stat};
use super::super::timestamp::Timestamp;
use super::walk::{Entered, Scratch, Visitor, walk};
use super::{Links, Stop};
use rustix::io::{Errno, Result};
use std::collections::HashSet;
use std::ffi::CStr;

/// How often to measure a tree if others keep changing it.
const TRIES: usize = 3;
/// After this many changes by others, the rest is not counted. If workspaces share hard links to a package cache, removing one
/// changes all files of the others.
const MAX_CHANGES: usize = 300_000;

/// The result of a measurement.
#[derive(Debug, Default)]
pub struct Usage {
    /// The allocated bytes, including directories, each inode once. Never more than the truth.
    pub bytes: u64,
    /// The number of names that are not directories.
    pub files: u64,
    /// The newest modification time in the tree, including the root.
    pub newest: Option<Timestamp>,
    /// Whether something is mounted in the tree.
    pub has_mount: bool,
    /// Whether something in it may not have been looked at. If not, `newest` and `has_mount` are right even if there is an error.
    pub is_partial: bool,
    /// Why not everything was counted.
    pub error: Option<Error>,
}

impl Usage {
    /// Whether the tree does not exist: another run has taken it.
    pub fn is_gone(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.category() == Category::NotFound)
    }
}

/// Measures the directory `name`, without entering other mounts. Tries again if others change it.
pub fn measure(base: &DirFd, name: &str, stop: Stop<'_>, scratch: &mut Scratch) -> Usage {
    try_until(|usage| usage.error.is_none(), base, name, stop, scratch)
}

/// Like [`measure()`], but only for `newest` and `has_mount`: the error is why not everything was looked at.
pub fn search(base: &DirFd, name: &str, stop: Stop<'_>, scratch: &mut Scratch) -> Usage {
    let usage = try_until(|usage| !usage.is_partial, base, name, stop, scratch);
    Usage { error: usage.error.filter(|_| usage.is_partial), ..usage }
}

fn try_until(
    is_enough: impl Fn(&Usage) -> bool,
    base: &DirFd,
    name: &str,
    stop: Stop<'_>,
    scratch: &mut Scratch,
) -> Usage {
    let mut tries = 0;
    loop {
        let mut measuring = Measuring::new(stop);
        measuring.run(base, name, scratch);
        tries += 1;
        match measuring.changed {
            Some(stamp) if tries < TRIES && !is_enough(&measuring.usage) && !stop() => {
                std::thread::sleep(stamp.next_grain());
            }
            _ => return measuring.usage,
        }
    }
}

struct Measuring<'a> {
    usage: Usage,
    links: Links,
    device: u64,
    /// The devices of the subvolumes in the tree. `du -x` does not count them, but their modification times count.
    subvolumes: HashSet<u64>,
    begun: FileTime,
    /// The latest change time of what others changed since the measurement began.
    changed: Option<FileTime>,
    changes: usize,
    stop: Stop<'a>,
}

impl<'a> Measuring<'a> {
    fn new(stop: Stop<'a>) -> Self {
        let (usage, links, subvolumes) = (Usage::default(), Links::default(), HashSet::new());
        Self { usage, links, device: 0, subvolumes, begun: FileTime::now(), changed: None, changes: 0, stop }
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
            Err(Errno::STALE) => self.record_change(FileTime::now()),
            Err(errno) => self.set_error(errno),
        }
    }

    fn count(&mut self, stat: &Stat) {
        if self.is_counted(stat) {
            self.usage.bytes += self.links.allocated(stat);
        }
        self.update_newest(stat);
    }

    fn is_counted(&self, stat: &Stat) -> bool {
        !self.subvolumes.contains(&stat.device)
    }

    fn update_newest(&mut self, stat: &Stat) {
        self.usage.newest = self.usage.newest.max(Some(stat.modified.into()));
    }

    /// Whether an inode has changed, so that it may already have been counted. If so, records the change.
    fn check_change(&mut self, stat: &Stat) -> bool {
        let has_changed = stat.changed.may_be_since(self.begun);
        if has_changed {
            self.update_newest(stat);
            if stat.is_dir() {
                self.record_change(stat.changed);
            } else {
                self.leave_uncounted(stat.changed);
            }
        }
        has_changed
    }

    fn count_if_unchanged(&mut self, stat: &Stat) {
        if !self.check_change(stat) {
            self.count(stat);
        }
    }

    /// Records that a directory has changed, so that names in it may have been missed.
    fn record_change(&mut self, stamp: FileTime) {
        self.leave_uncounted(stamp);
        self.usage.is_partial = true;
    }

    fn leave_uncounted(&mut self, stamp: FileTime) {
        self.changes += 1;
        self.changed = self.changed.max(Some(stamp));
        self.usage.error.get_or_insert_with(|| describe(Errno::STALE));
    }

    /// Remembers the first error.
    fn set_error(&mut self, errno: Errno) {
        self.usage.error.get_or_insert_with(|| describe(errno));
        self.usage.is_partial = true;
    }

    fn enter(&mut self, dir: &DirFd, name: &CStr) -> Result<Option<Entered<FileTime>>> {
        let below = dir.open_dir(name)?;
        let stat = below.stat_self()?;
        if stat.device != self.device {
            self.subvolumes.insert(stat.device);
        }
        if self.check_change(&stat) {
            return Ok(None);
        }
        self.count(&stat);
        Ok(Some(Entered::new(below, stat, stat.changed)))
    }

    /// Counts a name, or enters it if it is a directory.
    fn count_or_enter(&mut self, dir: &DirFd, name: &CStr) -> Result<Option<Entered<FileTime>>> {
        let stat = dir.stat(name)?;
        if stat.is_dir() {
            return self.enter(dir, name).inspect_err(|_| self.count_if_unchanged(&stat));
        }
        self.usage.files += u64::from(self.is_counted(&stat));
        self.count_if_unchanged(&stat);
        Ok(None)
    }
}

impl Visitor for Measuring<'_> {
    /// The change time of a directory when it was entered.
    type Level = FileTime;

    fn should_stop(&mut self) -> bool {
        self.changes > MAX_CHANGES || (self.stop)()
    }

    fn visit(&mut self, dir: &DirFd, name: &CStr, is_dir: bool, _: &mut FileTime) -> Option<Entered<FileTime>> {
        let entered = if is_dir { self.enter(dir, name) } else { Err(Errno::NOTDIR) };
        let visited = match entered {
            // It cannot be entered, or is not a directory.
            Err(Errno::ACCESS | Errno::NOTDIR | Errno::LOOP) => self.count_or_enter(dir, name),
            entered => entered,
        };
        match visited {
            Ok(entered) => return entered,
            // Another mount is not part of the tree.
            Err(Errno::XDEV) => self.usage.has_mount = true,
            // If a name has vanished, its directory has changed, which is found later.
            Err(Errno::NOENT) => {}
            Err(errno) => self.set_error(errno),
        }
        None
    }

    fn listing_failed(&mut self, _: &DirFd, errno: Errno, _: &mut FileTime) -> bool {
        self.set_error(errno);
        false
    }

    fn after_listing(&mut self, dir: &DirFd, entered: &mut FileTime) {
        match dir.stat_self() {
            Ok(stat) if stat.changed == *entered => {}
            Ok(stat) => self.record_change(stat.changed),
            // Somebody removed it: file servers and FUSE daemons do not know it any more.
            Err(Errno::NOENT | Errno::STALE) => self.record_change(FileTime::now()),
            Err(errno) => self.set_error(errno),
        }
    }
}

/// Explains why not everything was counted.
fn describe(errno: Errno) -> Error {
    match errno {
        Errno::LOOP | Errno::NOTDIR | Errno::STALE => {
            Error::new(Category::Busy, "not all of it was measured: others are changing it")
        }
        Errno::XDEV => Error::new(Category::Busy, "not measured: something is mounted on it"),
        _ => Error::os(errno, "cannot measure all of it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_others_changed_since_the_measurement_began_is_not_counted_but_looked_at_until_there_is_too_much_of_it() {
        const PAGE: u64 = 4096;
        // How many seconds before the changes it began; what is in the tree beside two files; how many changes are counted
        // already; the bytes, and whether not all was looked at.
        for (begun, dir, changes, bytes, is_partial) in [
            (-10, Some("dir"), MAX_CHANGES, 2 * PAGE, false),
            (10, None, 0, 0, false),
            (10, None, MAX_CHANGES - 2, 0, false),
            (10, None, MAX_CHANGES - 1, 0, true),
            (10, Some("dir"), 0, 0, true),
        ] {
            let temp = tempfile::tempdir_in("/dev/shm").expect("a directory");
            for name in ["a", "b"] {
                fs::write(temp.path().join(name), "x").expect("a file");
            }
            dir.map_or(Ok(()), |name| fs::create_dir(temp.path().join(name))).expect("a directory");
            let base = DirFd::open(temp.path()).expect("an open directory");
            let never = || false;
            let mut measuring = Measuring::new(&never);
            measuring.begun = base.stat_self().expect("a stat").changed.plus_seconds(-begun);
            measuring.changes = changes;
            measuring.run(&base, ".", &mut Scratch::default());
            let Usage { bytes: counted, is_partial: partial, error, .. } = measuring.usage;
            assert_eq!(
                (counted, partial, error.is_some()),
                (bytes, is_partial, begun > 0),
                "{begun} s, {dir:?}, {changes}"
            );
        }
    }
}
