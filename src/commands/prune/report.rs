//! The report: what happened, for people and scripts. Its counts are never what was planned.

use super::super::{Context, Format};
use super::plan::{Decision, Plan, Rule};
use super::survey::{Found, Place};
use super::task::{Task, TaskResult};
use super::totals::{self, Totals};
use crate::core::workspace::Status;
use crate::core::{Error, ExitStatus, Timestamp, WorkspaceId, base};
use crate::output::diagnostics;
use crate::output::metrics::Gauge;
use crate::output::stdout::Lines;
use crate::output::{Outcome, amounts, escape};
use log::LevelFilter;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;

/// The report of one run. It serializes to the JSON document.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema_version: u32,
    dry_run: bool,
    base: String,
    cutoff: Option<Timestamp>,
    pruned: Vec<Pruned>,
    /// How many were pruned. Only JSON keeps each.
    #[serde(skip)]
    number: usize,
    /// How many were examined and stay.
    kept: usize,
    skipped: Vec<Skipped>,
    failed: Vec<Failed>,
    freed_bytes: u64,
    /// What there is now, if monitoring asks for it.
    #[serde(skip)]
    totals: Option<Totals>,
    #[serde(skip)]
    pub(super) status: ExitStatus,
    #[serde(skip)]
    format: Format,
    #[serde(skip)]
    verbosity: LevelFilter,
    #[serde(skip)]
    now: Timestamp,
    #[serde(skip)]
    lines: Lines,
}

#[derive(Debug, Serialize)]
struct Pruned {
    id: WorkspaceId,
    last_accessed: Option<Timestamp>,
    size_bytes: u64,
    rule: Rule,
}

impl Pruned {
    fn new(Task { found, rule, freed, .. }: &Task<'_>) -> Self {
        Self { id: found.id, last_accessed: found.last_access, size_bytes: *freed, rule: *rule }
    }
}

#[derive(Debug, Serialize)]
struct Skipped {
    id: WorkspaceId,
    reason: &'static str,
}

#[derive(Debug, Serialize)]
struct Failed {
    /// The workspace, or what was given instead of an ID.
    id: String,
    category: &'static str,
    message: String,
}

impl Report {
    /// Returns an empty report.
    pub(super) fn new(context: &Context<'_>, format: Format, dry_run: bool, cutoff: Option<Timestamp>) -> Self {
        Self {
            schema_version: 1,
            dry_run,
            base: context.base.to_string_lossy().into_owned(),
            cutoff,
            pruned: Vec::new(),
            number: 0,
            kept: 0,
            skipped: Vec::new(),
            failed: Vec::new(),
            freed_bytes: 0,
            totals: None,
            status: ExitStatus::default(),
            format,
            verbosity: context.verbosity,
            now: context.now,
            lines: Lines::default(),
        }
    }

    /// Reports an argument that is not an ID.
    pub(super) fn fail_input(&mut self, input: &str, error: &Error) {
        self.line(|| failed(input, error));
        diagnostics::report(error);
        self.count_failure(input.to_owned(), error);
    }

    /// Reports a failure of one workspace.
    fn fail(&mut self, id: WorkspaceId, error: &Error) {
        self.line(|| failed(&id.to_string(), error));
        diagnostics::report(&error.clone().about(id.subject()));
        self.count_failure(id.to_string(), error);
    }

    fn count_failure(&mut self, id: String, error: &Error) {
        self.failed.push(Failed { id, category: error.category().word(), message: error.to_string() });
        self.status.raise(error.status());
    }

    /// Reports the decisions on those that stay, and the IDs that do not exist.
    pub(super) fn add_plan(&mut self, plan: &Plan, sizes_matter: bool, totals: Option<Totals>) {
        self.totals = totals;
        self.kept = plan.kept();
        for id in plan.absent() {
            self.fail(*id, &base::absent());
        }
        for (found, decision) in plan.reportable() {
            match decision {
                Decision::Skip => self.skip(found),
                Decision::Fail => {
                    if let Some(error) = found.unknown.as_deref().or(found.unmeasured.as_deref()) {
                        self.fail(found.id, error);
                    }
                }
                Decision::Prune(_) | Decision::Keep | Decision::Ignore => {}
            }
            let is_reported = match decision {
                Decision::Skip => found.status == Status::Denied || found.may_be_later,
                other => other == Decision::Fail,
            };
            if let (true, Some(error), false) = (sizes_matter, &found.unmeasured, is_reported) {
                self.status.raise(diagnostics::report(&Error::clone(error).about(found.id.subject())));
            }
        }
    }

    /// Reports one that is skipped, because its last access is unknown.
    fn skip(&mut self, found: &Found) {
        let status = if found.may_be_later { Status::Denied } else { found.status };
        let reason = found.unknown.as_deref().or(found.unmeasured.as_deref());
        let copy = found.trash_name().filter(|_| found.place == Place::Copy);
        let advice = copy.map_or_else(String::new, |name| {
            format!(
                "; it is a claimed copy that an earlier prune left; {}",
                name.put_back_advice(Path::new(&self.base))
            )
        });
        diagnostics::warn_of_skip(found.id, status, reason, &advice);
        self.line(|| format!("skipped {} ({})", found.id, status.word()));
        self.skipped.push(Skipped { id: found.id, reason: status.word() });
    }

    /// Reports the claims of earlier runs that could not be put back. One that has failed already counts once.
    pub(super) fn add_claims_that_stay(&mut self, failures: &[(&Found, Decision, Error)]) {
        for (found, decision, error) in failures {
            self.kept -= usize::from(*decision == Decision::Keep && found.counts());
            if *decision == Decision::Fail {
                self.status.raise(diagnostics::report(&error.clone().about(found.id.subject())));
            } else {
                self.fail(found.id, error);
            }
        }
    }

    /// Reports what became of a workspace, as soon as that is known and from any thread; in a dry run, what would become of it.
    pub(super) fn report_result(&self, task: &Task<'_>) {
        let Task { found, rule, freed, result, .. } = task;
        let (subject, error) = (found.id.subject(), result.error());
        if result.is_pruned() {
            let verb = if self.dry_run { "would prune" } else { "pruned" };
            self.line(|| {
                let (age, size) = (amounts::last_access(found.last_access, self.now), amounts::size(*freed));
                format!("{verb} {} ({}): {age}, {size}", found.id, rule.word())
            });
            if found.place == Place::Copy && *rule == Rule::Id {
                log::warn!(
                    "{subject}: this ID has a workspace and a claimed copy that an earlier prune left: only the copy is pruned"
                );
            }
        } else if let Some(error) = error {
            self.line(|| failed(&found.id.to_string(), error));
        }
        if let Some(error) = error {
            diagnostics::report(&error.clone().about(subject));
        }
    }

    /// Counts what was done, or in a dry run what would be done, in the order of last accesses.
    pub(super) fn add_results(&mut self, mut all: Vec<Task<'_>>) {
        all.sort_unstable_by_key(|task| (task.found.last_access, task.found.id, task.found.place));
        for task in &all {
            self.freed_bytes += task.freed;
            if let Some(totals) = &mut self.totals {
                totals.subtract(task);
            }
            if self.dry_run {
                self.report_result(task);
            }
            match &task.result {
                TaskResult::Pruned(error) => {
                    self.number += 1;
                    self.status.raise(error.as_deref().map_or_else(ExitStatus::default, Error::status));
                }
                TaskResult::Failed(error) | TaskResult::NoRoom(error, _) => {
                    self.count_failure(task.found.id.to_string(), error);
                }
                TaskResult::Kept | TaskResult::PutBack => self.kept += usize::from(task.found.counts()),
                TaskResult::Elsewhere => {}
            }
        }
        if self.format == Format::Json {
            let pruned = all.into_iter().filter(|task| task.result.is_pruned());
            self.pruned = pruned.map(|task| Pruned::new(&task)).collect(); // it reuses the allocation
        }
    }

    /// Writes a line about one workspace, if such lines are asked for.
    fn line(&self, line: impl FnOnce() -> String) {
        if self.format == Format::Text && self.verbosity >= LevelFilter::Info {
            self.lines.write(&line());
        }
    }

    fn summary(&self) -> String {
        let workspaces = amounts::count(self.number, "workspace");
        let freed = amounts::size(self.freed_bytes);
        let (verb, free) = if self.dry_run { ("would prune", "would free") } else { ("pruned", "freed") };
        let mut summary = format!("{verb} {workspaces}, {free} {freed}; kept {}", self.kept);
        for (number, word) in [(self.skipped.len(), "skipped"), (self.failed.len(), "failed")] {
            if number > 0 {
                summary.extend([", ", word, " ", &number.to_string()]);
            }
        }
        summary
    }
}

fn failed(id: &str, error: &Error) -> String {
    format!("failed {} ({})", escape::text(id), error.category().word())
}

impl Outcome for Report {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.format == Format::Json {
            return escape::json(out, self);
        }
        self.lines.finish()?;
        if self.verbosity > LevelFilter::Error {
            writeln!(out, "{}", self.summary())?;
        }
        Ok(())
    }

    fn status(&self) -> ExitStatus {
        self.status
    }

    fn gauges(&self) -> Vec<Gauge> {
        let (skipped, failed) = (self.skipped.len(), self.failed.len());
        let mut gauges = totals::run_gauges(self.number, self.kept, skipped, failed, self.freed_bytes);
        gauges.extend(self.totals.iter().flat_map(Totals::gauges));
        gauges
    }
}
