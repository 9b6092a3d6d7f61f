//! Disk usage as `du -sx` counts it, at any depth and width, with a handful of descriptors.
//!
//! Nothing may be renamed here, so a level of depth costs a few bytes: where in its parent the walk goes on. The descriptors
//! of the nearest levels are kept; those above are found again through `..`, and must be the ones they were.

use super::dirfd::{DirFd, Mounts};
use super::error::{Category, Error};
use super::names::METADATA_C;
use super::stat;
use super::timestamp::Timestamp;
use rustix::fs::{FileType, RawDirEntry, Stat};
use rustix::io::{Errno, Result};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// How many levels are walked by descent, each with a descriptor and a buffer; workspaces are hardly ever deeper.
const NEAR: usize = 4;
/// How many levels above the current one keep their descriptor, further down.
const KEPT_OPEN: usize = 4;
/// The size of a buffer for names, in bytes: about 800 of them at a time.
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
        let counted = if stat::is_dir(stat) {
            false
        } else if stat.st_nlink > 1 {
            !self.0.insert(stat.st_ino)
        } else {
            self.knows(stat)
        };
        if counted { 0 } else { stat::allocated(stat) }
    }
}

/// What names are read into, level by level: worth keeping from one measuring to the next.
pub type Buffers = [Vec<u8>; NEAR + 1];

/// Measures a workspace, and its directory itself. Other mounts are not entered; what vanishes meanwhile is not counted. The
/// stat of its metadata file need not be taken once more, if it is known.
pub fn measure(root: &DirFd, metadata: Option<&Stat>, buffers: &mut Buffers) -> Usage {
    let mut walk = Walk { usage: Usage::default(), links: Links::default(), buffers, device: 0, metadata };
    if let Err(errno) = walk.root(root) {
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

struct Walk<'a> {
    usage: Usage,
    links: Links,
    buffers: &'a mut Buffers,
    device: u64,
    metadata: Option<&'a Stat>,
}

impl Walk<'_> {
    fn root(&mut self, root: &DirFd) -> Result<()> {
        let stat = root.stat_self()?;
        self.device = stat.st_dev;
        self.count(&stat);
        self.near(root, 0)
    }

    /// Counts what is in a directory, by descent.
    fn near(&mut self, dir: &DirFd, level: usize) -> Result<()> {
        let mut buffer = self.take_buffer(level);
        let visit = |entry: &RawDirEntry<'_>| {
            if level == 0 && self.is_metadata(entry) {
                return ControlFlow::Continue(());
            }
            let counted = self.entry(dir, entry).and_then(|child| match child {
                Some((child, _)) if level + 1 < NEAR => self.near(&child, level + 1),
                Some((child, inode)) => self.far(child, inode),
                None => Ok(()),
            });
            if let Err(errno) = counted {
                self.usage.error.get_or_insert_with(|| describe(errno));
            }
            ControlFlow::Continue(())
        };
        let listed = dir.each_entry(&mut buffer, visit);
        self.buffers[level] = buffer;
        ended(listed)
    }

    /// Counts what is below a directory, however deep that goes.
    fn far(&mut self, top: DirFd, inode: u64) -> Result<()> {
        let (mut here, mut inode) = (top, inode);
        let mut above: Vec<Level> = Vec::new();
        loop {
            if let Some((child, child_inode, position)) = self.next_directory(&here)? {
                above.push(Level { dir: Some(std::mem::replace(&mut here, child)), inode, position });
                inode = child_inode;
                if let Some(far) = above.len().checked_sub(KEPT_OPEN + 1) {
                    above[far].dir = None;
                }
            } else if let Some(level) = above.pop() {
                here = match level.dir {
                    Some(dir) => dir,
                    None => self.back_to(&level, &here)?,
                };
                inode = level.inode;
                here.seek(level.position)?;
            } else {
                return Ok(());
            }
        }
    }

    /// Counts what follows in a directory up to the next directory in it, and opens that one: with its inode's number, and
    /// the position behind it.
    fn next_directory(&mut self, dir: &DirFd) -> Result<Option<(DirFd, u64, u64)>> {
        let mut buffer = self.take_buffer(NEAR);
        let mut found = None;
        let visit = |entry: &RawDirEntry<'_>| {
            match self.entry(dir, entry) {
                Ok(None) => {}
                Ok(Some((child, inode))) => {
                    found = Some((child, inode, entry.next_entry_cookie()));
                    return ControlFlow::Break(());
                }
                Err(errno) => {
                    self.usage.error.get_or_insert_with(|| describe(errno));
                }
            }
            ControlFlow::Continue(())
        };
        let listed = dir.each_entry(&mut buffer, visit);
        self.buffers[NEAR] = buffer;
        ended(listed).map(|()| found)
    }

    fn take_buffer(&mut self, level: usize) -> Vec<u8> {
        let mut buffer = std::mem::take(&mut self.buffers[level]);
        buffer.clear();
        buffer.reserve(BUFFER);
        buffer
    }

    /// Whether a name in the root is that of the metadata that is known, which it then counts.
    fn is_metadata(&mut self, entry: &RawDirEntry<'_>) -> bool {
        let known = self.metadata.filter(|stat| stat.st_ino == entry.ino() && entry.file_name() == METADATA_C);
        if let Some(stat) = known {
            self.usage.files += 1;
            self.count(stat);
        }
        known.is_some()
    }

    /// Counts one name, and opens it if it is a directory that can be counted, too: with its inode's number.
    fn entry(&mut self, dir: &DirFd, entry: &RawDirEntry<'_>) -> Result<Option<(DirFd, u64)>> {
        let name = entry.file_name();
        // A directory that can be opened need not be looked up twice.
        if entry.file_type() == FileType::Directory
            && let Ok(child) = dir.open_dir(name, Mounts::Refuse)
        {
            let stat = child.stat_self()?;
            if stat.st_dev != self.device {
                return Ok(None);
            }
            self.count(&stat);
            return Ok(Some((child, stat.st_ino)));
        }
        let stat = match dir.stat(name) {
            Err(Errno::NOENT) => return Ok(None),
            stat => stat?,
        };
        if stat.st_dev != self.device {
            return Ok(None);
        }
        if !stat::is_dir(&stat) {
            self.usage.files += 1;
            self.count(&stat);
            return Ok(None);
        }
        let child = match dir.open_dir(name, Mounts::Refuse) {
            Err(Errno::XDEV | Errno::NOENT) => return Ok(None),
            child => child,
        };
        self.count(&stat);
        child.map(|child| Some((child, stat.st_ino)))
    }

    fn count(&mut self, stat: &Stat) {
        self.usage.bytes += self.links.bytes(stat);
        self.usage.newest = self.usage.newest.max(Some(stat::modified(stat)));
    }

    /// Goes up from `child` to a directory whose descriptor was given up.
    fn back_to(&self, level: &Level, child: &DirFd) -> Result<DirFd> {
        let dir = child.open_parent()?;
        let stat = dir.stat_self()?;
        if (stat.st_dev, stat.st_ino) == (self.device, level.inode) { Ok(dir) } else { Err(Errno::STALE) }
    }
}

/// The end of a listing, also where others have removed the directory itself.
fn ended(listed: Result<()>) -> Result<()> {
    match listed {
        Err(Errno::NOENT) => Ok(()),
        listed => listed,
    }
}
