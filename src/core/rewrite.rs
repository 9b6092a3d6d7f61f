//! Sets a workspace's `last_accessed`, although the application may rewrite the same file at any moment, without a lock.

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

/// How often to try if others keep changing the file.
const TRIES: usize = 32;

/// What to do with a workspace that has no metadata file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Create it.
    Create,
    /// Fail with [`Category::NotFound`].
    Fail,
}

/// How the metadata file was rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewritten {
    /// The value was changed or appended.
    Updated,
    /// The file was missing and was created.
    Created,
}

/// Sets `last_accessed` to `time`. After it returns, the new value survives a power cut.
///
/// It opens the directory once and uses only that descriptor, so it can change nothing but the metadata file of this workspace.
/// Linux has no compare-and-rename: if the application writes the file in the microseconds between the last look and the rename,
/// this overwrites it.
///
/// # Errors
/// [`Category::NotFound`], [`Category::CorruptMetadata`] (never overwritten), [`Category::Busy`] if others kept changing the
/// file or a prune took the workspace away, else by errno. In any case, the file is either the old one or the new one.
pub fn set_last_accessed(base: &Base, id: WorkspaceId, time: Timestamp, missing: Missing) -> Result<Rewritten> {
    let dir = base.open_workspace(id)?;
    let rewritten = rewrite(&dir, id, time, missing).and_then(|rewritten| {
        dir.sync().map_err(|errno| Error::os(errno, format!("cannot sync {METADATA}")))?;
        Ok(rewritten)
    });
    atomic::sweep(&dir);
    let result = match is_at_its_path(base, id, &dir) {
        // This may also be the cause of whatever has failed.
        Ok(false) => Err(Error::new(Category::Busy, "its directory was moved or removed meanwhile")),
        Err(errno) if rewritten.is_ok() => {
            Err(Error::os(errno, "cannot tell whether its directory was moved or removed"))
        }
        Ok(true) | Err(_) => rewritten,
    };
    result.map_err(|error| error.about(id.subject()))
}

fn rewrite(dir: &DirFd, id: WorkspaceId, time: Timestamp, missing: Missing) -> Result<Rewritten> {
    let mut buffer = Vec::new();
    for _ in 0..TRIES {
        let attempt = match metadata::read(dir, METADATA, &mut buffer)? {
            Some(opened) => update(dir, &opened, &metadata::with_last_accessed(&buffer, time)?),
            None if missing == Missing::Fail => {
                return Err(Error::new(Category::NotFound, format!("{METADATA} is missing")));
            }
            None => create(dir, &metadata::new_content(id, time)),
        };
        if let Some(rewritten) = attempt? {
            return Ok(rewritten);
        }
    }
    Err(Error::new(Category::Busy, format!("others keep changing {METADATA}")))
}

/// Replaces the file that was read. Returns `None` if it has changed since, or if somebody took our temporary file away.
fn update(dir: &DirFd, read: &metadata::Opened, content: &[u8]) -> Result<Option<Rewritten>> {
    let ownership = Ownership { attributes: Some(&read.file), ..Ownership::of(&read.file, &read.stat) };
    let staged = Staged::new(dir, content, ownership)?;
    match dir.stat(METADATA) {
        Ok(stat) if Signature::from(&stat) == Signature::from(&read.stat) => {}
        Ok(_) | Err(Errno::NOENT | Errno::XDEV) => return Ok(None),
        Err(errno) => return Err(Error::os(errno, format!("cannot examine {METADATA}"))),
    }
    check_rename(staged.replace(METADATA), Rewritten::Updated)
}

/// Creates the file, with the directory's owner. Returns `None` if it exists now, or if somebody took our temporary file away.
fn create(dir: &DirFd, content: &[u8]) -> Result<Option<Rewritten>> {
    let stat = dir.stat_self().map_err(|errno| Error::os(errno, "cannot examine its directory"))?;
    let staged = Staged::new(dir, content, Ownership { mode: 0o600, ..Ownership::of(dir, &stat) })?;
    check_rename(staged.create(METADATA), Rewritten::Created)
}

fn check_rename(renamed: rustix::io::Result<()>, rewritten: Rewritten) -> Result<Option<Rewritten>> {
    match renamed {
        Ok(()) => Ok(Some(rewritten)),
        // There may be a directory in its place or in that of the temporary file.
        Err(Errno::NOENT | Errno::EXIST | Errno::ISDIR | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(Error::os(errno, format!("cannot replace {METADATA}"))),
    }
}

/// Whether `dir` is still the directory at the workspace's path.
fn is_at_its_path(base: &Base, id: WorkspaceId, dir: &DirFd) -> rustix::io::Result<bool> {
    let stat = base.dir().stat(id.encode(&mut [0; WorkspaceId::LEN]));
    match stat.and_then(|stat| Ok(stat.identity() == dir.stat_self()?.identity())) {
        Err(Errno::NOENT | Errno::XDEV | Errno::STALE) => Ok(false),
        is_same => is_same,
    }
}
