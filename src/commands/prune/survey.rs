//! The facts that a decision needs: every workspace that may be concerned, and what earlier runs left. They are read once and never
//! changed.

use crate::core::names::{Stage, TrashName};
use crate::core::survey::{self, Names};
use crate::core::workspace::{self, Seen, Status};
use crate::core::{Base, Category, Error, Result, Timestamp, WorkspaceId, tree};
use crate::output::meter::{Meter, Words};
use std::collections::HashSet;
use std::num::NonZero;

/// Where in the base a workspace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// At its own path.
    Own,
    /// Claimed by an earlier run, or by one that is under way, where there is none at its own path.
    Claimed,
    /// The same, beside one at its own path that somebody has made since.
    Copy,
    /// Doomed by a run.
    Doomed,
}

/// What is known of a workspace, as far as deciding on it and finding it again needs.
#[derive(Debug, Clone)]
pub struct Found {
    /// Which workspace it is.
    pub id: WorkspaceId,
    /// Where it is.
    pub place: Place,
    /// What tells its name there from others, if a prune has taken it aside.
    pub tag: u64,
    /// What is known of its last access.
    pub status: Status,
    /// The last access that counts: by the metadata, with `--use-mtime` also by modification times.
    pub last_access: Option<Timestamp>,
    /// Whether it may be later, since not all modification times were seen.
    pub may_be_later: bool,
    /// Which metadata file it has.
    pub seen: Seen,
    /// Disk usage in bytes, if it was measured and is anything.
    pub size: Option<NonZero<u64>>,
    /// Why its last access is not known.
    pub unknown: Option<Box<Error>>,
    /// Why it may use more than its size says.
    pub unmeasured: Option<Box<Error>>,
}

impl Found {
    /// The name of its directory in the base.
    pub(super) fn name(&self) -> String {
        self.trash_name().map_or_else(|| self.id.to_string(), |name| name.to_string())
    }

    /// Its name, if a prune has taken it aside.
    pub(super) fn trash_name(&self) -> Option<TrashName> {
        let stage = match self.place {
            Place::Own => return None,
            Place::Claimed | Place::Copy => Stage::Claimed,
            Place::Doomed => Stage::Doomed,
        };
        Some(TrashName { stage, id: self.id, tag: self.tag })
    }

    /// Its disk usage in bytes, as far as it was measured.
    pub(super) fn bytes(&self) -> u64 {
        self.size.map_or(0, NonZero::get)
    }

    /// Whether it counts as one of the workspaces: neither what is doomed does, nor a copy beside another one.
    pub(super) fn counts(&self) -> bool {
        matches!(self.place, Place::Own | Place::Claimed)
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
#[derive(Debug, Default)]
pub struct Facts {
    /// In the order of [`Names`], which is also the one in which a disk removes them fastest; what was taken aside comes last.
    pub found: Vec<Found>,
    /// The IDs that were given and name nothing.
    pub absent: Vec<WorkspaceId>,
    /// How many workspaces there are, looked at or not.
    pub total: usize,
}

/// Reads the base, and looks at what is in scope on at most `threads` threads.
///
/// # Errors
/// By errno, if the base cannot be listed.
pub(super) fn survey(base: &Base, scope: &Scope<'_>, threads: usize, now: Timestamp, watched: bool) -> Result<Facts> {
    let Names { mut workspaces, trash } = Names::read(base)?;
    let (trash, missing) = placed(trash, &workspaces);
    let total = workspaces.len() + missing;
    workspaces.retain(|id| scope.all || scope.ids.is_none_or(|ids| ids.contains(id)));
    let absent = scope.ids.map_or_else(Vec::new, |ids| absent(ids, &workspaces, &trash));
    let measures = scope.sizes || scope.use_mtime;
    let meter = Meter::new(watched && measures, Words::MEASURING, workspaces.len() + trash.len());
    let at = |id, place, tag, kept: &mut _| {
        let found = look(base, (id, place, tag), scope, now, kept)?;
        meter.ended(found.bytes());
        Some(found)
    };
    let mut found = survey::look_at_all(&workspaces, threads, |id, kept| at(*id, Place::Own, 0, kept));
    drop(workspaces);
    found.extend(survey::look_at_all(&trash, threads, |(name, place), kept| at(name.id, *place, name.tag, kept)));
    Ok(Facts { found, absent, total })
}

/// Tells claims beside a workspace from those that are all there is of one, and counts the workspaces of which there is a claim
/// alone.
fn placed(trash: Vec<TrashName>, workspaces: &[WorkspaceId]) -> (Vec<(TrashName, Place)>, usize) {
    let is_claim = |name: &&TrashName| name.stage == Stage::Claimed;
    let claimed: HashSet<WorkspaceId> = trash.iter().filter(is_claim).map(|name| name.id).collect();
    let both: HashSet<WorkspaceId> = workspaces.iter().filter(|id| claimed.contains(id)).copied().collect();
    let place = |name: TrashName| match name.stage {
        Stage::Doomed => (name, Place::Doomed),
        Stage::Claimed if both.contains(&name.id) => (name, Place::Copy),
        Stage::Claimed => (name, Place::Claimed),
    };
    (trash.into_iter().map(place).collect(), claimed.len() - both.len())
}

/// The IDs that name nothing that was listed. What was listed and is gone by the time it is looked at, another run has taken.
fn absent(ids: &HashSet<WorkspaceId>, workspaces: &[WorkspaceId], trash: &[(TrashName, Place)]) -> Vec<WorkspaceId> {
    let present: HashSet<WorkspaceId> =
        workspaces.iter().copied().chain(trash.iter().map(|(name, _)| name.id)).collect();
    let mut absent: Vec<_> = ids.difference(&present).copied().collect();
    absent.sort_unstable();
    absent
}

fn look(
    base: &Base,
    (id, place, tag): (WorkspaceId, Place, u64),
    scope: &Scope<'_>,
    now: Timestamp,
    (buffer, scratch): &mut (Vec<u8>, tree::Scratch),
) -> Option<Found> {
    let mut found = Found {
        id,
        place,
        tag,
        status: Status::Missing,
        last_access: None,
        may_be_later: false,
        seen: Seen::Nothing,
        size: None,
        unknown: None,
        unmeasured: None,
    };
    let name = found.name();
    let facts = workspace::examine(base.dir(), &name, now, buffer)?;
    log::trace!("{name}: {}", facts.status.word());
    (found.status, found.last_access) = (facts.status, facts.last_accessed);
    found.seen = facts.seen;
    found.unknown = facts.error.map(Box::new);
    if scope.sizes || scope.use_mtime {
        let usage = tree::measure(base.dir(), &name, &|| false, scratch);
        match usage.error.as_ref().map(Error::category) {
            Some(Category::NotFound) => return None, // another run has taken it
            Some(Category::PermissionDenied) if place == Place::Doomed => {} // removal gives itself what it needs
            _ => found.unmeasured = usage.error.map(Box::new),
        }
        found.size = NonZero::new(usage.bytes);
        if scope.use_mtime {
            count_modification(&mut found, usage.newest, now);
        }
    }
    Some(found)
}

/// Lets the newest modification time count: the later of the two where the metadata says one, the only one where there is no
/// metadata to go by.
fn count_modification(found: &mut Found, newest: Option<Timestamp>, now: Timestamp) {
    if !matches!(found.status, Status::Ok | Status::Missing | Status::Corrupt) {
        return;
    }
    found.last_access = found.last_access.max(newest);
    found.may_be_later = found.unmeasured.is_some();
    if let Some(time) = found.last_access {
        found.status = Status::at(time, now);
        found.unknown = None;
    }
}
