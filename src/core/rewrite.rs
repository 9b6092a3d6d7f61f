//! Setting a workspace's `last_accessed`, beside an application that rewrites the same file at any moment and takes no lock.

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

/// How often the file may be changed by others under our hands before we give up.
const TRIES: usize = 32;

/// What to do with a workspace that has no metadata file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Make it anew.
    Create,
    /// Leave it missing: [`Category::NotFound`].
    Leave,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewritten {
    /// The one value was changed, or appended.
    Updated,
    /// The file was missing and is there now.
    Created,
}

/// Sets `last_accessed` to `time`, durably: when this returns, it outlasts a power cut.
///
/// The directory is opened once and everything goes through that descriptor, so that nothing but the metadata file of this
/// workspace can change. Linux knows no compare-and-rename: what the application writes in the microseconds between the last
/// look and the rename is overwritten.
///
/// # Errors
/// [`Category::NotFound`], [`Category::CorruptMetadata`] (never overwritten), [`Category::Busy`] if others kept changing the
/// file or a prune took the workspace away, else by errno. The file is wholly the old or wholly the new in any case.
pub fn set_last_accessed(base: &Base, id: WorkspaceId, time: Timestamp, missing: Missing) -> Result<Rewritten> {
    let dir = base.open_workspace(id)?;
    let rewritten = rewrite(&dir, id, time, missing).and_then(|rewritten| {
        dir.sync().map_err(|errno| Error::os(errno, format!("cannot sync {METADATA}")))?;
        Ok(rewritten)
    });
    atomic::sweep(&dir);
    // What is missing in a directory that is being removed is not the news: that somebody takes it away is.
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

/// Puts new content in the place of the file that was read. `None`: it is no longer that file, or our own was swept away.
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

/// Puts a file where there was none, owned as the directory is. `None`: there is one now, or our own was swept away.
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

/// Whether the directory that was written in is the one at the workspace's path.
fn is_still_there(base: &Base, id: WorkspaceId, dir: &DirFd) -> rustix::io::Result<bool> {
    match base.dir().stat(id.encode(&mut [0; WorkspaceId::LEN])) {
        Ok(stat) => Ok(stat.identity() == dir.stat_self()?.identity()),
        Err(Errno::NOENT | Errno::XDEV) => Ok(false),
        Err(errno) => Err(errno),
    }
}
