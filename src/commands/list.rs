//! `wsctl list`: the workspaces with their status, age and size.

use super::Context;
use crate::args::{self, duration, ids};
use crate::core::survey::{self, Names};
use crate::core::workspace::{Status, examine};
use crate::core::{Base, Category, Error, ExitStatus, Timestamp, WorkspaceId, base, threads, tree};
use crate::output::diagnostics::Diagnostics;
use crate::output::meter::{Meter, Words};
use crate::output::{Outcome, amounts, table};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use std::cmp::Ordering;
use std::ffi::OsString;
use std::io::{self, Write};
use std::time::Duration;

mod copies;
mod render;

/// What `--help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  wsctl list --size --sort size --limit 10      the ten largest
  wsctl list --older-than 30d --format json     the stale ones, for a script
  wsctl list --status missing,corrupt -v        what is wrong with which
  wsctl list --status missing --format ids | wsctl touch -";

/// The arguments of `list`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only those last accessed longer ago than this: 7d, 12h, 2weeks
    ///
    /// A number needs its unit: min, h, d, weeks, months or years. Those whose last access is not known are left out.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, allow_hyphen_values = true)]
    #[arg(help_heading = "Filters")]
    older_than: Option<Duration>,
    /// Only those last accessed within this time: 7d, 12h, 2weeks
    ///
    /// Those whose last access is not known are left out.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, allow_hyphen_values = true)]
    #[arg(help_heading = "Filters")]
    newer_than: Option<Duration>,
    /// Only those of these statuses, with commas between them
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = status_parser(), help_heading = "Filters")]
    status: Vec<Status>,
    /// What to sort by: the newest, the largest or the first ID comes first
    ///
    /// Those without a value come last, and ties go by ID: the order is always the same.
    #[arg(long, value_name = "KEY", default_value = "accessed", help_heading = "Output")]
    sort: Key,
    /// Reverse the order
    ///
    /// Those without a value come last all the same.
    #[arg(short, long, help_heading = "Output")]
    reverse: bool,
    /// Show no more than this many
    #[arg(long, value_name = "N", value_parser = args::number, allow_negative_numbers = true, help_heading = "Output")]
    limit: Option<usize>,
    /// Measure disk usage as `du -sx` does, and count files
    ///
    /// Allocated blocks, directories too, each inode once; other mounts are not entered. That takes longer.
    #[arg(short, long, help_heading = "Output")]
    size: bool,
    /// How to show them
    #[arg(long, value_name = "FORMAT", default_value = "table", help_heading = "Output")]
    format: Format,
    /// The workspaces, instead of all; `-` reads IDs from stdin, one a line
    #[arg(value_name = "ID")]
    ids: Vec<OsString>,
    #[command(flatten)]
    separator: ids::Separator,
}

fn status_parser() -> impl TypedValueParser<Value = Status> {
    let known = |word: &str| Status::ALL.into_iter().find(|status| status.word() == word);
    PossibleValuesParser::new(Status::ALL.map(Status::word)).try_map(move |word| known(&word).ok_or("no such status"))
}

/// What to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Key {
    /// The last access, newest first.
    Accessed,
    /// The creation, newest first.
    Created,
    /// The disk usage, largest first.
    Size,
    /// The ID.
    Id,
}

/// How the list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns for people.
    Table,
    /// One JSON document.
    Json,
    /// A JSON object a line.
    Jsonl,
    /// The IDs alone, one a line; with -0, each with a NUL behind it.
    Ids,
}

/// One workspace as the list knows it.
#[derive(Debug)]
struct Row {
    id: WorkspaceId,
    status: Status,
    last_accessed: Option<Timestamp>,
    breaks_listing: bool,
    created_at: Option<Timestamp>,
    description: Option<Box<str>>,
    usage: Option<(u64, u64)>,
    failure: Option<Box<Error>>,
}

/// The list as it will be shown.
#[derive(Debug)]
struct Listing {
    rows: Vec<Row>,
    total: usize,
    base: String,
    now: Timestamp,
    format: Format,
    end: u8,
    with_size: bool,
    style: table::Style,
    status: ExitStatus,
}

/// Looks at the workspaces, and keeps those that the filters let through.
pub fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<Box<dyn Outcome>> {
    let base = context.open_base()?;
    let mut diagnostics = Diagnostics::default();
    let mut rows = if ids::none(&arguments.ids, &arguments.separator) {
        let names = Names::read(&base)?;
        copies::warn_of_each(&base, names.trash, context.now);
        look(&base, &names.workspaces, arguments, context)
    } else {
        let given = given(arguments, &mut diagnostics)?;
        let rows = look(&base, &given, arguments, context);
        let found = |id: &WorkspaceId| rows.binary_search_by_key(id, |row| row.id).is_ok();
        given.iter().filter(|id| !found(id)).for_each(|id| diagnostics.report(&base::absent().of(id.subject())));
        rows
    };
    log::debug!("base {}: {}", context.base.display(), amounts::count(rows.len(), "workspace"));
    rows.sort_unstable_by(|a, b| arguments.order(a, b));
    for failure in rows.iter().filter_map(|row| row.failure.as_deref()) {
        diagnostics.report(failure);
    }
    rows.retain(|row| arguments.lets_through(row, context.now));
    let total = rows.len();
    rows.truncate(arguments.limit.unwrap_or(usize::MAX));
    Ok(Box::new(Listing {
        rows,
        total,
        base: context.base.to_string_lossy().into_owned(),
        now: context.now,
        format: arguments.format,
        end: if arguments.separator.null { 0 } else { b'\n' },
        with_size: arguments.size,
        style: table::Style { color: context.terminal.color, width: context.terminal.width },
        status: diagnostics.status(),
    }))
}

/// The IDs that were given, in order and each once; what is none is reported.
fn given(arguments: &Arguments, diagnostics: &mut Diagnostics) -> anyhow::Result<Vec<WorkspaceId>> {
    let candidates = ids::candidates(&arguments.ids, &arguments.separator)?;
    let parsed = candidates.iter().map(|candidate| ids::parse(candidate));
    let mut ids: Vec<_> = parsed.filter_map(|id| id.map_err(|error| diagnostics.report(&error)).ok()).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// One row for each workspace that is there, in the order that was given.
fn look(base: &Base, ids: &[WorkspaceId], arguments: &Arguments, context: &Context<'_>) -> Vec<Row> {
    let sizes = arguments.size || arguments.sort == Key::Size;
    let meter = Meter::new(context.terminal.watched && sizes, Words::MEASURING, ids.len());
    survey::look_at_all(ids, threads::default_threads(), |id, (buffer, scratch): &mut (Vec<u8>, tree::Scratch)| {
        let mut name = [0; WorkspaceId::LEN];
        let name = id.encode(&mut name);
        let facts = examine(base.dir(), name, context.now, buffer)?;
        log::trace!("{}: {}", id.subject(), facts.status.word());
        // What is merely missing or corrupt has its status to say so; what could not be read is a failure.
        if let (Status::Missing | Status::Corrupt, Some(reason)) = (facts.status, &facts.error) {
            log::info!("{}: {}", id.subject(), reason.full());
        }
        if facts.breaks_listing && facts.last_accessed.is_some() {
            log::info!(
                "{}: its last_accessed has no offset that the application reads, so that its own listing breaks; wsctl touch \
                 repairs it",
                id.subject()
            );
        }
        let mut failure = facts.error.filter(|_| facts.status == Status::Denied);
        let mut measured = None;
        if sizes {
            let usage = tree::measure(base.dir(), name, &|| false, scratch);
            if usage.error.as_ref().is_some_and(|error| error.category() == Category::NotFound) {
                return None; // pruned since
            }
            measured = Some((usage.bytes, usage.files));
            failure = failure.or(usage.error);
        }
        meter.ended(measured.map_or(0, |(bytes, _)| bytes));
        Some(Row {
            id: *id,
            status: facts.status,
            last_accessed: facts.last_accessed,
            breaks_listing: facts.breaks_listing,
            created_at: facts.created_at,
            description: facts.description.map(String::into_boxed_str),
            usage: measured,
            failure: failure.map(|error| Box::new(error.of(id.subject()))),
        })
    })
}

impl Arguments {
    fn lets_through(&self, row: &Row, now: Timestamp) -> bool {
        let age = row.last_accessed.map(|time| time.age(now));
        let old = self.older_than.is_none_or(|limit| age.is_some_and(|age| age.to_std().is_ok_and(|age| age > limit)));
        let new =
            self.newer_than.is_none_or(|limit| age.is_some_and(|age| age.to_std().map_or(true, |age| age <= limit)));
        old && new && (self.status.is_empty() || self.status.contains(&row.status))
    }

    /// The order to show rows in. Those without a value come last, also in reverse; ties go by ID.
    fn order(&self, a: &Row, b: &Row) -> Ordering {
        let bytes = |row: &Row| row.usage.map(|(bytes, _)| bytes);
        let by = match self.sort {
            Key::Accessed => descending(a.last_accessed, b.last_accessed, self.reverse),
            Key::Created => descending(a.created_at, b.created_at, self.reverse),
            Key::Size => descending(bytes(a), bytes(b), self.reverse),
            Key::Id if self.reverse => b.id.cmp(&a.id),
            Key::Id => Ordering::Equal,
        };
        by.then(a.id.cmp(&b.id))
    }
}

fn descending<T: Ord>(a: Option<T>, b: Option<T>, reverse: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if reverse => a.cmp(&b),
        (a, b) => b.cmp(&a), // None is the least
    }
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
}
