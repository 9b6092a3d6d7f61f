//! What happened, as people and scripts read it. Its counts are what happened, never what was planned.

use super::super::{Context, Format};
use super::candidates::Candidate;
use super::carry_out::{Ending, Task};
use super::plan::Rule;
use super::stock::{self, Stock};
use crate::core::{Category, Error, ExitStatus, Timestamp, WorkspaceId};
use crate::logging::Verbosity;
use crate::output::metrics::Gauge;
use crate::output::{Outcome, amounts, escape};
use serde::Serialize;
use std::io::{self, Write};

/// The report of one run; its serialization is the JSON document.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema_version: u32,
    dry_run: bool,
    base: String,
    cutoff: Option<Timestamp>,
    pruned: Vec<Pruned>,
    /// How many those are, who may not all be shown.
    #[serde(skip)]
    number: usize,
    /// How many were considered and stay.
    pub(super) kept: usize,
    skipped: Vec<Skipped>,
    failed: Vec<Failed>,
    freed_bytes: u64,
    /// What there is, as far as monitoring asks for it.
    #[serde(skip)]
    pub(super) stock: Option<Stock>,
    #[serde(skip)]
    pub(super) status: ExitStatus,
    #[serde(skip)]
    show: Show,
}

/// How to show a report.
#[derive(Debug)]
struct Show {
    format: Format,
    verbosity: Verbosity,
    now: Timestamp,
}

impl Show {
    /// Whether each workspace is shown.
    fn each(&self) -> bool {
        self.format == Format::Json || self.verbosity >= Verbosity::VERBOSE
    }
}

#[derive(Debug, Serialize)]
struct Pruned {
    id: WorkspaceId,
    last_accessed: Option<Timestamp>,
    size_bytes: u64,
    rule: Rule,
}

#[derive(Debug, Serialize)]
struct Skipped {
    id: WorkspaceId,
    reason: &'static str,
}

#[derive(Debug, Serialize)]
struct Failed {
    /// The workspace, or what was given for one.
    id: String,
    category: Category,
    message: String,
}

impl Report {
    /// A report of nothing yet.
    pub(super) fn new(context: &Context, format: Format, dry_run: bool, cutoff: Option<Timestamp>) -> Self {
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
            stock: None,
            status: ExitStatus::Success,
            show: Show { format, verbosity: context.verbosity, now: context.now },
        }
    }

    /// One that goes by this rule: in a dry run, as it was measured.
    pub(super) fn planned(&mut self, candidate: &Candidate, rule: Rule) {
        self.pruned(candidate, rule, candidate.size());
        self.freed_bytes += candidate.size();
    }

    fn pruned(&mut self, candidate: &Candidate, rule: Rule, size_bytes: u64) {
        self.number += 1;
        if self.show.each() {
            self.pruned.push(Pruned { id: candidate.id, last_accessed: candidate.last_access, size_bytes, rule });
        }
    }

    /// One whose last access is not known.
    pub(super) fn skipped(&mut self, candidate: &Candidate) {
        self.skipped.push(Skipped { id: candidate.id, reason: candidate.status.word() });
    }

    /// A failure that has to do with `subject`.
    pub(super) fn failed(&mut self, subject: &impl ToString, error: &Error) {
        self.failed.push(Failed { id: subject.to_string(), category: error.category(), message: error.full() });
    }

    /// One that the run has dealt with.
    pub(super) fn done(&mut self, task: &Task<'_>) {
        self.freed_bytes += task.freed;
        if let Some(stock) = &mut self.stock {
            stock.done(task);
        }
        if let Some(error) = &task.error {
            self.failed(&task.candidate.id, error);
        }
        match task.ending {
            Ending::Pruned => self.pruned(task.candidate, task.rule, task.freed),
            Ending::Kept => self.kept += usize::from(task.rule != Rule::Leftover),
            Ending::Elsewhere | Ending::Failed | Ending::Full => {}
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

    fn lines(&self, out: &mut dyn Write) -> io::Result<()> {
        let verb = if self.dry_run { "would prune" } else { "pruned" };
        for pruned in &self.pruned {
            let Pruned { id, last_accessed, size_bytes, rule } = pruned;
            let age = last_accessed.map_or_else(
                || "last access unknown".to_owned(),
                |time| format!("last accessed {}", amounts::age(time, self.show.now)),
            );
            writeln!(out, "{verb} {id} ({}): {age}, {}", rule.word(), amounts::size(*size_bytes))?;
        }
        for Skipped { id, reason } in &self.skipped {
            writeln!(out, "skipped {id} ({reason})")?;
        }
        for Failed { id, category, .. } in &self.failed {
            writeln!(out, "failed {} ({})", escape::text(id), category.word())?;
        }
        Ok(())
    }
}

impl Outcome for Report {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.show.format == Format::Json {
            return escape::json(out, self);
        }
        if self.show.each() {
            self.lines(out)?;
        }
        if self.show.verbosity > Verbosity::QUIET {
            writeln!(out, "{}", self.summary())?;
        }
        Ok(())
    }

    fn status(&self) -> ExitStatus {
        self.status
    }

    fn gauges(&self) -> Vec<Gauge> {
        let done = [self.number, self.kept, self.skipped.len(), self.failed.len()].map(|number| number as u64);
        let mut gauges = stock::gauges_of_run(done, self.freed_bytes);
        gauges.extend(self.stock.iter().flat_map(Stock::gauges));
        gauges
    }
}
