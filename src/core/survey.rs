//! Lists the workspaces in a base.

use super::base::Base;
use super::error::Result;
use super::id::WorkspaceId;
use super::names::TrashName;
use rustix::fs::{FileType, RawDirEntry};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

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
            Ok(())
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
fn is_directory(base: &Base, entry: &RawDirEntry<'_>) -> bool {
    match entry.file_type() {
        FileType::Directory => true,
        // Some file systems do not list types. If the name is gone by now (ENOENT), it is not a directory.
        FileType::Unknown => {
            base.dir().stat(entry.file_name()).map_or_else(|errno| errno != Errno::NOENT, |stat| stat.is_dir())
        }
        _ => false,
    }
}
