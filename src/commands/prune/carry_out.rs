//! The plan carried out: in batches, by several threads, until nothing is left to do or a signal comes.
//!
//! Batches are claimed, looked at once more and doomed, before one sync of the base and only then the first unlink: what a
//! power cut undoes is never half removed.

use super::candidates::{Candidate, Place};
use super::erase::{self, Buffers, Erased};
use super::mounts::Mounts;
use super::plan::Rule;
use super::trash::{self, Doomed, Stopped};
use crate::core::{Base, DirFd, Error, Timestamp, stat, threads};
use crate::output::meter::Meter;
use crate::signals::Signals;
use rustix::process::{Resource, getrlimit};
use std::sync::{Mutex, PoisonError};

/// How many workspaces are claimed at a time. More would be kept from the application longer.
const BATCH: usize = 16;
/// How many doomed ones a thread holds at most.
const IN_HAND: usize = 8 * BATCH;
/// How many names shall share a sync, which on a disk costs as much as removing a hundred of them. They are still to be removed
/// when the run is stopped.
const WORTH_A_SYNC: u64 = 1000;
/// The descriptors that one thread needs beside those of what it holds.
const DESCRIPTORS: usize = 10;

/// A workspace to remove, why, and what became of it.
#[derive(Debug)]
pub(super) struct Task<'a> {
    pub(super) candidate: &'a mut Candidate,
    pub(super) rule: Rule,
    pub(super) ending: Ending,
    /// Why it has failed, or what there was no room for.
    pub(super) error: Option<Box<Error>>,
    /// The bytes that this run freed of it, whatever the ending.
    pub(super) freed: u64,
}

/// What became of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is gone, and this run removed the last of it.
    Pruned,
    /// Another run has it, and reports it.
    Elsewhere,
    /// It stays: a signal came first, or another run decided so.
    Kept,
    /// It could not be removed, or not wholly.
    Failed,
    /// There was no room for another name.
    Full,
}

/// Removes workspaces.
#[derive(Debug)]
pub(super) struct Remover<'a> {
    pub(super) base: &'a Base,
    /// What the names of what this run takes aside end with, or a number that follows it.
    pub(super) tag: u64,
    /// Whether modification times count as accesses.
    pub(super) use_mtime: bool,
    /// How many threads may be used.
    pub(super) jobs: usize,
    pub(super) signals: &'a Signals,
    pub(super) meter: &'a Meter,
}

impl<'a> Task<'a> {
    /// A task that nobody has begun.
    pub(super) fn new(candidate: &'a mut Candidate, rule: Rule) -> Self {
        Self { candidate, rule, ending: Ending::Kept, error: None, freed: 0 }
    }

    fn is_full(&self) -> bool {
        self.ending == Ending::Full
    }

    fn end(&mut self, ending: Ending, error: Option<Error>) {
        self.ending = ending;
        self.error = error.map(Box::new);
    }

    fn stop(&mut self, stopped: Stopped, meter: &Meter) {
        match stopped {
            Stopped::Gone => self.end(Ending::Elsewhere, None),
            Stopped::PutBack => self.end(Ending::Kept, None),
            Stopped::Failed(error) => self.end(Ending::Failed, Some(error)),
            Stopped::Full(error, place) => {
                self.candidate.place = place;
                self.end(Ending::Full, Some(error));
            }
        }
        if !self.is_full() {
            meter.ended(0);
        }
    }
}

impl Remover<'_> {
    /// Carries out all the tasks. Those for which there was no room are tried again for as long as removing others helps.
    pub(super) fn carry_out(&self, mut tasks: &mut [Task<'_>]) {
        for round in 0.. {
            // Where somebody has seen a name, it must not stand for what was put back and claimed anew.
            self.round(tasks, self.tag.wrapping_add(round));
            let helped = tasks.iter().any(|task| task.freed > 0 || task.ending == Ending::Pruned);
            if !helped || !tasks.iter().any(Task::is_full) {
                return;
            }
            // A journal hands freed blocks out again only once it has committed their removal. If it cannot, there is no harm.
            let _ = self.base.dir().sync();
            tasks.sort_by_key(|task| !task.is_full());
            let full = tasks.partition_point(Task::is_full);
            tasks = &mut tasks[..full];
            // What a signal keeps from being tried again stays, if it is at its own path; else there is a failure to report.
            for task in tasks.iter_mut().filter(|task| task.candidate.place == Place::Own) {
                task.end(Ending::Kept, None);
            }
        }
    }

    fn round(&self, tasks: &mut [Task<'_>], tag: u64) {
        let (threads, held) = self.share(tasks.len());
        let batches = Mutex::new(tasks.chunks_mut(held.min(BATCH)));
        let next_batch = || batches.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || {
            let mut mounts = Mounts::read(self.base.dir());
            let mut buffers = Buffers::default();
            let mut doomed = Vec::with_capacity(held);
            let mut before = last_change(self.base.dir()).ok();
            let mut erased = Effort::default();
            while self.signals.caught().is_none() {
                let Some(batch) = next_batch() else { break };
                let is_full = self.take_aside(batch, tag, &mut doomed, &mut mounts, &mut buffers);
                if is_full || doomed.len() + BATCH > erased.worth_a_sync().min(held) {
                    before = self.erase(&mut doomed, before, &mut buffers, &mut erased);
                }
            }
            self.erase(&mut doomed, before, &mut buffers, &mut erased);
        };
        threads::on_this_and(threads - 1, work);
    }

    /// How many threads to use, and how many workspaces each may hold open, within the limit of descriptors.
    fn share(&self, tasks: usize) -> (usize, usize) {
        let limit =
            getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let free = limit.saturating_sub(2 * DESCRIPTORS);
        let threads = self.jobs.min(tasks.div_ceil(BATCH)).min(free / (DESCRIPTORS + BATCH)).max(1);
        (threads, (free / threads).saturating_sub(DESCRIPTORS).clamp(1, IN_HAND))
    }

    /// Claims and dooms a batch, and tells whether there was no room for some of it.
    fn take_aside<'t, 'c>(
        &self,
        batch: &'t mut [Task<'c>],
        tag: u64,
        doomed: &mut Vec<(&'t mut Task<'c>, Doomed)>,
        mounts: &mut Mounts<'_>,
        buffers: &mut Buffers,
    ) -> bool {
        let mut claimed = Vec::with_capacity(batch.len());
        let mut full = None;
        for task in batch {
            if let Some(name) = task.candidate.trash_name().filter(|_| task.candidate.is_doomed()) {
                doomed.push((task, Doomed::found(name)));
                continue;
            }
            if let Some(error) = &full {
                task.end(Ending::Full, Some(Error::clone(error)));
                continue;
            }
            match trash::claim(self.base, task.candidate, tag) {
                Ok(claim) => claimed.push((task, claim)),
                Err(stopped) => {
                    task.stop(stopped, self.meter);
                    // Where a longer name fits depends on the name: as long as there is nothing in hand whose removal would
                    // make room, the next one is tried.
                    if task.is_full() && !(claimed.is_empty() && doomed.is_empty()) {
                        full = task.error.as_deref().cloned();
                    }
                }
            }
        }
        let mut is_full = full.is_some();
        mounts.refresh(); // what is mounted later, removal itself stops at
        for (task, claim) in claimed {
            match trash::doom(self.base, claim, task.candidate, self.use_mtime, mounts, &mut buffers[0]) {
                Ok(step) => doomed.push((task, step)),
                Err(stopped) => {
                    task.stop(stopped, self.meter);
                    is_full |= task.is_full();
                }
            }
        }
        is_full
    }

    /// Erases what is doomed, once the base is synced: not one name may go before it is certain that all of them may.
    /// `before` is a time before the first of them was looked at, by the file system's clock; it gives that for the next ones.
    fn erase(
        &self,
        doomed: &mut Vec<(&mut Task<'_>, Doomed)>,
        before: Option<Timestamp>,
        buffers: &mut Buffers,
        effort: &mut Effort,
    ) -> Option<Timestamp> {
        if doomed.is_empty() {
            return before;
        }
        let base = self.base.dir();
        let failed = |errno| Error::os(errno, "cannot sync the base before removing it");
        // The dooming has changed the base, if nothing later has: this is now.
        let ready = base.sync().and_then(|()| last_change(base)).map_err(failed);
        for (task, doomed) in doomed.drain(..) {
            let erased = match &ready {
                Ok(now) => erase::erase(base, doomed, before, *now, buffers),
                Err(error) => Erased { bytes: doomed.swept(), ..Erased::nothing(Err(error.clone())) },
            };
            effort.workspaces += 1;
            effort.names += erased.names;
            self.meter.ended(erased.bytes);
            task.freed += erased.bytes;
            match erased.gone {
                Ok(true) => task.end(Ending::Pruned, None),
                Ok(false) => task.end(Ending::Elsewhere, None),
                Err(error) => task.end(Ending::Failed, Some(error)),
            }
        }
        ready.ok()
    }
}

/// What a thread has erased so far.
#[derive(Debug, Default)]
struct Effort {
    workspaces: u64,
    names: u64,
}

impl Effort {
    /// How many workspaces may share a sync, if they are like those before. A few large ones take longer than a sync, and nobody
    /// wants to wait for many of them when the run is to be stopped.
    fn worth_a_sync(&self) -> usize {
        usize::try_from(WORTH_A_SYNC * self.workspaces / self.names.max(1)).unwrap_or(usize::MAX)
    }
}

/// When the base was changed last, by the clock that the inodes go by.
fn last_change(base: &DirFd) -> rustix::io::Result<Timestamp> {
    base.stat_self().map(|stat| stat::modified(&stat))
}
