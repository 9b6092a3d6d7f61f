//! How prune keeps its promises, explained, and checked in a model: every order in which its steps and those of others can happen.
//!
//! # The problem
//!
//! The application keeps a directory for each browser, and in it `.metadata.json`, which says when it was last used. Prune reads
//! all of these files and decides which workspaces go. From then on it works with something that may no longer be true. At any
//! moment a browser may come back, and the application takes no lock that prune could wait for. It writes a temporary file in the
//! workspace and renames it over the metadata. A workspace that was accessed like this after the decision must survive, whole.
//! Prune may be killed at any instant, other prunes may be at the same workspaces, and the power may go.
//!
//! # The state is in the names
//!
//! A prune keeps no record of what it does. How far it has got with a workspace is told by the name of its directory in the base:
//!
//! ```text
//! <id>  --claim-->  .wsctl-claimed.<id>.<tag>  --rename_doomed-->  .wsctl-doomed.<id>.<tag>  --remove-->  nothing
//!   ^                            |
//!   +--------- put_back ---------+
//! ```
//!
//! Each arrow but the last is one `rename`, which happens wholly or not at all. So there is no state in between, and whoever
//! reads the base knows what to do. *Doomed* means decided: any prune that finds such a directory removes it. *Claimed* means
//! undecided: the prune that finds it decides afresh by its own rules, and dooms it or puts it back. That is all there is to
//! recovery after a kill. The tag is random, so that no two claims ever have the same name (`fresh_tag`).
//!
//! # Why a claim, and what comes after it
//!
//! To look once more and then to delete is not enough, since an access may come between the two. So the workspace is first taken
//! off its path: after the claim, nobody who looks for it by its ID finds it, and no new access can begin. Before that it is looked
//! at again (`look_before_claim`), so that a workspace in use usually never leaves its path.
//!
//! One kind of access can still arrive: a rename whose directory the kernel had looked up before the claim. It takes effect in that
//! directory, whatever the directory is called by then, and however long it takes. But it needs the temporary file. Therefore:
//!
//! 1. `Names::read_all` lists the claimed directory. If there is no temporary file, no rename is on its way: it has happened, or
//!    it will fail.
//! 2. If there is one, `look` tells whether the metadata is still that which was decided on. If so, `sweep` removes the temporary
//!    files. A rename that is still on its way now fails, and the application tells its user so.
//! 3. `look` for the last time. Whatever succeeded has changed the metadata by now, and whatever has not can only fail.
//!
//! If the last look finds the file that was decided on (inode, size, mtime, ctime; the content, too, if it was written so recently
//! that the clock may not tell), the workspace is doomed. If not, it was accessed: `put_back`, and the report says `busy`. Where a
//! new workspace has been made at its path meanwhile, it does not go back over that one. It stays claimed, the report says so, and
//! later prunes leave it until it is stale. A workspace without metadata has no such file: there the directory itself
//! (inode and time of birth) tells whether it is the one that was decided on.
//!
//! # Removal
//!
//! A disk may write names in another order than they were changed in. If the first files of a workspace were removed before its
//! new name is on disk, a power cut could bring back its old path with half of it missing. So `sync` writes the base to disk before
//! the first unlink. `remove` then empties the directory, after a check that it still is the one that has the doomed name. Its
//! metadata goes last, since the application's listing fails on a directory without it. Any number of prunes may do this to the
//! same directory at once. The one whose `rmdir` removes it reports it (`remove_root`), so that each workspace is reported once.
//!
//! # Touch
//!
//! `wsctl touch` holds the workspace's directory open, so that a claim does not stop it. It looks, right before its rename, whether
//! the metadata is the file it read, so as not to overwrite what the application wrote meanwhile. After the rename it looks whether
//! its directory still is the one at the workspace's path. If not, a prune has it, and touch says `busy` instead of success.
//!
//! # What is checked here
//!
//! In each scene some prunes, writers of the application, a touch, a visitor for whom the workspace is made anew, and somebody who
//! plants claimed and doomed names, take their steps in every possible order. Pauses have no bound, and one that never ends is a
//! kill. In some scenes the power goes, and the disk has kept of each directory any of its states since its last sync. The promises
//! must hold in every state (`promises`):
//!
//! - what was accessed after the decision, or never decided on, is never doomed, torn or gone;
//! - nothing torn is at the workspace's own path;
//! - what was pruned is reported by exactly one prune, and none fails because of another;
//! - after a kill or a power cut one more prune finishes what was decided, puts back what was not, or tells of it;
//! - what touch wrote with success is on the disk.
//!
//! Then each safeguard is taken out in turn, and must be missed. The first nine of these are also taken out of the program itself
//! (`mutants`). The steps are named as the functions of the program are.
//!
//! There is one workspace ID. Others would share with it only the base, whose every sync helps, and the tag of a round, which
//! is why somebody who plants a name may know it. Left out are `--use-mtime`, mounts, full disks and signals, which are further
//! reasons to put back and no further steps, and what is below the root of a workspace. Two things that no program can prevent
//! are found, too, and stand in a test of their own.

mod disk;
mod explore;
mod others;
mod promises;
mod prune;
mod state;
mod steps;

use explore::explore;
use prune::Rule::{Id, OlderThan, OtherIds};
use state::Safeguard::{self, *};
use state::With::*;
use state::{Model, Scene, scene};

const WRITERS: Scene = scene("a prune, two writers", &[OlderThan], 2, &[]);
const LONG_ROOT: Scene = scene("the same, with a long root", &[OlderThan], 2, &[LongRoot]);
const COARSE_CLOCK: Scene = scene("the same, with a coarse clock", &[OlderThan], 2, &[CoarseClock]);
const TOUCH: Scene = scene("a prune, a touch, a writer", &[OlderThan], 1, &[Touch]);
const MADE_ANEW: Scene = scene("a prune, a writer, made anew", &[OlderThan], 1, &[MadeAnew]);
const MADE_BARE: Scene = scene("two prunes by ID, made anew without metadata", &[Id, Id], 0, &[MadeBare, NoMetadata]);
const HIDDEN: Scene = scene("the same, with metadata that no prune may see", &[Id, Id], 0, &[MadeBare, Hidden]);
const TWO_PRUNES: Scene = scene("two prunes, a writer", &[OlderThan, OlderThan], 1, &[]);
const POWER: Scene = scene("two prunes, a power cut", &[OlderThan, OlderThan], 0, &[PowerCut]);
const POWER_AND_TOUCH: Scene = scene("a prune, a touch, a writer, a power cut", &[OlderThan], 1, &[Touch, PowerCut]);
const PLANTS: Scene = scene("a prune, a touch, a writer, a planted name", &[OlderThan], 1, &[Touch, PlantedName]);
const PLANTS_BY_ID: Scene = scene("a prune by ID, one by another, a planted name", &[Id, OtherIds], 0, &[PlantedName]);
const THREE_PRUNES: Scene = scene("three prunes, a writer", &[OlderThan, OlderThan, OtherIds], 1, &[OneLookUp]);

const SCENES: [Scene; 15] = [
    WRITERS,
    LONG_ROOT,
    COARSE_CLOCK,
    scene("the same, by ID", &[Id], 2, &[]),
    TOUCH,
    scene("the same without metadata, by ID", &[Id], 1, &[Touch, NoMetadata]),
    MADE_ANEW,
    MADE_BARE,
    HIDDEN,
    TWO_PRUNES,
    scene("the same, one by ID", &[OlderThan, Id], 1, &[]),
    POWER,
    POWER_AND_TOUCH,
    PLANTS,
    PLANTS_BY_ID,
];

const LONG: [Scene; 9] = [
    THREE_PRUNES,
    scene("two prunes, a writer, made anew", &[OlderThan, OlderThan], 1, &[MadeAnew]),
    scene("two prunes, a touch, a writer, made anew", &[OlderThan, OlderThan], 1, &[Touch, MadeAnew, OneLookUp]),
    scene("a prune by ID, one by another, a touch, a writer", &[Id, OtherIds], 1, &[Touch]),
    scene("two prunes, one by ID, a touch, two writers, a coarse clock", &[OlderThan, Id], 2, &[Touch, CoarseClock]),
    scene("three prunes, one by ID, a writer, made bare", &[OlderThan, Id, OtherIds], 1, &[MadeBare, OneLookUp]),
    scene("two prunes, a touch, a writer, a planted name", &[OlderThan, OtherIds], 1, &[Touch, PlantedName]),
    scene("two prunes, a touch, a writer, a power cut", &[OlderThan, OlderThan], 1, &[Touch, PowerCut]),
    scene("a prune, a touch, a writer, made anew, a power cut", &[OlderThan], 1, &[Touch, MadeAnew, PowerCut]),
];

/// What is taken out of the protocol, and a scene in which that breaks a promise.
const MUTANTS: [(&[Safeguard], Scene); 23] = [
    (&[LastLook], LONG_ROOT),
    (&[FirstLook, LastLook], WRITERS),
    (&[Sweep, LastLook], LONG_ROOT),
    (&[Sweep], WRITERS),
    (&[Listing], WRITERS),
    (&[PutBackReplacesNothing], MADE_ANEW),
    (&[SyncBeforeRemoval], POWER),
    (&[TouchLooksWhereItsDirectoryIs], TOUCH),
    (&[TouchLooksAtTheFile], TOUCH),
    (&[TouchSyncs], POWER_AND_TOUCH),
    (&[LookBeforeClaim], WRITERS),
    (&[RacyOnesAreReadAgain], COARSE_CLOCK),
    (&[WithoutMetadataTheDirectoryTells], MADE_BARE),
    (&[WithoutMetadataTheDirectoryTells], HIDDEN),
    (&[ClaimsAreDecidedAfresh], TWO_PRUNES),
    (&[ClaimsThatStayArePutBack], WRITERS),
    (&[LeftoversAreFinished], WRITERS),
    (&[MetadataGoesLast], WRITERS),
    (&[WhoRemovesTheRootReports], TWO_PRUNES),
    (&[EachRoundHasItsTag], THREE_PRUNES),
    (&[AnotherNameIsTried], PLANTS),
    (&[TheCopyIsMeant], PLANTS_BY_ID),
    (&[WhatHasTheNameIsRemoved], PLANTS_BY_ID),
];

fn assert_all_hold(scenes: &[Scene]) {
    let mut all = 0;
    for scene in scenes {
        let explored = explore(&Model { scene: *scene, lacks: &[] });
        println!("{:>9} states, {:>5} disks after a crash: {}", explored.states, explored.disks, scene.name);
        assert!(explored.broken.is_none(), "{}: {:#?}", scene.name, explored.broken);
        all += explored.states;
    }
    println!("{all:>9} states in all");
}

#[test]
fn no_order_of_steps_breaks_a_promise() {
    assert_all_hold(&SCENES);
}

#[test]
#[ignore = "the long form: 17 million states, three minutes"]
fn no_order_of_steps_breaks_a_promise_in_larger_scenes() {
    assert_all_hold(&LONG);
}

#[test]
fn without_any_one_of_its_safeguards_the_protocol_breaks_a_promise() {
    for (lacks, scene) in MUTANTS {
        let explored = explore(&Model { scene, lacks });
        let (promise, way) = explored.broken.unwrap_or_else(|| panic!("nobody misses {lacks:?}"));
        println!("without {lacks:?}, after {} states and {} steps: {promise}", explored.states, way.len());
    }
}

/// A prune was given the ID of a workspace that the application is just making: it has opened a new metadata file, and writes it
/// after the last look; or rename(2) looks up the temporary file in one directory, and the metadata in another at the same path.
#[test]
fn the_model_also_finds_losses_that_no_program_can_prevent() {
    for (writers, with) in [(0, &[MadeAnew]), (1, &[MadeBare])] {
        let scene = scene("two prunes, one by ID", &[OlderThan, Id], writers, with);
        assert!(explore(&Model { scene, lacks: &[] }).broken.is_some(), "{with:?}");
    }
}
