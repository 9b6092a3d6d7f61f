//! The arguments of `list`: the options, the filters and the order.

use super::{Row, Terminal};
use crate::args::{self, duration, ids};
use crate::core::workspace::Status;
use crate::core::{Category, Error, Timestamp};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum, ValueHint};
use std::cmp::Ordering;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What `--help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  wsctl list --size --sort size --limit 10      the ten largest
  wsctl list --older-than 30d --format json     the stale ones, for a script
  wsctl list --status missing,corrupt -v        what is wrong with each
  wsctl list --sort created --time local        the newest first, with dates in local time
  wsctl list --status missing --format ids | wsctl touch -";

/// The arguments of `list`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only workspaces last accessed longer ago than this: 7d, 12h, 2weeks
    ///
    /// A number needs a unit: min, h, d, weeks, months or years. Workspaces whose last access is unknown do not match.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, allow_hyphen_values = true)]
    #[arg(help_heading = "Filters")]
    older_than: Option<Duration>,
    /// Only workspaces last accessed within this time: 7d, 12h, 2weeks
    ///
    /// Workspaces whose last access is unknown do not match.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, allow_hyphen_values = true)]
    #[arg(help_heading = "Filters")]
    newer_than: Option<Duration>,
    /// Only workspaces with one of these statuses, separated by commas
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = status_parser(), ignore_case = true)]
    #[arg(help_heading = "Filters")]
    status: Vec<Status>,
    /// Sort by this key: newest, largest or lowest ID first
    ///
    /// Workspaces without a value come last. Ties are sorted by ID, so the order is always the same.
    #[arg(long, value_name = "KEY", default_value = "accessed", help_heading = "Output")]
    pub(super) sort: Key,
    /// Reverse the order
    ///
    /// Workspaces without a value still come last.
    #[arg(short, long, help_heading = "Output")]
    reverse: bool,
    /// Show at most N workspaces
    #[arg(long, value_name = "N", value_parser = args::number, allow_negative_numbers = true, help_heading = "Output")]
    pub(super) limit: Option<usize>,
    /// Measure disk usage as `du -sx` does, and count files
    ///
    /// This counts allocated blocks, also of directories, and each inode once. It does not enter other mounts. It takes longer.
    #[arg(short, long, help_heading = "Output")]
    pub(super) size: bool,
    /// Show times in a table as ages, or as dates in local time or UTC
    ///
    /// Local time is that of TZ or /etc/localtime. Each date ends in its UTC offset: 2026-11-23 16:51+01, or Z for UTC. JSON always
    /// has UTC.
    #[arg(long, value_name = "HOW", default_value = "relative", help_heading = "Output")]
    pub(super) time: Times,
    /// The output format
    #[arg(long, value_name = "FORMAT", default_value = "table", help_heading = "Output")]
    pub(super) format: Format,
    /// Write metrics for Prometheus' `node_exporter`: the workspaces by status and, with -s, their size
    ///
    /// This counts all workspaces, whatever the filters and --limit. It replaces the file atomically, also when the run fails.
    /// Give list and prune of one base the same file: each keeps what the other wrote about its own runs.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    #[arg(conflicts_with_all = ["ids", "literal"])]
    metrics: Option<PathBuf>,
    /// List only these workspaces; `-` reads IDs from stdin, one a line
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<OsString>,
    #[command(flatten)]
    pub(super) input: ids::IdInput,
}

fn status_parser() -> impl TypedValueParser<Value = Status> {
    let known = |word: &str| Status::ALL.into_iter().find(|status| status.word().eq_ignore_ascii_case(word));
    PossibleValuesParser::new(Status::ALL.map(Status::word)).try_map(move |word| known(&word).ok_or("no such status"))
}

/// The key to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Key {
    /// By last access, newest first.
    Accessed,
    /// By creation, newest first.
    Created,
    /// By disk usage, largest first.
    Size,
    /// By ID.
    Id,
}

/// How a table shows times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Times {
    /// As ages: 3d ago.
    Relative,
    /// As dates in local time.
    Local,
    /// As dates in UTC.
    Utc,
}

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Columns for people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Only IDs, one a line; with -0, separated by NUL.
    Ids,
}

impl Arguments {
    /// Refuses filters that no workspace can match.
    pub(super) fn check(&self) -> Result<(), Error> {
        let what = "--newer-than is shorter than --older-than, so no workspace can match: swap the two to list what is between";
        let is_possible = self.older_than.zip(self.newer_than).is_none_or(|(older, newer)| older <= newer);
        if is_possible { Ok(()) } else { Err(Error::new(Category::Usage, what)) }
    }

    /// Returns the file for monitoring.
    pub fn metrics(&self) -> Option<&Path> {
        self.metrics.as_deref()
    }

    /// Whether to measure sizes.
    pub(super) fn needs_sizes(&self) -> bool {
        self.size || self.sort == Key::Size
    }

    /// Returns how many bytes of a description may be shown. In a table that is what a terminal has room for: sixteen bytes for
    /// each column are enough also for combining characters.
    pub(super) fn max_description_len(&self, terminal: &Terminal) -> usize {
        match self.format {
            Format::Ids => 0,
            Format::Table => terminal.screen.and_then(|screen| screen.width).map_or(usize::MAX, |width| 16 * width),
            Format::Json | Format::Jsonl => usize::MAX,
        }
    }

    /// Whether a workspace with this status and last access matches the filters.
    pub(super) fn matches(&self, status: Status, last_accessed: Option<Timestamp>, now: Timestamp) -> bool {
        let old = self.older_than.is_none_or(|age| last_accessed.is_some_and(|time| time < now.earlier(age)));
        let new = self.newer_than.is_none_or(|age| last_accessed.is_some_and(|time| time >= now.earlier(age)));
        old && new && (self.status.is_empty() || self.status.contains(&status))
    }

    /// Compares two rows in the order to show them. Those without a value come last, also in reverse. Ties are sorted by ID.
    pub(super) fn order(&self, a: &Row, b: &Row) -> Ordering {
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    #[test]
    fn an_age_that_equals_the_filter_is_newer_not_older() {
        let now = Timestamp::from_unix(1_000_000, 0);
        for (filter, matching) in
            [("--older-than=10s", [false, false, true]), ("--newer-than=10s", [true, true, false])]
        {
            let read = Arguments::augment_args(clap::Command::new("list")).get_matches_from(["list", filter]);
            let arguments = Arguments::from_arg_matches(&read).expect("arguments");
            let matched = [9, 10, 11]
                .map(|age| arguments.matches(Status::Ok, Some(Timestamp::from_unix(1_000_000 - age, 0)), now));
            assert_eq!(matched, matching, "{filter}");
        }
    }
}
