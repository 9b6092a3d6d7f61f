//! The decision: facts and rules become a plan, which owns the facts. It uses neither the disk nor the clock.

use super::survey::{Found, Place, Survey};
use crate::core::names::TrashName;
use crate::core::workspace::Status;
use crate::core::{Category, Error, Timestamp, WorkspaceId};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashSet;

/// Why a workspace is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Its last access is longer ago than `--older-than`.
    OlderThan,
    /// All workspaces together use more than `--max-total-size`.
    MaxTotalSize,
    /// The file system has less free than `--min-free`.
    MinFree,
    /// Its ID was given.
    Id,
    /// An earlier run doomed it and did not finish.
    Leftover,
}

impl Rule {
    /// Returns the word in the report.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OlderThan => "older-than",
            Self::MaxTotalSize => "max-total-size",
            Self::MinFree => "min-free",
            Self::Id => "id",
            Self::Leftover => "leftover",
        }
    }
}

/// What happens to a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is deleted.
    Prune(Rule),
    /// It stays.
    Keep,
    /// It stays, because its last access is unknown.
    Skip,
    /// It stays, because it could not be read. This is a failure.
    Fail,
    /// It stays, because it is not one of the IDs that were given.
    Ignore,
}

/// What the command line asks for.
#[derive(Debug, Default)]
pub struct Rules {
    /// A last access before this is stale.
    pub cutoff: Option<Timestamp>,
    /// The most that all workspaces together may use, in bytes.
    pub max_total_size: Option<u64>,
    /// The free space that is wanted and that there is.
    pub free: Option<Free>,
    /// The number of workspaces with the latest accesses that always stay.
    pub keep_last: usize,
    /// The workspaces that always stay.
    pub exclude: HashSet<WorkspaceId>,
    /// The only workspaces to consider, if IDs were given.
    pub ids: Option<HashSet<WorkspaceId>>,
}

/// Free space of the file system, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Free {
    /// What the rule wants.
    pub wanted: u64,
    /// What there is.
    pub available: u64,
}

impl Rules {
    /// Whether a rule needs the sizes.
    pub fn choose_by_size(&self) -> bool {
        self.max_total_size.is_some() || self.free.is_some()
    }

    /// Whether an ID is the only reason to delete a workspace.
    fn only_ids(&self) -> bool {
        self.ids.is_some() && self.cutoff.is_none() && !self.choose_by_size()
    }

    /// Decides by everything but size.
    fn decide(&self, found: &Found, is_protected: bool, has_copy: bool) -> Decision {
        if found.place == Place::Doomed {
            return Decision::Prune(Rule::Leftover);
        }
        if self.ids.as_ref().is_some_and(|ids| !ids.contains(&found.id)) {
            return Decision::Ignore;
        }
        // If there is a copy, the ID means the copy: whoever plants a copy must not get the workspace deleted.
        if is_protected || (self.only_ids() && has_copy && found.place == Place::Own) {
            return Decision::Keep;
        }
        if self.only_ids() {
            return Decision::Prune(Rule::Id);
        }
        match (found.status, found.last_access) {
            (Status::Ok, Some(time)) if self.cutoff.is_some_and(|cutoff| time < cutoff) => {
                found.prune_by(Rule::OlderThan)
            }
            (Status::Ok, Some(_)) => Decision::Keep,
            (Status::Denied, _) => Decision::of_unreadable(found.unknown.as_deref()),
            _ => Decision::Skip,
        }
    }
}

impl Decision {
    /// Skips it if permission is missing. Any other reason is a failure.
    fn of_unreadable(reason: Option<&Error>) -> Self {
        match reason.map(Error::category) {
            Some(Category::PermissionDenied) => Self::Skip,
            _ => Self::Fail,
        }
    }
}

impl Found {
    /// Returns the decision for a workspace that a rule selects by its last access.
    fn prune_by(&self, rule: Rule) -> Decision {
        if self.may_be_later { Decision::of_unreadable(self.unmeasured.as_deref()) } else { Decision::Prune(rule) }
    }
}

/// The facts, with a decision for each workspace.
#[derive(Debug)]
pub struct Plan {
    facts: Survey,
    /// One for each workspace in the facts. Beside them, because facts never change and pairs would take more memory.
    decisions: Vec<Decision>,
}

impl Plan {
    /// Iterates over the workspaces with their decisions.
    pub fn iter(&self) -> impl Iterator<Item = (&Found, Decision)> + Clone {
        self.facts.found.iter().zip(self.decisions.iter().copied())
    }

    /// Iterates over those to delete, with their rules.
    pub(super) fn to_prune(&self) -> impl Iterator<Item = (&Found, Rule)> + Clone {
        self.iter().filter_map(|(found, decision)| match decision {
            Decision::Prune(rule) => Some((found, rule)),
            _ => None,
        })
    }

    /// Whether there is nothing to delete.
    pub(super) fn is_empty(&self) -> bool {
        self.to_prune().next().is_none()
    }

    /// Returns those that stay and need a report, sorted by ID, so that the order does not depend on the listing.
    pub(super) fn reportable(&self) -> Vec<(&Found, Decision)> {
        let needs_report = |(found, decision): &(&Found, Decision)| match decision {
            Decision::Prune(_) => false,
            Decision::Skip | Decision::Fail => true,
            Decision::Keep | Decision::Ignore => found.unmeasured.is_some(),
        };
        let mut reportable: Vec<_> = self.iter().filter(needs_report).collect();
        reportable.sort_unstable_by_key(|(found, _)| (found.id, found.place, found.tag));
        reportable
    }

    /// Returns the claims of earlier runs that stay and have to be put back. If there are several of one workspace, the one that
    /// was accessed last comes first.
    pub(super) fn claims_to_put_back(&self) -> Vec<(&Found, Decision, TrashName)> {
        let goes_back = |(found, decision): &(&Found, Decision)| match (found.place, decision) {
            (Place::Own | Place::Doomed, _) | (_, Decision::Prune(_)) => false,
            (Place::Claimed | Place::Earlier, _) => true,
            // A skipped copy was already reported. If other IDs were given, this run leaves copies alone.
            (Place::Copy, decision) => !matches!(decision, Decision::Skip | Decision::Ignore),
        };
        let mut claims: Vec<_> = self.iter().filter(goes_back).collect();
        claims.sort_unstable_by_key(|(found, _)| (found.id, Reverse(found.last_access), found.tag));
        claims.into_iter().filter_map(|(found, decision)| Some((found, decision, found.trash_name()?))).collect()
    }

    /// Counts those that the rules keep.
    pub(super) fn kept(&self) -> usize {
        self.iter().filter(|(found, decision)| *decision == Decision::Keep && found.counts()).count()
    }

    /// Returns the number of workspaces, examined or not.
    pub(super) fn total(&self) -> usize {
        self.facts.total
    }

    /// Returns the IDs that were given but do not exist.
    pub(super) fn absent(&self) -> &[WorkspaceId] {
        &self.facts.absent
    }
}

/// Decides on each workspace.
pub fn decide(facts: Survey, rules: &Rules) -> Plan {
    let found = &facts.found;
    let by_age = if rules.keep_last > 0 || rules.choose_by_size() { oldest_first(found) } else { Vec::new() };
    let kept = last_accessed(found, &by_age, rules.keep_last);
    let is_protected = |index: usize| kept.contains(&index) || rules.exclude.contains(&found[index].id);
    let copied: HashSet<WorkspaceId> =
        found.iter().filter(|found| found.place == Place::Copy).map(|found| found.id).collect();
    let first = |(index, found): (usize, &Found)| rules.decide(found, is_protected(index), copied.contains(&found.id));
    let mut decisions: Vec<Decision> = found.iter().enumerate().map(first).collect();

    let size = |is_pruned: bool| -> u64 {
        let part =
            found.iter().zip(&decisions).filter(|(_, decision)| matches!(decision, Decision::Prune(_)) == is_pruned);
        part.map(|(found, _)| found.bytes()).sum()
    };
    let mut used = size(false);
    let mut available = rules.free.map_or(0, |free| free.available).saturating_add(size(true));
    for index in by_age {
        if decisions[index] != Decision::Keep || is_protected(index) {
            continue;
        }
        let rule = if rules.max_total_size.is_some_and(|limit| used > limit) {
            Rule::MaxTotalSize
        } else if rules.free.is_some_and(|free| available < free.wanted) {
            Rule::MinFree
        } else {
            break;
        };
        decisions[index] = found[index].prune_by(rule);
        if matches!(decisions[index], Decision::Prune(_)) {
            used -= found[index].bytes();
            available = available.saturating_add(found[index].bytes());
        }
    }
    Plan { facts, decisions }
}

/// Counts the workspaces among these, as [`Survey::total`] does: all that has one ID (a workspace, its copies and claims) counts
/// once; leftovers do not count.
pub(super) fn count_workspaces<'a>(all: impl Iterator<Item = &'a Found> + Clone) -> usize {
    let all = all.filter(|found| found.place != Place::Doomed);
    let is_own = |found: &&Found| found.place == Place::Own;
    let aside: HashSet<_> = all.clone().filter(|found| !is_own(found)).map(|found| found.id).collect();
    aside.len() + all.filter(is_own).filter(|found| !aside.contains(&found.id)).count()
}

/// Returns those whose last access is known, the oldest first. Ties are sorted by ID.
fn oldest_first(found: &[Found]) -> Vec<usize> {
    let known = |found: &Found| found.status == Status::Ok && found.place != Place::Doomed;
    let mut indices: Vec<usize> = (0..found.len()).filter(|index| known(&found[*index])).collect();
    indices.sort_unstable_by_key(|index| (found[*index].last_access, found[*index].id, *index));
    indices
}

/// Returns the `number` workspaces that were accessed last.
fn last_accessed(found: &[Found], by_age: &[usize], number: usize) -> HashSet<usize> {
    by_age.iter().rev().filter(|index| found[**index].counts()).take(number).copied().collect()
}

#[cfg(test)]
mod tests;
