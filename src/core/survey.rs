//! Lists the workspaces in a base, and does the same work on each of many items, on several threads if that is faster.

use super::base::Base;
use super::error::Result;
use super::id::WorkspaceId;
use super::names::TrashName;
use super::threads;
use rustix::fs::{FileType, RawDirEntry};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Mutex, PoisonError};

/// How many items are worth another thread.
const WORTH_A_THREAD: usize = 200;
/// How many items a thread takes at a time.
const CHUNK: usize = 64;
/// The size of the buffer for names, in bytes: about a thousand names.
const BUFFER: usize = 64 * 1024;

/// The workspaces in a base, and what prunes claimed or doomed.
#[derive(Debug, Default)]
pub struct BaseListing {
    /// The workspaces at their own paths, in the order of their inode numbers. Inodes lie on the disk in that order, but a file
    /// system may list them in another one: ext4 orders them by a hash of the name.
    pub workspaces: Vec<WorkspaceId>,
    /// The claimed and doomed workspaces.
    pub trash: Vec<TrashName>,
}

impl BaseListing {
    /// Lists the base.
    ///
    /// # Errors
    /// By errno, if the base cannot be listed.
    pub fn read(base: &Base) -> Result<Self> {
        let (mut workspaces, mut trash) = (Vec::new(), Vec::new());
        let listed = base.dir().each_entry(&mut Vec::with_capacity(BUFFER), |entry| {
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if let Some(id) = WorkspaceId::from_dir_name(name) {
                workspaces.extend(is_directory(base, entry).then(|| (entry.ino(), id)));
            } else if let Some(name) = TrashName::parse(name) {
                trash.extend(is_directory(base, entry).then_some(name));
            }
            ControlFlow::Continue(())
        });
        listed.map_err(|errno| base.cannot_list(errno))?;
        // A workspace that another run takes aside and puts back meanwhile may be listed twice.
        workspaces.sort_unstable_by_key(|(_, id)| *id);
        workspaces.dedup_by_key(|(_, id)| *id);
        workspaces.sort_unstable();
        Ok(Self { workspaces: workspaces.into_iter().map(|(_, id)| id).collect(), trash })
    }
}

/// Whether an entry of the base is a directory. `true` if it cannot be looked up: opening it will report the error.
pub(super) fn is_directory(base: &Base, entry: &RawDirEntry<'_>) -> bool {
    match entry.file_type() {
        FileType::Directory => true,
        // Some file systems do not list types. If the name is gone by now (ENOENT), it is not a directory.
        FileType::Unknown => {
            base.dir().stat(entry.file_name()).map_or_else(|errno| errno != Errno::NOENT, |stat| stat.is_dir())
        }
        _ => false,
    }
}

/// Calls `work` for each item, on at most `threads` threads. Each thread keeps a `scratch` value from item to item, such as a
/// buffer. Returns the results in the order of the items, without those that are `None`.
pub fn filter_map_in_threads<I: Sync, R: Send, S: Default>(
    items: &[I],
    threads: usize,
    work: impl Fn(&I, &mut S) -> Option<R> + Sync,
) -> Vec<R> {
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let chunks = Mutex::new(items.chunks(CHUNK).zip(results.chunks_mut(CHUNK)));
    let next_chunk = || chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        let mut scratch = S::default();
        while let Some((items, results)) = next_chunk() {
            items.iter().zip(results).for_each(|(item, result)| *result = work(item, &mut scratch));
        }
    };
    threads::run_with_others(threads.min(items.len() / WORTH_A_THREAD).saturating_sub(1), run);
    #[allow(clippy::filter_map_identity)] // it reuses the allocation, which `flatten` does not
    results.into_iter().filter_map(|result| result).collect()
}
