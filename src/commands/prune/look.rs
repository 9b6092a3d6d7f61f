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
use std::ops::ControlFlow;

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

/// Returns an error if the metadata file is not the one that the decision was based on. If its time stamps cannot tell, reads it
/// and compares the last access.
pub(super) fn changed(
    found: &Found,
    decided_on: Seen,
    is: Seen,
    read: impl FnOnce() -> Result<Option<Metadata>>,
) -> Option<Error> {
    if !matches!((decided_on, is), (Seen::File(old), Seen::File(new)) if old.needs_reading(&new)) {
        return (is != decided_on).then(accessed);
    }
    match read() {
        Ok(Some(metadata)) => (metadata.last_accessed.unwrap_or_default() > found.last_access).then(accessed),
        Ok(None) => Some(accessed()),
        Err(error) if error.category() == Category::CorruptMetadata => None, // it tells no access
        Err(error) => Some(error),
    }
}

/// Returns an error if another directory is in the place of one whose metadata could not be seen.
pub(super) fn replaced(decided_on: Seen, is: impl FnOnce() -> rustix::io::Result<Stat>) -> Option<Error> {
    let Seen::Unknown(Some(birth)) = decided_on else { return None };
    is().is_ok_and(|stat| Birth::from(&stat) != birth).then(accessed)
}

/// Reads the metadata again.
pub(super) fn read(dir: &DirFd, path: &str, scratch: &mut Scratch) -> Result<Option<Metadata>> {
    let opened = metadata::read(dir, path, &mut scratch.buffer)?;
    opened.map(|_| Metadata::parse(&scratch.buffer)).transpose()
}

/// Returns an error if something in a workspace was modified after the decision, or if nobody can tell.
pub(super) fn modified(
    base: &DirFd,
    name: &str,
    found: &Found,
    stop: Stop<'_>,
    scratch: &mut Scratch,
) -> Option<Error> {
    let time = found.last_access?;
    let usage = tree::measure(base, name, stop, scratch);
    if usage.newest > Some(time) {
        return Some(accessed());
    }
    let vanished = |error: &Error| error.category() == Category::NotFound; // another run has it, or had it
    usage.error.map(|error| if vanished(&error) { accessed() } else { error })
}

/// Unlinks the temporary files that may still be renamed over the metadata. Returns how many bytes that freed, and rewinds the
/// listing.
pub(super) fn sweep(dir: &DirFd, scratch: &mut Scratch) -> rustix::io::Result<u64> {
    let (mut freed, mut failure) = (0, None);
    dir.seek(0)?;
    dir.each_entry(&mut scratch.buffer, |entry| {
        let name = entry.file_name();
        if !is_temporary(name.to_bytes()) {
            return ControlFlow::Continue(());
        }
        let stat = dir.stat(name);
        match dir.with_rights(|| dir.unlink(name)) {
            Ok(()) => freed += stat.map_or(0, |stat| stat.allocated),
            // A directory cannot be renamed over a file.
            Err(Errno::NOENT | Errno::ISDIR) => {}
            Err(errno) => {
                failure = Some(errno);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    failure.map_or_else(|| dir.seek(0).map(|()| freed), Err)
}

fn accessed() -> Error {
    Error::new(Category::Busy, "it was accessed after the decision")
}
