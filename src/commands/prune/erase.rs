//! Removal of a hostile tree: through descriptors, in constant stack and with a handful of descriptors, at any depth and
//! width, and never beyond a link or a mount.
//!
//! A shallow tree is removed by descent. What lies deeper is *hoisted*: a directory found at the deepest level of descent is
//! renamed into the root of the tree, under a fresh name, to be met there in the next pass.

use crate::core::dirfd::{self, DirFd, Mounts};
use crate::core::names::{METADATA_C, fresh_tag};
use crate::core::usage::Links;
use crate::core::{Category, Error, Result, Timestamp};
use rustix::fs::Stat;
use rustix::io::Errno;
use std::ffi::CStr;

/// How many levels below the root descent goes, each with a descriptor and a buffer.
const DEEPEST: usize = 4;
/// The size of a buffer for names, in bytes.
const BUFFER: usize = 16 * 1024;
/// How often an emptied tree may turn out not to be empty, because others still write in it.
const REFILLS: usize = 1000;

/// How many names that others have made since the tree was doomed are removed, before they are left to write in it.
const NEWCOMERS: u64 = 100_000;

/// What came of a removal.
#[derive(Debug)]
pub(super) struct Erased {
    /// The allocated bytes of what was removed, as `du` counts them.
    pub(super) bytes: u64,
    /// Whether the tree is gone by our own doing: somebody else may have removed its last name.
    pub(super) gone: Result<bool>,
}

/// Removes the directory `name` in `base` with all that is in it; `.metadata.json` goes last, because the application's
/// listing takes every directory for a workspace and breaks on one without.
pub(super) fn erase(base: &DirFd, name: &str) -> Erased {
    match base.open_accessible(name, Mounts::Refuse) {
        Ok(root) => {
            let mut eraser = Eraser::new(&root);
            let gone = eraser.set_out(base).and_then(|()| eraser.root_and_all(base, name));
            Erased { bytes: eraser.bytes, gone }
        }
        Err(Errno::NOENT) => Erased { bytes: 0, gone: Ok(false) },
        Err(errno) => Erased { bytes: 0, gone: Err(describe(errno)) },
    }
}

struct Eraser<'a> {
    root: &'a DirFd,
    buffers: [Vec<u8>; DEEPEST + 1],
    links: Links,
    tag: u64,
    hoisted: u64,
    bytes: u64,
    /// How many names have gone from where they were, by whoever's doing.
    progress: u64,
    stuck: Option<Errno>,
    /// What is changed later than this was made by others while the tree was removed.
    begun: Timestamp,
    newcomers: u64,
}

impl<'a> Eraser<'a> {
    fn new(root: &'a DirFd) -> Self {
        Self {
            root,
            buffers: Default::default(),
            links: Links::default(),
            tag: fresh_tag(),
            hoisted: 0,
            bytes: 0,
            progress: 0,
            stuck: None,
            begun: Timestamp::MAX,
            newcomers: 0,
        }
    }

    /// Takes the time from the file system, whose clock the inodes go by: the base was changed by the dooming, if by nothing
    /// later, and the tree's root by whoever has made a name in it.
    fn set_out(&mut self, base: &DirFd) -> Result<()> {
        let modified = |dir: &DirFd| dir.stat_self().map(|stat| dirfd::modified(&stat)).map_err(describe);
        self.begun = modified(base)?.max(modified(self.root)?);
        Ok(())
    }

    fn root_and_all(&mut self, base: &DirFd, name: &str) -> Result<bool> {
        let size = self.root.stat_self().map(|stat| self.links.bytes(&stat)).map_err(describe)?;
        for _ in 0..REFILLS {
            self.passes_over_root()?;
            match self.remove(self.root, METADATA_C, 0) {
                Ok(()) | Err(Errno::NOENT) => {}
                // A directory of that name, with something in it that stays.
                Err(errno) => match (errno, self.stuck) {
                    (Errno::NOTEMPTY | Errno::EXIST, None) => continue,
                    (errno, stuck) => return Err(describe(stuck.unwrap_or(errno))),
                },
            }
            match base.rmdir(name) {
                Ok(()) => {
                    self.bytes += size;
                    return Ok(true);
                }
                Err(Errno::NOENT) => return Ok(false),
                Err(Errno::NOTEMPTY | Errno::EXIST) => {}
                Err(errno) => return Err(describe(errno)),
            }
        }
        Err(refilled())
    }

    /// Empties the root but for `.metadata.json`, in as many passes as hoisting takes.
    fn passes_over_root(&mut self) -> Result<()> {
        loop {
            let (progress, hoisted) = (self.progress, self.hoisted);
            self.stuck = None;
            let left = self.clear(self.root, 0).map_err(describe)?;
            if self.newcomers > NEWCOMERS {
                return Err(refilled());
            }
            if left == 0 && self.hoisted == hoisted {
                return Ok(());
            }
            if self.progress == progress {
                return Err(self.stuck.map_or_else(|| Error::new(Category::Busy, "others are changing it"), describe));
            }
        }
    }

    /// Removes what is in a directory, and tells how many names are left.
    fn clear(&mut self, dir: &DirFd, level: usize) -> rustix::io::Result<usize> {
        let mut buffer = std::mem::take(&mut self.buffers[level]);
        buffer.reserve(BUFFER);
        dir.seek(0)?;
        let mut left = 0;
        let mut entries = dir.entries(&mut buffer);
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Err(Errno::NOENT) => break, // others have removed the directory itself
                Err(Errno::INTR) => continue,
                _ if self.newcomers > NEWCOMERS => return Ok(left + 1),
                entry => entry?,
            };
            let name = entry.file_name();
            if dirfd::is_dot(name) || (level == 0 && name == METADATA_C) {
                continue;
            }
            match self.remove(dir, name, level) {
                Ok(()) | Err(Errno::NOENT) => self.progress += 1,
                Err(errno) => {
                    left += 1;
                    if !matches!(errno, Errno::NOTEMPTY | Errno::EXIST | Errno::ISDIR | Errno::NOTDIR) {
                        self.stuck.get_or_insert(errno);
                    }
                }
            }
        }
        self.buffers[level] = buffer;
        Ok(left)
    }

    /// Removes one name with all that is below it.
    fn remove(&mut self, dir: &DirFd, name: &CStr, level: usize) -> rustix::io::Result<()> {
        let stat = dir.stat(name)?;
        if !dirfd::is_dir(&stat) {
            dir.unlink(name)?;
        } else if let Err(errno) = dir.rmdir(name) {
            if !matches!(errno, Errno::NOTEMPTY | Errno::EXIST) {
                return Err(errno);
            }
            if level == DEEPEST {
                return self.hoist(dir, name);
            }
            let child = dir.open_accessible(name, Mounts::Refuse)?;
            self.clear(&child, level + 1)?;
            dir.rmdir(name)?;
            self.bytes += self.links.bytes(&stat);
            return Ok(());
        }
        self.newcomers += u64::from(self.is_newcomer(&stat));
        self.bytes += self.links.bytes(&stat);
        Ok(())
    }

    /// Whether something was made, or renamed, since the tree was doomed. Our own removals change the directories that they
    /// empty, and what is left of an inode of several names: neither is meant.
    fn is_newcomer(&self, stat: &Stat) -> bool {
        dirfd::changed(stat) > self.begun && !self.links.knows(stat)
    }

    /// Moves a directory to the root of the tree, under a name that nobody can have prepared.
    fn hoist(&mut self, dir: &DirFd, name: &CStr) -> rustix::io::Result<()> {
        self.hoisted += 1;
        let fresh = format!("{:x}.{:x}", self.tag, self.hoisted);
        match dir.rename_into(name, self.root, &*fresh) {
            // Moving a directory changes its `..`, so it has to be writable itself.
            Err(Errno::ACCESS) => {
                dir.make_accessible(name)?;
                dir.rename_into(name, self.root, &*fresh)
            }
            result => result,
        }
    }
}

fn refilled() -> Error {
    Error::new(Category::Busy, "others keep writing in it")
}

/// Says why a removal came to its end.
fn describe(errno: Errno) -> Error {
    match errno {
        Errno::XDEV | Errno::BUSY => Error::new(Category::Busy, "something is mounted inside"),
        Errno::LOOP | Errno::NOTDIR => Error::new(Category::Busy, "others are changing it"),
        _ => Error::os(errno, "cannot remove all of it"),
    }
}
