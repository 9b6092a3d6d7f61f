//! The facts that a decision needs: every workspace that may be concerned, and what earlier runs left.

use super::plan::Fate;
use crate::core::dirfd::Mounts;
use crate::core::names::{Stage, TrashName};
use crate::core::stat::Signature;
use crate::core::survey::{self, Names};
use crate::core::workspace::{self, Status};
use crate::core::{Base, Category, Error, Result, Timestamp, WorkspaceId, usage};
use crate::output::meter::{Meter, Words};
use rustix::fs::Stat;
use std::collections::HashSet;

/// Where in the base a workspace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// At its own path.
    Own,
    /// Claimed by an earlier run, or by one that is under way.
    Claimed(u64),
    /// Doomed by one.
    Doomed(u64),
}

impl Place {
    /// The name that a workspace has there.
    fn name(self, id: WorkspaceId) -> String {
        self.trash_name(id).map_or_else(|| id.to_string(), |name| name.to_string())
    }

    fn trash_name(self, id: WorkspaceId) -> Option<TrashName> {
        let (stage, tag) = match self {
            Self::Own => return None,
            Self::Claimed(tag) => (Stage::Claimed, tag),
            Self::Doomed(tag) => (Stage::Doomed, tag),
        };
        Some(TrashName { stage, id, tag })
    }
}

/// A workspace, as far as deciding on it and finding it again needs.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Which workspace it is.
    pub id: WorkspaceId,
    /// Where it is.
    pub place: Place,
    /// What is known of its last access.
    pub status: Status,
    /// The last access that counts: by the metadata, with `--use-mtime` also by modification times.
    pub last_access: Option<Timestamp>,
    /// Which metadata file it was; `None` if there was none, or it was unseen.
    pub signature: Option<Signature>,
    /// Whether it could not even be told which metadata file it was.
    pub unseen: bool,
    /// Disk usage in bytes, once it was measured.
    pub bytes: Option<u64>,
    /// Why the last access is not known, or not all of the size.
    pub failure: Option<Box<Error>>,
}

impl Candidate {
    /// The name of its directory in the base.
    pub(super) fn name(&self) -> String {
        self.place.name(self.id)
    }

    /// Its name, if a prune has taken it aside.
    pub(super) fn trash_name(&self) -> Option<TrashName> {
        self.place.trash_name(self.id)
    }

    pub(super) fn is_doomed(&self) -> bool {
        matches!(self.place, Place::Doomed(_))
    }

    /// Its disk usage in bytes, as far as it was measured.
    pub(super) fn size(&self) -> u64 {
        self.bytes.unwrap_or(0)
    }

    /// What kept a workspace whose last access is known from being measured. That others take it away meanwhile is no
    /// failure, and removal gives itself the permissions that it needs.
    pub(super) fn unmeasured(&self) -> Option<&Error> {
        let error = self.failure.as_deref().filter(|_| matches!(self.status, Status::Ok | Status::Future))?;
        match error.category() {
            Category::NotFound | Category::Busy => None,
            Category::PermissionDenied if self.is_doomed() => None,
            _ => Some(error),
        }
    }

    /// The category of what kept its last access from being known.
    pub(super) fn category(&self) -> Option<Category> {
        self.failure.as_ref().map(|failure| failure.category())
    }
}

/// Which workspaces to look at, and how closely.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    /// The IDs that were given, if any were.
    pub(super) ids: Option<&'a HashSet<WorkspaceId>>,
    /// Whether a rule compares with all the others.
    pub(super) all: bool,
    /// Whether a rule needs the sizes.
    pub(super) sizes: bool,
    /// Whether modification times count as accesses.
    pub(super) use_mtime: bool,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Facts {
    /// In the order of [`Names`], which is also the one in which a disk removes them fastest; what was taken aside comes last.
    pub(super) candidates: Vec<Candidate>,
    /// The IDs that were given and name nothing.
    pub(super) absent: Vec<WorkspaceId>,
    /// How many workspaces there are, looked at or not, without the doomed ones.
    pub(super) total: usize,
}

impl Facts {
    /// Reads the base, and looks at what is in scope on at most `threads` threads.
    pub(super) fn gather(
        base: &Base,
        scope: &Scope<'_>,
        threads: usize,
        now: Timestamp,
        watched: bool,
    ) -> Result<Self> {
        let Names { mut workspaces, trash } = Names::read(base)?;
        let doomed = trash.iter().filter(|name| name.stage == Stage::Doomed).count();
        let total = workspaces.len() + trash.len() - doomed;
        workspaces.retain(|id| scope.all || scope.ids.is_none_or(|ids| ids.contains(id)));
        let measures = scope.sizes || scope.use_mtime;
        let meter = Meter::new(watched && measures, Words::MEASURING, workspaces.len() + trash.len());
        let at = |id, place, kept: &mut _| {
            let candidate = look(base, id, place, scope, now, kept)?;
            meter.ended(candidate.size());
            Some(candidate)
        };
        let mut candidates = survey::look_at_all(&workspaces, threads, |id, kept| at(*id, Place::Own, kept));
        drop(workspaces);
        candidates.extend(survey::look_at_all(&trash, threads, |name, kept| match name.stage {
            Stage::Claimed => at(name.id, Place::Claimed(name.tag), kept),
            Stage::Doomed => at(name.id, Place::Doomed(name.tag), kept),
        }));
        let absent = scope.ids.map_or_else(Vec::new, |ids| absent(ids, &candidates));
        Ok(Self { candidates, absent, total })
    }
}

fn absent(ids: &HashSet<WorkspaceId>, candidates: &[Candidate]) -> Vec<WorkspaceId> {
    let present: HashSet<WorkspaceId> = candidates.iter().map(|candidate| candidate.id).collect();
    let mut absent: Vec<_> = ids.difference(&present).copied().collect();
    absent.sort_unstable();
    absent
}

fn look(
    base: &Base,
    id: WorkspaceId,
    place: Place,
    scope: &Scope<'_>,
    now: Timestamp,
    (buffer, buffers): &mut (Vec<u8>, usage::Buffers),
) -> Option<Candidate> {
    let name = place.name(id);
    let facts = workspace::examine(base.dir(), &name, now, buffer)?;
    log::trace!("{name}: {}", facts.status.word());
    let mut candidate = Candidate {
        id,
        place,
        status: facts.status,
        last_access: facts.last_accessed,
        signature: facts.metadata.as_ref().map(Signature::from),
        unseen: facts.status == Status::Denied && facts.metadata.is_none(),
        bytes: None,
        failure: facts.error.map(Box::new),
    };
    if scope.sizes || scope.use_mtime {
        let usage = measured(base, &name, facts.metadata.as_ref(), buffers);
        candidate.bytes = Some(usage.bytes);
        if scope.use_mtime {
            count_modification(&mut candidate, usage, now);
        } else {
            candidate.failure = candidate.failure.or(usage.error.map(Box::new));
        }
    }
    Some(candidate)
}

/// Measures a directory in the base.
pub(super) fn measured(base: &Base, name: &str, metadata: Option<&Stat>, buffers: &mut usage::Buffers) -> usage::Usage {
    match base.dir().open_dir(name, Mounts::Enter) {
        Ok(dir) => usage::measure(&dir, metadata, buffers),
        Err(errno) => usage::Usage { error: Some(usage::describe(errno)), ..usage::Usage::default() },
    }
}

/// Lets the newest modification time count: the later of the two where the metadata says one, the only one where there is no
/// metadata to go by. What cannot be seen may have been modified at any time.
fn count_modification(candidate: &mut Candidate, usage: usage::Usage, now: Timestamp) {
    if !matches!(candidate.status, Status::Ok | Status::Missing | Status::Corrupt) {
        return;
    }
    let last_access = candidate.last_access.max(usage.newest);
    match (usage.error, last_access) {
        (None, Some(time)) => {
            candidate.last_access = last_access;
            candidate.status = Status::at(time, now);
            candidate.failure = None;
        }
        (error, _) => {
            candidate.last_access = None;
            candidate.status = Status::Denied;
            candidate.failure = error.map(Box::new);
        }
    }
}

/// Measures those that shall go, where no rule had them measured before. What permissions hide is passed over: removal may
/// give itself those that it needs.
pub(super) fn measure(base: &Base, candidates: &mut [Candidate], fates: &[Fate], threads: usize, watched: bool) {
    let leaving =
        |(candidate, fate): &(&mut Candidate, &Fate)| matches!(fate, Fate::Prune(_)) && candidate.bytes.is_none();
    let mut unmeasured: Vec<&mut Candidate> =
        candidates.iter_mut().zip(fates).filter(leaving).map(|(candidate, _)| candidate).collect();
    let meter = Meter::new(watched, Words::MEASURING, unmeasured.len());
    let usages = survey::look_at_all(&unmeasured, threads, |candidate, buffers| {
        let usage = measured(base, &candidate.name(), None, buffers);
        meter.ended(usage.bytes);
        let error = usage.error.filter(|error| error.category() != Category::PermissionDenied);
        Some((usage.bytes, error.map(Box::new)))
    });
    for (candidate, (bytes, error)) in unmeasured.iter_mut().zip(usages) {
        candidate.bytes = Some(bytes);
        candidate.failure = candidate.failure.take().or(error);
    }
}
