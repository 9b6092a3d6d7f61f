//! What a prune in the model does with what is doomed, as `commands/prune/carry_out.rs` and `core/tree/remove.rs` do it.

use super::disk::Rest;
use super::prune::{Outcome, Place, Step, Taking};
use super::state::Safeguard;

/// How often a directory that fills again is emptied once more.
const REFILLS: u8 = 1;

impl Taking<'_> {
    pub(super) fn sync(&mut self) -> Step {
        if self.has(Safeguard::SyncBeforeRemoval) {
            self.disk().sync_base();
        }
        let is = self.state.disk.at(self.prune.name);
        match is {
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
        self.disk().dirs[dir].temporary = 0;
        let rest = self.state.disk.dirs[dir].inside.rest;
        if rest == Rest::Whole {
            self.disk().change(dir, |inside| inside.rest = Rest::Torn);
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
            self.disk().change(dir, |inside| inside.metadata = None);
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
        self.disk().change_names(|names| {
            names.remove(&name);
        });
        Step::Ended(Outcome::Pruned)
    }

    fn removed_by_another(&mut self) -> Step {
        let reports = !self.has(Safeguard::WhoRemovesTheRootReports);
        Step::Ended(if reports { Outcome::Pruned } else { Outcome::Elsewhere })
    }
}
