//! The steps that take a workspace out of use. Each is one atomic rename inside the base:
//!
//! ```text
//! <id>  --claim-->  .wsctl-claimed.<id>.<tag>  --still as decided?-->  .wsctl-doomed.<id>.<tag>  --> removed
//!                          |  accessed since: back to <id>, never over something new there
//! ```
//!
//! The state is in the names. Any run may take the next step for a name that it finds, so no lock is needed, and a run that is
//! killed loses nothing else.

use super::look::{self, check_not_replaced, check_unchanged, look, read, sweep};
use super::mounts::Mounts;
use super::survey::Found;
use super::task::{Task, TaskResult};
use crate::core::base::mounted;
use crate::core::dirfd::DirFd;
use crate::core::names::{METADATA, METADATA_C, Stage, TrashName, fresh_tag, is_temporary};
use crate::core::stat::FileTime;
use crate::core::tree::{Names, Scratch, Stop, Tree};
use crate::core::workspace::Seen;
use crate::core::{self, Base, Category, Error, WorkspaceId};
use rustix::io::Errno;

/// How many names are tried for a claim. Somebody may have created the first name to be in the way, but cannot guess the next.
const TRIES: usize = 8;
/// How many bytes of a root's listing are kept for the removal.
const LISTING: usize = 1024;

/// An error is the result of a workspace that did not get to the next step.
type Result<T> = std::result::Result<T, TaskResult>;

/// A claimed workspace and its open directory.
#[derive(Debug)]
pub(super) struct Claimed {
    name: TrashName,
    dir: DirFd,
}

/// Takes workspaces out of use.
pub(super) struct Claims<'a> {
    pub(super) base: &'a Base,
    /// The tag of new claims, unless the name is taken.
    pub(super) tag: u64,
    /// Whether modification times count as accesses.
    pub(super) use_mtime: bool,
    /// Whether the run is interrupted.
    pub(super) stop: Stop<'a>,
}

impl Claims<'_> {
    /// Claims a workspace, if one more look finds it unchanged. Opens one that is claimed already, under this tag.
    pub(super) fn claim(
        &self,
        found: &Found,
        tag: Option<u64>,
        mounts: &Mounts<'_>,
        scratch: &mut Scratch,
    ) -> Result<Claimed> {
        let claimed = |tag| TrashName { stage: Stage::Claimed, id: found.id, tag };
        let name = if let Some(tag) = tag {
            claimed(tag)
        } else {
            self.look_before_claim(found, mounts, scratch)?;
            self.rename(&found.id.to_string(), claimed(self.tag)).map_err(claim_error)?
        };
        match self.base.dir().open_accessible(&*name.to_string()) {
            Ok(dir) => Ok(Claimed { name, dir }),
            Err(Errno::NOENT) => Err(missing_claim(self.base, name)),
            // Others replaced the directory after the decision.
            Err(Errno::LOOP | Errno::NOTDIR) => {
                Err(self.put_back_because(name, Error::new(Category::Busy, "others are changing it")))
            }
            Err(errno) => Err(self.put_back_because(name, Error::os(errno, "cannot open it"))),
        }
    }

    /// Looks at a workspace at its own path, so that one that was accessed since the decision, or has something mounted inside, never
    /// leaves it.
    fn look_before_claim(&self, found: &Found, mounts: &Mounts<'_>, scratch: &mut Scratch) -> Result<()> {
        if (self.stop)() {
            return Err(TaskResult::Kept);
        }
        let path = format!("{}/{METADATA}", found.id);
        let (base, name) = (self.base.dir(), found.id.to_string());
        let looked = look(|| base.stat_path(&path), || base.stat(&*name));
        let unchanged = match (found.seen, looked) {
            (_, Err(Errno::XDEV)) => Err(mounted()),
            (Seen::Unknown(_), _) => check_not_replaced(found.seen, || base.stat(&*name)),
            (_, Err(_)) => Ok(()), // the look after the claim decides
            (seen, Ok(is)) => check_unchanged(found, seen, is, || read(base, &path, scratch)),
        };
        let unmounted = unchanged.and_then(|()| mounts.check(&name, self.stop, scratch));
        unmounted.and_then(|()| self.check_unmodified(&name, found, scratch)).map_err(|reason| {
            let is_gone = !self.base.contains(found.id).unwrap_or(true); // another run was faster
            if is_gone { TaskResult::Elsewhere } else { self.kept_or_failed(reason) }
        })
    }

    /// Renames `from` to `to`. If that name is taken, tries other tags. Returns the new name.
    fn rename(&self, from: &str, mut to: TrashName) -> rustix::io::Result<TrashName> {
        for _ in 0..TRIES {
            match self.base.dir().rename_new(from, &*to.to_string()) {
                Ok(()) => return Ok(to),
                Err(Errno::EXIST) => to.tag = fresh_tag(),
                Err(errno) => return Err(errno),
            }
        }
        Err(Errno::EXIST)
    }

    /// Looks at a claimed workspace once more. Dooms it if nothing has changed since the decision, else puts it back. Returns
    /// what to remove.
    ///
    /// The application may have resolved the directory before the claim, and may rename new metadata into it after any look. That
    /// rename needs its temporary file. If the listing shows none, the rename has happened, and the last look sees it, or it will
    /// fail. If there may be one, a first look finds the workspace unchanged, and then the temporary files are unlinked: the
    /// rename fails, or has happened before the last look.
    pub(super) fn doom(
        &self,
        claimed: Claimed,
        task: &mut Task<'_>,
        mounts: &Mounts<'_>,
        scratch: &mut Scratch,
    ) -> Result<Tree> {
        let (Claimed { name, dir }, found) = (claimed, task.found);
        let put_back = |reason| self.put_back_because(name, reason);
        let failed = |errno| match errno {
            Errno::XDEV => put_back(mounted()),
            _ => put_back(Error::os(errno, "cannot examine it again")),
        };
        let look_inside = || dir.with_rights(|| look(|| dir.stat(METADATA_C), || dir.stat(c"."))).map_err(failed);
        let listed_at = FileTime::now();
        let names = Names::read_all(&dir, LISTING, &mut scratch.buffer).map_err(failed)?;
        // `None`: there is a temporary file, or perhaps one, because the listing is too long to keep.
        let names = names.filter(|names| !names.iter().any(|name| is_temporary(name.to_bytes())));
        let mut decided_on = found.seen;
        if matches!(decided_on, Seen::Unknown(_)) {
            // It was named by its ID, whatever its metadata says. From now on, the metadata must not change.
            let is = look_inside()?; // first, because it repairs the rights that the check needs
            check_not_replaced(decided_on, || dir.stat(c".")).map_err(put_back)?;
            decided_on = is;
        } else if names.is_none() {
            check_unchanged(found, decided_on, look_inside()?, || read(&dir, METADATA, scratch)).map_err(put_back)?;
        }
        let path = name.to_string();
        // What stays because of a mount stays whole.
        mounts.check(&path, self.stop, scratch).map_err(put_back)?;
        // Unlinking changes the directory's own modification time, so look at the times first.
        self.check_unmodified(&path, found, scratch).map_err(put_back)?;
        if names.is_none() {
            sweep(&dir, self.stop, scratch, &mut task.freed).map_err(|errno| match errno {
                Errno::CANCELED => put_back(Error::new(Category::Busy, "others keep writing to it")),
                errno => failed(errno),
            })?;
        }
        let last = look_inside()?;
        check_unchanged(found, decided_on, last, || read(&dir, METADATA, scratch)).map_err(put_back)?;
        let doomed = self.rename_doomed(name)?;
        task.is_doomed = true;
        Ok(Tree { name: doomed, dir: Some(dir), names: names.unwrap_or_default(), listed_at })
    }

    fn rename_doomed(&self, name: TrashName) -> Result<String> {
        match self.rename(&name.to_string(), TrashName { stage: Stage::Doomed, ..name }) {
            Ok(doomed) => {
                // The claim is not logged: a slow reader of the log must not keep the workspace from the application.
                log::debug!("{}: now {doomed}", doomed.id.subject());
                Ok(doomed.to_string())
            }
            Err(Errno::NOENT) => Err(missing_claim(self.base, name)),
            Err(errno @ (Errno::NOSPC | Errno::DQUOT)) => {
                put_back(self.base, name)?;
                Err(TaskResult::NoRoom(Error::os(errno, "cannot doom it").into(), None))
            }
            Err(errno) => Err(self.put_back_because(name, Error::os(errno, "cannot doom it"))),
        }
    }

    fn check_unmodified(&self, name: &str, found: &Found, scratch: &mut Scratch) -> core::Result<()> {
        if self.use_mtime { look::check_unmodified(self.base.dir(), name, found, self.stop, scratch) } else { Ok(()) }
    }

    /// Puts it back and reports `reason`, or why it could not be put back.
    fn put_back_because(&self, name: TrashName, reason: Error) -> TaskResult {
        put_back(self.base, name).err().unwrap_or_else(|| self.kept_or_failed(reason))
    }

    /// After a signal, it is no failure that a workspace stays.
    fn kept_or_failed(&self, reason: Error) -> TaskResult {
        if (self.stop)() { TaskResult::Kept } else { TaskResult::failed(reason) }
    }
}

/// Puts a claimed workspace back at its own path, unless there is a new one.
pub(super) fn put_back(base: &Base, name: TrashName) -> Result<()> {
    let mut buffer = [0; WorkspaceId::LEN];
    match base.dir().rename_new(&*name.to_string(), name.id.encode(&mut buffer)) {
        Ok(()) => {
            log::debug!("{}: put back", name.id.subject());
            Ok(())
        }
        Err(Errno::NOENT) => Err(missing_claim(base, name)),
        Err(Errno::EXIST) => Err(TaskResult::failed(new_workspace_error(base, name))),
        Err(errno) => {
            let error = Error::os(errno, format!("cannot put it back from {name}"));
            Err(match errno {
                Errno::NOSPC | Errno::DQUOT => TaskResult::NoRoom(error.into(), Some(name.tag)),
                _ => TaskResult::failed(error),
            })
        }
    }
}

/// Explains why a claimed workspace is not under its name: another run took the next step.
fn missing_claim(base: &Base, name: TrashName) -> TaskResult {
    if base.contains(name.id).unwrap_or(false) { TaskResult::PutBack } else { TaskResult::Elsewhere }
}

/// Returns what would keep a claimed workspace from being put back, as far as one can know without trying. `is_taken` says that
/// another claim would be back at its path.
pub(super) fn put_back_error(base: &Base, name: TrashName, is_taken: bool) -> Option<Error> {
    if let Err(Errno::NOENT) = base.dir().cached_stat(&*name.to_string()) {
        return None; // another run took the next step
    }
    match base.dir().cached_stat(name.id.encode(&mut [0; WorkspaceId::LEN])) {
        Err(Errno::NOENT) if !is_taken => None,
        Ok(_) | Err(Errno::NOENT | Errno::XDEV) => Some(new_workspace_error(base, name)),
        Err(errno) => Some(Error::os(errno, "cannot tell whether it can be put back")),
    }
}

fn new_workspace_error(base: &Base, name: TrashName) -> Error {
    let put_back_advice = name.put_back_advice(base.path());
    let what = format!(
        "its claimed copy cannot be put back, because there is something new with its ID; a later prune removes the copy once it is stale; {put_back_advice}"
    );
    Error::new(Category::Busy, what)
}

/// Explains why it could not be claimed.
fn claim_error(errno: Errno) -> TaskResult {
    match errno {
        Errno::NOENT => TaskResult::Elsewhere,
        Errno::BUSY => TaskResult::failed(mounted()),
        Errno::NOSPC | Errno::DQUOT => TaskResult::NoRoom(Error::os(errno, "cannot claim it").into(), None),
        Errno::XDEV => TaskResult::failed(Error::os(
            errno,
            "cannot claim it: it is in a lower layer of an overlay (redirect_dir=off), or has another project ID than the base",
        )),
        _ => TaskResult::failed(Error::os(errno, "cannot claim it")),
    }
}
