//! Empties the directories of a doomed tree: the visitor of the walk in `remove.rs`.
//!
//! It also removes names that others create meanwhile, but at most `MAX_NEW_NAMES`. A directory in which new names appear,
//! the one above it, and one that is not empty afterwards, it takes over, if it may.

use super::super::dirfd::DirFd;
use super::super::error::{Category, Error};
use super::super::names::METADATA_C;
use super::super::stat::{FileTime, Stat};
use super::walk::{Entered, Visitor};
use super::{Links, Stop};
use rustix::io::{Errno, Result};
use std::ffi::CStr;
use std::time::Instant;

/// How often to empty a directory again: others have created names in it, or the listing of the file system skips names after
/// others are removed.
const MAX_RETRIES: u8 = 20;
/// How many names to remove from directories that others changed after the doom.
const MAX_NEW_NAMES: u64 = 2_000_000;
/// How many names such a directory itself counts for: a chain of them may grow faster than the walk descends.
const NAMES_PER_DIRECTORY: u64 = 20;
/// After this many pieces, take a directory over, whatever is in it: some kernels list names for as long as others create them.
const MANY_PIECES: u8 = 100;
/// How far a change time may be ahead of what we take for the file system's clock, in seconds. One further ahead comes from a clock
/// that was wrong.
const MAX_AHEAD: i64 = 60;

/// The state of a removal.
pub(super) struct Emptying<'a> {
    doomed_at: FileTime,
    begun: Instant,
    stop: Stop<'a>,
    links: Links,
    pub(super) bytes: u64,
    /// How many names are gone, also those that another run removed.
    pub(super) names: u64,
    /// How many names were gone when a listing last had to start again.
    names_at_restart: u64,
    new_names: u64,
    /// Why something could not be removed: the first reason.
    pub(super) stuck: Option<Error>,
    /// Whether to remove `.metadata.json` in the root, too.
    pub(super) with_metadata: bool,
}

/// The state of a directory that is being emptied.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Level {
    is_root: bool,
    /// Whether others changed it after the doom.
    is_changed: bool,
    /// Whether this piece had names that others created after the doom.
    has_new_names: bool,
    state: State,
    retries: u8,
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

impl<'a> Emptying<'a> {
    pub(super) fn new(doomed_at: FileTime, stop: Stop<'a>) -> Self {
        Self {
            doomed_at,
            begun: Instant::now(),
            stop,
            links: Links::default(),
            bytes: 0,
            names: 0,
            names_at_restart: 0,
            new_names: 0,
            stuck: None,
            with_metadata: false,
        }
    }

    /// Whether somebody has changed it after the doom. The clock that stamps it may be ahead of ours.
    fn has_changed(&self, changed: FileTime) -> bool {
        changed > self.doomed_at && {
            let elapsed = i64::try_from(self.begun.elapsed().as_secs()).unwrap_or(i64::MAX);
            let now = FileTime::now().max(self.doomed_at.plus_seconds(elapsed));
            changed < now.plus_seconds(MAX_AHEAD)
        }
    }

    /// Whether somebody certainly created the name after the doom, or moved it here. Another run that removes names changes
    /// directories, and files that have further names.
    fn is_new(&self, stat: &Stat) -> bool {
        match (stat.is_dir(), stat.links) {
            (true, _) => self.has_changed(stat.born),
            (false, links) => links == 1 && self.has_changed(stat.changed),
        }
    }

    /// Removes a name, or opens it if it is a directory with something in it.
    pub(super) fn remove_or_open(
        &mut self,
        dir: &DirFd,
        name: &CStr,
        level: &mut Level,
    ) -> Result<Option<Entered<Level>>> {
        let stat = dir.stat(name)?;
        level.has_new_names |= self.is_new(&stat);
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
        if level.is_changed {
            self.new_names += NAMES_PER_DIRECTORY;
        }
        Ok(Some(Entered::new(below, stat, level)))
    }

    /// Whether others write so much that this run leaves the rest to a later one.
    pub(super) fn must_give_up(&self) -> bool {
        self.new_names > MAX_NEW_NAMES
    }

    pub(super) fn root_level(&self, stat: &Stat, retries: u8) -> Level {
        Level { is_root: true, retries, ..self.level(stat) }
    }

    fn level(&self, stat: &Stat) -> Level {
        Level {
            is_changed: self.has_changed(stat.changed),
            allocated: u32::try_from(stat.allocated).unwrap_or(u32::MAX),
            ..Level::default()
        }
    }

    /// Counts a removed name. In a directory that is emptied again, a name that changed after the doom does not count as freed:
    /// others created it, or moved it there.
    fn count(&mut self, stat: &Stat, above: &Level) {
        self.names += 1;
        if above.retries == 0 || stat.changed <= self.doomed_at {
            self.bytes += self.links.allocated(stat);
        }
    }

    pub(super) fn count_directory(&mut self, level: &Level) {
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
fn reenter(above: &DirFd, name: &CStr, level: Level) -> Result<Entered<Level>> {
    let dir = above.open_accessible(name)?;
    dir.take_over();
    let stat = dir.stat_self()?;
    Ok(Entered::new(dir, stat, Level { is_changed: true, retries: level.retries + 1, ..level }))
}

impl Visitor for Emptying<'_> {
    type Level = Level;

    fn should_stop(&mut self) -> bool {
        self.must_give_up() || (self.stop)()
    }

    fn visit(&mut self, dir: &DirFd, name: &CStr, _: bool, level: &mut Level) -> Option<Entered<Level>> {
        if level.is_root && !self.with_metadata && name == METADATA_C {
            return None;
        }
        self.new_names += u64::from(level.is_changed);
        match dir.with_rights(|| self.remove_or_open(dir, name, level)) {
            Ok(entered) => return entered,
            Err(errno) if is_gone_or_replaced(errno) => self.names += 1,
            Err(errno) => self.mark_stuck(level, describe(errno)),
        }
        None
    }

    /// Starts the listing again if names have gone since the last time. Many FUSE daemons take the position in a directory that
    /// was opened again for one in its listing now. Where names are gone, it may lie in the middle of one (EIO).
    fn listing_failed(&mut self, dir: &DirFd, errno: Errno, level: &mut Level) -> bool {
        if self.names > self.names_at_restart && dir.seek(0).is_ok() {
            self.names_at_restart = self.names;
            (level.is_changed, level.retries) = (true, level.retries.max(1));
            return true;
        }
        if !is_gone_or_replaced(errno) {
            self.mark_stuck(level, describe(errno));
        }
        false
    }

    /// Takes the directory and the one above over once new names appear in it. Most directories fit in one piece. Then one attempt
    /// to remove it is cheaper than the call that finds the end of the listing.
    fn after_piece(&mut self, dir: &DirFd, above: Option<(&DirFd, &CStr)>, level: &mut Level) -> bool {
        level.pieces = level.pieces.saturating_add(1);
        if level.pieces == MANY_PIECES || std::mem::take(&mut level.has_new_names) {
            dir.take_over();
            // Then its owner no longer finds the way to the directories beside it either.
            if let Some((above, _)) = above {
                above.take_over();
            }
        }
        let is_removed = level.state == State::Emptied && above.is_some_and(|(above, name)| above.rmdir(name).is_ok());
        if is_removed {
            level.state = State::Gone;
        }
        is_removed
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
            Err(errno) if is_gone_or_replaced(errno) => self.names += 1,
            Err(Errno::NOTEMPTY | Errno::EXIST) if level.retries < MAX_RETRIES => match reenter(above, name, level) {
                Ok(again) => return Some(again),
                Err(errno) if is_gone_or_replaced(errno) => {}
                Err(errno) => self.mark_stuck(level_above, describe(errno)),
            },
            Err(Errno::NOTEMPTY | Errno::EXIST) => self.mark_stuck(level_above, refilled_error()),
            Err(errno) => self.mark_stuck(level_above, describe(errno)),
        }
        None
    }
}

/// Whether somebody has removed or replaced a name, or removed the directory that it was in (ESTALE from file servers and FUSE
/// daemons). What was put in its place is found later, because the directory does not become empty.
pub(super) fn is_gone_or_replaced(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::STALE | Errno::ISDIR | Errno::NOTDIR | Errno::LOOP)
}

pub(super) fn refilled_error() -> Error {
    Error::new(Category::Busy, "it does not become empty: others keep writing to it, or a file in it is still open")
}

/// Explains why something in a tree could not be removed.
pub(super) fn describe(errno: Errno) -> Error {
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

#[cfg(test)]
mod tests;
