//! What must be true in every state of the model, of every disk that a kill or a power cut may leave, and of what the next prune
//! makes of that: the promises 1 to 4 of the README, and what touch promises.

use super::disk::{Dir, Disk, Name, Rest, Says};
use super::prune::{Outcome, Prune, Step, Taking};
use super::state::{Model, State, With};

/// The number of the next prune, which is no other's.
const NEXT: u8 = 20;

/// Which promise is broken.
pub type Broken = Option<&'static str>;

impl State {
    /// `is_last`: nobody has a step to take.
    pub fn broken(&self, is_last: bool) -> Broken {
        let has_ended = |prune: &Prune, outcome| prune.step == Step::Ended(outcome);
        if self.broken.is_some() {
            return self.broken;
        }
        if !self.is_disturbed && self.prunes.iter().any(|prune| has_ended(prune, Outcome::Failed)) {
            return Some("a prune fails because of another one");
        }
        for (at, dir) in self.disk.dirs.iter().enumerate() {
            let reports =
                self.prunes.iter().filter(|prune| has_ended(prune, Outcome::Pruned) && prune.dir == at).count();
            let is_unreported = reports == 0 && !self.disk.is_there(at) && !dir.nothing_promised && !self.has_restarted;
            if reports > 1 || (is_last && is_unreported) {
                return Some("what was pruned is not reported by exactly one prune");
            }
        }
        self.disk.broken()
    }
}

impl Disk {
    fn broken(&self) -> Broken {
        for (at, dir) in self.dirs.iter().enumerate() {
            let is_torn = dir.inside.rest == Rest::Torn;
            if is_torn && self.at(Name::Own) == Some(at) {
                return Some("a half-deleted workspace is at its own path");
            }
            let is_doomed = self.names.iter().any(|(name, it)| *it == at && matches!(name, Name::Doomed(_)));
            // Some prune has decided on it, and nobody accessed it since.
            let may_go = dir.nothing_promised || dir.decided.is_some_and(|decided| decided >= dir.accessed);
            if (is_torn || is_doomed || !self.is_there(at)) && !may_go {
                return Some("what goes was accessed after the decision, or nobody has decided on it");
            }
        }
        None
    }
}

impl Model {
    /// What a kill of everybody, or a power cut, breaks in this state. `is_new`: a disk was not seen yet.
    pub fn broken_by_crash(&self, state: &State, is_new: &mut dyn FnMut(&Disk) -> bool) -> Broken {
        let cut = if self.scene.has(With::PowerCut) { state.disk.after_power_cut() } else { Vec::new() };
        let mut disks = cut.into_iter().chain([state.disk.after_kill()]).filter(|disk| is_new(disk));
        disks.find_map(|disk| self.broken_at_restart(&disk))
    }

    fn broken_at_restart(&self, disk: &Disk) -> Broken {
        let is_old = |dir: &Dir| dir.inside.metadata.map_or(0, |file| file.version) < dir.durable;
        if disk.names.iter().any(|(name, dir)| !matches!(name, Name::Doomed(_)) && is_old(&disk.dirs[*dir])) {
            return Some("touch succeeded, and what it wrote is not on the disk");
        }
        disk.broken().or_else(|| self.broken_by_next_prune(disk))
    }

    /// The next prune, alone: it finishes, puts back, or tells what it has to leave aside.
    fn broken_by_next_prune(&self, disk: &Disk) -> Broken {
        let mut state = State { disk: disk.clone(), has_ticked: true, ..State::default() };
        let mut survey = Prune { number: NEXT, step: Step::Examine, ..Prune::default() };
        survey.names_read(disk);
        let mut aside = Vec::new();
        for found in survey.found(disk) {
            state.prunes = vec![found];
            while !matches!(state.prunes[0].step, Step::Ended(_)) {
                Taking::take(self, &mut state, 0);
            }
            aside.extend((state.prunes[0].step == Step::Ended(Outcome::Failed)).then_some(found.name));
        }
        let has_new = [disk, &state.disk].iter().any(|disk| disk.at(Name::Own).is_some());
        let says = |dir: usize| state.disk.metadata(dir).map(|file| file.says);
        let is_left = |(name, dir): (&Name, &usize)| match name {
            Name::Own => false,
            Name::Claimed(_) => !has_new || (says(*dir) == Some(Says::Fresh) && !aside.contains(name)),
            Name::Doomed(_) => true,
        };
        if state.disk.names.iter().any(is_left) {
            return Some("the next prune leaves aside what it should finish or put back, or does not tell of it");
        }
        state.disk.broken()
    }
}
