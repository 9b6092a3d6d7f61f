//! Looks at a workspace that is about to be deleted: was it accessed since the decision, or may it still be?

use super::survey::Found;
use crate::core::dirfd::DirFd;
use crate::core::metadata::{self, Metadata};
use crate::core::names::is_temporary;
use crate::core::stat::{Birth, Stat};
use crate::core::tree::{self, Scratch, Stop};
use crate::core::workspace::Seen;
use crate::core::{Category, Error, Result};
use rustix::io::Errno;

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
    let usage = tree::measure(base, name, stop, scratch);
    match usage.error {
        _ if usage.newest > Some(time) => Err(accessed()),
        Some(error) if error.category() == Category::NotFound => Err(accessed()), // another run has it, or had it
        error => error.map_or(Ok(()), Err),
    }
}

/// Unlinks the temporary files that may still be renamed over the metadata. Returns how many bytes that freed, and rewinds the
/// listing.
pub(super) fn sweep(dir: &DirFd, scratch: &mut Scratch) -> rustix::io::Result<u64> {
    let (mut freed, mut failure) = (0, None);
    dir.seek(0)?;
    dir.each_entry(&mut scratch.buffer, |entry| {
        let name = entry.file_name();
        if failure.is_some() || !is_temporary(name.to_bytes()) {
            return;
        }
        let stat = dir.stat(name);
        match dir.with_rights(|| dir.unlink(name)) {
            Ok(()) => freed += stat.map_or(0, |stat| stat.allocated),
            // A directory cannot be renamed over a file.
            Err(Errno::NOENT | Errno::ISDIR) => {}
            Err(errno) => failure = Some(errno),
        }
    })?;
    failure.map_or_else(|| dir.seek(0).map(|()| freed), Err)
}

fn accessed() -> Error {
    Error::new(Category::Busy, "it was accessed after the decision")
}
