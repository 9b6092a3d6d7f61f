//! The base: the directory that holds the workspaces.

use super::dirfd::DirFd;
use super::error::{Category, Error, Result};
use super::id::WorkspaceId;
use rustix::io::{Errno, retry_on_intr};
use rustix::path::Arg;
use std::path::{Path, PathBuf};

/// An open base. Everything in it is reached through its descriptor.
#[derive(Debug)]
pub struct Base {
    path: PathBuf,
    dir: DirFd,
}

/// The space of a file system, in bytes, as `df` shows it.
#[derive(Debug, Clone, Copy)]
pub struct Space {
    /// The size of the file system.
    pub total: u64,
    /// What ordinary users may still use.
    pub available: u64,
}

impl Base {
    /// Opens the base, which may itself be a symlink.
    ///
    /// # Errors
    /// [`Category::NotFound`] (as an error) if it is missing or no directory, else by errno.
    pub fn open(path: &Path) -> Result<Self> {
        let what = |why: &str| format!("base {}: {why}", path.display());
        match DirFd::open(path) {
            Ok(dir) => Ok(Self { path: path.to_owned(), dir }),
            Err(Errno::NOENT | Errno::LOOP | Errno::NAMETOOLONG) => {
                Err(Error::new(Category::NotFound, what("no such directory")).severe())
            }
            Err(Errno::NOTDIR) => Err(Error::new(Category::NotFound, what("not a directory")).severe()),
            Err(errno) => Err(Error::os(errno, what("cannot open it")).severe()),
        }
    }

    /// Returns the path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the directory.
    pub fn dir(&self) -> &DirFd {
        &self.dir
    }

    /// Whether the workspace exists: a real directory with that name.
    pub fn contains(&self, id: WorkspaceId) -> Result<bool> {
        match self.is_directory(id.encode(&mut [0; WorkspaceId::LEN])) {
            Err(Errno::NOENT) => Ok(false),
            found => found.map_err(|errno| Error::os(errno, "cannot look it up").of(id.subject())),
        }
    }

    /// Whether a name belongs to a directory or a mount point. A mount is not asked.
    pub fn is_directory(&self, name: impl Arg + Copy) -> rustix::io::Result<bool> {
        match self.dir.stat(name) {
            Err(Errno::XDEV) => Ok(true),
            found => found.map(|stat| stat.is_dir()),
        }
    }

    /// Opens a workspace's directory.
    ///
    /// # Errors
    /// [`Category::NotFound`] if there is no real directory with that name, else by errno.
    pub fn open_workspace(&self, id: WorkspaceId) -> Result<DirFd> {
        self.dir.open_dir(id.encode(&mut [0; WorkspaceId::LEN])).map_err(|errno| match errno {
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP => absent().of(id.subject()),
            Errno::XDEV => mounted().of(id.subject()),
            _ => Error::os(errno, "cannot open it").of(id.subject()),
        })
    }

    /// Returns the space of the base's file system.
    ///
    /// # Errors
    /// [`Category::Io`] if the file system does not say, such as FUSE without statfs, else by errno.
    pub fn space(&self) -> Result<Space> {
        let stat = retry_on_intr(|| rustix::fs::fstatvfs(&self.dir))
            .map_err(|errno| Error::os(errno, format!("base {}: cannot tell its free space", self.path.display())))?;
        if stat.f_blocks == 0 {
            let what = format!(
                "base {}: its file system does not say how large it is or how much is free",
                self.path.display()
            );
            return Err(Error::new(Category::Io, what));
        }
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        Ok(Space { total: bytes(stat.f_blocks), available: bytes(stat.f_bavail) })
    }
}

/// Returns the error for an ID without a workspace.
pub fn absent() -> Error {
    Error::new(Category::NotFound, "does not exist")
}

/// Returns the error for a workspace whose directory or metadata file is a mount point. The mount is asked nothing.
pub fn mounted() -> Error {
    Error::new(Category::Busy, "something is mounted on it, or on its metadata file")
}
