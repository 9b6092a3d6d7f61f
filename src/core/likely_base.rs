//! Finds workspaces near a base that holds none, in case the administrator named the wrong base.

use super::base::Base;
use super::dirfd::DirFd;
use super::id::WorkspaceId;
use super::names::TrashName;
use rustix::fs::FileType;
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How many levels below the base to search.
const MAX_DEPTH: usize = 2;
/// How many names to read at most.
const MAX_NAMES: usize = 10_000;
/// The size of the buffer for names, in bytes: about a hundred names.
const BUFFER: usize = 4096;

/// Returns the base that was probably meant, if this one holds no workspaces: its parent if it is itself a workspace, else one at
/// most two levels below.
pub fn likely_base(base: &Base) -> Option<PathBuf> {
    let (mut left, mut names) = (MAX_NAMES, Vec::new());
    let holds_workspaces = find_workspace(base.dir(), &mut left, |name| names.push(name.to_owned()));
    if holds_workspaces || left == 0 { None } else { find_nearby(base, &names, &mut left) }
}

fn find_nearby(base: &Base, names: &[OsString], left: &mut usize) -> Option<PathBuf> {
    let path = base.path().canonicalize().ok()?;
    if path.file_name().and_then(WorkspaceId::from_dir_name).is_some() {
        return path.parent().map(Path::to_owned);
    }
    names.iter().find_map(|name| find_below(base.dir(), &path.join(name), MAX_DEPTH, left))
}

/// Searches a directory and the directories in it. Others may own them, so this follows no link and enters no mount.
fn find_below(above: &DirFd, path: &Path, depth: usize, left: &mut usize) -> Option<PathBuf> {
    let dir = above.open_dir(path.file_name()?).ok()?;
    let mut names = Vec::new();
    if find_workspace(&dir, left, |name| names.push(name.to_owned())) {
        return Some(path.to_owned());
    }
    let below = names.iter().filter(|_| depth > 1);
    below.map(|name| path.join(name)).find_map(|path| find_below(&dir, &path, depth - 1, left))
}

/// Reads a directory until it finds a workspace or has read `left` names. Passes the name of each directory to `visit`. Returns
/// whether it found one.
fn find_workspace(dir: &DirFd, left: &mut usize, mut visit: impl FnMut(&OsStr)) -> bool {
    let mut is_found = false;
    let _ = dir.each_entry(&mut Vec::with_capacity(BUFFER), |entry| {
        if is_found || *left == 0 {
            return Err(Errno::CANCELED);
        }
        *left -= 1;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if matches!(entry.file_type(), FileType::Directory | FileType::Unknown) {
            is_found = WorkspaceId::from_dir_name(name).is_some() || TrashName::parse(name).is_some();
            visit(name);
        }
        Ok(())
    });
    is_found
}
