//! Who is there in the model, and which steps each may take next.

use super::disk::{Dir, Disk, File, Inside, Name, Rest, Says};
use super::others::{Maker, Touch, Writer};
use super::prune::{Prune, Rule, Step, TAGS, Taking};

/// What the protocol does that it would not be safe without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safeguard {
    LookBeforeClaim,
    /// In the listing of a claimed workspace it is seen that something waits to be the metadata.
    Listing,
    FirstLook,
    Sweep,
    LastLook,
    PutBackReplacesNothing,
    SyncBeforeRemoval,
    MetadataGoesLast,
    WhoRemovesTheRootReports,
    EachRoundHasItsTag,
    /// Where a name is taken, another one is tried.
    AnotherNameIsTried,
    /// Of a workspace and its claimed copy, an ID means the copy.
    TheCopyIsMeant,
    /// A file that was changed so recently that a later one may look the same is read again.
    RacyOnesAreReadAgain,
    ClaimsAreDecidedAfresh,
    ClaimsThatStayArePutBack,
    LeftoversAreFinished,
    /// Where no metadata was seen, the directory must be the one that was decided on.
    WithoutMetadataTheDirectoryTells,
    /// What is removed is what has the doomed name, not what was claimed once.
    WhatHasTheNameIsRemoved,
    TouchLooksAtTheFile,
    TouchLooksWhereItsDirectoryIs,
    TouchSyncs,
}

/// Who else is there, and what is special.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum With {
    Touch,
    /// The application makes the workspace anew where it is not there.
    MadeAnew,
    /// The same, and what is made has no metadata, and gets none.
    MadeBare,
    /// Somebody plants a name.
    PlantedName,
    /// There is no metadata at first.
    NoMetadata,
    /// No prune may look into a workspace until it has claimed it.
    Hidden,
    /// The power may go at any moment; then all begin anew.
    PowerCut,
    /// The file system's clock does not tell what comes within one tick.
    CoarseClock,
    /// There is so much in the root that its listing is not kept.
    LongRoot,
    /// A rename looks up both its directories in one instant.
    OneLookUp,
}

/// Who is there. Nobody's pauses have a bound, and whoever pauses for ever has been killed.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    pub name: &'static str,
    pub prunes: &'static [Rule],
    /// Each of them writes once.
    pub writers: usize,
    pub with: &'static [With],
}

pub const fn scene(name: &'static str, prunes: &'static [Rule], writers: usize, with: &'static [With]) -> Scene {
    Scene { name, prunes, writers, with }
}

impl Scene {
    pub fn has(&self, with: With) -> bool {
        self.with.contains(&with)
    }
}

pub struct Model {
    pub scene: Scene,
    pub lacks: &'static [Safeguard],
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub struct State {
    pub disk: Disk,
    pub prunes: Vec<Prune>,
    pub writers: Vec<Writer>,
    pub touch: Touch,
    pub maker: Maker,
    /// Whether a planted name is still to come.
    pub may_plant: bool,
    /// The newest version of any metadata file.
    pub newest: u8,
    pub has_ticked: bool,
    pub has_restarted: bool,
    /// Somebody else than a prune has done something.
    pub is_disturbed: bool,
    /// A promise that a step has broken.
    pub broken: Option<&'static str>,
}

/// A step that may be taken, and where it leads.
type Next = (String, State);

impl State {
    pub fn new(model: &Model) -> Self {
        let scene = &model.scene;
        let metadata = (!scene.has(With::NoMetadata)).then_some(File { version: 1, says: Says::Stale, signature: 1 });
        let dir = Dir { inside: Inside { metadata, rest: Rest::Whole }, ..Dir::default() };
        let nobody = Self {
            disk: Disk::new(dir, scene.has(With::PowerCut)),
            may_plant: scene.has(With::PlantedName),
            newest: 1,
            has_ticked: !scene.has(With::CoarseClock),
            ..Self::default()
        };
        nobody.begun(scene)
    }

    /// All begin.
    fn begun(self, scene: &Scene) -> Self {
        // No two prunes choose the same tags, also not before and after a restart.
        let first = if self.has_restarted { scene.prunes.len() } else { 0 };
        let number = |index: usize| u8::try_from(first + index).expect("few prunes");
        let prune = |(index, rule): (_, &Rule)| Prune { number: number(index), rule: *rule, ..Prune::default() };
        Self {
            prunes: scene.prunes.iter().enumerate().map(prune).collect(),
            writers: vec![Writer::Open; scene.writers],
            touch: if scene.has(With::Touch) { Touch::OpenWorkspace } else { Touch::Ended },
            maker: if scene.has(With::MadeAnew) || scene.has(With::MadeBare) { Maker::Mkdir } else { Maker::Ended },
            ..self
        }
    }

    /// Whoever plants a name has seen its tag in another one: nobody can guess one.
    fn names_to_plant(&self) -> Vec<(Name, Option<Says>)> {
        if !self.may_plant {
            return Vec::new();
        }
        let tags = self.prunes.iter().map(|prune| prune.number * TAGS);
        let names = tags.flat_map(|tag| [Name::Claimed(tag), Name::Doomed(tag)]);
        let free = names.filter(|name| self.disk.at(*name).is_none());
        free.flat_map(|name| [None, Some(Says::Stale), Some(Says::Fresh)].map(|metadata| (name, metadata))).collect()
    }
}

impl Model {
    pub fn has(&self, safeguard: Safeguard) -> bool {
        !self.lacks.contains(&safeguard)
    }

    /// All steps that somebody may take.
    pub fn next(&self, state: &State) -> Vec<Next> {
        let mut all = Vec::new();
        let mut step = |name: String, take: &dyn Fn(&mut State)| {
            let mut next = state.clone();
            take(&mut next);
            all.push((name, next));
        };
        for (number, writer) in state.writers.iter().enumerate() {
            if *writer != Writer::Ended {
                step(format!("writer {number}: {writer:?}"), &|next| next.write(self, number));
            }
        }
        if state.touch != Touch::Ended {
            step(format!("touch: {:?}", state.touch), &|next| next.touch(self));
        }
        if state.maker != Maker::Ended {
            step(format!("the application makes it anew: {:?}", state.maker), &|next| next.make(self));
        }
        if !state.has_ticked {
            step("the clock ticks".into(), &|next| next.has_ticked = true);
        }
        for (name, metadata) in state.names_to_plant() {
            step(format!("somebody plants {name:?} with {metadata:?}"), &|next| next.plant(name, metadata));
        }
        if self.scene.has(With::PowerCut) && !state.has_restarted {
            for disk in state.disk.after_power_cut() {
                let restarted = State { disk, has_restarted: true, is_disturbed: true, ..state.clone() };
                step("the power goes".into(), &|next| *next = restarted.clone().begun(&self.scene));
            }
        }
        all.extend((0..state.prunes.len()).flat_map(|number| self.prune(state, number)));
        all
    }

    fn prune(&self, state: &State, number: usize) -> Vec<Next> {
        let found = match state.prunes[number].step {
            Step::Ended(_) => Vec::new(),
            Step::Examine => state.prunes[number].found(&state.disk),
            _ => vec![state.prunes[number]],
        };
        let take = |prune: Prune| {
            let mut next = state.clone();
            next.prunes[number] = prune;
            let name = Taking::take(self, &mut next, number);
            (format!("prune {number} ({:?}): {name}", prune.rule), next)
        };
        found.into_iter().map(take).collect()
    }
}
