//! Removal of a hostile tree: through descriptors, in constant stack and with a handful of descriptors, at any depth and
//! width, and never beyond a link or a mount.
//!
//! A shallow tree is removed by descent. What lies deeper is *hoisted*: a directory found at the deepest level of descent is
//! renamed into the root of the tree, under a fresh name, to be met there in the next pass.

use super::trash::{Doomed, Known};
use crate::core::dirfd::{DirFd, Mounts};
use crate::core::names::{METADATA_C, fresh_tag};
use crate::core::stat;
use crate::core::usage::Links;
use crate::core::{Category, Error, Result, Timestamp};
use rustix::fs::Stat;
use rustix::io::Errno;
use std::ffi::CStr;
use std::ops::ControlFlow;

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
    /// How many names went.
    pub(super) names: u64,
    /// Whether the tree is gone by our own doing: somebody else may have removed its last name.
    pub(super) gone: Result<bool>,
}

impl Erased {
    /// That nothing was removed, and what that means.
    pub(super) fn nothing(gone: Result<bool>) -> Self {
        Self { bytes: 0, names: 0, gone }
    }
}

/// Removes a doomed workspace from the base with all that is in it; `.metadata.json` goes last, because the application's
/// listing takes every directory for a workspace and breaks on one without.
///
/// By the file system's clock, it was listed after `before`, if that is known, and is doomed `now`: what is made later, others
/// make while the tree is removed.
pub(super) fn erase(
    base: &DirFd,
    doomed: Doomed,
    before: Option<Timestamp>,
    now: Timestamp,
    buffers: &mut Buffers,
) -> Erased {
    let Doomed { name, known } = doomed;
    let known = match known.map_or_else(|| found(base, &name), Ok) {
        Ok(known) => known,
        Err(errno) => {
            return Erased::nothing(if errno == Errno::NOENT { Ok(false) } else { Err(describe(errno)) });
        }
    };
    let mut eraser = Eraser::new(&known.dir, now, buffers);
    let gone = eraser.root_and_all(base, &name, &known, before);
    Erased { bytes: known.swept + eraser.bytes, names: eraser.progress, gone }
}

/// Opens what an earlier run has doomed.
fn found(base: &DirFd, name: &str) -> rustix::io::Result<Known> {
    base.open_accessible(name, Mounts::Refuse).map(|dir| Known { dir, metadata: None, swept: 0, names: None })
}

/// What names are read into, level by level: worth keeping from one removal to the next.
pub(super) type Buffers = [Vec<u8>; DEEPEST + 1];

struct Eraser<'a> {
    root: &'a DirFd,
    buffers: &'a mut Buffers,
    links: Links,
    /// What begins the names of what is hoisted.
    tag: Option<u64>,
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
    fn new(root: &'a DirFd, doomed_at: Timestamp, buffers: &'a mut Buffers) -> Self {
        Self {
            root,
            buffers,
            links: Links::default(),
            tag: None,
            hoisted: 0,
            bytes: 0,
            progress: 0,
            stuck: None,
            begun: doomed_at,
            newcomers: 0,
        }
    }

    fn root_and_all(&mut self, base: &DirFd, name: &str, known: &Known, before: Option<Timestamp>) -> Result<bool> {
        let mut metadata = known.metadata;
        let stat = self.root.stat_self().map_err(describe)?;
        // By the same clock: the root was changed by whoever has made a name in it.
        self.begun = self.begun.max(stat::modified(&stat));
        // A root that has not been changed since it was listed need not be listed again.
        let names = known.names.as_deref().filter(|_| Some(stat::modified(&stat)) < before);
        let mut is_empty = names.is_some_and(|names| self.are_removed(names));
        let size = self.links.bytes(&stat);
        for _ in 0..REFILLS {
            if !std::mem::take(&mut is_empty) {
                self.passes_over_root()?;
            }
            match self.remove_metadata(metadata.take()) {
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

    /// Removes names in the root that are known already, and tells whether nothing is left to do there.
    fn are_removed(&mut self, names: &[u8]) -> bool {
        let mut names =
            names.split_inclusive(|byte| *byte == 0).filter_map(|name| CStr::from_bytes_with_nul(name).ok());
        names.all(|name| self.is_removed(self.root, name, 0)) && self.hoisted == 0
    }

    /// Empties the root but for `.metadata.json`, in as many passes as hoisting takes.
    fn passes_over_root(&mut self) -> Result<()> {
        loop {
            let (progress, hoisted) = (self.progress, self.hoisted);
            self.stuck = None;
            let left = self.root.seek(0).and_then(|()| self.clear(self.root, 0, || false)).map_err(describe)?;
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

    /// Removes what is left of a directory's listing, and tells how many names stay. It asks `is_done` after each piece in
    /// which none stayed.
    fn clear(&mut self, dir: &DirFd, level: usize, mut is_done: impl FnMut() -> bool) -> rustix::io::Result<usize> {
        let mut buffer = std::mem::take(&mut self.buffers[level]);
        buffer.clear();
        buffer.reserve(BUFFER);
        let mut left = 0;
        loop {
            let listed = dir.next_entries(&mut buffer, |entry| {
                if self.newcomers > NEWCOMERS {
                    left += 1;
                    return ControlFlow::Break(());
                }
                if level > 0 || entry.file_name() != METADATA_C {
                    left += usize::from(!self.is_removed(dir, entry.file_name(), level));
                }
                ControlFlow::Continue(())
            });
            match listed {
                Ok(Some(ControlFlow::Continue(()))) if left > 0 || !is_done() => {}
                Ok(_) | Err(Errno::NOENT) => break, // the end, or others have removed the directory itself
                Err(errno) => return Err(errno),
            }
        }
        self.buffers[level] = buffer;
        Ok(left)
    }

    /// Removes `.metadata.json`, which may be known already: it is then not looked at once more.
    fn remove_metadata(&mut self, known: Option<Stat>) -> rustix::io::Result<()> {
        match known.filter(|_| self.root.unlink(METADATA_C).is_ok()) {
            Some(stat) => self.bytes += self.links.bytes(&stat),
            None => self.remove_with_rights(self.root, METADATA_C, 0)?,
        }
        Ok(())
    }

    /// Removes a name if that is possible, and tells whether it is gone.
    fn is_removed(&mut self, dir: &DirFd, name: &CStr, level: usize) -> bool {
        match self.remove_with_rights(dir, name, level) {
            Ok(()) | Err(Errno::NOENT) => {
                self.progress += 1;
                return true;
            }
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::ISDIR | Errno::NOTDIR) => {}
            Err(errno) => drop(self.stuck.get_or_insert(errno)),
        }
        false
    }

    /// The same as [`Self::remove`]; if the directory's owner lacks the rights for it, they are given him first.
    fn remove_with_rights(&mut self, dir: &DirFd, name: &CStr, level: usize) -> rustix::io::Result<()> {
        match self.remove(dir, name, level) {
            Err(Errno::ACCESS) if dir.give_rights() == Ok(true) => self.remove(dir, name, level),
            result => result,
        }
    }

    /// Removes one name with all that is below it.
    fn remove(&mut self, dir: &DirFd, name: &CStr, level: usize) -> rustix::io::Result<()> {
        let stat = dir.stat(name)?;
        if !stat::is_dir(&stat) {
            dir.unlink(name)?;
            self.newcomers += u64::from(self.is_newcomer(&stat));
        } else if !self.remove_directory(dir, name, level, &stat)? {
            return Ok(()); // it will be met again
        }
        self.bytes += self.links.bytes(&stat);
        Ok(())
    }

    /// Removes a directory, or hoists it if it lies too deep, which it tells by `false`.
    fn remove_directory(&mut self, dir: &DirFd, name: &CStr, level: usize, stat: &Stat) -> rustix::io::Result<bool> {
        // Where the number of links tells that there are directories in it, it need not be tried.
        match if stat.st_nlink > 2 { Err(Errno::NOTEMPTY) } else { dir.rmdir(name) } {
            Ok(()) => {
                self.newcomers += u64::from(self.is_newcomer(stat));
                return Ok(true);
            }
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        if level == DEEPEST {
            return self.hoist(dir, name).map(|()| false);
        }
        let child = dir.open_accessible(name, Mounts::Refuse)?;
        let mut gone = false;
        self.clear(&child, level + 1, || {
            gone = dir.rmdir(name).is_ok();
            gone
        })?;
        if gone { Ok(true) } else { dir.rmdir(name).map(|()| true) }
    }

    /// Whether something was made, or renamed, since the tree was doomed. Our own removals change the directories that they
    /// empty, and what is left of an inode of several names: neither is meant.
    fn is_newcomer(&self, stat: &Stat) -> bool {
        stat::changed(stat) > self.begun && !self.links.knows(stat)
    }

    /// Moves a directory to the root of the tree, under a name that nobody can have prepared.
    fn hoist(&mut self, dir: &DirFd, name: &CStr) -> rustix::io::Result<()> {
        let tag = match self.tag {
            Some(tag) => tag,
            None => *self.tag.insert(fresh_tag()?),
        };
        self.hoisted += 1;
        let fresh = format!("{tag:x}.{:x}", self.hoisted);
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
