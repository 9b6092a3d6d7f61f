//! Walks a tree of any depth with a few open descriptors and a stack of constant size.
//!
//! The deepest levels stay open. For each level above, it remembers the inode, which `..` must lead to, the position in the
//! listing, and the name. So each level costs a few bytes and its name. It renames and creates nothing.

use super::super::dirfd::DirFd;
use super::super::stat::Stat;
use super::names::{Buffer, Kind, Names};
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

    /// Handles a name in a directory. Returns the directory if the walk must enter it.
    fn visit(&mut self, dir: &DirFd, name: &CStr, kind: Kind, level: &mut Self::Level) -> Option<Entered<Self::Level>>;

    /// Handles a directory that could not be listed to its end.
    fn listing_failed(&mut self, errno: Errno, level: &mut Self::Level);

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

/// An open level.
struct OpenLevel<L> {
    dir: DirFd,
    names: Names,
    state: State<L>,
}

/// The state of a level, open or closed.
struct State<L> {
    inode: u64,
    /// The position in its listing.
    position: u64,
    /// The length of its name in the path, with the NUL.
    name_len: u16,
    level: L,
}

struct Walk<'a, L> {
    open: Vec<OpenLevel<L>>,
    closed: Vec<State<L>>,
    /// The inodes of the closed levels.
    closed_inodes: HashSet<u64>,
    /// The names of all levels in a row, each with a NUL.
    path: Vec<u8>,
    scratch: &'a mut Scratch,
}

/// Walks everything below a directory with `visitor`, and returns the directory.
///
/// # Errors
/// ESTALE if somebody moved a directory on the way: then `..` does not lead back, or a directory is below itself. ECANCELED if
/// the visitor stopped it.
pub fn walk<V: Visitor>(root: Entered<V::Level>, visitor: &mut V, scratch: &mut Scratch) -> Result<DirFd> {
    let open = Vec::with_capacity(MAX_OPEN + 1);
    let mut walk = Walk { open, closed: Vec::new(), closed_inodes: HashSet::new(), path: vec![0], scratch };
    walk.enter(root, 1)?;
    loop {
        if visitor.should_stop() {
            return Err(Errno::CANCELED);
        }
        if !walk.visit_next(visitor)?
            && !walk.read_next_piece(visitor)
            && let Some(root) = walk.leave(visitor)?
        {
            return Ok(root);
        }
    }
}

impl<L> Walk<'_, L> {
    /// Visits the next name that was read. Returns `false` if there is none.
    fn visit_next<V: Visitor<Level = L>>(&mut self, visitor: &mut V) -> Result<bool> {
        let Some(OpenLevel { dir, names, state }) = self.open.last_mut() else { return Ok(false) };
        let Some(next) = names.next_name() else { return Ok(false) };
        state.position = next.position;
        if let Some(entered) = visitor.visit(dir, next.name, next.kind, &mut state.level) {
            let name = next.name.to_bytes_with_nul();
            self.path.extend_from_slice(name);
            let length = u16::try_from(name.len()).map_err(|_| Errno::NAMETOOLONG)?;
            self.enter(entered, length)?;
        }
        Ok(true)
    }

    /// Reads the next piece of the current directory. Returns `false` at its end.
    fn read_next_piece<V: Visitor<Level = L>>(&mut self, visitor: &mut V) -> bool {
        let (OpenLevel { dir, names, state }, above) = match &mut self.open[..] {
            [.., above, here] => {
                let name = last_name(&self.path, here.state.name_len);
                (here, Some((&above.dir, name)))
            }
            [here] => (here, None),
            [] => return false,
        };
        if !names.is_empty() && visitor.after_piece(dir, above, &mut state.level) {
            return false;
        }
        names.read(dir, &mut self.scratch.buffer).unwrap_or_else(|errno| {
            visitor.listing_failed(errno, &mut state.level);
            false
        })
    }

    /// Enters a directory. Its name is the last in the path, with `name_len` bytes.
    fn enter(&mut self, entered: Entered<L>, name_len: u16) -> Result<()> {
        let Entered { dir, stat, mut names, level } = entered;
        let inode = number(&stat);
        if self.closed_inodes.contains(&inode) {
            return Err(Errno::STALE); // somebody moved it: no directory is above itself
        }
        if names.is_empty() {
            names = self.scratch.spare.pop().unwrap_or(names);
        }
        let state = State { inode, position: 0, name_len, level };
        self.open.push(OpenLevel { dir, names, state });
        if self.open.len() > MAX_OPEN {
            let OpenLevel { names, state, .. } = self.open.remove(0);
            self.scratch.recycle(names);
            self.closed_inodes.insert(state.inode);
            self.closed.push(state);
        }
        Ok(())
    }

    /// Leaves the current directory. Returns it if it is the root.
    fn leave<V: Visitor<Level = L>>(&mut self, visitor: &mut V) -> Result<Option<DirFd>> {
        let Some(OpenLevel { dir, names, mut state }) = self.open.pop() else { return Err(Errno::STALE) };
        self.scratch.recycle(names);
        visitor.after_listing(&dir, &mut state.level);
        if self.open.is_empty() {
            let Some(parent) = self.closed.pop() else { return Ok(Some(dir)) };
            let parent = self.reopen(parent, &dir)?;
            self.open.push(parent);
        }
        let Some(parent) = self.open.last_mut() else { return Err(Errno::STALE) };
        let name = last_name(&self.path, state.name_len);
        match visitor.leave((&parent.dir, &mut parent.state.level), name, state.level) {
            Some(again) => self.enter(again, state.name_len)?,
            None => self.path.truncate(self.path.len() - usize::from(state.name_len)),
        }
        Ok(None)
    }

    /// Opens a closed level again, from the directory below it.
    fn reopen(&mut self, state: State<L>, below: &DirFd) -> Result<OpenLevel<L>> {
        let dir = match below.open_dir(c"..") {
            Err(Errno::NOENT | Errno::XDEV) => return Err(Errno::STALE), // somebody removed or moved the current directory
            dir => dir?,
        };
        if number(&dir.stat_self()?) != state.inode {
            return Err(Errno::STALE);
        }
        dir.seek(state.position)?;
        self.closed_inodes.remove(&state.inode);
        Ok(OpenLevel { dir, names: self.scratch.spare.pop().unwrap_or_default(), state })
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

/// Returns the last name of the path, which has this length.
fn last_name(path: &[u8], length: u16) -> &CStr {
    let start = path.len().saturating_sub(length.into());
    CStr::from_bytes_with_nul(&path[start..]).unwrap_or_default()
}

/// Returns one number for an inode. Devices differ only in btrfs trees with subvolumes, whose inode numbers are small.
fn number(stat: &Stat) -> u64 {
    stat.inode ^ stat.device.rotate_right(24)
}
