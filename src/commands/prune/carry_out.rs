//! Carries the plan out, on several threads, until nothing is left or a signal comes.
//!
//! Each workspace is claimed, looked at once more and doomed. When a thread has doomed a batch, it syncs the base, and only then
//! deletes the first file, so that a power cut never brings back a workspace that is half removed.

use super::claim::{self, Claims};
use super::mounts::Mounts;
use super::plan::{Decision, Plan};
use super::survey::{Found, Place};
use super::task::{Task, TaskResult};
use crate::core::names::fresh_tag;
use crate::core::stat::FileTime;
use crate::core::tree::{self, Names, Removed, Scratch, Tree};
use crate::core::{Base, Error, threads};
use crate::output::progress::{Labels, Progress};
use crate::signals::Signals;
use nix::sys::resource::{Resource, getrlimit}; // that of rustix panics where a system call filter refuses it
use std::cell::OnceCell;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many doomed workspaces share a sync at least.
const BATCH: usize = 16;
/// The most doomed workspaces that a thread holds.
const MAX_HELD: usize = 8 * BATCH;
/// How many names to remove for one sync of the base. On a disk, a sync costs as much as removing about 100 names.
const WORTH_A_SYNC: u64 = 1000;
/// How long each thread goes on removing after a signal. The run must end within a second of it.
const GRACE: Duration = Duration::from_millis(500);
/// How many rounds to try if other runs keep putting workspaces back, or if only temporary files make room: their owner may create
/// new ones for each round.
const ROUNDS: usize = 5;
/// The descriptors that a thread needs besides those of its workspaces.
const DESCRIPTORS: usize = 10;
/// The limit on descriptors if the kernel does not say.
const USUAL_LIMIT: usize = 1024;

/// What is needed to carry a plan out.
pub(super) struct Work<'a> {
    pub(super) base: &'a Base,
    /// Whether modification times count as accesses.
    pub(super) use_mtime: bool,
    /// The most threads to use.
    pub(super) jobs: usize,
    /// Whether to show progress.
    pub(super) show_progress: bool,
    /// Reports a workspace that is gone or has failed. It may wait for a slow reader, so it is called only after the thread
    /// has doomed each of its claims or tried to put it back.
    pub(super) report_result: &'a (dyn Fn(&Task<'_>) + Sync),
}

/// Puts back the claims of earlier runs that stay, until a signal comes. Returns those that could not be put back.
pub(super) fn put_back<'p>(base: &Base, plan: &'p Plan, signals: &Signals) -> Vec<(&'p Found, Decision, Error)> {
    let failure = |(found, decision, name)| match claim::put_back(base, name) {
        Ok(()) => None,
        Err(result) => result.error().map(|error| (found, decision, error.clone())),
    };
    let claims_to_put_back = plan.claims_to_put_back().into_iter();
    claims_to_put_back.take_while(|_| signals.caught().is_none()).filter_map(failure).collect()
}

/// Carries a plan out and returns what was done. It tries again what found no room, as long as removing others helps, and what
/// another run has put back.
pub(super) fn carry_out<'p>(work: &Work<'_>, plan: &'p Plan, signals: &Signals) -> Vec<Task<'p>> {
    let mut all = Vec::with_capacity(plan.to_prune().count());
    all.extend(plan.to_prune().map(Task::new));
    let progress = &Progress::new(work.show_progress, Labels::PRUNING, all.len());
    let mut tasks = &mut all[..];
    for round in 1.. {
        // A new tag for each round: otherwise another run could take the new claim for one that it has examined before.
        Round { work, tag: fresh_tag(), signals, progress }.run(tasks);
        let helped = tasks.iter().any(|task| task.result.is_pruned() || (round < ROUNDS && task.freed > 0));
        let is_open = |task: &Task<'_>| (helped && task.result.has_no_room()) || (round < ROUNDS && task.is_put_back());
        if signals.caught().is_some() || !tasks.iter().any(is_open) {
            break;
        }
        // A journal reuses freed blocks only once their removal is committed. If this fails, nothing is lost.
        let _ = work.base.dir().sync();
        tasks.sort_by_key(|task| !is_open(task));
        let open = tasks.partition_point(is_open);
        tasks = &mut tasks[..open];
    }
    let is_interrupted = signals.caught().is_some();
    for task in all.iter_mut().filter(|task| task.result.has_no_room()) {
        // After a signal, a workspace that is still at its own path counts as kept. Any other is a failure.
        if is_interrupted && matches!(task.result, TaskResult::NoRoom(_, None)) {
            task.result = TaskResult::Kept;
        }
        (work.report_result)(task);
    }
    all
}

struct Round<'a> {
    work: &'a Work<'a>,
    tag: u64,
    signals: &'a Signals,
    progress: &'a Progress,
}

impl Round<'_> {
    fn run(&self, tasks: &mut [Task<'_>]) {
        let (threads, held) = self.threads_and_held(tasks.len());
        let tasks = Mutex::new(tasks.iter_mut());
        let next_task = || tasks.lock().unwrap_or_else(PoisonError::into_inner).next();
        let run = || {
            let stop = || self.signals.caught().is_some();
            let claims = Claims { base: self.work.base, tag: self.tag, use_mtime: self.work.use_mtime, stop: &stop };
            let mut worker = Worker {
                round: self,
                mounts: Mounts::read(self.work.base.dir()),
                scratch: Scratch::default(),
                doomed: Vec::with_capacity(held),
                removed: (0, 0),
                interrupted: OnceCell::new(),
            };
            while !stop() {
                let Some(task) = next_task() else { break };
                worker.take_aside(task, &claims);
                if worker.doomed.len() >= worker.worth_a_sync().max(BATCH).min(held) {
                    worker.remove();
                }
            }
            worker.remove();
        };
        threads::run_with_others(threads - 1, run);
    }

    fn ended(&self, task: &Task<'_>) {
        self.progress.advance(task.freed);
        (self.work.report_result)(task);
    }

    /// Returns how many threads to use and how many workspaces each may hold open, within the limit of descriptors.
    fn threads_and_held(&self, tasks: usize) -> (usize, usize) {
        let limit = getrlimit(Resource::RLIMIT_NOFILE)
            .map_or(USUAL_LIMIT, |(limit, _)| usize::try_from(limit).unwrap_or(usize::MAX));
        let free = limit.saturating_sub(2 * DESCRIPTORS);
        let threads = self.work.jobs.min(tasks.div_ceil(BATCH)).min(free / (DESCRIPTORS + BATCH)).max(1);
        (threads, (free / threads).saturating_sub(DESCRIPTORS).clamp(1, MAX_HELD))
    }
}

/// What a thread is working on.
struct Worker<'a, 't, 'p> {
    round: &'a Round<'a>,
    mounts: Mounts<'a>,
    scratch: Scratch,
    doomed: Vec<(&'t mut Task<'p>, Tree)>,
    /// How many workspaces it has removed so far, and how many names in them have gone.
    removed: (u64, u64),
    /// When a removal first heard of a signal.
    interrupted: OnceCell<Instant>,
}

impl<'t, 'p> Worker<'_, 't, 'p> {
    /// Takes a workspace out of use, to be removed. Nothing else is claimed meanwhile: whatever its owner has planted in it, no other
    /// is out of reach.
    fn take_aside(&mut self, task: &'t mut Task<'p>, claims: &Claims<'_>) {
        match self.claim_and_doom(task, claims) {
            Ok(tree) => self.doomed.push((task, tree)),
            Err(result) => {
                task.result = result;
                match task.result {
                    TaskResult::NoRoom(..) => self.remove(), // this may make room, and then it is tried again
                    TaskResult::PutBack => {}                // it may be tried again
                    _ => self.round.ended(task),
                }
            }
        }
    }

    /// Claims and dooms a workspace. Returns what to remove.
    fn claim_and_doom(&mut self, task: &mut Task<'p>, claims: &Claims<'_>) -> Result<Tree, TaskResult> {
        let found = task.found;
        if found.place == Place::Doomed {
            let (name, names, listed_at) = (found.name(), Names::default(), FileTime::now());
            return Ok(Tree { name, dir: None, names, listed_at });
        }
        let claim = claims.claim(found, task.claim(), &self.mounts, &mut self.scratch)?;
        self.mounts.refresh(); // the removal itself stops at what is mounted later
        claims.doom(claim, task, &self.mounts, &mut self.scratch)
    }

    /// Returns how many workspaces of the average size so far may share one sync. If they are large, only a few do, so that a
    /// signal is heard soon.
    fn worth_a_sync(&self) -> usize {
        let (workspaces, names) = self.removed;
        usize::try_from(WORTH_A_SYNC * workspaces / names.max(1)).unwrap_or(usize::MAX)
    }

    /// Syncs the base and then removes what is doomed: a power cut must not undo a doom once a file is gone.
    fn remove(&mut self) {
        if self.doomed.is_empty() {
            return;
        }
        let Round { work, signals, .. } = self.round;
        let base = work.base.dir();
        let failed = |errno| Error::os(errno, "not removed, because the base could not be synced");
        // Dooming has just changed the base, so its change time is now, by the clock that stamps its inodes. Its owner can set the
        // modification time.
        let ready = base.sync().and_then(|()| base.stat_self()).map(|stat| stat.changed).map_err(failed);
        let interrupted = &self.interrupted;
        let stop = || signals.caught().is_some() && interrupted.get_or_init(Instant::now).elapsed() > GRACE;
        for (task, tree) in self.doomed.drain(..) {
            let Removed { bytes, names, gone } = match &ready {
                Ok(now) => tree::remove(base, tree, *now, &stop, &mut self.scratch),
                Err(error) => Removed { bytes: 0, names: 0, gone: Err(error.clone()) },
            };
            self.removed = (self.removed.0 + 1, self.removed.1 + names);
            task.freed += bytes;
            task.result = match gone {
                Ok(true) => TaskResult::Pruned(None),
                Ok(false) => TaskResult::Elsewhere,
                Err(error) => TaskResult::failed(error),
            };
            self.round.ended(task);
        }
    }
}
