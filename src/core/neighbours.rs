//! Finds workspaces near a base that holds none, for a user who named the wrong base.

use super::base::Base;
use super::dirfd::DirFd;
use super::error::{Error, Result};
use super::id::WorkspaceId;
use super::names::TrashName;
use rustix::fs::FileType;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// How many levels are searched.
const LEVELS: usize = 2;
/// How many names are looked at, at most.
const NAMES: usize = 10_000;
/// The size of the buffer for names, in bytes: about a hundred names.
const BUFFER: usize = 4096;

/// Returns the base that was probably meant, if this one holds no workspaces: the one that it is a workspace of, or one at most
/// two levels below.
///
/// # Errors
/// By errno, if the base cannot be listed again from its start.
pub fn meant(base: &Base) -> Result<Option<PathBuf>> {
    let mut left = NAMES;
    let is_found = find(base.dir(), &mut left, |_| {});
    let failed = |errno| Error::os(errno, format!("base {}: cannot list it", base.path().display())).severe();
    base.dir().seek(0).map_err(failed)?;
    Ok(if is_found || left == 0 { None } else { nearest(base, &mut left) })
}

fn nearest(base: &Base, left: &mut usize) -> Option<PathBuf> {
    let path = base.path().canonicalize().ok()?;
    if path.file_name().and_then(WorkspaceId::from_dir_name).is_some() {
        return path.parent().map(Path::to_owned);
    }
    let mut below = WalkDir::new(&path).min_depth(1).max_depth(1).into_iter().flatten();
    below.find_map(|entry| search(base.dir(), entry.path(), LEVELS, left))
}

/// Searches a directory and those in it. Others may own them, so it follows no link and enters no mount.
fn search(above: &DirFd, path: &Path, levels: usize, left: &mut usize) -> Option<PathBuf> {
    let dir = above.open_dir(path.file_name()?).ok()?;
    let mut names = Vec::new();
    if find(&dir, left, |name| names.push(name.to_owned())) {
        return Some(path.to_owned());
    }
    let below = names.iter().filter(|_| levels > 1);
    below.map(|name| path.join(name)).find_map(|path| search(&dir, &path, levels - 1, left))
}

/// Whether a directory holds workspaces. Until one is found, calls `visit` with the names of the directories in it.
fn find(dir: &DirFd, left: &mut usize, mut visit: impl FnMut(&OsStr)) -> bool {
    let mut is_found = false;
    let _ = dir.each_entry(&mut Vec::with_capacity(BUFFER), |entry| {
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if matches!(entry.file_type(), FileType::Directory | FileType::Unknown) {
            is_found = WorkspaceId::from_dir_name(name).is_some() || TrashName::parse(name).is_some();
            visit(name);
        }
        *left = left.saturating_sub(1);
        if is_found || *left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    is_found
}
