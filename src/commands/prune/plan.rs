//! The decision: facts + rules → a fate for each workspace. It touches no disk and asks no clock.

use super::candidates::{Candidate, Place};
use crate::core::workspace::Status;
use crate::core::{Category, Timestamp, WorkspaceId};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
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
}

/// Decides on each of the candidates, in their order.
pub fn decide(candidates: &[Candidate], rules: &Rules) -> Vec<Fate> {
    let by_age = if rules.keep_last > 0 || rules.choose_by_size() { oldest_first(candidates) } else { Vec::new() };
    let kept = last_accessed(candidates, &by_age, rules.keep_last);
    let is_protected = |index: usize| kept.contains(&index) || rules.exclude.contains(&candidates[index].id);
    let first = |(index, candidate)| first_fate(candidate, rules, is_protected(index));
    let mut fates: Vec<Fate> = candidates.iter().enumerate().map(first).collect();

    let size = |leaving: bool| -> u64 {
        let part = candidates.iter().zip(&fates).filter(|(_, fate)| matches!(fate, Fate::Prune(_)) == leaving);
        part.map(|(candidate, _)| candidate.size()).sum()
    };
    let mut used = size(false);
    let mut available = rules.free.map_or(0, |free| free.available).saturating_add(size(true));
    for index in by_age {
        if fates[index] != Fate::Keep || is_protected(index) {
            continue;
        }
        let rule = if rules.max_total_size.is_some_and(|limit| used > limit) {
            Rule::MaxTotalSize
        } else if rules.free.is_some_and(|free| available < free.wanted) {
            Rule::MinFree
        } else {
            break;
        };
        fates[index] = Fate::Prune(rule);
        used -= candidates[index].size();
        available = available.saturating_add(candidates[index].size());
    }
    fates
}

/// The candidates whose last access is known, the longest ago first; ties go by ID.
fn oldest_first(candidates: &[Candidate]) -> Vec<usize> {
    let known = |candidate: &Candidate| candidate.status == Status::Ok && !candidate.is_doomed();
    let mut indices: Vec<usize> = (0..candidates.len()).filter(|index| known(&candidates[*index])).collect();
    indices.sort_unstable_by_key(|index| (candidates[*index].last_access, candidates[*index].id, *index));
    indices
}

/// The `number` workspaces that were accessed last. A copy that is still claimed counts only where there is no newer one.
fn last_accessed(candidates: &[Candidate], by_age: &[usize], number: usize) -> HashSet<usize> {
    let mut seen = HashSet::new();
    by_age.iter().rev().filter(|index| seen.insert(candidates[**index].id)).take(number).copied().collect()
}

/// The fate by everything but size.
fn first_fate(candidate: &Candidate, rules: &Rules, is_protected: bool) -> Fate {
    if matches!(candidate.place, Place::Doomed(_)) {
        return Fate::Prune(Rule::Leftover);
    }
    if rules.ids.as_ref().is_some_and(|ids| !ids.contains(&candidate.id)) {
        return Fate::Ignore;
    }
    if is_protected {
        return Fate::Keep;
    }
    if rules.ids_alone() {
        return Fate::Prune(Rule::Id);
    }
    match (candidate.status, candidate.last_access) {
        (Status::Ok, Some(time)) if rules.cutoff.is_some_and(|cutoff| time < cutoff) => Fate::Prune(Rule::OlderThan),
        (Status::Ok, Some(_)) => Fate::Keep,
        (Status::Denied, _) if candidate.category() != Some(Category::PermissionDenied) => Fate::Fail,
        _ => Fate::Skip,
    }
}

#[cfg(test)]
mod tests;
