//! The decision: facts and rules → a plan, which owns the facts. It touches no disk and asks no clock.

use super::survey::{Facts, Found, Place};
use crate::core::names::TrashName;
use crate::core::workspace::Status;
use crate::core::{Category, Error, Timestamp, WorkspaceId};
use serde::Serialize;
use std::collections::HashSet;

/// Why a workspace goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Its last access is longer ago than `--older-than`.
    OlderThan,
    /// All together use more than `--max-total-size`.
    MaxTotalSize,
    /// The file system has less free than `--min-free`.
    MinFree,
    /// It was named.
    Id,
    /// An earlier run had decided on it, and did not get to its end.
    Leftover,
}

impl Rule {
    /// The word that the report shows.
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

/// What becomes of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It goes.
    Prune(Rule),
    /// It stays.
    Keep,
    /// It stays, since its last access is not known.
    Skip,
    /// It stays, since it could not be read; that is a failure.
    Fail,
    /// It is none of those that were named.
    Ignore,
}

/// What the command line asks for.
#[derive(Debug, Default)]
pub struct Rules {
    /// Last accesses before this are stale.
    pub cutoff: Option<Timestamp>,
    /// How much all the workspaces together may use, in bytes.
    pub max_total_size: Option<u64>,
    /// How much the file system shall have free, and has, in bytes.
    pub free: Option<Free>,
    /// How many of the last accessed stay in any case.
    pub keep_last: usize,
    /// Those that stay in any case.
    pub exclude: HashSet<WorkspaceId>,
    /// Just these, if any were named.
    pub ids: Option<HashSet<WorkspaceId>>,
}

/// Free space, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Free {
    /// What there shall be.
    pub wanted: u64,
    /// What there is.
    pub available: u64,
}

impl Rules {
    /// Whether a rule needs the sizes.
    pub fn choose_by_size(&self) -> bool {
        self.max_total_size.is_some() || self.free.is_some()
    }

    /// Whether being named is all that is asked of a workspace.
    fn ids_alone(&self) -> bool {
        self.ids.is_some() && self.cutoff.is_none() && !self.choose_by_size()
    }

    /// The decision by everything but size.
    fn decide(&self, found: &Found, is_protected: bool, has_copy: bool) -> Decision {
        if found.place == Place::Doomed {
            return Decision::Prune(Rule::Leftover);
        }
        if self.ids.as_ref().is_some_and(|ids| !ids.contains(&found.id)) {
            return Decision::Ignore;
        }
        // Where there is a copy, that is the one that is meant: whoever plants one must not have the other deleted for it.
        if is_protected || (self.ids_alone() && has_copy && found.place == Place::Own) {
            return Decision::Keep;
        }
        if self.ids_alone() {
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
    /// Where permissions are missing, it is passed over; another reason is a failure.
    fn of_unreadable(reason: Option<&Error>) -> Self {
        match reason.map(Error::category) {
            Some(Category::PermissionDenied) => Self::Skip,
            _ => Self::Fail,
        }
    }
}

impl Found {
    /// What a rule that chooses it by its age comes to.
    fn prune_by(&self, rule: Rule) -> Decision {
        if self.may_be_later { Decision::of_unreadable(self.unmeasured.as_deref()) } else { Decision::Prune(rule) }
    }
}

/// The facts, with a decision for each workspace.
#[derive(Debug)]
pub struct Plan {
    facts: Facts,
    decisions: Vec<Decision>,
}

impl Plan {
    /// Each workspace with its decision.
    pub fn iter(&self) -> impl Iterator<Item = (&Found, Decision)> {
        self.facts.found.iter().zip(self.decisions.iter().copied())
    }

    /// Those that go, each with its rule.
    pub(super) fn going(&self) -> impl Iterator<Item = (&Found, Rule)> {
        self.iter().filter_map(|(found, decision)| match decision {
            Decision::Prune(rule) => Some((found, rule)),
            _ => None,
        })
    }

    /// Whether nothing goes.
    pub(super) fn is_empty(&self) -> bool {
        self.going().next().is_none()
    }

    /// Those that stay of which there may be something to tell or to put back, by ID: that does not depend on how the base is
    /// listed.
    pub(super) fn reportable(&self) -> Vec<(&Found, Decision)> {
        let is_usual =
            |found: &Found| found.unknown.is_none() && found.unmeasured.is_none() && found.place == Place::Own;
        let is_told = |(found, decision): &(&Found, Decision)| match decision {
            Decision::Prune(_) => false,
            Decision::Skip | Decision::Fail => true,
            Decision::Keep | Decision::Ignore => !is_usual(found),
        };
        let mut told: Vec<_> = self.iter().filter(is_told).collect();
        told.sort_unstable_by_key(|(found, _)| (found.id, found.place, found.tag));
        told
    }

    /// The claims of earlier runs that stay, and have to be put back.
    pub(super) fn claims_to_put_back(&self) -> Vec<(&Found, Decision, TrashName)> {
        let is_open = |(found, decision): &(&Found, Decision)| match found.place {
            Place::Own | Place::Doomed => false,
            Place::Claimed => true,
            // One whose age is not known has been told of; with other IDs it is nobody's business.
            Place::Copy => !matches!(decision, Decision::Skip | Decision::Ignore),
        };
        let open = self.reportable().into_iter().filter(is_open);
        open.filter_map(|(found, decision)| Some((found, decision, found.trash_name()?))).collect()
    }

    /// How many stay because the rules keep them.
    pub(super) fn kept(&self) -> usize {
        self.iter().filter(|(found, decision)| *decision == Decision::Keep && found.counts()).count()
    }

    /// How many the rules chose; what earlier runs doomed is none of them.
    pub(super) fn chosen(&self) -> usize {
        self.going().filter(|(_, rule)| *rule != Rule::Leftover).count()
    }

    /// How many workspaces there are, looked at or not.
    pub(super) fn total(&self) -> usize {
        self.facts.total
    }

    /// The IDs that were given and name nothing.
    pub(super) fn absent(&self) -> &[WorkspaceId] {
        &self.facts.absent
    }
}

/// Decides on each workspace.
pub fn decide(facts: Facts, rules: &Rules) -> Plan {
    let found = &facts.found;
    let by_age = if rules.keep_last > 0 || rules.choose_by_size() { oldest_first(found) } else { Vec::new() };
    let kept = last_accessed(found, &by_age, rules.keep_last);
    let is_protected = |index: usize| kept.contains(&index) || rules.exclude.contains(&found[index].id);
    let copied: HashSet<WorkspaceId> =
        found.iter().filter(|found| found.place == Place::Copy).map(|found| found.id).collect();
    let first = |(index, found): (usize, &Found)| rules.decide(found, is_protected(index), copied.contains(&found.id));
    let mut decisions: Vec<Decision> = found.iter().enumerate().map(first).collect();

    let size = |leaving: bool| -> u64 {
        let part =
            found.iter().zip(&decisions).filter(|(_, decision)| matches!(decision, Decision::Prune(_)) == leaving);
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

/// Those whose last access is known, the longest ago first; ties go by ID.
fn oldest_first(found: &[Found]) -> Vec<usize> {
    let known = |found: &Found| found.status == Status::Ok && found.place != Place::Doomed;
    let mut indices: Vec<usize> = (0..found.len()).filter(|index| known(&found[*index])).collect();
    indices.sort_unstable_by_key(|index| (found[*index].last_access, found[*index].id, *index));
    indices
}

/// The `number` workspaces that were accessed last.
fn last_accessed(found: &[Found], by_age: &[usize], number: usize) -> HashSet<usize> {
    by_age.iter().rev().filter(|index| found[**index].place != Place::Copy).take(number).copied().collect()
}

#[cfg(test)]
mod tests;
