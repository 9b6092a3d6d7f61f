//! Taking a workspace out of use, in steps that are each one atomic rename inside the base:
//!
//! ```text
//! <id>  --claim-->  .wsctl-claimed.<id>.<tag>  --still as decided?-->  .wsctl-doomed.<id>.<tag>  --> erased
//!                          |  accessed since: back to <id>, never over something new there
//! ```
//!
//! The state lives in the names. Whoever finds one may take the next step, so nothing here needs a lock, and a run that is
//! killed loses nothing that was not decided on.

use super::candidates::{Candidate, Place};
use super::inspect;
use super::mounts::Mounts;
use crate::core::dirfd::{DirFd, Mounts as Crossing};
use crate::core::names::{Stage, TrashName};
use crate::core::stat::Signature;
use crate::core::{Base, Category, Error, WorkspaceId};
use rustix::fs::Stat;
use rustix::io::Errno;

/// How a step ended that did not lead to the next one.
#[derive(Debug)]
pub(super) enum Stopped {
    /// Somebody else has taken it further, or away: it is theirs to report.
    Gone,
    /// Another run has decided otherwise and put it back.
    PutBack,
    /// There is no room for another name, until something has been removed; and where it is by now.
    Full(Error, Place),
    /// It stays, whole, for this reason.
    Failed(Error),
}

/// A workspace that is claimed, and its open directory.
#[derive(Debug)]
pub(super) struct Claimed {
    name: TrashName,
    dir: DirFd,
}

/// A workspace that is decided on for good, under this name.
#[derive(Debug)]
pub(super) struct Doomed {
    pub(super) name: String,
    /// What this run knows of it already; `None` if an earlier run doomed it.
    pub(super) known: Option<Known>,
}

/// What is known of a workspace since it was claimed.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) dir: DirFd,
    /// Its metadata file, as the last look found it.
    pub(super) metadata: Option<Stat>,
    /// The bytes that sweeping it freed.
    pub(super) swept: u64,
    /// What is in its root but for the metadata file, each with a NUL behind it; `None` if that was not looked at, or is much.
    pub(super) names: Option<Vec<u8>>,
}

impl Doomed {
    /// One that an earlier run doomed.
    pub(super) fn found(name: TrashName) -> Self {
        Self { name: name.to_string(), known: None }
    }

    /// The bytes that sweeping it freed.
    pub(super) fn swept(&self) -> u64 {
        self.known.as_ref().map_or(0, |known| known.swept)
    }
}

/// Takes a workspace aside. One that was found claimed is just opened.
pub(super) fn claim(base: &Base, candidate: &Candidate, tag: u64) -> Result<Claimed, Stopped> {
    let name = candidate.trash_name().unwrap_or(TrashName { stage: Stage::Claimed, id: candidate.id, tag });
    let path = name.to_string();
    if candidate.place == Place::Own {
        let mut buffer = [0; WorkspaceId::LEN];
        base.dir().rename_new(candidate.id.encode(&mut buffer), &*path).map_err(|errno| match errno {
            Errno::NOENT => Stopped::Gone,
            Errno::BUSY => Stopped::Failed(Error::new(Category::Busy, "something is mounted on it")),
            Errno::NOSPC | Errno::DQUOT => Stopped::Full(Error::os(errno, "cannot claim it"), Place::Own),
            _ => Stopped::Failed(Error::os(errno, "cannot claim it")),
        })?;
        log::debug!("{}: claimed as {name}", name.id.subject());
    }
    match base.dir().open_accessible(&*path, Crossing::Refuse) {
        Ok(dir) => Ok(Claimed { name, dir }),
        Err(Errno::NOENT) => Err(lost(base, name.id)),
        // It was a directory when it was decided on.
        Err(Errno::LOOP | Errno::NOTDIR) => Err(back(base, name, Error::new(Category::Busy, "others are changing it"))),
        Err(errno) => Err(back(base, name, Error::os(errno, "cannot open it"))),
    }
}

/// Looks at a claimed workspace once more, and dooms it if nothing has changed since the decision; else puts it back.
///
/// A rename by the application that resolved its directory before the claim may land after any look. But it needs its temporary
/// file. If the listing shows none, the rename has landed or can only fail, and the look after it sees which. Those that it shows
/// are unlinked, if a look finds nothing changed so far; the rename then fails, or has landed before the last look.
pub(super) fn doom(
    base: &Base,
    claimed: Claimed,
    candidate: &Candidate,
    use_mtime: bool,
    mounts: &Mounts<'_>,
    buffer: &mut Vec<u8>,
) -> Result<Doomed, Stopped> {
    let Claimed { name, dir } = claimed;
    let failed = |errno| back(base, name, Error::os(errno, "cannot look at it once more"));
    let modified = |counts: bool| if counts { inspect::modified_since(base, name, candidate) } else { None };
    let mut listing = inspect::list(&dir, buffer).map_err(failed)?;
    let mut swept = 0;
    let mut decided_on = candidate.signature;
    if listing.temporaries || candidate.unseen {
        let first = inspect::look(&dir).map_err(failed)?;
        if candidate.unseen {
            decided_on = first.as_ref().map(Signature::from); // it was named by its ID
        }
        if let Some(reason) = inspect::changed(decided_on, first.as_ref()).or_else(|| modified(use_mtime)) {
            return Err(back(base, name, reason));
        }
    }
    if listing.temporaries {
        swept = inspect::sweep(&dir, buffer).map_err(failed)?;
        listing.names = None;
    }
    // Sweeping modifies the directory itself, so where it may have done so modification times were looked at before.
    let modified = modified(use_mtime && !listing.temporaries);
    let metadata = inspect::look(&dir).map_err(failed)?;
    if let Some(reason) =
        inspect::changed(decided_on, metadata.as_ref()).or(modified).or_else(|| obstacle(mounts, name.id))
    {
        return Err(back(base, name, reason));
    }
    let doomed = TrashName { stage: Stage::Doomed, ..name }.to_string();
    match base.dir().rename_new(&*name.to_string(), &*doomed) {
        Ok(()) => {
            log::debug!("{}: doomed as {doomed}", name.id.subject());
            Ok(Doomed { name: doomed, known: Some(Known { dir, metadata, swept, names: listing.names }) })
        }
        Err(Errno::NOENT) => Err(lost(base, name.id)),
        Err(errno @ (Errno::NOSPC | Errno::DQUOT)) => match put_back(base, name) {
            Ok(()) => Err(Stopped::Full(Error::os(errno, "cannot doom it"), Place::Own)),
            Err(stopped) => Err(stopped),
        },
        Err(errno) => Err(back(base, name, Error::os(errno, "cannot doom it"))),
    }
}

/// What would keep a claimed workspace from being put back, as far as that can be known without trying.
pub(super) fn obstacle_to_put_back(base: &Base, name: TrashName) -> Option<Error> {
    base.contains(name.id).unwrap_or(false).then(|| in_the_way(name))
}

/// What forbids to begin removing it: a mount inside, or that nobody can tell.
pub(super) fn obstacle(mounts: &Mounts<'_>, id: WorkspaceId) -> Option<Error> {
    match mounts.are_inside(id) {
        Ok(false) => None,
        Ok(true) => Some(Error::new(Category::Busy, "something is mounted inside")),
        Err(error) => Some(error),
    }
}

fn in_the_way(name: TrashName) -> Error {
    let what = format!("there is a new workspace of this ID; the old one stays aside as {name} until it is stale");
    Error::new(Category::Busy, what)
}

/// Puts a claimed workspace back at its own path, unless there is a new one.
pub(super) fn put_back(base: &Base, name: TrashName) -> Result<(), Stopped> {
    let mut buffer = [0; WorkspaceId::LEN];
    match base.dir().rename_new(&*name.to_string(), name.id.encode(&mut buffer)) {
        Ok(()) => {
            log::debug!("{}: put back", name.id.subject());
            Ok(())
        }
        Err(Errno::NOENT) => Err(lost(base, name.id)),
        Err(Errno::EXIST) => Err(Stopped::Failed(in_the_way(name))),
        Err(errno) => {
            let error = Error::os(errno, format!("cannot put it back from {name}"));
            Err(match errno {
                Errno::NOSPC | Errno::DQUOT => Stopped::Full(error, Place::Claimed(name.tag)),
                _ => Stopped::Failed(error),
            })
        }
    }
}

/// Puts it back for `reason`, which is what is reported if that goes well.
fn back(base: &Base, name: TrashName, reason: Error) -> Stopped {
    match put_back(base, name) {
        Ok(()) => Stopped::Failed(reason),
        Err(stopped) => stopped,
    }
}

/// What it means that a claimed workspace is not where it was put: another run has taken the next step.
fn lost(base: &Base, id: WorkspaceId) -> Stopped {
    if base.contains(id).unwrap_or(false) { Stopped::PutBack } else { Stopped::Gone }
}
