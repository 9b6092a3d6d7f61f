//! Removes a doomed tree, like `rm -rf`. It ends, whatever the owner does meanwhile.
//!
//! It also removes names that others create meanwhile, but at most `MAX_NEWCOMERS`. If a directory is not empty afterwards, it
//! takes the directory over, if it may, and reads it again.

use super::super::dirfd::DirFd;
use super::super::error::{Category, Error, Result};
use super::super::names::METADATA_C;
use super::super::stat::{FileTime, Stat};
use super::names::{Kind, Names};
use super::walk::{Entered, Scratch, Visitor, walk};
use super::{Links, Stop};
use rustix::io::Errno;
use std::ffi::CStr;

/// How often to empty a directory again if others have created names in it.
const MAX_REFILLS: u8 = 2;
/// How often to start at the root if others keep removing or moving directories on the way.
const TRIES: usize = 20;
/// How many names to remove from directories that others changed after the doom.
const MAX_NEWCOMERS: u64 = 2_000_000;
/// How many such directories to enter: a chain of them may grow faster than the walk descends.
const MAX_DISTURBED: u64 = 100_000;
/// After this many pieces, take a directory over: some kernels list names for as long as others create them.
const MANY_PIECES: u8 = 100;
/// How long a removal may take, in seconds. A later change time comes from a clock that was wrong.
const MAX_DURATION: i64 = 86_400;

/// A doomed tree in the base.
#[derive(Debug)]
pub struct Tree {
    /// Its name in the base.
    pub name: String,
    /// Its directory, if it is open.
    pub dir: Option<DirFd>,
    /// All names in its root, or none if they are not known.
    pub names: Names,
    /// When they were listed.
    pub listed_at: FileTime,
}

/// The result of a removal.
#[derive(Debug)]
pub struct Removed {
    /// The allocated bytes that were removed, as `du` counts them.
    pub bytes: u64,
    /// How many names were removed.
    pub names: u64,
    /// Whether this run removed the root. If `false`, somebody else did.
    pub gone: Result<bool>,
}

/// Removes a doomed tree. `.metadata.json` goes last, because the application's own listing breaks on a directory without it.
/// `doomed_at` is the time of the doom, by the file system's clock.
pub fn remove(base: &DirFd, tree: Tree, doomed_at: FileTime, stop: Stop<'_>, scratch: &mut Scratch) -> Removed {
    let mut removal = Removal {
        doomed_at,
        stop,
        links: Links::default(),
        bytes: 0,
        names: 0,
        newcomers: 0,
        disturbed: 0,
        stuck: None,
        with_metadata: false,
    };
    let gone = removal.remove(base, tree, scratch);
    Removed { bytes: removal.bytes, names: removal.names, gone }
}

struct Removal<'a> {
    doomed_at: FileTime,
    stop: Stop<'a>,
    links: Links,
    bytes: u64,
    names: u64,
    newcomers: u64,
    disturbed: u64,
    /// Why something could not be removed: the first reason.
    stuck: Option<Error>,
    /// Whether to remove `.metadata.json` in the root, too.
    with_metadata: bool,
}

/// The state of a directory that is being emptied.
#[derive(Debug, Default, Clone, Copy)]
struct Level {
    is_root: bool,
    /// Whether others changed it after the doom.
    is_disturbed: bool,
    state: State,
    refills: u8,
    pieces: u8,
    /// Its own disk usage, in bytes.
    allocated: u32,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Emptied,
    /// Something in it could not be removed.
    Stuck,
    /// It is removed.
    Gone,
}

impl Removal<'_> {
    fn remove(&mut self, base: &DirFd, tree: Tree, scratch: &mut Scratch) -> Result<bool> {
        let Tree { name, mut dir, mut names, listed_at } = tree;
        let mut refills = 0;
        for _ in 0..TRIES {
            let is_open = dir.is_some();
            let root = match dir.take().map_or_else(|| base.open_accessible(&*name), Ok) {
                Err(Errno::NOENT) => return Ok(false),
                root => root.map_err(describe)?,
            };
            let stat = root.stat_self().map_err(describe)?;
            // Another run may have put the claim back, and somebody may have created another directory with its name, which was
            // then doomed instead of the open one.
            match if is_open { base.stat(&*name) } else { Ok(stat) } {
                Ok(named) if named.identity() == stat.identity() => {}
                Err(Errno::NOENT) => return Ok(false),
                Ok(_) => return Err(describe(Errno::NOTDIR)),
                Err(errno) => return Err(describe(errno)),
            }
            if !names.is_empty() && stat.modified.is_racy(listed_at) {
                names.clear(); // there may be more names now
                root.seek(0).map_err(describe)?;
            }
            let level = Level { is_root: true, refills, ..self.level(&stat) };
            let entered = Entered { dir: root, stat, names: std::mem::take(&mut names), level };
            match walk(entered, self, scratch) {
                Ok(root) => {
                    if let Some(gone) = self.remove_root(base, &name, &root, &level)? {
                        return Ok(gone);
                    }
                    if refills == MAX_REFILLS {
                        break;
                    }
                    root.take_over();
                    root.seek(0).map_err(describe)?;
                    (dir, refills) = (Some(root), refills + 1);
                }
                Err(Errno::STALE) => {}
                Err(Errno::CANCELED) if self.must_give_up() => return Err(refilled_error()),
                Err(Errno::CANCELED) => return Err(interrupted_error()),
                Err(errno) => return Err(describe(errno)),
            }
        }
        Err(refilled_error())
    }

    /// Removes the empty root, after the metadata in it. Returns `None` if something is in it again.
    fn remove_root(&mut self, base: &DirFd, name: &str, root: &DirFd, level: &Level) -> Result<Option<bool>> {
        if let Some(stuck) = self.stuck.take() {
            return Err(stuck);
        }
        if !self.with_metadata {
            match root.with_rights(|| self.remove_or_open(root, METADATA_C, level)) {
                Ok(None) | Err(Errno::NOENT) => {}
                Ok(Some(_)) => self.with_metadata = true, // a directory of that name that is not empty
                Err(errno) => return Err(describe(errno)),
            }
        }
        match base.rmdir(name) {
            Ok(()) => {
                self.count_directory(level);
                Ok(Some(true))
            }
            Err(Errno::NOENT) => Ok(Some(false)),
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(None),
            Err(errno) => Err(describe(errno)),
        }
    }

    /// Removes a name, or opens it if it is a directory with something in it.
    fn remove_or_open(
        &mut self,
        dir: &DirFd,
        name: &CStr,
        level: &Level,
    ) -> rustix::io::Result<Option<Entered<Level>>> {
        let stat = dir.stat(name)?;
        if !stat.is_dir() {
            dir.unlink(name)?;
            self.count(&stat, level);
            return Ok(None);
        }
        // More than two links mean that it contains directories. Then do not try.
        match if stat.links > 2 { Err(Errno::NOTEMPTY) } else { dir.rmdir(name) } {
            Ok(()) => {
                self.count(&stat, level);
                return Ok(None);
            }
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        let below = dir.open_accessible(name)?;
        let level = self.level(&stat);
        self.disturbed += u64::from(level.is_disturbed);
        Ok(Some(Entered::new(below, stat, level)))
    }

    /// Whether others write so much that this run leaves the rest to a later one.
    fn must_give_up(&self) -> bool {
        self.newcomers > MAX_NEWCOMERS || self.disturbed > MAX_DISTURBED
    }

    fn level(&self, stat: &Stat) -> Level {
        Level {
            is_disturbed: stat.changed > self.doomed_at && stat.changed < self.doomed_at.plus_seconds(MAX_DURATION),
            allocated: u32::try_from(stat.allocated).unwrap_or(u32::MAX),
            ..Level::default()
        }
    }

    /// Counts a removed name. Its bytes do not count as freed if it was created after the directory was emptied.
    fn count(&mut self, stat: &Stat, above: &Level) {
        self.names += 1;
        if above.refills == 0 {
            self.bytes += self.links.allocated(stat);
        }
    }

    fn count_directory(&mut self, level: &Level) {
        self.names += 1;
        self.bytes += u64::from(level.allocated);
    }

    /// Remembers that something in a directory could not be removed, and why.
    fn mark_stuck(&mut self, level: &mut Level, why: Error) {
        level.state = State::Stuck;
        self.stuck.get_or_insert(why);
    }
}

/// Opens a directory again because it is not empty.
fn reenter(above: &DirFd, name: &CStr, level: Level) -> rustix::io::Result<Entered<Level>> {
    let dir = above.open_accessible(name)?;
    dir.take_over();
    let stat = dir.stat_self()?;
    Ok(Entered::new(dir, stat, Level { is_disturbed: true, refills: level.refills + 1, ..level }))
}

impl Visitor for Removal<'_> {
    type Level = Level;

    fn should_stop(&mut self) -> bool {
        self.must_give_up() || (self.stop)()
    }

    fn visit(&mut self, dir: &DirFd, name: &CStr, _: Kind, level: &mut Level) -> Option<Entered<Level>> {
        if level.is_root && !self.with_metadata && name == METADATA_C {
            return None;
        }
        self.newcomers += u64::from(level.is_disturbed);
        match dir.with_rights(|| self.remove_or_open(dir, name, level)) {
            Ok(entered) => return entered,
            // It is gone or was replaced. If it was replaced, the directory will turn out not to be empty.
            Err(Errno::NOENT | Errno::ISDIR | Errno::NOTDIR | Errno::LOOP) => {}
            Err(errno) => self.mark_stuck(level, describe(errno)),
        }
        None
    }

    fn listing_failed(&mut self, errno: Errno, level: &mut Level) {
        self.mark_stuck(level, describe(errno));
    }

    /// Most directories are read in one piece. Trying to remove one is then cheaper than reading to its end.
    fn after_piece(&mut self, dir: &DirFd, above: Option<(&DirFd, &CStr)>, level: &mut Level) -> bool {
        level.pieces = level.pieces.saturating_add(1);
        if level.pieces == MANY_PIECES {
            dir.take_over();
        }
        let is_gone = level.state == State::Emptied && above.is_some_and(|(above, name)| above.rmdir(name).is_ok());
        if is_gone {
            level.state = State::Gone;
        }
        is_gone
    }

    fn leave(&mut self, above: (&DirFd, &mut Level), name: &CStr, level: Level) -> Option<Entered<Level>> {
        let (above, level_above) = above;
        let removed = match level.state {
            State::Emptied => above.with_rights(|| above.rmdir(name)),
            State::Gone => Ok(()),
            State::Stuck => {
                level_above.state = State::Stuck;
                return None;
            }
        };
        match removed {
            Ok(()) => self.count_directory(&level),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST) if level.refills < MAX_REFILLS => match reenter(above, name, level) {
                Ok(again) => return Some(again),
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(errno) => self.mark_stuck(level_above, describe(errno)),
            },
            Err(Errno::NOTEMPTY | Errno::EXIST) => self.mark_stuck(level_above, refilled_error()),
            Err(errno) => self.mark_stuck(level_above, describe(errno)),
        }
        None
    }
}

fn refilled_error() -> Error {
    Error::new(Category::Busy, "it does not become empty: others keep writing to it, or a file in it is still open")
}

fn interrupted_error() -> Error {
    Error::new(Category::Busy, "interrupted before all of it was removed: the next prune will continue")
}

/// Explains why something in a tree could not be removed.
fn describe(errno: Errno) -> Error {
    match errno {
        Errno::XDEV => Error::new(Category::Busy, "something is mounted inside"),
        Errno::BUSY => Error::new(
            Category::Busy,
            "something in it is in use: perhaps a file is still open, or something is mounted on it elsewhere",
        ),
        Errno::LOOP | Errno::NOTDIR => Error::new(Category::Busy, "others are changing it"),
        _ => Error::os(errno, "cannot remove all of it"),
    }
}
