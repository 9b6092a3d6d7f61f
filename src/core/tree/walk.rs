//! The walker: down by descriptors and up again, at any depth, with a handful of descriptors and a stack of constant size.
//!
//! The levels nearest to where it stands are kept open. Of those above, it keeps what it takes to go on there: the inode, which
//! must be the one that `..` leads to, the position in the listing, and the name. So a level of depth costs a few bytes and
//! its name. Nothing is renamed or created.

use super::super::dirfd::DirFd;
use super::super::stat::Stat;
use super::names::{Buffer, Kind, Names};
use rustix::io::{Errno, Result};
use std::collections::HashSet;
use std::ffi::CStr;

/// How many levels are kept open.
const KEPT_OPEN: usize = 4;

/// What is done at each step of a walk. A `Level` is what is kept of each directory on the way, however deep.
pub trait Steps {
    /// What is kept of each directory until it is left.
    type Level;

    /// Whether to give up: asked before each name.
    fn is_over(&mut self) -> bool;

    /// Deals with a name in a directory, and gives the directory of that name if the walk shall go down into it.
    fn meet(&mut self, dir: &DirFd, name: &CStr, kind: Kind, level: &mut Self::Level) -> Option<Entered<Self::Level>>;

    /// A directory could not be listed to its end.
    fn fail(&mut self, errno: Errno, level: &mut Self::Level);

    /// All of a piece of a directory's listing was met; where the directory above is open, that is given with the name in it.
    /// `true`: there is no need to read on.
    fn end_of_piece(&mut self, _dir: &DirFd, _above: Option<(&DirFd, &CStr)>, _level: &mut Self::Level) -> bool {
        false
    }

    /// All that is in a directory was met.
    fn end(&mut self, _dir: &DirFd, _level: &mut Self::Level) {}

    /// The walk has come up from the directory `name`, of which it kept `level`. It may be entered once more.
    fn leave(
        &mut self,
        _parent: (&DirFd, &mut Self::Level),
        _name: &CStr,
        _level: Self::Level,
    ) -> Option<Entered<Self::Level>> {
        None
    }
}

/// A directory that the walk goes down into.
#[derive(Debug)]
pub struct Entered<L> {
    /// The directory, from the start of its listing.
    pub dir: DirFd,
    /// Its stat.
    pub stat: Stat,
    /// What is known to be in it already.
    pub names: Names,
    /// What to keep of it.
    pub level: L,
}

impl<L> Entered<L> {
    /// One of which nothing is known yet.
    pub fn new(dir: DirFd, stat: Stat, level: L) -> Self {
        Self { dir, stat, names: Names::default(), level }
    }
}

/// What a thread keeps from one walk to the next, so that it need not be allocated again.
#[derive(Debug, Default)]
pub struct Scratch {
    /// What a piece of a listing is read into.
    pub buffer: Buffer,
    spare: Vec<Names>,
}

/// A level that is open.
struct Near<L> {
    dir: DirFd,
    names: Names,
    kept: Kept<L>,
}

/// What is kept of each level, open or not.
struct Kept<L> {
    inode: u64,
    /// Where its listing goes on.
    position: u64,
    /// How long its name is in the path, with the NUL.
    name: u16,
    level: L,
}

struct Walk<'a, L> {
    near: Vec<Near<L>>,
    far: Vec<Kept<L>>,
    /// The inodes of the far levels.
    above: HashSet<u64>,
    /// The names of all levels, one after the other, each with a NUL.
    path: Vec<u8>,
    scratch: &'a mut Scratch,
}

/// Has `steps` meet everything below a directory, and gives the directory back.
///
/// # Errors
/// ESTALE if others moved a directory on the way, so that there is no way back, or into itself; ECANCELED if the steps gave up.
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
    /// Meets the next name of those that were read. `false`: there is none.
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

    /// Reads the next piece of the directory that the walk stands in. `false`: it is at its end.
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

    /// Goes down into a directory whose name, of this length, stands last in the path.
    fn enter(&mut self, entered: Entered<L>, name: u16) -> Result<()> {
        let Entered { dir, stat, mut names, level } = entered;
        let inode = number(&stat);
        if self.above.contains(&inode) {
            return Err(Errno::STALE); // no directory is above itself, unless it is moved about
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

    /// Goes up from the directory that the walk stands in; from the root, it gives that back.
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

    /// Opens a far level again, from the directory below it.
    fn back_to(&mut self, kept: Kept<L>, below: &DirFd) -> Result<Near<L>> {
        let dir = match below.open_parent() {
            Err(Errno::NOENT | Errno::XDEV) => return Err(Errno::STALE), // others have removed, or moved, what we stand in
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
    /// Keeps as many as a walk has use for: each workspace brings one of its own.
    fn put_aside(&mut self, mut names: Names) {
        if self.spare.len() <= KEPT_OPEN {
            names.clear();
            self.spare.push(names);
        }
    }
}

/// The last name of the path, of this length.
fn last_name(path: &[u8], length: u16) -> &CStr {
    let start = path.len().saturating_sub(length.into());
    CStr::from_bytes_with_nul(&path[start..]).unwrap_or_default()
}

/// One number for an inode. Devices differ only where a tree holds subvolumes of btrfs, whose inodes' numbers are small.
fn number(stat: &Stat) -> u64 {
    stat.inode ^ stat.device.rotate_right(24)
}
