//! The walker. It goes down through descriptors and up again, to any depth, with a handful of descriptors and a stack of constant
//! size.
//!
//! It keeps the nearest levels open. For each level above, it remembers how to go on there: the inode, which `..` must lead to,
//! the position in the listing, and the name. So a level of depth costs a few bytes and its name. Nothing is renamed or created.

use super::super::dirfd::DirFd;
use super::super::stat::Stat;
use super::names::{Buffer, Kind, Names};
use rustix::io::{Errno, Result};
use std::collections::HashSet;
use std::ffi::CStr;

/// The number of levels that stay open.
const KEPT_OPEN: usize = 4;

/// What is done at each step of a walk. A `Level` is what is remembered of each directory on the way, however deep.
pub trait Steps {
    /// What is remembered of each directory until the walk leaves it.
    type Level;

    /// Whether to give up. It is asked before each name.
    fn is_over(&mut self) -> bool;

    /// Handles a name in a directory. Returns the directory if the walk must enter it.
    fn meet(&mut self, dir: &DirFd, name: &CStr, kind: Kind, level: &mut Self::Level) -> Option<Entered<Self::Level>>;

    /// Handles a directory that could not be listed to its end.
    fn fail(&mut self, errno: Errno, level: &mut Self::Level);

    /// Called after a piece of a directory's listing, with the directory above, if it is open, and the name in it. Returns
    /// whether the rest of the listing can be skipped.
    fn end_of_piece(&mut self, _dir: &DirFd, _above: Option<(&DirFd, &CStr)>, _level: &mut Self::Level) -> bool {
        false
    }

    /// Called after the last name of a directory.
    fn end(&mut self, _dir: &DirFd, _level: &mut Self::Level) {}

    /// Called when the walk has left the directory `name`, with the `level` that was remembered. It may return it to enter it
    /// again.
    fn leave(
        &mut self,
        _parent: (&DirFd, &mut Self::Level),
        _name: &CStr,
        _level: Self::Level,
    ) -> Option<Entered<Self::Level>> {
        None
    }
}

/// A directory that the walk enters.
#[derive(Debug)]
pub struct Entered<L> {
    /// The directory, at the start of its listing.
    pub dir: DirFd,
    /// Its stat.
    pub stat: Stat,
    /// The names that are known already.
    pub names: Names,
    /// What to remember of it.
    pub level: L,
}

impl<L> Entered<L> {
    /// Returns a directory of which nothing is known yet.
    pub fn new(dir: DirFd, stat: Stat, level: L) -> Self {
        Self { dir, stat, names: Names::default(), level }
    }
}

/// What a thread keeps from one walk to the next, to save allocations.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The buffer for a piece of a listing.
    pub buffer: Buffer,
    spare: Vec<Names>,
}

/// An open level.
struct Near<L> {
    dir: DirFd,
    names: Names,
    kept: Kept<L>,
}

/// What is remembered of each level, open or not.
struct Kept<L> {
    inode: u64,
    /// The position in its listing.
    position: u64,
    /// The length of its name in the path, with the NUL.
    name: u16,
    level: L,
}

struct Walk<'a, L> {
    near: Vec<Near<L>>,
    far: Vec<Kept<L>>,
    /// The inodes of the levels that are not open.
    above: HashSet<u64>,
    /// The names of all levels, one after the other, each with a NUL.
    path: Vec<u8>,
    scratch: &'a mut Scratch,
}

/// Walks everything below a directory with `steps`, and returns the directory.
///
/// # Errors
/// ESTALE if somebody moved a directory on the way, so that there is no way back, or into itself. ECANCELED if the steps gave up.
pub fn walk<S: Steps>(root: Entered<S::Level>, steps: &mut S, scratch: &mut Scratch) -> Result<DirFd> {
    let near = Vec::with_capacity(KEPT_OPEN + 1);
    let mut walk = Walk { near, far: Vec::new(), above: HashSet::new(), path: vec![0], scratch };
    walk.enter(root, 1)?;
    loop {
        if steps.is_over() {
            return Err(Errno::CANCELED);
        }
        if !walk.meet_next(steps)?
            && !walk.read_on(steps)
            && let Some(root) = walk.leave(steps)?
        {
            return Ok(root);
        }
    }
}

impl<L> Walk<'_, L> {
    /// Handles the next name that was read. Returns `false` if there is none.
    fn meet_next<S: Steps<Level = L>>(&mut self, steps: &mut S) -> Result<bool> {
        let Some(Near { dir, names, kept }) = self.near.last_mut() else { return Ok(false) };
        let Some(next) = names.meet() else { return Ok(false) };
        kept.position = next.position;
        if let Some(entered) = steps.meet(dir, next.name, next.kind, &mut kept.level) {
            let name = next.name.to_bytes_with_nul();
            self.path.extend_from_slice(name);
            let length = u16::try_from(name.len()).map_err(|_| Errno::NAMETOOLONG)?;
            self.enter(entered, length)?;
        }
        Ok(true)
    }

    /// Reads the next piece of the current directory. Returns `false` at its end.
    fn read_on<S: Steps<Level = L>>(&mut self, steps: &mut S) -> bool {
        let (Near { dir, names, kept }, above) = match &mut self.near[..] {
            [.., above, here] => {
                let name = last_name(&self.path, here.kept.name);
                (here, Some((&above.dir, name)))
            }
            [here] => (here, None),
            [] => return false,
        };
        if !names.is_empty() && steps.end_of_piece(dir, above, &mut kept.level) {
            return false;
        }
        names.read(dir, &mut self.scratch.buffer).unwrap_or_else(|errno| {
            steps.fail(errno, &mut kept.level);
            false
        })
    }

    /// Enters a directory whose name, of this length, is the last in the path.
    fn enter(&mut self, entered: Entered<L>, name: u16) -> Result<()> {
        let Entered { dir, stat, mut names, level } = entered;
        let inode = number(&stat);
        if self.above.contains(&inode) {
            return Err(Errno::STALE); // somebody moved it: no directory is above itself
        }
        if names.is_empty() {
            names = self.scratch.spare.pop().unwrap_or(names);
        }
        let kept = Kept { inode, position: 0, name, level };
        self.near.push(Near { dir, names, kept });
        if self.near.len() > KEPT_OPEN {
            let Near { names, kept, .. } = self.near.remove(0);
            self.scratch.put_aside(names);
            self.above.insert(kept.inode);
            self.far.push(kept);
        }
        Ok(())
    }

    /// Goes up from the current directory. From the root, returns the root.
    fn leave<S: Steps<Level = L>>(&mut self, steps: &mut S) -> Result<Option<DirFd>> {
        let Some(Near { dir, names, mut kept }) = self.near.pop() else { return Err(Errno::STALE) };
        self.scratch.put_aside(names);
        steps.end(&dir, &mut kept.level);
        if self.near.is_empty() {
            let Some(parent) = self.far.pop() else { return Ok(Some(dir)) };
            let parent = self.back_to(parent, &dir)?;
            self.near.push(parent);
        }
        let Some(parent) = self.near.last_mut() else { return Err(Errno::STALE) };
        let name = last_name(&self.path, kept.name);
        match steps.leave((&parent.dir, &mut parent.kept.level), name, kept.level) {
            Some(again) => self.enter(again, kept.name)?,
            None => self.path.truncate(self.path.len() - usize::from(kept.name)),
        }
        Ok(None)
    }

    /// Opens a level again from the directory below it.
    fn back_to(&mut self, kept: Kept<L>, below: &DirFd) -> Result<Near<L>> {
        let dir = match below.open_parent() {
            Err(Errno::NOENT | Errno::XDEV) => return Err(Errno::STALE), // somebody removed or moved the current directory
            dir => dir?,
        };
        if number(&dir.stat_self()?) != kept.inode {
            return Err(Errno::STALE);
        }
        dir.seek(kept.position)?;
        self.above.remove(&kept.inode);
        Ok(Near { dir, names: self.scratch.spare.pop().unwrap_or_default(), kept })
    }
}

impl Scratch {
    /// Keeps no more directories than a walk needs: each workspace brings one of its own.
    fn put_aside(&mut self, mut names: Names) {
        if self.spare.len() <= KEPT_OPEN {
            names.clear();
            self.spare.push(names);
        }
    }
}

/// Returns the last name of the path, which has this length.
fn last_name(path: &[u8], length: u16) -> &CStr {
    let start = path.len().saturating_sub(length.into());
    CStr::from_bytes_with_nul(&path[start..]).unwrap_or_default()
}

/// Returns one number for an inode. Devices differ only in btrfs trees with subvolumes, whose inode numbers are small.
fn number(stat: &Stat) -> u64 {
    stat.inode ^ stat.device.rotate_right(24)
}
