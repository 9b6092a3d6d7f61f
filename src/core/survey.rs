//! Looking at many workspaces: what is there, and the same look at each of them, by several threads once that pays.

use super::base::Base;
use super::error::{Error, Result};
use super::id::WorkspaceId;
use super::names::TrashName;
use super::threads;
use rustix::fs::{FileType, RawDirEntry};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Mutex, PoisonError};

/// Fewer items than this are not worth a thread.
const WORTH_A_THREAD: usize = 200;

/// How many items a thread takes at a time.
const SHARE: usize = 64;
/// The size of the buffer for names, in bytes: about a thousand of them at a time.
const BUFFER: usize = 64 * 1024;

/// The directories in a base whose names are ours.
#[derive(Debug, Default)]
pub struct Names {
    /// The workspaces at their own path, in the order of their inodes' numbers. A disk holds the inodes in that order, while
    /// its file system may list them in one that means nothing: ext4 goes by a hash of the name.
    pub workspaces: Vec<WorkspaceId>,
    /// What prunes have taken aside.
    pub trash: Vec<TrashName>,
}

impl Names {
    /// Reads the base.
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
        let failed = |errno| Error::os(errno, format!("base {}: cannot list it", base.path().display())).severe();
        listed.map_err(failed)?;
        workspaces.sort_unstable();
        Ok(Self { workspaces: workspaces.into_iter().map(|(_, id)| id).collect(), trash })
    }
}

/// Whether a name in the base is that of a directory.
pub(super) fn is_directory(base: &Base, entry: &RawDirEntry<'_>) -> bool {
    match entry.file_type() {
        FileType::Directory => true,
        // Some file systems do not tell. What is gone by now is none, and what cannot be looked up will say so itself.
        FileType::Unknown => {
            base.dir().stat(entry.file_name()).map_or_else(|errno| errno != Errno::NOENT, |stat| stat.is_dir())
        }
        _ => false,
    }
}

/// Applies `look` to every item on at most `threads` threads, with what each of them keeps from item to item: buffers, for
/// one. The results keep the order of the items; an item whose look gives `None` has none.
pub fn look_at_all<I: Sync, R: Send, K: Default>(
    items: &[I],
    threads: usize,
    look: impl Fn(&I, &mut K) -> Option<R> + Sync,
) -> Vec<R> {
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let shares = Mutex::new(items.chunks(SHARE).zip(results.chunks_mut(SHARE)));
    let next_share = || shares.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut kept = K::default();
        while let Some((items, results)) = next_share() {
            items.iter().zip(results).for_each(|(item, result)| *result = look(item, &mut kept));
        }
    };
    threads::on_this_and(threads.min(items.len() / WORTH_A_THREAD).saturating_sub(1), work);
    #[allow(clippy::filter_map_identity)] // it is done in place, which `flatten` is not
    results.into_iter().filter_map(|result| result).collect()
}
