//! `wsctl prune`: deletes stale workspaces.
//!
//! Its flow: facts, then a plan, then perhaps a question, then the plan carried out. A dry run is the
//! plan not carried out.

mod arguments;
pub mod candidates;
mod carry_out;
mod erase;
mod inspect;
mod mounts;
pub mod plan;
mod prompt;
mod report;
mod stock;
mod trash;

use super::Context;
use crate::args::ids;
use crate::args::size::CountOrShare;
use crate::core::names::fresh_tag;
use crate::core::{Base, Category, Error, WorkspaceId, base, threads};
use crate::output::Outcome;
use crate::output::diagnostics::{self, Diagnostics};
use crate::output::meter::{Meter, Words};
use crate::signals::Signals;
use candidates::{Candidate, Facts, Place};
use carry_out::{Remover, Task};
use mounts::Mounts;
use plan::{Fate, Rule};
use prompt::Answer;
use report::Report;
use std::collections::HashSet;
use stock::Stock;
use trash::Stopped;

pub use arguments::{Arguments, EXAMPLES};
pub use stock::gauges_of_failure;

/// Decides, asks, and carries out what was decided.
pub fn run(arguments: &Arguments, context: &Context) -> anyhow::Result<Box<dyn Outcome>> {
    let asks = !arguments.dry_run && !arguments.yes;
    if asks && !context.terminal.interactive {
        let what = "there is no terminal to ask on: pass --yes to delete without a question, or --dry-run to see what would go";
        return Err(Error::new(Category::Usage, what).into());
    }
    let mut run = Run {
        jobs: arguments.jobs.map_or_else(threads::default_threads, usize::from),
        report: Report::new(context, arguments.format, arguments.dry_run, arguments.cutoff(context.now)),
        diagnostics: Diagnostics::default(),
        arguments,
        context,
    };
    let exclude = arguments.excluded()?;
    let ids = run.ids()?;
    let base = context.open_base()?;
    let signals = Signals::install()?;

    let rules = arguments.rules(&base, exclude, ids, context.now)?;
    let (scope, watched) = (arguments.scope(&rules), context.terminal.watched);
    let mut facts = Facts::gather(&base, &scope, run.jobs, context.now, watched)?;
    let fates = plan::decide(&facts.candidates, &rules);
    run.report.stock = arguments.metrics().map(|_| Stock::of(&facts.candidates));
    log::debug!("{} examined of {} in all", facts.candidates.len(), facts.total);
    super::hint_where_there_are_none(&base, facts.total);
    for id in &facts.absent {
        run.fail(*id, base::absent());
    }
    let goes_on = run.is_allowed(&fates, &facts) && run.is_agreed(&base, &mut facts, &fates, &signals)?;
    run.report.kept += fates.iter().filter(|fate| **fate == Fate::Keep).count();
    if rules.choose_by_size() || asks || arguments.dry_run {
        run.report_unmeasured(&told_of(&facts.candidates, &fates));
    }
    run.report_before(&base, &told_of(&facts.candidates, &fates), goes_on);
    let mut tasks = tasks(&mut facts.candidates, fates);
    if goes_on && !arguments.dry_run {
        let tag = fresh_tag().map_err(|errno| Error::os(errno, "cannot make a name for what is taken aside"))?;
        let (use_mtime, jobs) = (arguments.use_mtime, run.jobs);
        let meter = &Meter::new(watched, Words::PRUNING, tasks.len());
        Remover { base: &base, tag, use_mtime, jobs, signals: &signals, meter }.carry_out(&mut tasks);
    }
    tasks.sort_unstable_by_key(|task| (task.candidate.last_access, task.candidate.id, task.candidate.place));
    if goes_on && arguments.dry_run {
        run.foretell(&base, &tasks);
    } else {
        for task in &tasks {
            run.done(task);
        }
    }
    run.diagnostics.raise(signals.caught().unwrap_or_default());
    run.report.status = run.diagnostics.status();
    Ok(Box::new(run.report))
}

/// What the steps of one run share.
struct Run<'a> {
    arguments: &'a Arguments,
    context: &'a Context,
    jobs: usize,
    report: Report,
    diagnostics: Diagnostics,
}

impl Run<'_> {
    /// Reports a failure that has to do with one workspace, to people and in the document.
    fn fail(&mut self, id: WorkspaceId, error: Error) {
        self.report.failed(&id, &error);
        self.diagnostics.report(&error.of(id.subject()));
    }

    /// The IDs that were given, if any were; what is none is a failure of its own.
    fn ids(&mut self) -> anyhow::Result<Option<HashSet<WorkspaceId>>> {
        if self.arguments.ids.is_empty() {
            return Ok(None);
        }
        let mut valid = HashSet::new();
        for candidate in ids::candidates(&self.arguments.ids, &self.arguments.separator)? {
            match ids::parse(&candidate) {
                Ok(id) => drop(valid.insert(id)),
                Err(error) => {
                    self.report.failed(&candidate.to_string_lossy(), &error);
                    self.diagnostics.report(&error);
                }
            }
        }
        Ok(Some(valid))
    }

    /// Whether `--max-delete` lets the plan be carried out.
    fn is_allowed(&mut self, fates: &[Fate], facts: &Facts) -> bool {
        let chosen = fates.iter().filter(|fate| matches!(fate, Fate::Prune(rule) if *rule != Rule::Leftover)).count();
        let (chosen, total) = (chosen as u64, facts.total as u64);
        let (most, limit) = match self.arguments.max_delete {
            None => return true,
            Some(CountOrShare::Count(count)) => (count as u64, count.to_string()),
            Some(CountOrShare::Share(share)) => (share.of(total), format!("{share}")),
        };
        if chosen > most {
            let what = format!(
                "nothing was deleted: {chosen} of {total} workspaces would go, and --max-delete allows {limit}"
            );
            self.diagnostics.report(&Error::new(Category::Refused, what));
        }
        chosen <= most
    }

    /// Whether whoever has to be asked agrees. What shall go is measured where somebody wants to know before.
    fn is_agreed(&mut self, base: &Base, facts: &mut Facts, fates: &[Fate], signals: &Signals) -> anyhow::Result<bool> {
        if self.arguments.yes && !self.arguments.dry_run {
            return Ok(true);
        }
        candidates::measure(base, &mut facts.candidates, fates, self.jobs, self.context.terminal.watched);
        let leaving = facts.candidates.iter().zip(fates).filter(|(_, fate)| matches!(fate, Fate::Prune(_)));
        let leaving: Vec<_> = leaving.map(|(candidate, _)| candidate).collect();
        if self.arguments.dry_run || leaving.is_empty() {
            return Ok(true);
        }
        match prompt::ask(&prompt::question(&leaving, facts.total, self.context.now), signals)? {
            Answer::Yes => return Ok(true),
            Answer::No => {
                self.diagnostics.report(&Error::new(Category::Refused, "nothing was deleted: the answer was no"));
            }
            Answer::Signal(status) => self.diagnostics.raise(status),
        }
        Ok(false)
    }

    /// Reports what can be told before anything is removed, and puts back what may go back.
    fn report_before(&mut self, base: &Base, candidates: &[(&Candidate, Fate)], goes_on: bool) {
        self.report_those_that_stay(candidates);
        if goes_on {
            self.settle_claims(base, candidates);
        }
    }

    /// Reports where sizes are less than the truth, since decisions and promises rest on them.
    fn report_unmeasured(&mut self, candidates: &[(&Candidate, Fate)]) {
        for (candidate, _) in candidates {
            if let Some(error) = candidate.unmeasured() {
                self.diagnostics.report(&Error::clone(error).of(candidate.id.subject()));
            }
        }
    }

    /// Reports what stays, and why if its last access is not known.
    fn report_those_that_stay(&mut self, candidates: &[(&Candidate, Fate)]) {
        for (candidate, fate) in candidates {
            match (fate, &candidate.failure) {
                (Fate::Prune(_) | Fate::Ignore | Fate::Keep, _) => {}
                (Fate::Fail, Some(error)) => self.fail(candidate.id, Error::clone(error)),
                (Fate::Skip | Fate::Fail, reason) => {
                    diagnostics::warn_of_skip(candidate.id, candidate.status, reason.as_deref());
                    self.report.skipped(candidate);
                }
            }
        }
    }

    /// Puts back what an earlier run had claimed of those that stay.
    fn settle_claims(&mut self, base: &Base, candidates: &[(&Candidate, Fate)]) {
        for (candidate, fate) in candidates {
            let Some(name) = candidate.trash_name().filter(|_| !matches!(fate, Fate::Prune(_))) else { continue };
            let stopped = if self.arguments.dry_run {
                trash::obstacle_to_put_back(base, name)
            } else if let Err(Stopped::Failed(error) | Stopped::Full(error, _)) = trash::put_back(base, name) {
                Some(error)
            } else {
                None
            };
            if let Some(error) = stopped {
                self.report.kept -= usize::from(*fate == Fate::Keep);
                self.fail(candidate.id, error);
            }
        }
    }

    /// Reports what the run would come to.
    fn foretell(&mut self, base: &Base, tasks: &[Task<'_>]) {
        let mounts = Mounts::read(base.dir());
        for Task { candidate, rule, .. } in tasks {
            match trash::obstacle(&mounts, candidate.id) {
                Some(error) => self.fail(candidate.id, error),
                None => self.report.planned(candidate, *rule),
            }
        }
    }

    fn done(&mut self, task: &Task<'_>) {
        self.report.done(task);
        if let Some(error) = &task.error {
            self.diagnostics.report(&Error::clone(error).of(task.candidate.id.subject()));
        }
    }
}

/// Those of which there may be something to tell or to settle, by ID: that does not depend on how the base is listed.
fn told_of<'a>(candidates: &'a [Candidate], fates: &[Fate]) -> Vec<(&'a Candidate, Fate)> {
    let is_usual = |candidate: &Candidate| candidate.failure.is_none() && candidate.place == Place::Own;
    let all = candidates.iter().zip(fates.iter().copied());
    let mut told: Vec<_> = all.filter(|(candidate, fate)| !is_usual(candidate) || *fate == Fate::Skip).collect();
    told.sort_unstable_by_key(|(candidate, _)| (candidate.id, candidate.place));
    told
}

/// What is to be removed.
fn tasks(candidates: &mut [Candidate], fates: Vec<Fate>) -> Vec<Task<'_>> {
    let task = |(candidate, fate)| match fate {
        Fate::Prune(rule) => Some(Task::new(candidate, rule)),
        _ => None,
    };
    let mut tasks = Vec::with_capacity(fates.iter().filter(|fate| matches!(fate, Fate::Prune(_))).count());
    tasks.extend(candidates.iter_mut().zip(fates).filter_map(task));
    tasks
}
