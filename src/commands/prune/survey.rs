//! The facts that the decision needs: every workspace in scope, and what earlier runs left. They never change after they are
//! read.

use crate::core::names::{Stage, TrashName};
use crate::core::survey::BaseListing;
use crate::core::workspace::{self, Seen, Status};
use crate::core::{Base, Category, Error, Result, Timestamp, WorkspaceId, threads, tree};
use crate::output::progress::{Labels, Progress};
use std::cmp::Reverse;
use std::collections::HashSet;
use std::num::NonZero;

/// Where a workspace is in the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// At its own path.
    Own,
    /// Claimed by an earlier or a running prune, with nothing at its own path.
    Claimed,
    /// Claimed, with a later claim of the same workspace.
    Earlier,
    /// Claimed, with a new workspace at its own path.
    Copy,
    /// Doomed by an earlier or a running prune.
    Doomed,
}

/// A workspace, as far as the decision and the removal need to know it.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its ID.
    pub id: WorkspaceId,
    /// Where it is.
    pub place: Place,
    /// The tag in its name, if it is claimed or doomed.
    pub tag: u64,
    /// What is known of its last access.
    pub status: Status,
    /// The last access: from the metadata, with `--use-mtime` also from modification times.
    pub last_access: Option<Timestamp>,
    /// Whether the last access may be later than this: with `--use-mtime`, not everything in it could be looked at.
    pub may_be_later: bool,
    /// The metadata file that was read.
    pub seen: Seen,
    /// Disk usage in bytes, if it was measured and is not 0.
    pub size: Option<NonZero<u64>>,
    /// Why the last access is unknown.
    pub unknown: Option<Box<Error>>,
    /// Why it may use more than `size`.
    pub unmeasured: Option<Box<Error>>,
}

impl Found {
    /// Returns the name of its directory in the base.
    pub(super) fn name(&self) -> String {
        self.trash_name().map_or_else(|| self.id.to_string(), |name| name.to_string())
    }

    /// Returns its name, if it is claimed or doomed.
    pub(super) fn trash_name(&self) -> Option<TrashName> {
        let stage = match self.place {
            Place::Own => return None,
            Place::Claimed | Place::Earlier | Place::Copy => Stage::Claimed,
            Place::Doomed => Stage::Doomed,
        };
        Some(TrashName { stage, id: self.id, tag: self.tag })
    }

    /// Returns its disk usage in bytes, 0 if it was not measured.
    pub(super) fn bytes(&self) -> u64 {
        self.size.map_or(0, NonZero::get)
    }

    /// Whether it counts as a workspace. Doomed ones, earlier claims and copies do not.
    pub(super) fn counts(&self) -> bool {
        matches!(self.place, Place::Own | Place::Claimed)
    }
}

/// Which workspaces to examine, and how closely.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    /// The IDs that were given, if any.
    pub(super) ids: Option<&'a HashSet<WorkspaceId>>,
    /// Whether a rule compares all workspaces.
    pub(super) all: bool,
    /// Whether to measure, for the sizes or for modification times.
    pub(super) measures: bool,
    /// Whether modification times count as accesses.
    pub(super) use_mtime: bool,
}

/// All facts.
#[derive(Debug, Default)]
pub struct Survey {
    /// In the order of [`BaseListing`], in which a disk also removes them fastest. Claimed and doomed ones come last.
    pub found: Vec<Found>,
    /// The IDs that were given but do not exist.
    pub absent: Vec<WorkspaceId>,
    /// The number of workspaces, examined or not.
    pub total: usize,
}

/// Reads the base and examines what is in scope, on at most `jobs` threads.
///
/// # Errors
/// By errno, if the base cannot be listed.
pub(super) fn survey(
    base: &Base,
    scope: &Scope<'_>,
    jobs: usize,
    now: Timestamp,
    show_progress: bool,
) -> Result<Survey> {
    let BaseListing { mut workspaces, trash } = BaseListing::read(base)?;
    let (trash, missing) = placed(trash, &workspaces);
    let total = workspaces.len() + missing;
    workspaces.retain(|id| scope.all || scope.ids.is_none_or(|ids| ids.contains(id)));
    let mut absent = scope.ids.map_or_else(Vec::new, |ids| absent(ids, &workspaces, &trash));
    let progress = Progress::new(show_progress && scope.measures, Labels::MEASURING, workspaces.len() + trash.len());
    let at = |id, place, tag, scratch: &mut _| {
        let found = examine(base, (id, place, tag), scope, now, scratch);
        progress.advance(found.as_ref().map_or(0, Found::bytes));
        found
    };
    let mut found = threads::filter_map_in_threads(&workspaces, jobs, |id, scratch| at(*id, Place::Own, 0, scratch));
    drop(workspaces);
    // The listing may have missed one that another run took aside and put back meanwhile.
    let missed = threads::filter_map_in_threads(&absent, jobs, |id, scratch| at(*id, Place::Own, 0, scratch));
    absent.retain(|id| missed.binary_search_by_key(id, |found| found.id).is_err());
    let total = total + missed.len();
    found.extend(missed);
    let mut aside =
        threads::filter_map_in_threads(&trash, jobs, |(name, place), scratch| at(name.id, *place, name.tag, scratch));
    mark_earlier_claims(&mut aside);
    found.extend(aside);
    Ok(Survey { found, absent, total })
}

/// Sets the place of each. Also returns how many workspaces exist only as claims.
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

/// Marks all but the latest of several claims of one workspace, so that it counts once.
fn mark_earlier_claims(aside: &mut [Found]) {
    aside.sort_unstable_by_key(|found| (found.id, found.place, Reverse(found.last_access), found.tag));
    for same in aside.chunk_by_mut(|a, b| (a.id, a.place) == (b.id, b.place)) {
        if let [Found { place: Place::Claimed, .. }, earlier @ ..] = same {
            for claim in earlier {
                claim.place = Place::Earlier;
            }
        }
    }
}

/// Returns the given IDs that the listing does not have. One that was listed but is gone when it is examined is not absent:
/// another run has taken it.
fn absent(ids: &HashSet<WorkspaceId>, workspaces: &[WorkspaceId], trash: &[(TrashName, Place)]) -> Vec<WorkspaceId> {
    let present: HashSet<WorkspaceId> =
        workspaces.iter().copied().chain(trash.iter().map(|(name, _)| name.id)).collect();
    let mut absent: Vec<_> = ids.difference(&present).copied().collect();
    absent.sort_unstable();
    absent
}

fn examine(
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
        seen: Seen::Unknown(None),
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
    if scope.measures {
        let usage = tree::measure(base.dir(), &name, &|| false, scratch);
        match usage.error.as_ref().map(Error::category) {
            _ if usage.is_gone() => return None,
            Some(Category::PermissionDenied) if place == Place::Doomed => {} // removal gives itself what it needs
            _ => found.unmeasured = usage.error.map(Box::new),
        }
        found.size = NonZero::new(usage.bytes);
        if scope.use_mtime {
            count_modification(&mut found, (usage.newest, usage.is_partial), now);
        }
    }
    Some(found)
}

/// Counts the newest modification as an access. It is the only one if the metadata has none.
fn count_modification(found: &mut Found, (newest, is_partial): (Option<Timestamp>, bool), now: Timestamp) {
    if !matches!(found.status, Status::Ok | Status::Missing | Status::Corrupt) {
        return;
    }
    found.last_access = found.last_access.max(newest);
    found.may_be_later = is_partial && found.unmeasured.is_some();
    if let Some(time) = found.last_access {
        found.status = Status::of_access(time, now);
        found.unknown = None;
    }
}
