//! The steps that take a workspace out of use. Each is one atomic rename inside the base:
//!
//! ```text
//! <id>  --claim-->  .wsctl-claimed.<id>.<tag>  --still as decided?-->  .wsctl-doomed.<id>.<tag>  --> removed
//!                          |  accessed since: back to <id>, never over something new there
//! ```
//!
//! The state is in the names. Any run may take the next step for a name that it finds, so no lock is needed, and a run that is
//! killed loses nothing else.

use super::look::{self, changed, look, read, replaced, sweep};
use super::mounts::Mounts;
use super::survey::Found;
use super::task::TaskResult;
use crate::core::base::mounted;
use crate::core::dirfd::DirFd;
use crate::core::names::{METADATA, METADATA_C, Stage, TrashName, fresh_tag, is_temporary};
use crate::core::stat::FileTime;
use crate::core::tree::{Names, Scratch, Stop, Tree};
use crate::core::workspace::Seen;
use crate::core::{Base, Category, Error, WorkspaceId};
use rustix::io::Errno;

/// How many names are tried for a claim. Somebody may have taken a name in advance, but cannot guess the next one.
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
    pub(super) fn claim(&self, found: &Found, tag: Option<u64>, scratch: &mut Scratch) -> Result<Claimed> {
        let claimed = |tag| TrashName { stage: Stage::Claimed, id: found.id, tag };
        let name = if let Some(tag) = tag {
            claimed(tag)
        } else {
            self.look_before_claim(found, scratch)?;
            self.rename(&found.id.to_string(), claimed(self.tag)).map_err(claim_error)?
        };
        match self.base.dir().open_accessible(&*name.to_string()) {
            Ok(dir) => Ok(Claimed { name, dir }),
            Err(Errno::NOENT) => Err(self.missing_claim(name)),
            // It was a directory at the time of the decision.
            Err(Errno::LOOP | Errno::NOTDIR) => {
                Err(self.put_back_because(name, Error::new(Category::Busy, "others are changing it")))
            }
            Err(errno) => Err(self.put_back_because(name, Error::os(errno, "cannot open it"))),
        }
    }

    /// Looks at a workspace at its own path, so that one that was accessed since the decision never leaves it.
    fn look_before_claim(&self, found: &Found, scratch: &mut Scratch) -> Result<()> {
        if (self.stop)() {
            return Err(TaskResult::Kept);
        }
        let path = format!("{}/{METADATA}", found.id);
        let (base, name) = (self.base.dir(), found.id.to_string());
        let looked = look(|| base.stat_path(&path), || base.stat(&*name));
        let changed = match (found.seen, looked) {
            (_, Err(Errno::XDEV)) => Some(mounted()),
            (Seen::Unknown(_), _) => replaced(found.seen, || base.stat(&*name)),
            (_, Err(_)) => None, // the look after the claim decides
            (seen, Ok(is)) => changed(found, seen, is, || read(base, &path, scratch)),
        };
        let changed = changed.or_else(|| self.modified(&name, found, scratch));
        match changed {
            None => Ok(()),
            Some(_) if !self.base.contains(found.id).unwrap_or(true) => Err(TaskResult::Elsewhere), // another run was faster
            Some(reason) => Err(self.kept_or_failed(reason)),
        }
    }

    /// Renames it to this name or, if that is taken, to one with another tag.
    fn rename(&self, from: &str, mut to: TrashName) -> rustix::io::Result<TrashName> {
        for _ in 0..TRIES {
            match self.base.dir().rename_new(from, &*to.to_string()) {
                Ok(()) => {
                    log::debug!("{}: now {to}", to.id.subject());
                    return Ok(to);
                }
                Err(Errno::EXIST) => to.tag = fresh_tag(),
                Err(errno) => return Err(errno),
            }
        }
        Err(Errno::EXIST)
    }

    /// Looks at a claimed workspace once more. Dooms it if nothing has changed since the decision, else puts it back. Returns
    /// what to remove, and the bytes that were freed already.
    ///
    /// The application may have resolved the directory before the claim, and its rename may come after any look. But the rename
    /// needs its temporary file. If the listing shows none, the rename has happened or will fail, and the next look sees which.
    /// If it shows some, and a look finds nothing changed, they are unlinked. Then the rename fails, or has happened before the
    /// last look.
    pub(super) fn doom(
        &self,
        claimed: Claimed,
        found: &Found,
        mounts: &Mounts<'_>,
        scratch: &mut Scratch,
    ) -> Result<(Tree, u64)> {
        let Claimed { name, dir } = claimed;
        let failed = |errno| self.put_back_because(name, Error::os(errno, "cannot examine it again"));
        let listed_at = FileTime::now();
        let names = Names::read_all(&dir, LISTING, &mut scratch.buffer).map_err(failed)?;
        // A long listing may contain one, too.
        let names = names.filter(|names| !names.iter().any(|name| is_temporary(name.to_bytes())));
        let look_inside = || look(|| dir.stat(METADATA_C), || dir.stat(c"."));
        let mut seen = found.seen;
        let is_unseen = matches!(seen, Seen::Unknown(_));
        if names.is_none() || is_unseen {
            let first = look_inside().map_err(failed)?;
            if let Some(reason) = replaced(seen, || dir.stat(c".")) {
                return Err(self.put_back_because(name, reason));
            }
            if is_unseen {
                seen = first; // it was named by its ID
            } else if let Some(reason) = changed(found, seen, first, || read(&dir, METADATA, scratch)) {
                return Err(self.put_back_because(name, reason));
            }
        }
        // Unlinking changes the directory's own modification time, so look at the times first.
        if let Some(reason) = self.modified(&name.to_string(), found, scratch) {
            return Err(self.put_back_because(name, reason));
        }
        let freed = if names.is_none() { sweep(&dir, scratch).map_err(failed)? } else { 0 };
        let last = look_inside().map_err(failed)?;
        let reason = changed(found, seen, last, || read(&dir, METADATA, scratch));
        if let Some(reason) = reason.or_else(|| mount_error(mounts, name.id)) {
            return Err(self.put_back_because(name, reason));
        }
        let doomed = self.rename_doomed(name)?;
        Ok((Tree { name: doomed, dir: Some(dir), names: names.unwrap_or_default(), listed_at }, freed))
    }

    fn rename_doomed(&self, name: TrashName) -> Result<String> {
        match self.rename(&name.to_string(), TrashName { stage: Stage::Doomed, ..name }) {
            Ok(doomed) => Ok(doomed.to_string()),
            Err(Errno::NOENT) => Err(self.missing_claim(name)),
            Err(errno @ (Errno::NOSPC | Errno::DQUOT)) => {
                self.put_back(name)?;
                Err(TaskResult::NoRoom(Error::os(errno, "cannot doom it").into(), None))
            }
            Err(errno) => Err(self.put_back_because(name, Error::os(errno, "cannot doom it"))),
        }
    }

    fn modified(&self, name: &str, found: &Found, scratch: &mut Scratch) -> Option<Error> {
        if self.use_mtime { look::modified(self.base.dir(), name, found, self.stop, scratch) } else { None }
    }

    /// Puts a claimed workspace back at its own path, unless there is a new one.
    pub(super) fn put_back(&self, name: TrashName) -> Result<()> {
        let mut buffer = [0; WorkspaceId::LEN];
        match self.base.dir().rename_new(&*name.to_string(), name.id.encode(&mut buffer)) {
            Ok(()) => {
                log::debug!("{}: put back", name.id.subject());
                Ok(())
            }
            Err(Errno::NOENT) => Err(self.missing_claim(name)),
            Err(Errno::EXIST) => Err(TaskResult::failed(new_workspace_error(self.base, name))),
            Err(errno) => {
                let error = Error::os(errno, format!("cannot put it back from {name}"));
                Err(match errno {
                    Errno::NOSPC | Errno::DQUOT => TaskResult::NoRoom(error.into(), Some(name.tag)),
                    _ => TaskResult::failed(error),
                })
            }
        }
    }

    /// Puts it back and reports `reason`, or why it could not be put back.
    fn put_back_because(&self, name: TrashName, reason: Error) -> TaskResult {
        self.put_back(name).err().unwrap_or_else(|| self.kept_or_failed(reason))
    }

    /// After a signal, it is no failure that a workspace stays.
    fn kept_or_failed(&self, reason: Error) -> TaskResult {
        if (self.stop)() { TaskResult::Kept } else { TaskResult::failed(reason) }
    }

    /// Explains why a claimed workspace is not under its name: another run took the next step.
    fn missing_claim(&self, name: TrashName) -> TaskResult {
        if self.base.contains(name.id).unwrap_or(false) { TaskResult::PutBack } else { TaskResult::Elsewhere }
    }
}

/// Returns what would keep a claimed workspace from being put back, as far as one can know without trying. `is_taken` says that
/// another claim would be back at its path.
pub(super) fn put_back_error(base: &Base, name: TrashName, is_taken: bool) -> Option<Error> {
    (is_taken || base.contains(name.id).unwrap_or(false)).then(|| new_workspace_error(base, name))
}

/// Returns why a workspace must not be removed: something is mounted inside, or nobody can tell.
pub(super) fn mount_error(mounts: &Mounts<'_>, id: WorkspaceId) -> Option<Error> {
    match mounts.is_mounted_in(id) {
        Ok(false) => None,
        Ok(true) => Some(Error::new(Category::Busy, "something is mounted inside")),
        Err(error) => Some(error),
    }
}

fn new_workspace_error(base: &Base, name: TrashName) -> Error {
    let put_back_advice = name.put_back_advice(base.path());
    let what = format!(
        "cannot be put back, because there is a new workspace with its ID; a later prune removes it once it is stale; {put_back_advice}"
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
