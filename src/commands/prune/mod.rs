//! `wsctl prune`: deletes stale workspaces.
//!
//! Its arguments and its flow: facts, then a plan, then perhaps a question, then the plan carried out. A dry run is the
//! plan not carried out.

mod candidates;
mod carry_out;
mod erase;
mod mounts;
mod plan;
mod prompt;
mod report;
mod trash;

use super::{Context, Format};
use crate::args::ids::{self, Separator};
use crate::args::size::{CountOrShare, SizeOrShare};
use crate::args::{duration, size};
use crate::core::{Base, Category, Error, Timestamp, WorkspaceId, base, survey};
use crate::output::Outcome;
use crate::output::diagnostics::{self, Diagnostics};
use crate::signals::Signals;
use candidates::{Candidate, Facts, Scope};
use carry_out::{Done, Ending, Remover, Task};
use clap::{ArgGroup, Args};
use mounts::Mounts;
use plan::{Fate, Free, Rule, Rules};
use prompt::Answer;
use report::Report;
use std::collections::HashSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use trash::Stopped;

/// What `--help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  wsctl prune --older-than 30d --dry-run -v
  wsctl prune --older-than 30d --max-delete 20% --yes
  wsctl prune --max-total-size 10GiB --min-free 5% --keep-last 100 --yes
  wsctl prune 6c7ab482-a9ca-49d7-9364-b3e425655d2e";

/// The arguments of `prune`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("selection").args(["older_than", "max_total_size", "min_free", "ids"]).required(true).multiple(true))]
pub struct Arguments {
    /// Those last accessed longer ago than this: 7d, 12h, 2weeks, "1day 12h", 3months
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, allow_hyphen_values = true)]
    #[arg(help_heading = "Rules")]
    older_than: Option<Duration>,
    /// Then, while all together use more than this, the least recently accessed: 10GiB
    #[arg(long, value_name = "SIZE", value_parser = size::parse, allow_hyphen_values = true)]
    #[arg(help_heading = "Rules")]
    max_total_size: Option<u64>,
    /// Then, while the file system has less free than this, the least recently accessed: 5% or 20GiB
    #[arg(long, value_name = "SIZE|P%", allow_hyphen_values = true, help_heading = "Rules")]
    min_free: Option<SizeOrShare>,
    /// Count the newest modification of anything in a workspace as an access, too
    #[arg(long, help_heading = "Rules")]
    use_mtime: bool,
    /// Keep the N last accessed, whatever else applies
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, allow_negative_numbers = true)]
    #[arg(help_heading = "Protection")]
    keep_last: usize,
    /// Keep this workspace (repeatable)
    #[arg(long, value_name = "ID", help_heading = "Protection")]
    exclude: Vec<WorkspaceId>,
    /// Keep the workspaces in this file: IDs, one a line, with # comments (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "Protection")]
    exclude_from: Vec<PathBuf>,
    /// Delete nothing at all if more than this many would go, or this share of all: 100 or 20%
    #[arg(long, value_name = "N|P%", allow_hyphen_values = true, help_heading = "Protection")]
    max_delete: Option<CountOrShare>,
    /// Decide and report the same, but change nothing
    #[arg(short = 'n', long, help_heading = "Running")]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long, help_heading = "Running")]
    yes: bool,
    /// How many threads remove at once
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Running")]
    jobs: Option<u16>,
    /// How to show the report
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Running")]
    format: Format,
    #[command(flatten)]
    separator: Separator,
    /// Just these workspaces; with --older-than, those of them that are stale; `-` reads IDs from stdin
    #[arg(value_name = "ID")]
    ids: Vec<OsString>,
}

/// Decides, asks, and carries out what was decided.
pub fn run(arguments: &Arguments, context: &Context) -> anyhow::Result<Box<dyn Outcome>> {
    let asks = !arguments.dry_run && !arguments.yes;
    if asks && !context.terminal.interactive {
        let what = "there is no terminal to ask on: pass --yes to delete without a question, or --dry-run to see what would go";
        return Err(Error::new(Category::Usage, what).into());
    }
    let mut run = Run {
        jobs: arguments.jobs.map_or_else(survey::default_threads, usize::from),
        report: Report::new(context, arguments.format, arguments.dry_run, arguments.cutoff(context.now)),
        diagnostics: Diagnostics::default(),
        arguments,
        context,
    };
    let exclude = arguments.excluded()?;
    let ids = run.ids()?;
    let base = Base::open(&context.base)?;
    let signals = Signals::install()?;

    let rules = arguments.rules(&base, exclude, ids, context.now)?;
    let mut facts = Facts::gather(&base, &arguments.scope(&rules), run.jobs, context.now)?;
    let fates = plan::decide(&facts.candidates, &rules);
    for id in &facts.absent {
        run.fail(*id, base::absent());
    }
    let goes_on = run.is_allowed(&fates, &facts) && run.is_agreed(&base, &mut facts, &fates, &signals)?;
    run.report_those_that_stay(&facts.candidates, &fates);
    if goes_on {
        run.settle_claims(&base, &facts.candidates, &fates);
    }
    let tasks = tasks(facts.candidates, &fates);
    if !goes_on {
        run.report.kept += tasks.iter().filter(|task| task.rule != Rule::Leftover).count();
    } else if arguments.dry_run {
        run.foretell(&base, &tasks);
    } else {
        let remover = Remover { base: &base, use_mtime: arguments.use_mtime, jobs: run.jobs, signals: &signals };
        for done in remover.carry_out(tasks) {
            run.done(&done);
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
        candidates::measure(base, &mut facts.candidates, fates, self.jobs);
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

    /// Reports what stays, and why if its last access is not known.
    fn report_those_that_stay(&mut self, candidates: &[Candidate], fates: &[Fate]) {
        for (candidate, fate) in candidates.iter().zip(fates) {
            match (fate, &candidate.failure) {
                (Fate::Prune(_) | Fate::Ignore, _) => {}
                (Fate::Keep, _) => self.report.kept += 1,
                (Fate::Fail, Some(error)) => self.fail(candidate.id, Error::clone(error)),
                (Fate::Skip | Fate::Fail, reason) => {
                    diagnostics::warn_of_skip(candidate.id, candidate.status, reason.as_deref());
                    self.report.skipped(candidate);
                }
            }
        }
    }

    /// Puts back what an earlier run had claimed of those that stay.
    fn settle_claims(&mut self, base: &Base, candidates: &[Candidate], fates: &[Fate]) {
        let mut mounts = Mounts::read(base.dir());
        for (candidate, fate) in candidates.iter().zip(fates) {
            let Some(name) = candidate.trash_name().filter(|_| !matches!(fate, Fate::Prune(_))) else { continue };
            let stopped = if self.arguments.dry_run {
                trash::foresee(base, candidate, false, &mut mounts)
            } else if let Err(Stopped::Failed(error)) = trash::put_back(base, name) {
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
    fn foretell(&mut self, base: &Base, tasks: &[Task]) {
        let mut mounts = Mounts::read(base.dir());
        for Task { candidate, rule } in tasks {
            match trash::foresee(base, candidate, true, &mut mounts) {
                Some(error) => self.fail(candidate.id, error),
                None => self.report.planned(candidate, *rule),
            }
        }
    }

    fn done(&mut self, done: &Done) {
        self.report.done(done);
        if let Ending::Failed(error) = &done.ending {
            self.diagnostics.report(&Error::clone(error).of(done.task.candidate.id.subject()));
        }
    }
}

/// What is to be removed, the longest unused first: if a signal comes, those that stay are the ones used last.
fn tasks(candidates: Vec<Candidate>, fates: &[Fate]) -> Vec<Task> {
    let mut tasks: Vec<Task> = candidates
        .into_iter()
        .zip(fates)
        .filter_map(|(candidate, fate)| match fate {
            Fate::Prune(rule) => Some(Task { candidate, rule: *rule }),
            _ => None,
        })
        .collect();
    tasks.sort_by_key(|task| task.candidate.last_access);
    tasks
}

impl Arguments {
    /// Before this, a last access is stale.
    fn cutoff(&self, now: Timestamp) -> Option<Timestamp> {
        self.older_than.map(|duration| now.earlier(duration))
    }

    /// The workspaces that stay in any case.
    fn excluded(&self) -> anyhow::Result<HashSet<WorkspaceId>> {
        let mut excluded: HashSet<WorkspaceId> = self.exclude.iter().copied().collect();
        for file in &self.exclude_from {
            excluded.extend(ids::from_file(file)?);
        }
        Ok(excluded)
    }

    fn rules(
        &self,
        base: &Base,
        exclude: HashSet<WorkspaceId>,
        ids: Option<HashSet<WorkspaceId>>,
        now: Timestamp,
    ) -> anyhow::Result<Rules> {
        let free = match self.min_free {
            None => None,
            Some(wanted) => {
                let space = base.space()?;
                let wanted = match wanted {
                    SizeOrShare::Bytes(bytes) => bytes,
                    SizeOrShare::Share(share) => share.of(space.total),
                };
                Some(Free { wanted, available: space.available })
            }
        };
        let (cutoff, max_total_size, keep_last) = (self.cutoff(now), self.max_total_size, self.keep_last);
        Ok(Rules { cutoff, max_total_size, free, keep_last, exclude, ids })
    }

    /// Which workspaces have to be looked at for these rules.
    fn scope<'a>(&self, rules: &'a Rules) -> Scope<'a> {
        let sizes = rules.max_total_size.is_some() || rules.free.is_some();
        Scope { ids: rules.ids.as_ref(), all: sizes || self.keep_last > 0, sizes, use_mtime: self.use_mtime }
    }
}
