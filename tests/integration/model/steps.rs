//! How a prune in the model takes a workspace out of use, puts it back, or removes it, as `commands/prune/{claim,look,carry_out}.rs`
//! and `core/tree/remove.rs` do it.

use super::disk::{Name, Rest};
use super::prune::{Outcome, Place, ROUNDS, Step, TAGS, Taking};
use super::state::{Safeguard, With};

/// How often a directory that fills again is emptied once more.
const REFILLS: u8 = 1;

impl Taking<'_> {
    /// Whether the metadata in this directory is not the file that was decided on, or says a later time.
    fn changed(&self, dir: Option<usize>) -> bool {
        let is_replaced = dir != Some(self.prune.found) && self.has(Safeguard::WithoutMetadataTheDirectoryTells);
        if self.prune.is_unseen {
            return is_replaced;
        }
        match (self.prune.seen, dir.and_then(|dir| self.state.disk.metadata(dir))) {
            (Some(seen), Some(is)) if seen.signature == is.signature => {
                self.prune.is_racy && self.has(Safeguard::RacyOnesAreReadAgain) && is.version > seen.version
            }
            (None, None) => is_replaced,
            _ => true,
        }
    }

    pub(super) fn look_before_claim(&mut self) -> Step {
        let own = self.state.disk.at(Name::Own);
        self.prune.was_changed = self.changed(own);
        match own {
            _ if !self.prune.was_changed || !self.has(Safeguard::LookBeforeClaim) => Step::Claim,
            None => Step::Ended(Outcome::Elsewhere),
            Some(_) => Step::Ended(Outcome::Failed),
        }
    }

    pub(super) fn claim(&mut self) -> Step {
        if self.state.disk.at(Name::Own).is_none() {
            return Step::Ended(Outcome::Elsewhere);
        }
        if self.prune.was_changed {
            self.state.broken =
                Some("a workspace left its path though it was accessed before the look right before that");
        }
        let round = if self.has(Safeguard::EachRoundHasItsTag) { self.prune.round } else { 0 };
        self.rename(Name::Own, Name::Claimed, self.prune.number * TAGS + round, Step::OpenAccessible)
    }

    /// Renames to a name with this tag, or where that is taken with another one, and goes on to `next`.
    fn rename(&mut self, from: Name, to: fn(u8) -> Name, tag: u8, next: Step) -> Step {
        let first_spare = self.prune.number * TAGS + ROUNDS + 1;
        let tries = if self.has(Safeguard::AnotherNameIsTried) { TAGS } else { 1 };
        let mut tags = [tag].into_iter().chain(first_spare..(self.prune.number + 1) * TAGS).take(tries.into());
        let Some(to) = tags.find(|tag| self.state.disk.at(to(*tag)).is_none()).map(to) else {
            self.state.broken = Some("a name that somebody made in advance stops a prune");
            return Step::Ended(Outcome::Failed);
        };
        self.state.disk.change_names(|names| {
            let dir = names.remove(&from).expect("it was looked up");
            names.insert(to, dir);
        });
        self.prune.name = to;
        next
    }

    pub(super) fn open_accessible(&mut self) -> Step {
        match self.state.disk.at(self.prune.name) {
            Some(dir) => {
                self.prune.dir = dir;
                Step::NamesReadAll
            }
            None => self.lost(),
        }
    }

    /// Lists the root: where something there waits to be the metadata, it is to be swept.
    pub(super) fn names_read_all(&mut self) -> Step {
        let waits = self.state.disk.dirs[self.prune.dir].temporary != 0 && self.has(Safeguard::Listing);
        if waits || self.model.scene.has(With::LongRoot) || self.prune.is_unseen {
            Step::FirstLook
        } else {
            Step::LastLook
        }
    }

    pub(super) fn look(&mut self, which: Safeguard, next: Step) -> Step {
        let is_changed = self.changed(Some(self.prune.dir));
        if std::mem::take(&mut self.prune.is_unseen) {
            self.prune.seen = self.state.disk.metadata(self.prune.dir);
        }
        if is_changed && self.has(which) { Step::PutBack(Outcome::Failed) } else { next }
    }

    pub(super) fn sweep(&mut self) -> Step {
        if self.has(Safeguard::Sweep) {
            self.state.disk.dirs[self.prune.dir].temporary = 0;
        }
        Step::LastLook
    }

    pub(super) fn rename_doomed(&mut self) -> Step {
        let from = self.prune.name;
        let (Some(_), Name::Claimed(tag)) = (self.state.disk.at(from), from) else { return self.lost() };
        self.rename(from, Name::Doomed, tag, Step::Sync)
    }

    /// Renames a claimed workspace back, unless there is a new one.
    pub(super) fn put_back(&mut self, outcome: Outcome) -> Step {
        let name = self.prune.name;
        let Some(dir) = self.state.disk.at(name) else {
            return if outcome == Outcome::Kept { Step::Ended(outcome) } else { self.lost() };
        };
        if let Some(new) = self.state.disk.at(Name::Own) {
            let new = &self.state.disk.dirs[new];
            // What rename(2) replaces.
            let is_empty = new.inside.metadata.is_none() && new.inside.rest == Rest::Nothing && new.temporary == 0;
            if self.has(Safeguard::PutBackReplacesNothing) || !is_empty {
                return Step::Ended(Outcome::Failed);
            }
        }
        self.state.disk.change_names(|names| {
            names.remove(&name);
            names.insert(Name::Own, dir);
        });
        Step::Ended(outcome)
    }

    /// A claimed workspace is not where it was put: another run has taken the next step.
    fn lost(&mut self) -> Step {
        if self.state.disk.at(Name::Own).is_none() {
            return Step::Ended(Outcome::Elsewhere);
        }
        let is_known = self.prune.seen.is_some() && self.prune.place != Place::Copy;
        if !is_known || self.prune.round == ROUNDS {
            return Step::Ended(Outcome::PutBack);
        }
        self.prune.round += 1;
        self.prune.name = Name::Own;
        Step::LookBeforeClaim
    }

    pub(super) fn sync(&mut self) -> Step {
        if self.has(Safeguard::SyncBeforeRemoval) {
            self.state.disk.unsynced.clear();
        }
        match self.state.disk.at(self.prune.name) {
            None => return self.removed_by_another(),
            Some(dir) if self.prune.place == Place::Doomed => self.prune.dir = dir,
            Some(dir) if dir != self.prune.dir && self.has(Safeguard::WhatHasTheNameIsRemoved) => {
                return Step::Ended(Outcome::Failed);
            }
            Some(_) => {}
        }
        if self.has(Safeguard::MetadataGoesLast) { Step::RemoveRest } else { Step::RemoveMetadata }
    }

    pub(super) fn remove_rest(&mut self) -> Step {
        let dir = self.prune.dir;
        self.state.disk.dirs[dir].temporary = 0;
        if self.state.disk.dirs[dir].inside.rest == Rest::Whole {
            self.state.disk.change(dir, |inside| inside.rest = Rest::Torn);
        }
        if self.has(Safeguard::MetadataGoesLast) { Step::RemoveMetadata } else { Step::RemoveRoot }
    }

    pub(super) fn remove_metadata(&mut self) -> Step {
        let dir = self.prune.dir;
        let inside = self.state.disk.dirs[dir].inside;
        if inside.metadata.is_some() {
            if inside.rest == Rest::Whole {
                self.state.broken = Some("the application's listing meets a directory that lost its metadata first");
            }
            self.state.disk.change(dir, |inside| inside.metadata = None);
        }
        if self.has(Safeguard::MetadataGoesLast) { Step::RemoveRoot } else { Step::RemoveRest }
    }

    /// Removes the directory, by its name in the base.
    pub(super) fn remove_root(&mut self) -> Step {
        let name = self.prune.name;
        let Some(dir) = self.state.disk.at(name) else { return self.removed_by_another() };
        let is = &self.state.disk.dirs[dir];
        if is.inside.metadata.is_some() || is.inside.rest == Rest::Whole || is.temporary != 0 {
            self.prune.refills += 1;
            return if self.prune.refills > REFILLS { Step::Ended(Outcome::Failed) } else { Step::RemoveRest };
        }
        self.prune.dir = dir;
        self.state.disk.change_names(|names| names.remove(&name));
        Step::Ended(Outcome::Pruned)
    }

    fn removed_by_another(&mut self) -> Step {
        Step::Ended(if self.has(Safeguard::WhoRemovesTheRootReports) { Outcome::Elsewhere } else { Outcome::Pruned })
    }
}
