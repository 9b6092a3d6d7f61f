//! The plan carried out: in batches, by several threads, until nothing is left to do or a signal comes.
//!
//! A batch is claimed, looked at once more and doomed, all of it, before one sync of the base and only then the first unlink:
//! what a power cut undoes is never half removed.

use super::candidates::{Candidate, Place};
use super::erase::{self, Buffers};
use super::mounts::Mounts;
use super::plan::Rule;
use super::trash::{self, Doomed, Stopped};
use crate::core::dirfd;
use crate::core::names::fresh_tag;
use crate::core::{Base, Error};
use crate::signals::Signals;
use rustix::process::{Resource, getrlimit};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many workspaces are claimed at a time. More would share a sync among more, and keep them from the application longer.
const BATCH: usize = 16;
/// The descriptors that one thread needs beside those of its batch.
const DESCRIPTORS: usize = 10;

/// A workspace to remove, and why.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) candidate: Candidate,
    pub(super) rule: Rule,
}

/// What became of a task.
#[derive(Debug)]
pub(super) enum Ending {
    /// It is gone, and this run removed the last of it.
    Pruned,
    /// Another run has it, and reports it.
    Elsewhere,
    /// It stays: a signal came first, or another run decided so.
    Kept,
    /// It could not be removed, or not wholly.
    Failed(Box<Error>),
}

/// A task that has ended.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) task: Task,
    pub(super) ending: Ending,
    /// The bytes that this run freed of it, whatever the ending.
    pub(super) freed: u64,
}

/// Removes workspaces.
#[derive(Debug)]
pub(super) struct Remover<'a> {
    pub(super) base: &'a Base,
    /// Whether modification times count as accesses.
    pub(super) use_mtime: bool,
    /// How many threads may be used.
    pub(super) jobs: usize,
    pub(super) signals: &'a Signals,
}

/// A task in a batch, and how far it has got.
enum Progress {
    /// There was no room for another name; and where it is by now.
    Deferred(Box<Error>, Place),
    Ended(Ending, u64),
}

impl Remover<'_> {
    /// Carries out all the tasks. Those for which there was no room are tried again for as long as removing others helps.
    pub(super) fn carry_out(&self, mut tasks: Vec<Task>) -> Vec<Done> {
        let mut done = Vec::with_capacity(tasks.len());
        loop {
            let (ended, deferred) = self.round(tasks);
            let helped = ended.iter().any(|done: &Done| done.freed > 0 || matches!(done.ending, Ending::Pruned));
            done.extend(ended);
            if deferred.is_empty() {
                return done;
            }
            if !helped {
                let failed = |(task, error)| Done { task, ending: Ending::Failed(error), freed: 0 };
                done.extend(deferred.into_iter().map(failed));
                return done;
            }
            // A journal hands freed blocks out again only once it has committed their removal. If it cannot, there is no harm.
            let _ = self.base.dir().sync();
            tasks = deferred.into_iter().map(|(task, _)| task).collect();
        }
    }

    fn round(&self, tasks: Vec<Task>) -> (Vec<Done>, Vec<(Task, Box<Error>)>) {
        let (threads, batch) = self.share(tasks.len());
        let tag = fresh_tag();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut mounts = Mounts::read(self.base.dir());
            let mut buffers = Buffers::default();
            let mut progress = Vec::new();
            while self.signals.caught().is_none() {
                let start = next.fetch_add(batch, Ordering::Relaxed);
                let Some(rest) = tasks.get(start..).filter(|rest| !rest.is_empty()) else { break };
                let batch = &rest[..batch.min(rest.len())];
                progress.extend(
                    self.batch(batch, tag, &mut mounts, &mut buffers).into_iter().map(|(at, step)| (start + at, step)),
                );
            }
            progress
        };
        let progress = thread::scope(|scope| {
            // A thread that is not to be had (EAGAIN) is done without.
            let spawn = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
            let others: Vec<_> = (1..threads).filter_map(spawn).collect();
            let mut progress = work();
            for other in others {
                progress.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            progress
        });
        sort(tasks, progress)
    }

    /// How many threads to use, and how many workspaces a batch of each may hold open, within the limit of descriptors.
    fn share(&self, tasks: usize) -> (usize, usize) {
        let limit =
            getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let free = limit.saturating_sub(2 * DESCRIPTORS);
        let threads = self.jobs.min(tasks.div_ceil(BATCH)).min(free / (DESCRIPTORS + 1)).max(1);
        (threads, (free / threads).saturating_sub(DESCRIPTORS).clamp(1, BATCH))
    }

    /// Takes a batch through all its steps. What is named in the result by its place in the batch has ended or is deferred.
    fn batch(
        &self,
        batch: &[Task],
        tag: u64,
        mounts: &mut Mounts<'_>,
        buffers: &mut Buffers,
    ) -> Vec<(usize, Progress)> {
        let mut progress = Vec::with_capacity(batch.len());
        let mut claimed = Vec::new();
        let mut doomed: Vec<(usize, Doomed)> = Vec::new();
        let mut full = None;
        for (at, task) in batch.iter().enumerate() {
            match (task.candidate.trash_name().filter(|_| task.candidate.is_doomed()), &full) {
                (Some(name), _) => doomed.push((at, Doomed { name, dir: None, swept: 0 })),
                // One that was found claimed needs no longer name.
                (None, Some(error)) if task.candidate.place == Place::Own => {
                    progress.push((at, Progress::Deferred(Box::clone(error), task.candidate.place)));
                }
                (None, _) => match trash::claim(self.base, &task.candidate, tag) {
                    Ok(claim) => claimed.push((at, claim)),
                    Err(stopped) => {
                        let step = stop(stopped);
                        // Where a longer name fits depends on the name: as long as there is nothing in hand whose removal
                        // would make room, the next one is tried.
                        if let (Progress::Deferred(error, _), false) = (&step, claimed.is_empty() && doomed.is_empty())
                        {
                            full = Some(error.clone());
                        }
                        progress.push((at, step));
                    }
                },
            }
        }
        mounts.refresh(); // what is mounted later, removal itself stops at
        for (at, claim) in claimed {
            match trash::doom(self.base, claim, &batch[at].candidate, self.use_mtime, mounts, &mut buffers[0]) {
                Ok(step) => doomed.push((at, step)),
                Err(stopped) => progress.push((at, stop(stopped))),
            }
        }
        progress.extend(self.erase(doomed, buffers));
        progress
    }

    /// Erases what is doomed, once the base is synced: not one name may go before it is certain that all of them may.
    fn erase(&self, doomed: Vec<(usize, Doomed)>, buffers: &mut Buffers) -> Vec<(usize, Progress)> {
        if doomed.is_empty() {
            return Vec::new();
        }
        let base = self.base.dir();
        let failed = |errno| Error::os(errno, "cannot sync the base before removing it");
        // The base was changed by the dooming, if by nothing later: this is now, by the clock that the inodes go by.
        let ready = base.sync().and_then(|()| base.stat_self()).map(|stat| dirfd::modified(&stat)).map_err(failed);
        let erase = |(at, doomed): (usize, Doomed)| {
            let (ending, freed) = match &ready {
                Err(error) => (Ending::Failed(Box::new(error.clone())), doomed.swept),
                Ok(now) => {
                    let erased = erase::erase(base, doomed, *now, buffers);
                    let ending = match erased.gone {
                        Ok(true) => Ending::Pruned,
                        Ok(false) => Ending::Elsewhere,
                        Err(error) => Ending::Failed(Box::new(error)),
                    };
                    (ending, erased.bytes)
                }
            };
            (at, Progress::Ended(ending, freed))
        };
        doomed.into_iter().map(erase).collect()
    }
}

fn stop(stopped: Stopped) -> Progress {
    match stopped {
        Stopped::Gone => Progress::Ended(Ending::Elsewhere, 0),
        Stopped::PutBack => Progress::Ended(Ending::Kept, 0),
        Stopped::Full(error, place) => Progress::Deferred(Box::new(error), place),
        Stopped::Failed(error) => Progress::Ended(Ending::Failed(Box::new(error)), 0),
    }
}

/// Gives each task its ending; what was not begun, because of a signal, stays.
fn sort(tasks: Vec<Task>, mut progress: Vec<(usize, Progress)>) -> (Vec<Done>, Vec<(Task, Box<Error>)>) {
    progress.sort_unstable_by_key(|(at, _)| *at);
    let mut progress = progress.into_iter().peekable();
    let (mut done, mut deferred) = (Vec::new(), Vec::new());
    for (at, mut task) in tasks.into_iter().enumerate() {
        match progress.next_if(|(of, _)| *of == at).map(|(_, step)| step) {
            Some(Progress::Deferred(error, place)) => {
                task.candidate.place = place;
                deferred.push((task, error));
            }
            Some(Progress::Ended(ending, freed)) => done.push(Done { task, ending, freed }),
            None => done.push(Done { task, ending: Ending::Kept, freed: 0 }),
        }
    }
    (done, deferred)
}
