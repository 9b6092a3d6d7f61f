//! Replaces one file durably and atomically: a reader finds the old or the new content, at any moment and after any crash.

use super::attributes;
use super::dirfd::{self, DirFd};
use super::error::{Category, Error, Result};
use super::names::{OWN_TEMPORARY, fresh_tag};
use super::stat::Stat;
use rustix::fs::{FlockOperation, Gid, Mode, OFlags, RawDirEntry, Uid, fcntl_getfl};
use rustix::io::{Errno, retry_on_intr};
use rustix::path::Arg;
use std::os::fd::{AsFd, OwnedFd};

/// The owner and permissions of a file.
#[derive(Debug, Clone, Copy)]
pub struct Ownership<'a> {
    /// The user and the group. `None` leaves the new file's owner and group, and the ACL that it inherits.
    pub owner: Option<(u32, u32)>,
    /// Whether a new file may be given to this owner.
    pub may_give: bool,
    /// The permission bits, with set-user-ID and the like.
    pub mode: u32,
    /// The file whose ACL and other extended attributes to copy.
    pub attributes: Option<&'a OwnedFd>,
}

impl Ownership<'_> {
    /// Takes owner and mode from an open file or directory, without extended attributes.
    ///
    /// If this user namespace has no number for an owner, stat(2) shows that of nobody, who must not get the file. Only the owner,
    /// and whoever may act for an owner who has a number, could open it without changing its access time.
    pub fn of(file: impl AsFd, stat: &Stat) -> Self {
        let may_give = fcntl_getfl(file).is_ok_and(|flags| flags.contains(OFlags::NOATIME));
        Self { owner: Some((stat.user, stat.group)), may_give, mode: stat.mode & 0o7777, attributes: None }
    }
}

/// The new content, complete and on disk under a temporary name. It is removed when dropped before it is renamed.
#[derive(Debug)]
pub struct Staged<'a> {
    dir: &'a DirFd,
    name: String,
    file: OwnedFd,
    is_renamed: bool,
}

impl<'a> Staged<'a> {
    /// Writes `content` to a temporary file in `dir`, sets owner and mode, and waits until it is on disk.
    pub fn new(dir: &'a DirFd, content: &[u8], ownership: Ownership<'_>) -> Result<Self> {
        if dir.is_append_only() {
            let what = "the directory is append-only (see chattr(1)): no file in it can be replaced";
            return Err(Error::new(Category::PermissionDenied, what));
        }
        let failed = |errno| Error::os(errno, "cannot create a temporary file");
        let name = format!("{OWN_TEMPORARY}{:016x}", fresh_tag());
        let file = dir.create_file(&name).map_err(failed)?;
        let staged = Self { dir, name, file, is_renamed: false };
        staged.fill(content, ownership)?;
        Ok(staged)
    }

    fn fill(&self, content: &[u8], ownership: Ownership<'_>) -> Result<()> {
        // The lock tells a sweep that somebody is writing. Without locks in the file system, a sweep leaves the file, too.
        let _ = rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive);
        let failed = |errno| Error::os(errno, "cannot write a temporary file");
        let mut rest = content;
        while !rest.is_empty() {
            match retry_on_intr(|| rustix::io::write(&self.file, rest)).map_err(failed)? {
                0 => return Err(failed(Errno::IO)), // a FUSE daemon may answer this for ever
                written => rest = &rest[written..],
            }
        }
        self.set_ownership(ownership)?;
        dirfd::sync(&self.file).map_err(failed)
    }

    /// Sets the owner and mode, where they differ, and the extended attributes. The owner goes first, because changing it clears
    /// mode bits. The ACL goes last, because the group bits of a mode are its mask.
    fn set_ownership(&self, to: Ownership<'_>) -> Result<()> {
        let failed = |errno| Error::os(errno, "cannot keep the owner and mode of the file");
        let current = Ownership::of(&self.file, &Stat::of_file(&self.file).map_err(failed)?);
        let owner = to.owner.filter(|_| to.owner != current.owner);
        if let Some((user, group)) = owner {
            if !to.may_give {
                return Err(failed(Errno::PERM));
            }
            let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
            retry_on_intr(|| rustix::fs::fchown(&self.file, Some(user), Some(group))).map_err(failed)?;
        }
        if to.owner.is_some() {
            attributes::remove_inherited_acl(&self.file).map_err(failed)?;
        }
        let acl = to.attributes.map(attributes::acl).transpose().map_err(failed)?.flatten();
        // The ACL restores the bits of the group and of others. If it cannot be set, only the owner keeps access.
        let mode = if acl.is_some() { to.mode & !0o077 } else { to.mode };
        if current.mode != mode || owner.is_some() {
            retry_on_intr(|| rustix::fs::fchmod(&self.file, Mode::from_raw_mode(mode))).map_err(failed)?;
        }
        to.attributes.map_or(Ok(()), |from| attributes::copy(from, &self.file, acl.as_deref()))
    }

    /// Renames it over `name`. It is durable once the directory is synced.
    ///
    /// # Errors
    /// ENOENT if somebody has swept the temporary file.
    pub fn replace(mut self, name: impl Arg + Copy) -> rustix::io::Result<()> {
        self.dir.rename(&*self.name, name)?;
        self.is_renamed = true;
        Ok(())
    }

    /// Renames it to `name`, if nothing has that name.
    ///
    /// # Errors
    /// EEXIST if something has it; ENOENT as in [`Staged::replace`].
    pub fn create(mut self, name: &str) -> rustix::io::Result<()> {
        self.dir.rename_new(&*self.name, name)?;
        self.is_renamed = true;
        Ok(())
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if !self.is_renamed {
            let _ = self.dir.unlink(&*self.name); // it is gone, or we have no permission
        }
    }
}

/// How many files to sweep at most: others may create them faster.
const MAX_LEFTOVERS: usize = 1000;

/// Removes temporary files that killed runs left in `dir`. A file that somebody is writing is locked, and stays. Failures are
/// ignored, because leftover files do no harm. A later sweep removes the rest.
pub fn sweep(dir: &DirFd) {
    let mut left = MAX_LEFTOVERS;
    let mut visit = |entry: &RawDirEntry<'_>| {
        let name = entry.file_name();
        if let (true, Ok(text)) = (name.to_bytes().starts_with(OWN_TEMPORARY.as_bytes()), name.to_str())
            && let Ok(file) = dir.open_file(text)
            && rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            let _ = dir.unlink(name);
            left -= 1;
        }
        if left == 0 { Err(Errno::CANCELED) } else { Ok(()) }
    };
    let _ = dir.each_entry(&mut Vec::with_capacity(8 * 1024), &mut visit);
}
