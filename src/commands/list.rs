//! `wsctl list`: shows the workspaces with their status, age and size.

mod args;
mod copies;
mod render;
mod table;

use super::{Context, Terminal};
use crate::args::ids;
use crate::core::survey::BaseListing;
use crate::core::workspace::{Status, examine};
use crate::core::{Base, Error, ExitStatus, Timestamp, WorkspaceId, base, threads, tree};
use crate::output::Outcome;
use crate::output::amounts::{self, Zone};
use crate::output::diagnostics;
use crate::output::metrics::{self, Gauge};
use crate::output::progress::{Labels, Progress};
use args::{Format, Key, Times};
use log::LevelFilter;
use std::io::{self, Write};

pub use args::{Arguments, EXAMPLES};

/// One workspace in the list.
#[derive(Debug)]
struct Row {
    id: WorkspaceId,
    status: Status,
    last_accessed: Option<Timestamp>,
    breaks_listing: bool,
    created_at: Option<Timestamp>,
    description: Option<Box<str>>,
    usage: Option<(u64, u64)>,
    is_unmeasured: bool,
    failure: Option<Box<Error>>,
}

/// The list to show.
#[derive(Debug)]
struct Listing {
    rows: Vec<Row>,
    /// How many match the filters.
    total: usize,
    /// How many were examined.
    examined: usize,
    /// Whether IDs were given.
    were_given: bool,
    base: String,
    now: Timestamp,
    format: Format,
    end: u8,
    sort: Key,
    with_size: bool,
    /// The zone of dates, or `None` to show ages.
    dates: Option<Zone>,
    terminal: Terminal,
    is_quiet: bool,
    gauges: Vec<Gauge>,
    status: ExitStatus,
}

/// Examines the workspaces and keeps those that match the filters.
pub fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<Box<dyn Outcome>> {
    arguments.check()?;
    let base = context.open_base()?;
    let mut status = ExitStatus::default();
    let were_given = !ids::are_missing(&arguments.ids, &arguments.input);
    let mut rows = if were_given {
        let mut given = ids::read(&arguments.ids, &arguments.input, &context.base)?;
        given.wrong.iter().for_each(|(_, error)| status.raise(diagnostics::report(error)));
        given.ids.sort_unstable();
        given.ids.dedup();
        let rows = examine_all(&base, &given.ids, arguments, context);
        let found = |id: &WorkspaceId| rows.binary_search_by_key(id, |row| row.id).is_ok();
        for id in given.ids.iter().filter(|id| !found(id)) {
            status.raise(diagnostics::report(&base::absent().about(id.subject())));
        }
        rows
    } else {
        let names = BaseListing::read(&base)?;
        copies::warn_of_each(&base, names.trash, context.now);
        examine_all(&base, &names.workspaces, arguments, context)
    };
    log::debug!("base {}: {}", context.base.display(), amounts::count(rows.len(), "workspace"));
    rows.sort_unstable_by(|a, b| arguments.order(a, b));
    for failure in rows.iter().filter_map(|row| row.failure.as_deref()) {
        status.raise(diagnostics::report(failure));
    }
    let gauges = if arguments.metrics().is_some() { gauges(&rows, arguments.needs_sizes()) } else { Vec::new() };
    let examined = rows.len();
    rows.retain(|row| arguments.matches(row.status, row.last_accessed, context.now));
    let total = rows.len();
    if let Some(limit) = arguments.limit {
        rows.truncate(limit);
        describe(&base, &mut rows, arguments.max_description_len(&context.terminal), context.now);
    }
    Ok(Box::new(Listing {
        rows,
        total,
        examined,
        were_given,
        base: context.base.to_string_lossy().into_owned(),
        now: context.now,
        format: arguments.format,
        end: if arguments.input.null { 0 } else { b'\n' },
        sort: arguments.sort,
        with_size: arguments.size,
        dates: dates(arguments, context),
        terminal: context.terminal,
        is_quiet: context.verbosity <= LevelFilter::Error,
        gauges,
        status,
    }))
}

/// Returns the zone of dates, if dates are to be shown. If the zone cannot be read, it is UTC, as for date(1).
fn dates(arguments: &Arguments, context: &Context<'_>) -> Option<Zone> {
    match arguments.time {
        Times::Relative => None,
        Times::Local if arguments.format == Format::Table => {
            let local = Zone::local(context.time_zone.as_deref());
            Some(local.unwrap_or_else(|error| {
                log::warn!("{error}; times are shown in UTC");
                Zone::Utc
            }))
        }
        Times::Utc | Times::Local => Some(Zone::Utc),
    }
}

/// Returns the numbers of all workspaces for monitoring.
fn gauges(rows: &[Row], are_measured: bool) -> Vec<Gauge> {
    let mut counts = metrics::Counts::default();
    for row in rows {
        counts[row.status as usize] += 1;
    }
    let unmeasured = rows.iter().filter(|row| row.is_unmeasured).count() as u64;
    let used = rows.iter().filter_map(|row| row.usage).map(|(bytes, _)| bytes).sum();
    metrics::workspace_gauges(&counts, are_measured.then_some((used, unmeasured)))
}

/// Reads the descriptions of the rows that remain.
fn describe(base: &Base, rows: &mut [Row], kept: usize, now: Timestamp) {
    let mut buffer = Vec::new();
    for row in rows {
        let facts = examine(base.dir(), &row.id.to_string(), now, &mut buffer);
        row.description = facts.and_then(|facts| facts.description).map(|text| shortened(text, kept));
    }
}

/// Returns the first `kept` bytes of a description.
fn shortened(mut text: String, kept: usize) -> Box<str> {
    let end = (0..=kept.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    text.into_boxed_str()
}

/// Examines these workspaces. Returns a row for each that exists, in the same order.
fn examine_all(base: &Base, ids: &[WorkspaceId], arguments: &Arguments, context: &Context<'_>) -> Vec<Row> {
    let sizes = arguments.needs_sizes();
    let kept = if arguments.limit.is_some() { 0 } else { arguments.max_description_len(&context.terminal) };
    let progress = Progress::new(context.terminal.show_progress && sizes, Labels::MEASURING, ids.len());
    threads::filter_map_in_threads(
        ids,
        threads::default_threads(),
        |id, (buffer, scratch): &mut (Vec<u8>, tree::Scratch)| {
            let mut name = [0; WorkspaceId::LEN];
            let name = id.encode(&mut name);
            let facts = examine(base.dir(), name, context.now, buffer)?;
            log::trace!("{}: {}", id.subject(), facts.status.word());
            let is_shown = arguments.matches(facts.status, facts.last_accessed, context.now);
            // A missing or corrupt file shows in the status. A file that could not be read is a failure.
            if let (true, Status::Missing | Status::Corrupt, Some(reason)) = (is_shown, facts.status, &facts.error) {
                log::info!("{}: {}", id.subject(), reason);
            }
            if is_shown && facts.breaks_listing && facts.last_accessed.is_some() {
                let what = "the application's own listing breaks on its last_accessed; wsctl touch repairs it";
                log::info!("{}: {what}", id.subject());
            }
            let mut failure = facts.error.filter(|_| facts.status == Status::Denied);
            let (mut measured, mut is_unmeasured) = (None, false);
            if sizes {
                let usage = tree::measure(base.dir(), name, &|| false, scratch);
                if usage.is_gone() {
                    return None;
                }
                measured = Some((usage.bytes, usage.files));
                is_unmeasured = usage.error.is_some();
                failure = failure.or(usage.error);
            }
            progress.advance(measured.map_or(0, |(bytes, _)| bytes));
            Some(Row {
                id: *id,
                status: facts.status,
                last_accessed: facts.last_accessed,
                breaks_listing: facts.breaks_listing,
                created_at: facts.created_at,
                description: facts.description.filter(|_| is_shown).map(|text| shortened(text, kept)),
                usage: measured,
                is_unmeasured,
                failure: failure.map(|error| Box::new(error.about(id.subject()))),
            })
        },
    )
}

impl Outcome for Listing {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.format {
            Format::Table => self.table(out),
            Format::Json => self.json(out),
            Format::Jsonl => self.jsonl(out),
            Format::Ids => self.ids(out),
        }
    }

    fn status(&self) -> ExitStatus {
        self.status
    }

    fn note(&self) -> Option<String> {
        (self.format == Format::Table).then(|| self.why_not_all()).flatten()
    }

    fn gauges(&self) -> Vec<Gauge> {
        self.gauges.clone()
    }
}
