//! Walks a tree of any depth with a few open descriptors and a stack of constant size.
//!
//! The deepest levels stay open. Of each level above those, it remembers the name, the position in the listing, and the inode, to
//! check that `..` leads back to it. So each level costs a few bytes and its name. It renames and creates nothing.

use super::super::dirfd::DirFd;
use super::super::stat::Stat;
use super::names::{Buffer, Names};
use rustix::io::{Errno, Result};
use std::collections::HashSet;
use std::ffi::CStr;

/// The number of levels that stay open.
const MAX_OPEN: usize = 4;

/// The work of a walk.
pub trait Visitor {
    /// The state of each directory, from entering it until leaving it.
    type Level;

    /// Whether to stop the walk. It is called before each name.
    fn should_stop(&mut self) -> bool;

    /// Handles a name in `dir`. `is_dir` tells whether the listing calls it a directory. Returns it, opened, if the walk must enter
    /// it.
    fn visit(
        &mut self,
        dir: &DirFd,
        name: &CStr,
        is_dir: bool,
        level: &mut Self::Level,
    ) -> Option<Entered<Self::Level>>;

    /// Handles a directory that could not be listed to its end. Returns `true` to read on.
    fn listing_failed(&mut self, dir: &DirFd, errno: Errno, level: &mut Self::Level) -> bool;

    /// Called after a piece of a directory's listing, with the directory above, if it is open, and the name in it. Returns `true`
    /// to skip the rest of the listing.
    fn after_piece(&mut self, _dir: &DirFd, _above: Option<(&DirFd, &CStr)>, _level: &mut Self::Level) -> bool {
        false
    }

    /// Called after the last name of a directory.
    fn after_listing(&mut self, _dir: &DirFd, _level: &mut Self::Level) {}

    /// Called after the walk has left the directory `name`. It may return the directory to enter it again.
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
    /// The stat.
    pub stat: Stat,
    /// The names that were already read.
    pub names: Names,
    /// The initial state.
    pub level: L,
}

impl<L> Entered<L> {
    /// Creates it without any names.
    pub fn new(dir: DirFd, stat: Stat, level: L) -> Self {
        Self { dir, stat, names: Names::default(), level }
    }
}

/// Buffers that a thread reuses from walk to walk.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The buffer for a piece of a listing.
    pub buffer: Buffer,
    spare: Vec<Names>,
}

/// An open directory.
struct Open<L> {
    dir: DirFd,
    names: Names,
    state: State<L>,
}

/// The state of a directory, open or closed.
struct State<L> {
    inode: u64,
    /// The position in its listing.
    position: u64,
    level: L,
}

struct Walk<'a, L> {
    /// The current directory.
    here: Open<L>,
    /// The open directories above it.
    above: Vec<Open<L>>,
    /// The directories above those.
    closed: Vec<State<L>>,
    /// The inodes of the closed directories.
    closed_inodes: HashSet<u64>,
    /// The names from the root to the current directory, each with a NUL. The root's is empty.
    path: Vec<u8>,
    scratch: &'a mut Scratch,
}

/// Walks everything below a directory with `visitor`, and returns the directory.
///
/// # Errors
/// ESTALE if somebody moved a directory on the way: then `..` does not lead back, or a directory is below itself. ECANCELED if
/// the visitor stopped it.
pub fn walk<V: Visitor>(root: Entered<V::Level>, visitor: &mut V, scratch: &mut Scratch) -> Result<DirFd> {
    let (above, closed, closed_inodes) = (Vec::with_capacity(MAX_OPEN), Vec::new(), HashSet::new());
    let mut walk = Walk { here: Open::new(root, scratch), above, closed, closed_inodes, path: vec![0], scratch };
    loop {
        if visitor.should_stop() {
            return Err(Errno::CANCELED);
        }
        if walk.visit_next(visitor)? || walk.read_next_piece(visitor) {
            continue;
        }
        visitor.after_listing(&walk.here.dir, &mut walk.here.state.level);
        if !walk.leave(visitor)? {
            return Ok(walk.here.dir);
        }
    }
}

impl<L> Walk<'_, L> {
    /// Visits the next name that was read. Returns `false` if there is none.
    fn visit_next<V: Visitor<Level = L>>(&mut self, visitor: &mut V) -> Result<bool> {
        let Open { dir, names, state } = &mut self.here;
        let Some(next) = names.next_name() else { return Ok(false) };
        state.position = next.position;
        if let Some(entered) = visitor.visit(dir, next.name, next.is_dir, &mut state.level) {
            self.path.extend_from_slice(next.name.to_bytes_with_nul());
            self.enter(entered)?;
        }
        Ok(true)
    }

    /// Reads the next piece of the current directory. Returns `false` at its end.
    fn read_next_piece<V: Visitor<Level = L>>(&mut self, visitor: &mut V) -> bool {
        let Open { dir, names, state } = &mut self.here;
        let above = self.above.last().map(|above| (&above.dir, last_name(&self.path)));
        if !names.is_empty() && visitor.after_piece(dir, above, &mut state.level) {
            return false;
        }
        let read = names.read(dir, &mut self.scratch.buffer);
        read.unwrap_or_else(|errno| visitor.listing_failed(dir, errno, &mut state.level))
    }

    /// Enters a directory. Its name is the last in the path.
    fn enter(&mut self, entered: Entered<L>) -> Result<()> {
        if self.closed_inodes.contains(&number(&entered.stat)) {
            return Err(Errno::STALE); // somebody moved it: no directory is above itself
        }
        self.above.push(std::mem::replace(&mut self.here, Open::new(entered, self.scratch)));
        if self.above.len() >= MAX_OPEN {
            let Open { names, state, .. } = self.above.remove(0);
            self.scratch.recycle(names);
            self.closed_inodes.insert(state.inode);
            self.closed.push(state);
        }
        Ok(())
    }

    /// Goes back to the directory above. Returns `false` at the root.
    fn leave<V: Visitor<Level = L>>(&mut self, visitor: &mut V) -> Result<bool> {
        let above = if let Some(above) = self.above.pop() {
            above
        } else if let Some(closed) = self.closed.pop() {
            self.reopen(closed)?
        } else {
            return Ok(false);
        };
        let Open { names, state, .. } = std::mem::replace(&mut self.here, above);
        self.scratch.recycle(names);
        let name = last_name(&self.path);
        let parent_len = self.path.len() - name.to_bytes_with_nul().len();
        match visitor.leave((&self.here.dir, &mut self.here.state.level), name, state.level) {
            Some(again) => self.enter(again)?,
            None => self.path.truncate(parent_len),
        }
        Ok(true)
    }

    /// Opens a closed directory again, through `..` of the current one.
    fn reopen(&mut self, state: State<L>) -> Result<Open<L>> {
        let above = self.here.dir.open_dir(c"..").and_then(|dir| {
            let inode = number(&dir.stat_self()?);
            dir.seek(state.position).map(|()| (inode, dir))
        });
        let dir = match above {
            Ok((inode, dir)) if inode == state.inode => dir,
            // Somebody removed or moved one of them. In a directory that is removed, ext4 knows no positions (EINVAL).
            Ok(_) | Err(Errno::NOENT | Errno::XDEV | Errno::INVAL) => return Err(Errno::STALE),
            Err(errno) => return Err(errno),
        };
        self.closed_inodes.remove(&state.inode);
        Ok(Open { dir, names: self.scratch.spare.pop().unwrap_or_default(), state })
    }
}

impl<L> Open<L> {
    fn new(entered: Entered<L>, scratch: &mut Scratch) -> Self {
        let Entered { dir, stat, mut names, level } = entered;
        if names.is_empty() {
            names = scratch.spare.pop().unwrap_or(names);
        }
        Self { dir, names, state: State { inode: number(&stat), position: 0, level } }
    }
}

impl Scratch {
    /// Keeps the memory of a listing for reuse, but only as many as a walk needs: each workspace brings a new one.
    fn recycle(&mut self, mut names: Names) {
        if self.spare.len() <= MAX_OPEN {
            names.clear();
            self.spare.push(names);
        }
    }
}

/// Returns the last name of the path.
fn last_name(path: &[u8]) -> &CStr {
    let before = path.split_last().map_or(path, |(_, before)| before);
    let start = before.iter().rposition(|byte| *byte == 0).map_or(0, |nul| nul + 1);
    CStr::from_bytes_with_nul(&path[start..]).unwrap_or_default()
}

/// Returns one number for an inode. Devices differ only in btrfs trees with subvolumes, whose inode numbers are small.
fn number(stat: &Stat) -> u64 {
    stat.inode ^ stat.device.rotate_right(24)
}
