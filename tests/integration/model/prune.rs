//! A prune in the model, in the steps that others may come between, and its first steps: survey and decision. A step is named as
//! the function that takes it.
//!
//! A prune here sees to one of the directories that its survey found. One that sees to several is like several of these.

use super::disk::{Disk, File, Name, Says};
use super::state::{Model, Safeguard, State, With};

/// What a prune goes by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    #[default]
    OlderThan,
    /// It was given the ID.
    Id,
    /// It was given other IDs: it puts back what is claimed, and finishes what is doomed.
    OtherIds,
}

/// Where the survey found the directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    #[default]
    Own,
    Claimed,
    Copy,
    Doomed,
}

/// The next step of a prune.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    #[default]
    NamesRead,
    Examine,
    LookBeforeClaim,
    Claim,
    OpenAccessible,
    NamesReadAll,
    FirstLook,
    Sweep,
    LastLook,
    RenameDoomed,
    PutBack(Outcome),
    Sync,
    RemoveRest,
    RemoveMetadata,
    RemoveRoot,
    Ended(Outcome),
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Pruned,
    Elsewhere,
    Kept,
    PutBack,
    Failed,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub struct Prune {
    /// Which prune it is: that makes its tags.
    pub number: u8,
    pub rule: Rule,
    pub step: Step,
    pub place: Place,
    pub name: Name,
    /// Its open directory; once it has ended, that which it removed.
    pub dir: usize,
    /// The directory that was decided on.
    pub found: usize,
    /// Its metadata file then, and whether a later one may look like it.
    pub seen: Option<File>,
    pub is_racy: bool,
    /// It could not be seen.
    pub is_unseen: bool,
    /// Whether the look before the claim found it changed.
    pub was_changed: bool,
    /// Whether the listing had one at the workspace's own path, and whether it had a claimed one.
    pub has_own: bool,
    pub has_copy: bool,
    pub round: u8,
    pub refills: u8,
}

/// How often what others put back is claimed again.
pub const ROUNDS: u8 = 1;
/// How many tags a prune has: one for each round, and two for where that is taken.
pub const TAGS: u8 = ROUNDS + 3;

impl Prune {
    /// Lists the base. A listing is not made in one instant: what is in it is looked up later, and may have moved by then.
    pub fn names_read(&mut self, disk: &Disk) {
        self.has_own = disk.at(Name::Own).is_some();
        self.has_copy = disk.names.keys().any(|name| matches!(name, Name::Claimed(_)));
    }

    /// The names that it may be about.
    pub fn found(&self, disk: &Disk) -> Vec<Self> {
        let place = |name| match name {
            Name::Own => Place::Own,
            Name::Claimed(_) if self.has_own => Place::Copy,
            Name::Claimed(_) => Place::Claimed,
            Name::Doomed(_) => Place::Doomed,
        };
        disk.names.keys().map(|name| Self { name: *name, place: place(*name), ..*self }).collect()
    }
}

/// A step being taken.
pub struct Taking<'a> {
    pub model: &'a Model,
    pub state: &'a mut State,
    pub prune: Prune,
}

impl Taking<'_> {
    /// Takes the next step of a prune that has one, and gives its name.
    pub fn take(model: &Model, state: &mut State, number: usize) -> String {
        let prune = state.prunes[number];
        let mut taking = Taking { model, state, prune };
        taking.prune.step = taking.step();
        state.prunes[number] = taking.prune;
        format!("{:?} {:?}", prune.step, prune.name)
    }

    fn step(&mut self) -> Step {
        match self.prune.step {
            Step::NamesRead => {
                self.prune.names_read(&self.state.disk);
                Step::Examine
            }
            Step::Examine => self.examine(),
            Step::LookBeforeClaim => self.look_before_claim(),
            Step::Claim => self.claim(),
            Step::OpenAccessible => self.open_accessible(),
            Step::NamesReadAll => self.names_read_all(),
            Step::FirstLook => self.look(Safeguard::FirstLook, Step::Sweep),
            Step::Sweep => self.sweep(),
            Step::LastLook => self.look(Safeguard::LastLook, Step::RenameDoomed),
            Step::RenameDoomed => self.rename_doomed(),
            Step::PutBack(outcome) => self.put_back(outcome),
            Step::Sync => self.sync(),
            Step::RemoveRest => self.remove_rest(),
            Step::RemoveMetadata => self.remove_metadata(),
            Step::RemoveRoot => self.remove_root(),
            Step::Ended(_) => self.prune.step,
        }
    }

    pub fn has(&self, safeguard: Safeguard) -> bool {
        self.model.has(safeguard)
    }

    /// Reads the metadata, and decides.
    fn examine(&mut self) -> Step {
        let Some(dir) = self.state.disk.at(self.prune.name) else { return Step::Ended(Outcome::Elsewhere) };
        let seen = self.state.disk.metadata(dir);
        self.prune.found = dir;
        (self.prune.seen, self.prune.is_racy) =
            (seen, self.model.scene.has(With::CoarseClock) && !self.state.has_ticked);
        self.prune.is_unseen = self.model.scene.has(With::Hidden);
        let (place, rule) = (self.prune.place, self.prune.rule);
        match place {
            Place::Doomed if self.has(Safeguard::LeftoversAreFinished) => return Step::Sync,
            Place::Doomed => return Step::Ended(Outcome::Kept),
            Place::Claimed if !self.has(Safeguard::ClaimsAreDecidedAfresh) => return Step::OpenAccessible,
            Place::Own | Place::Claimed | Place::Copy => {}
        }
        let is_not_meant = place == Place::Own && self.prune.has_copy;
        let says = seen.map_or(Says::Empty, |file| file.says);
        let is_kept = match rule {
            Rule::OtherIds => true,
            Rule::OlderThan => says != Says::Stale,
            Rule::Id => is_not_meant && self.has(Safeguard::TheCopyIsMeant),
        };
        if is_kept {
            let goes_back = match place {
                Place::Claimed => true,
                Place::Copy => rule == Rule::OlderThan && says == Says::Fresh,
                Place::Own | Place::Doomed => false,
            };
            let goes_back = goes_back && self.has(Safeguard::ClaimsThatStayArePutBack);
            return if goes_back { Step::PutBack(Outcome::Kept) } else { Step::Ended(Outcome::Kept) };
        }
        if rule != Rule::Id || !is_not_meant {
            self.state.disk.dirs[dir].decided = Some(seen.map_or(0, |file| file.version));
        }
        if place == Place::Own { Step::LookBeforeClaim } else { Step::OpenAccessible }
    }
}
