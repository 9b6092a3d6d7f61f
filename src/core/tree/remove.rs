//! Removes a doomed tree, like `rm -rf`. It ends, whatever the owner does meanwhile.
//!
//! This file begins at the root and removes it in the end; `empty.rs` empties it.

use super::super::dirfd::DirFd;
use super::super::error::{Category, Error, Result};
use super::super::names::METADATA_C;
use super::super::stat::FileTime;
use super::Stop;
use super::empty::{Emptying, Level, describe, is_gone_or_replaced, refilled_error};
use super::names::Names;
use super::walk::{Entered, Scratch, walk};
use rustix::io::Errno;

/// How often to start at the root if it is not empty after all, or if others keep removing or moving directories on the way.
const TRIES: usize = 200;
/// How often if nothing goes meanwhile.
const IDLE_TRIES: usize = 20;

/// A doomed tree in the base.
#[derive(Debug)]
pub struct Tree {
    /// Its name in the base.
    pub name: String,
    /// Its directory, if it is open.
    pub dir: Option<DirFd>,
    /// All names in its root, or none if they are not known.
    pub names: Names,
    /// When they were listed.
    pub listed_at: FileTime,
}

/// The result of a removal.
#[derive(Debug)]
pub struct Removed {
    /// The allocated bytes that were removed, as `du` counts them.
    pub bytes: u64,
    /// How many names are gone.
    pub names: u64,
    /// Whether this run removed the root. If `false`, somebody else did.
    pub gone: Result<bool>,
}

/// Removes a doomed tree. `.metadata.json` goes last, because the application's own listing breaks on a directory without it.
/// `doomed_at` is the time of the last doom in the base, by the file system's clock.
pub fn remove(base: &DirFd, tree: Tree, doomed_at: FileTime, stop: Stop<'_>, scratch: &mut Scratch) -> Removed {
    // An earlier run may have doomed it, and changed directories in it since.
    let mut emptying = Emptying::new(doomed_at.max(tree.listed_at), stop);
    let gone = if stop() { Err(interrupted_error()) } else { empty_and_remove(base, tree, &mut emptying, scratch) };
    Removed { bytes: emptying.bytes, names: emptying.names, gone }
}

fn empty_and_remove(base: &DirFd, tree: Tree, emptying: &mut Emptying<'_>, scratch: &mut Scratch) -> Result<bool> {
    let Tree { name, mut dir, mut names, listed_at } = tree;
    let (mut retries, mut idle, mut names_before) = (0, 0, 0);
    for _ in 0..TRIES {
        idle = if emptying.names > names_before { 0 } else { idle + 1 };
        if idle > IDLE_TRIES {
            break;
        }
        names_before = emptying.names;
        let root = match dir.take().map_or_else(|| base.open_accessible(&*name), Ok) {
            Err(Errno::NOENT) => return Ok(false),
            root => root.map_err(describe)?,
        };
        let stat = match root.stat_self() {
            Err(errno) if is_gone_or_replaced(errno) => continue,
            stat => stat.map_err(describe)?,
        };
        // Another run may have put the claim back, and somebody may have created another directory with its name, which was
        // then doomed instead of the open one.
        match base.stat(&*name) {
            Ok(named) if named.identity() == stat.identity() => {}
            Err(errno) if is_gone_or_replaced(errno) => continue,
            Ok(_) => return Err(describe(Errno::NOTDIR)),
            Err(errno) => return Err(describe(errno)),
        }
        if !names.is_empty() && stat.modified.is_racy(listed_at) {
            names.clear(); // there may be more names now
            root.seek(0).map_err(describe)?;
        }
        let mut level = emptying.root_level(&stat, retries);
        let entered = Entered { dir: root, stat, names: std::mem::take(&mut names), level };
        match walk(entered, emptying, scratch) {
            Ok(root) => {
                if let Some(gone) = remove_root(emptying, base, &name, &root, &mut level)? {
                    return Ok(gone);
                }
                root.take_over();
                root.seek(0).map_err(describe)?;
                (dir, retries) = (Some(root), retries + 1);
            }
            Err(Errno::STALE) => {}
            Err(Errno::CANCELED) if emptying.must_give_up() => break,
            Err(Errno::CANCELED) => return Err(interrupted_error()),
            Err(errno) => return Err(describe(errno)),
        }
    }
    Err(refilled_error())
}

/// Removes the empty root, after the metadata in it. Returns `None` if something is in it again.
fn remove_root(
    emptying: &mut Emptying<'_>,
    base: &DirFd,
    name: &str,
    root: &DirFd,
    level: &mut Level,
) -> Result<Option<bool>> {
    if let Some(stuck) = emptying.stuck.take() {
        return Err(stuck);
    }
    if !emptying.with_metadata {
        match root.with_rights(|| emptying.remove_or_open(root, METADATA_C, level)) {
            Ok(None) => {}
            Err(errno) if is_gone_or_replaced(errno) => {}
            Ok(Some(_)) => emptying.with_metadata = true, // a directory of that name that is not empty
            Err(errno) => return Err(describe(errno)),
        }
    }
    match base.rmdir(name) {
        Ok(()) => {
            emptying.count_directory(level);
            Ok(Some(true))
        }
        Err(Errno::NOENT) => Ok(Some(false)),
        Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(None),
        Err(errno) => Err(describe(errno)),
    }
}

fn interrupted_error() -> Error {
    Error::new(Category::Busy, "interrupted before all of it was removed: the next prune will continue")
}
