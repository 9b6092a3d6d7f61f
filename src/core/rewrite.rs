//! Sets a workspace's `last_accessed`, while an application rewrites the same file at any moment and takes no lock.

use super::atomic::{self, Ownership, Staged};
use super::base::Base;
use super::dirfd::DirFd;
use super::error::{Category, Error, Result};
use super::id::WorkspaceId;
use super::metadata;
use super::names::METADATA;
use super::stat::Signature;
use super::timestamp::Timestamp;
use rustix::io::Errno;

/// How often to try again if others change the file meanwhile.
const TRIES: usize = 32;

/// What to do with a workspace that has no metadata file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Create it anew.
    Create,
    /// Leave it missing: [`Category::NotFound`].
    Leave,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewritten {
    /// The value was changed or appended.
    Updated,
    /// The missing file was created.
    Created,
}

/// Sets `last_accessed` to `time`. When this returns, it is on disk.
///
/// The directory is opened once and everything goes through its descriptor, so that only this workspace's metadata file can
/// change. Linux has no compare-and-rename: what the application writes in the microseconds between the last look and the rename
/// is overwritten.
///
/// # Errors
/// [`Category::NotFound`], [`Category::CorruptMetadata`] (never overwritten), [`Category::Busy`] if others kept changing the file
/// or a prune took the workspace away, else by errno. The file is always wholly the old or wholly the new one.
pub fn set_last_accessed(base: &Base, id: WorkspaceId, time: Timestamp, missing: Missing) -> Result<Rewritten> {
    let dir = base.open_workspace(id)?;
    let rewritten = rewrite(&dir, id, time, missing).and_then(|rewritten| {
        dir.sync().map_err(|errno| Error::os(errno, format!("cannot sync {METADATA}")))?;
        Ok(rewritten)
    });
    atomic::sweep(&dir);
    // If the directory is being removed, say that, not that something in it is missing.
    let may_be_gone = rewritten.as_ref().map_or_else(|error| error.category() == Category::NotFound, |_| true);
    let result = match may_be_gone.then(|| is_still_there(base, id, &dir)) {
        Some(Ok(false)) => Err(Error::new(Category::Busy, "it was taken away while it was touched")),
        Some(Err(errno)) => Err(Error::os(errno, "cannot tell whether it was taken away")),
        Some(Ok(true)) | None => rewritten,
    };
    result.map_err(|error| error.of(id.subject()))
}

fn rewrite(dir: &DirFd, id: WorkspaceId, time: Timestamp, missing: Missing) -> Result<Rewritten> {
    let mut buffer = Vec::new();
    for _ in 0..TRIES {
        let attempt = match metadata::read(dir, METADATA, &mut buffer)? {
            Some(opened) => update(dir, &opened, &metadata::with_last_accessed(&buffer, time)?),
            None if missing == Missing::Leave => {
                return Err(Error::new(Category::NotFound, format!("{METADATA} is missing")));
            }
            None => create(dir, &metadata::fresh(id, time)),
        };
        if let Some(rewritten) = attempt? {
            return Ok(rewritten);
        }
    }
    Err(Error::new(Category::Busy, format!("others keep changing {METADATA}")))
}

/// Replaces the file that was read. Returns `None` if it has changed, or if somebody swept our temporary file.
fn update(dir: &DirFd, read: &metadata::Opened, content: &[u8]) -> Result<Option<Rewritten>> {
    let ownership = Ownership { attributes: Some(&read.file), ..Ownership::of(&read.stat) };
    let staged = Staged::new(dir, content, ownership)?;
    match dir.stat(METADATA) {
        Ok(stat) if Signature::from(&stat) == Signature::from(&read.stat) => {}
        Ok(_) | Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(Error::os(errno, format!("cannot look at {METADATA}"))),
    }
    placed(staged.replace(METADATA), Rewritten::Updated)
}

/// Creates the missing file, owned like the directory. Returns `None` if there is one now, or if somebody swept ours.
fn create(dir: &DirFd, content: &[u8]) -> Result<Option<Rewritten>> {
    let stat = dir.stat_self().map_err(|errno| Error::os(errno, "cannot look at it"))?;
    let staged = Staged::new(dir, content, Ownership { mode: 0o600, ..Ownership::of(&stat) })?;
    placed(staged.create(METADATA), Rewritten::Created)
}

fn placed(renamed: rustix::io::Result<()>, rewritten: Rewritten) -> Result<Option<Rewritten>> {
    match renamed {
        Ok(()) => Ok(Some(rewritten)),
        Err(Errno::NOENT | Errno::EXIST) => Ok(None),
        Err(errno) => Err(Error::os(errno, format!("cannot replace {METADATA}"))),
    }
}

/// Whether the directory is still the one at the workspace's path.
fn is_still_there(base: &Base, id: WorkspaceId, dir: &DirFd) -> rustix::io::Result<bool> {
    match base.dir().stat(id.encode(&mut [0; WorkspaceId::LEN])) {
        Ok(stat) => Ok(stat.identity() == dir.stat_self()?.identity()),
        Err(Errno::NOENT | Errno::XDEV) => Ok(false),
        Err(errno) => Err(errno),
    }
}
