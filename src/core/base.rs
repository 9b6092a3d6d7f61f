//! The base: the directory that holds the workspaces.

use super::dirfd::DirFd;
use super::error::{Category, Error, Result};
use super::id::WorkspaceId;
use rustix::io::{Errno, retry_on_intr};
use rustix::path::Arg;
use std::path::{Path, PathBuf};

/// An opened base. Everything in it is reached through its descriptor.
#[derive(Debug)]
pub struct Base {
    path: PathBuf,
    dir: DirFd,
}

/// The space of a file system, in bytes, as `df` shows it.
#[derive(Debug, Clone, Copy)]
pub struct Space {
    /// All of it.
    pub total: u64,
    /// What others than root may still use.
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

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory itself.
    pub fn dir(&self) -> &DirFd {
        &self.dir
    }

    /// Whether the workspace exists: a real directory of that name.
    pub fn contains(&self, id: WorkspaceId) -> Result<bool> {
        match self.is_directory(id.encode(&mut [0; WorkspaceId::LEN])) {
            Err(Errno::NOENT) => Ok(false),
            found => found.map_err(|errno| Error::os(errno, "cannot look it up").of(id.subject())),
        }
    }

    /// Whether what has this name is a directory, or a mount point, which is not asked.
    pub fn is_directory(&self, name: impl Arg + Copy) -> rustix::io::Result<bool> {
        match self.dir.stat(name) {
            Err(Errno::XDEV) => Ok(true),
            found => found.map(|stat| stat.is_dir()),
        }
    }

    /// Opens a workspace's directory.
    ///
    /// # Errors
    /// [`Category::NotFound`] if there is no real directory of that name, else by errno.
    pub fn open_workspace(&self, id: WorkspaceId) -> Result<DirFd> {
        self.dir.open_dir(id.encode(&mut [0; WorkspaceId::LEN])).map_err(|errno| match errno {
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP => absent().of(id.subject()),
            Errno::XDEV => mounted().of(id.subject()),
            _ => Error::os(errno, "cannot open it").of(id.subject()),
        })
    }

    /// The space of the file system that the base lies on.
    ///
    /// # Errors
    /// [`Category::Io`] if the file system tells nothing: FUSE without statfs, for one. Else by errno.
    pub fn space(&self) -> Result<Space> {
        let stat = retry_on_intr(|| rustix::fs::fstatvfs(&self.dir))
            .map_err(|errno| Error::os(errno, format!("base {}: cannot tell its free space", self.path.display())))?;
        if stat.f_blocks == 0 {
            let what = format!(
                "base {}: its file system does not tell how large it is, nor how much is free",
                self.path.display()
            );
            return Err(Error::new(Category::Io, what));
        }
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        Ok(Space { total: bytes(stat.f_blocks), available: bytes(stat.f_bavail) })
    }
}

/// What is said of an ID that names no workspace.
pub fn absent() -> Error {
    Error::new(Category::NotFound, "does not exist")
}

/// What is said of a workspace whose directory or metadata file is a mount point. What is mounted there is never asked.
pub fn mounted() -> Error {
    Error::new(Category::Busy, "something is mounted on it, or on its metadata file")
}
