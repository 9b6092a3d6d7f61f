//! Disk usage as `du -sx` counts it, at any depth and width, with a handful of descriptors.
//!
//! Nothing may be renamed here, so a level of depth costs a few bytes: where in its parent the walk goes on. The descriptors
//! of the nearest levels are kept; those above are found again through `..`, and must be the ones they were.

use super::dirfd::{self, DirFd, Mounts};
use super::error::{Category, Error};
use super::timestamp::Timestamp;
use rustix::fs::Stat;
use rustix::io::{Errno, Result};
use std::collections::HashSet;

/// How many levels above the current one keep their descriptor.
const KEPT_OPEN: usize = 6;
/// The size of the buffer for names, in bytes: about 800 of them at a time.
const BUFFER: usize = 32 * 1024;

/// What a tree holds.
#[derive(Debug, Default)]
pub struct Usage {
    /// Allocated bytes, directories too, each inode once.
    pub bytes: u64,
    /// Names, but for those of directories.
    pub files: u64,
    /// The newest modification time of anything in it, and of itself.
    pub newest: Option<Timestamp>,
    /// The first thing that kept something from being counted.
    pub error: Option<Error>,
}

/// Counts inodes as `du` does: each once, however many names it has.
#[derive(Debug, Default)]
pub struct Links(HashSet<u64>);

impl Links {
    /// Whether the inode was met before, under another name.
    pub fn knows(&self, stat: &Stat) -> bool {
        self.0.contains(&stat.st_ino)
    }

    /// The allocated bytes of an inode, or 0 for one that was counted before.
    pub fn bytes(&mut self, stat: &Stat) -> u64 {
        // One that is being removed loses its other names on the way.
        let counted = if dirfd::is_dir(stat) {
            false
        } else if stat.st_nlink > 1 {
            !self.0.insert(stat.st_ino)
        } else {
            self.knows(stat)
        };
        if counted { 0 } else { dirfd::allocated(stat) }
    }
}

/// Measures the tree below an open directory, and the directory itself. Other mounts are not entered; what vanishes
/// meanwhile is not counted.
pub fn measure(root: DirFd) -> Usage {
    let mut walk =
        Walk { usage: Usage::default(), links: Links::default(), buffer: Vec::with_capacity(BUFFER), device: 0 };
    if let Err(errno) = walk.tree(root) {
        walk.usage.error.get_or_insert_with(|| describe(errno));
    }
    walk.usage
}

/// Says why not all is counted. A directory may be moved, or swapped for a link or a file, between two calls.
pub fn describe(errno: Errno) -> Error {
    match errno {
        Errno::STALE | Errno::LOOP | Errno::NOTDIR => {
            Error::new(Category::Busy, "cannot measure all of it: others are changing it")
        }
        _ => Error::os(errno, "cannot measure all of it"),
    }
}

/// A directory that the walk will come back to.
struct Level {
    dir: Option<DirFd>,
    inode: u64,
    position: u64,
}

struct Walk {
    usage: Usage,
    links: Links,
    buffer: Vec<u8>,
    device: u64,
}

impl Walk {
    fn tree(&mut self, root: DirFd) -> Result<()> {
        let stat = root.stat_self()?;
        self.device = stat.st_dev;
        self.count(&stat);
        let mut here = root;
        let mut above: Vec<Level> = Vec::new();
        loop {
            if let Some((child, position)) = self.next_directory(&here)? {
                let inode = here.stat_self()?.st_ino;
                above.push(Level { dir: Some(std::mem::replace(&mut here, child)), inode, position });
                if let Some(far) = above.len().checked_sub(KEPT_OPEN + 1) {
                    above[far].dir = None;
                }
            } else if let Some(level) = above.pop() {
                here = match level.dir {
                    Some(dir) => dir,
                    None => self.back_to(&level, &here)?,
                };
                here.seek(level.position)?;
            } else {
                return Ok(());
            }
        }
    }

    /// Counts what follows in a directory up to the next directory in it, and opens that one.
    fn next_directory(&mut self, dir: &DirFd) -> Result<Option<(DirFd, u64)>> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut entries = dir.entries(&mut buffer);
        let found = loop {
            let entry = match entries.next() {
                None | Some(Err(Errno::NOENT)) => break Ok(None), // the end, or others have removed it
                Some(Err(Errno::INTR)) => continue,
                Some(Err(errno)) => break Err(errno),
                Some(Ok(entry)) => entry,
            };
            if dirfd::is_dot(entry.file_name()) {
                continue;
            }
            match self.entry(dir, entry.file_name()) {
                Ok(None) | Err(Errno::NOENT | Errno::XDEV) => {}
                Ok(Some(child)) => break Ok(Some((child, entry.next_entry_cookie()))),
                Err(errno) => {
                    self.usage.error.get_or_insert_with(|| describe(errno));
                }
            }
        };
        self.buffer = buffer;
        found
    }

    /// Counts one name, and opens it if it is a directory.
    fn entry(&mut self, dir: &DirFd, name: &std::ffi::CStr) -> Result<Option<DirFd>> {
        let stat = dir.stat(name)?;
        if stat.st_dev != self.device {
            return Ok(None);
        }
        if !dirfd::is_dir(&stat) {
            self.usage.files += 1;
            self.count(&stat);
            return Ok(None);
        }
        let child = dir.open_dir(name, Mounts::Refuse);
        if !matches!(child, Err(Errno::XDEV | Errno::NOENT)) {
            self.count(&stat);
        }
        child.map(Some)
    }

    fn count(&mut self, stat: &Stat) {
        self.usage.bytes += self.links.bytes(stat);
        self.usage.newest = self.usage.newest.max(Some(dirfd::modified(stat)));
    }

    /// Goes up from `child` to a directory whose descriptor was given up.
    fn back_to(&self, level: &Level, child: &DirFd) -> Result<DirFd> {
        let dir = child.open_parent()?;
        let stat = dir.stat_self()?;
        if (stat.st_dev, stat.st_ino) == (self.device, level.inode) { Ok(dir) } else { Err(Errno::STALE) }
    }
}
