//! Looks at a workspace that has been claimed: whether it was accessed since the decision, and what in it may still be about to
//! count as an access.

use super::candidates::{self, Candidate};
use crate::core::names::{METADATA_C, TrashName, is_temporary};
use crate::core::stat::{self, Signature};
use crate::core::{Base, Category, DirFd, Error};
use rustix::fs::Stat;
use rustix::io::Errno;
use std::ops::ControlFlow;

/// The size of the buffer for names, in bytes.
const BUFFER: usize = 8 * 1024;
/// How much of a listing is kept for the removal, in bytes.
const NAMES: usize = 512;

/// Which metadata file there is.
pub(super) fn look(dir: &DirFd) -> rustix::io::Result<Option<Stat>> {
    match dir.stat(METADATA_C) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// That the metadata file is not the one that was decided on.
pub(super) fn changed(decided_on: Option<Signature>, is: Option<&Stat>) -> Option<Error> {
    (is.map(Signature::from) != decided_on).then(accessed)
}

fn accessed() -> Error {
    Error::new(Category::Busy, "it was accessed after the decision")
}

/// That something in it was modified after the time that was decided on, or why nobody can tell.
pub(super) fn modified_since(base: &Base, name: TrashName, candidate: &Candidate) -> Option<Error> {
    let time = candidate.last_access?;
    let usage = candidates::measured(base, &name.to_string(), None, &mut Default::default());
    usage.error.or_else(|| (usage.newest > Some(time)).then(accessed))
}

/// What is in a workspace's root.
#[derive(Debug)]
pub(super) struct Listing {
    /// Whether there are files that only wait to be renamed over the metadata.
    pub(super) temporaries: bool,
    /// The others but for the metadata file, each with a NUL behind it; `None` if they are many.
    pub(super) names: Option<Vec<u8>>,
}

/// Lists the root. Once it is claimed, no file that is not in this list can become its metadata.
pub(super) fn list(dir: &DirFd, buffer: &mut Vec<u8>) -> rustix::io::Result<Listing> {
    let mut listing = Listing { temporaries: false, names: Some(Vec::new()) };
    buffer.clear();
    buffer.reserve(BUFFER);
    dir.each_entry(buffer, |entry| {
        let name = entry.file_name();
        listing.temporaries |= is_temporary(name.to_bytes());
        if name != METADATA_C {
            match &mut listing.names {
                Some(names) if names.len() < NAMES => names.extend_from_slice(name.to_bytes_with_nul()),
                names => *names = None,
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(listing)
}

/// Unlinks the files that only wait to be renamed over the metadata, and tells how many bytes that freed.
pub(super) fn sweep(dir: &DirFd, buffer: &mut Vec<u8>) -> rustix::io::Result<u64> {
    let mut freed = 0;
    let mut failure = None;
    dir.seek(0)?;
    dir.each_entry(buffer, |entry| {
        let name = entry.file_name();
        if !is_temporary(name.to_bytes()) {
            return ControlFlow::Continue(());
        }
        let stat = dir.stat(name);
        let unlinked = match dir.unlink(name) {
            Err(Errno::ACCESS) if dir.give_rights() == Ok(true) => dir.unlink(name),
            unlinked => unlinked,
        };
        match unlinked {
            Ok(()) => freed += stat.map_or(0, |stat| stat::allocated(&stat)),
            // A directory of that name can be renamed over nothing that is a file.
            Err(Errno::NOENT | Errno::ISDIR) => {}
            Err(errno) => {
                failure = Some(errno);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    failure.map_or(Ok(freed), Err)
}
