//! Looks at a workspace that is about to be deleted: was it accessed since the decision, or may it still be?

use super::survey::Found;
use crate::core::dirfd::DirFd;
use crate::core::metadata::{self, Metadata};
use crate::core::names::is_temporary;
use crate::core::stat::{Birth, FileTime, Stat};
use crate::core::tree::{self, Scratch, Stop};
use crate::core::workspace::Seen;
use crate::core::{Category, Error, Result};
use rustix::io::Errno;

/// How many temporary files to unlink at most.
const MAX_SWEPT: u32 = 2_000_000;
/// How many of them one counts for that is created meanwhile. The application creates none, because it no longer finds its way
/// into the workspace.
const NEW_FILE: u32 = 2000;

/// Returns the signature of the metadata file or, if there is none, the birth of the directory.
pub(super) fn look(
    file: impl FnOnce() -> rustix::io::Result<Stat>,
    directory: impl FnOnce() -> rustix::io::Result<Stat>,
) -> rustix::io::Result<Seen> {
    match file() {
        Ok(stat) => Ok(Seen::File((&stat).into())),
        Err(Errno::NOENT) => directory().map(|stat| Seen::Missing((&stat).into())),
        Err(errno) => Err(errno),
    }
}

/// Checks that the metadata file is the one that the decision was based on. If its time stamps cannot tell, reads it and compares
/// the last access.
pub(super) fn check_unchanged(
    found: &Found,
    decided_on: Seen,
    is: Seen,
    read: impl FnOnce() -> Result<Option<Metadata>>,
) -> Result<()> {
    if !matches!((decided_on, is), (Seen::File(old), Seen::File(new)) if old.needs_reading(&new)) {
        return if is == decided_on { Ok(()) } else { Err(accessed()) };
    }
    match read() {
        Ok(Some(metadata)) if metadata.last_accessed.as_ref().is_ok_and(|time| *time > found.last_access) => {
            Err(accessed())
        }
        Ok(None) => Err(accessed()),
        Err(error) if error.category() != Category::CorruptMetadata => Err(error),
        _ => Ok(()), // corrupt metadata tells no access
    }
}

/// Checks that no other directory is in the place of one whose metadata could not be seen.
pub(super) fn check_not_replaced(decided_on: Seen, is: impl FnOnce() -> rustix::io::Result<Stat>) -> Result<()> {
    match decided_on {
        Seen::Unknown(Some(birth)) if is().is_ok_and(|stat| Birth::from(&stat) != birth) => Err(accessed()),
        _ => Ok(()),
    }
}

/// Reads the metadata again.
pub(super) fn read(dir: &DirFd, path: &str, scratch: &mut Scratch) -> Result<Option<Metadata>> {
    let opened = metadata::read(dir, path, &mut scratch.buffer)?;
    opened.map(|_| Metadata::parse(&scratch.buffer)).transpose()
}

/// Checks that nothing in a workspace was modified after the decision.
pub(super) fn check_unmodified(
    base: &DirFd,
    name: &str,
    found: &Found,
    stop: Stop<'_>,
    scratch: &mut Scratch,
) -> Result<()> {
    let Some(time) = found.last_access else { return Ok(()) };
    let usage = tree::search(base, name, stop, scratch);
    if usage.newest > Some(time) || usage.is_gone() { Err(accessed()) } else { usage.error.map_or(Ok(()), Err) }
}

/// Unlinks the temporary files that may still be renamed over the metadata, and rewinds the listing. Adds what that frees, in
/// bytes, to `freed`, also if it fails.
///
/// # Errors
/// By errno; ECANCELED if `stop` says so or if others keep creating them.
pub(super) fn sweep(dir: &DirFd, stop: Stop<'_>, scratch: &mut Scratch, freed: &mut u64) -> rustix::io::Result<()> {
    let (begun, mut left) = (FileTime::now(), MAX_SWEPT);
    dir.each_entry(&mut scratch.buffer, |entry| {
        let name = entry.file_name();
        if left == 0 || stop() {
            return Err(Errno::CANCELED);
        }
        if is_temporary(name.to_bytes()) {
            // Unlinking one of several names changes the inode of all.
            let last_link = dir.stat(name).ok().filter(|stat| stat.links == 1);
            let is_new = last_link.is_some_and(|stat| stat.changed.may_be_since(begun));
            left = left.saturating_sub(if is_new { NEW_FILE } else { 1 });
            match dir.with_rights(|| dir.unlink(name)) {
                Ok(()) => *freed += last_link.map_or(0, |stat| stat.allocated),
                Err(Errno::NOENT | Errno::ISDIR) => {} // a directory cannot be renamed over a file
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    })?;
    dir.seek(0)
}

fn accessed() -> Error {
    Error::new(Category::Busy, "it was accessed after the decision")
}
