//! The plan carried out: in batches, by several threads, until nothing is left to do or a signal comes.
//!
//! Batches are claimed, looked at once more and doomed, before one sync of the base and only then the first unlink: what a
//! power cut undoes is never half removed.

use super::claim::{Claims, Stopped};
use super::done::{Done, TaskResult};
use super::mounts::Mounts;
use super::plan::{Decision, Plan};
use super::survey::{Found, Place};
use crate::core::names::fresh_tag;
use crate::core::stat::FileTime;
use crate::core::tree::{self, Names, Removed, Scratch, Tree};
use crate::core::{Base, DirFd, Error, threads};
use crate::output::meter::{Meter, Words};
use crate::signals::Signals;
use rustix::process::{Resource, getrlimit};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many workspaces are claimed at a time. More would be kept from the application longer.
const BATCH: usize = 16;
/// How many doomed ones a thread holds at most.
const IN_HAND: usize = 8 * BATCH;
/// How many names shall share a sync, which on a disk costs as much as removing a hundred of them. So many may also still be
/// removed by each thread when the run is interrupted.
const WORTH_A_SYNC: u64 = 1000;
/// How often what other runs put back is claimed again.
const ROUNDS: usize = 5;
/// The descriptors that one thread needs beside those of what it holds.
const DESCRIPTORS: usize = 10;

/// How a plan is carried out.
pub(super) struct Work<'a> {
    pub(super) base: &'a Base,
    /// Whether modification times count as accesses.
    pub(super) use_mtime: bool,
    /// How many threads may be used.
    pub(super) jobs: usize,
    /// Whether somebody may be shown how far it has come.
    pub(super) watched: bool,
    /// What is told of each workspace as soon as it is gone or has failed. It may wait for whoever reads that: so it is called
    /// while nothing is claimed.
    pub(super) tell: &'a (dyn Fn(&Done<'_>) + Sync),
}

/// Puts back what earlier runs had claimed of those that stay, and gives what could not be.
pub(super) fn put_back<'p>(base: &Base, plan: &'p Plan) -> Vec<(&'p Found, Decision, Error)> {
    let claims = Claims { base, tag: 0, use_mtime: false, stop: &|| false };
    let failure = |(found, decision, name)| match claims.put_back(name) {
        Err(Stopped::Failed(error) | Stopped::NoRoom(error, _)) => Some((found, decision, error)),
        _ => None,
    };
    plan.claims_to_put_back().into_iter().filter_map(failure).collect()
}

/// Carries a plan out, and gives what was done. Those for which there was no room are tried again for as long as removing others
/// helps, and those that another run has put back.
pub(super) fn carry_out<'p>(work: &Work<'_>, plan: &'p Plan, signals: &Signals) -> Vec<Done<'p>> {
    let mut all = Vec::with_capacity(plan.going().count());
    all.extend(plan.going().map(Done::nothing));
    let meter = &Meter::new(work.watched, Words::PRUNING, all.len());
    let mut tasks = &mut all[..];
    for round in 1.. {
        // Where somebody has seen a name, it must not stand for what was put back and claimed anew.
        Round { work, tag: fresh_tag(), signals, meter }.run(tasks);
        let helped = tasks.iter().any(|task| task.freed > 0 || task.result == TaskResult::Pruned);
        let is_open = |task: &Done<'_>| (helped && task.has_no_room()) || (round < ROUNDS && task.is_put_back());
        if !tasks.iter().any(is_open) {
            break;
        }
        // A journal hands freed blocks out again only once it has committed their removal. If it cannot, there is no harm.
        let _ = work.base.dir().sync();
        tasks.sort_by_key(|task| !is_open(task));
        let open = tasks.partition_point(is_open);
        tasks = &mut tasks[..open];
    }
    let is_interrupted = signals.caught().is_some();
    for task in all.iter_mut().filter(|task| task.has_no_room()) {
        // What a signal keeps from being tried again stays, if it is at its own path; else there is a failure to report.
        if is_interrupted && task.is_full_at_its_own_path() {
            task.end(TaskResult::Kept, None);
        }
        (work.tell)(task);
    }
    all
}

struct Round<'a> {
    work: &'a Work<'a>,
    tag: u64,
    signals: &'a Signals,
    meter: &'a Meter,
}

impl Round<'_> {
    fn run(&self, tasks: &mut [Done<'_>]) {
        let (threads, held) = self.share(tasks.len());
        // What takes long to look at is claimed singly.
        let size = if self.work.use_mtime { 1 } else { held.min(BATCH) };
        let batches = Mutex::new(tasks.chunks_mut(size));
        let next_batch = || batches.lock().unwrap_or_else(PoisonError::into_inner).next();
        let run = || {
            let stop = || self.signals.caught().is_some();
            let claims = Claims { base: self.work.base, tag: self.tag, use_mtime: self.work.use_mtime, stop: &stop };
            let mut hand = Hand {
                round: self,
                mounts: Mounts::read(self.work.base.dir()),
                scratch: Scratch::default(),
                doomed: Vec::with_capacity(held),
                removed: Effort::default(),
                grace: AtomicU64::new(WORTH_A_SYNC),
            };
            while !stop() {
                let Some(batch) = next_batch() else { break };
                let is_full = hand.take_aside(batch, &claims);
                if is_full || hand.doomed.len() + size > hand.removed.worth_a_sync().max(BATCH).min(held) {
                    hand.remove();
                }
            }
            hand.remove();
        };
        threads::on_this_and(threads - 1, run);
    }

    fn ended(&self, task: &Done<'_>) {
        self.meter.ended(task.freed);
        (self.work.tell)(task);
    }

    /// How many threads to use, and how many workspaces each may hold open, within the limit of descriptors.
    fn share(&self, tasks: usize) -> (usize, usize) {
        let limit =
            getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let free = limit.saturating_sub(2 * DESCRIPTORS);
        let threads = self.work.jobs.min(tasks.div_ceil(BATCH)).min(free / (DESCRIPTORS + BATCH)).max(1);
        (threads, (free / threads).saturating_sub(DESCRIPTORS).clamp(1, IN_HAND))
    }
}

/// What a thread has in hand.
struct Hand<'a, 't, 'p> {
    round: &'a Round<'a>,
    mounts: Mounts<'a>,
    scratch: Scratch,
    doomed: Vec<(&'t mut Done<'p>, Tree)>,
    removed: Effort,
    /// How many names may still be removed once the run is interrupted.
    grace: AtomicU64,
}

impl<'t, 'p> Hand<'_, 't, 'p> {
    /// Claims and dooms a batch. `true`: there was no room for some of it.
    fn take_aside(&mut self, batch: &'t mut [Done<'p>], claims: &Claims<'_>) -> bool {
        let mut claimed = Vec::with_capacity(batch.len());
        let mut stayed = Vec::new();
        let mut full: Option<Error> = None;
        for task in batch {
            if task.found.place == Place::Doomed {
                let tree =
                    Tree { name: task.found.name(), dir: None, names: Names::default(), listed_at: FileTime::now() };
                self.doomed.push((task, tree));
                continue;
            }
            let at = task.at();
            if let Some(error) = &full {
                task.end(TaskResult::NoRoom(at), Some(error.clone()));
                continue;
            }
            match claims.claim(task.found, at, &mut self.scratch) {
                Ok(claim) => claimed.push((task, claim)),
                Err(stopped) => {
                    task.stop(stopped);
                    // Where a longer name fits depends on the name: as long as there is nothing in hand whose removal would
                    // make room, the next one is tried.
                    if task.has_no_room() && !(claimed.is_empty() && self.doomed.is_empty()) {
                        full = task.error.as_deref().cloned();
                    }
                    stayed.push(task);
                }
            }
        }
        self.mounts.refresh(); // what is mounted later, removal itself stops at
        for (task, claim) in claimed {
            match claims.doom(claim, task.found, &self.mounts, &mut self.scratch) {
                Ok((tree, freed)) => {
                    task.freed += freed;
                    self.doomed.push((task, tree));
                }
                Err(stopped) => {
                    task.stop(stopped);
                    stayed.push(task);
                }
            }
        }
        for task in stayed.iter().filter(|task| !task.has_no_room()) {
            self.round.ended(task);
        }
        stayed.iter().any(|task| task.has_no_room())
    }

    /// Removes what is doomed, once the base is synced: not one name may go before it is certain that all of them may.
    fn remove(&mut self) {
        if self.doomed.is_empty() {
            return;
        }
        let Round { work, signals, .. } = self.round;
        let base = work.base.dir();
        let failed = |errno| Error::os(errno, "cannot sync the base before removing it");
        // The dooming has changed the base, if nothing later has: this is now, by the clock that stamps its inodes.
        let ready = base.sync().and_then(|()| last_change(base)).map_err(failed);
        let grace = &self.grace;
        let spent = || grace.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err();
        let stop = || signals.caught().is_some() && spent();
        for (task, tree) in self.doomed.drain(..) {
            let Removed { bytes, names, gone } = match &ready {
                Ok(now) => tree::remove(base, tree, *now, &stop, &mut self.scratch),
                Err(error) => Removed { bytes: 0, names: 0, gone: Err(error.clone()) },
            };
            self.removed.workspaces += 1;
            self.removed.names += names;
            task.freed += bytes;
            match gone {
                Ok(true) => task.end(TaskResult::Pruned, None),
                Ok(false) => task.end(TaskResult::Elsewhere, None),
                Err(error) => task.end(TaskResult::Failed, Some(error)),
            }
            self.round.ended(task);
        }
    }
}

/// What a thread has removed so far.
#[derive(Debug, Default)]
struct Effort {
    workspaces: u64,
    names: u64,
}

impl Effort {
    /// How many workspaces may share a sync, if they are like those before. A few large ones take longer than a sync, and nobody
    /// wants to wait for many of them when the run is interrupted.
    fn worth_a_sync(&self) -> usize {
        usize::try_from(WORTH_A_SYNC * self.workspaces / self.names.max(1)).unwrap_or(usize::MAX)
    }
}

/// When the base was changed last, by the clock that stamps its inodes.
fn last_change(base: &DirFd) -> rustix::io::Result<FileTime> {
    base.stat_self().map(|stat| stat.modified)
}
