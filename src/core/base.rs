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
        let dir = DirFd::open(path).map_err(|errno| {
            let error = match errno {
                Errno::NOENT | Errno::LOOP | Errno::NAMETOOLONG => Error::new(Category::NotFound, "no such directory"),
                Errno::NOTDIR => Error::new(Category::NotFound, "not a directory"),
                _ => Error::os(errno, "cannot open it"),
            };
            error.about(subject(path)).severe()
        })?;
        Ok(Self { path: path.to_owned(), dir })
    }

    /// Returns the path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the error for a base that cannot be listed.
    pub(super) fn cannot_list(&self, errno: Errno) -> Error {
        Error::os(errno, "cannot list it").about(subject(&self.path)).severe()
    }

    /// Returns the directory.
    pub fn dir(&self) -> &DirFd {
        &self.dir
    }

    /// Whether the workspace exists: a real directory with that name.
    pub fn contains(&self, id: WorkspaceId) -> Result<bool> {
        match self.is_directory(id.encode(&mut [0; WorkspaceId::LEN])) {
            Err(Errno::NOENT) => Ok(false),
            found => found.map_err(|errno| Error::os(errno, "cannot look it up").about(id.subject())),
        }
    }

    /// Whether a name belongs to a directory or a mount point. It does not query the mount, whose server may never answer.
    pub fn is_directory(&self, name: impl Arg + Copy) -> rustix::io::Result<bool> {
        match self.dir.cached_stat(name) {
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
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP => absent().about(id.subject()),
            Errno::XDEV => mounted().about(id.subject()),
            _ => Error::os(errno, "cannot open it").about(id.subject()),
        })
    }

    /// Returns the space of the base's file system.
    ///
    /// # Errors
    /// [`Category::Io`] if the file system does not say, such as FUSE without statfs, else by errno.
    pub fn space(&self) -> Result<Space> {
        match retry_on_intr(|| rustix::fs::fstatvfs(&self.dir)) {
            Ok(stat) if stat.f_blocks > 0 && stat.f_frsize > 0 => {
                let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
                Ok(Space { total: bytes(stat.f_blocks), available: bytes(stat.f_bavail) })
            }
            Ok(_) | Err(Errno::NOSYS | Errno::OPNOTSUPP) => {
                Err(Error::new(Category::Io, "its file system reports neither its size nor its free space"))
            }
            Err(errno) => Err(Error::os(errno, "cannot read its free space")),
        }
        .map_err(|error| error.about(subject(&self.path)))
    }
}

/// Returns the name of a base in diagnostics.
fn subject(path: &Path) -> String {
    format!("base {}", path.display())
}

/// Returns the error for an ID without a workspace.
pub fn absent() -> Error {
    Error::new(Category::NotFound, "does not exist")
}

/// Returns the error for a workspace whose directory or metadata file is a mount point.
pub fn mounted() -> Error {
    Error::new(Category::Busy, "something is mounted on it or on its metadata file")
}
