//! The arguments of `prune`, and the rules that they make.

use super::plan::{Free, Rules};
use super::survey::Scope;
use crate::args::ids::{self, IdInput};
use crate::args::size::NumberOrShare;
use crate::args::{self, duration, size};
use crate::commands::Format;
use crate::core::{Base, Result, Timestamp, WorkspaceId};
use anyhow::Context as _;
use clap::{ArgGroup, Args, ValueHint};
use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What `--help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  wsctl prune --older-than 30d --dry-run -v     show what would be deleted
  wsctl prune --older-than 30d                  show it, ask, and delete
  wsctl prune --older-than 30d --max-delete 20% --yes     every night (in a crontab: 20\\%)
  wsctl prune --max-total-size 10GiB --min-free 5% --keep-last 100 --yes
  wsctl prune --older-than 7d --use-mtime --exclude-from pinned.txt --yes
  wsctl list --older-than 30d --format ids | wsctl prune --older-than 30d -y -
  wsctl prune --yes 6c7ab482-a9ca-49d7-9364-b3e425655d2e";

/// The arguments of `prune`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("selection").args(["older_than", "max_total_size", "min_free", "ids", "literal"]).required(true).multiple(true))]
pub struct Arguments {
    /// Delete workspaces last accessed longer ago than this: 7d, 12h, 2weeks, "1day 12h", 3months
    ///
    /// A number needs a unit: min, h, d, weeks, months or years. `m` is refused, because it may mean minutes or months.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, allow_hyphen_values = true)]
    #[arg(help_heading = "Rules")]
    pub(super) older_than: Option<Duration>,
    /// Delete the least recently accessed until all workspaces together use at most SIZE: 10GiB
    ///
    /// A number needs a unit: K, M, G, ... and KiB, MiB, GiB, ... are powers of 1024; KB, MB, GB, ... of 1000; B is bytes. Usage
    /// is what `du -sx` counts.
    #[arg(long, value_name = "SIZE", value_parser = size::parse, allow_hyphen_values = true)]
    #[arg(help_heading = "Rules")]
    pub(super) max_total_size: Option<u64>,
    /// Delete the least recently accessed until this much of the file system is free: 5% or 20GiB
    ///
    /// Free space is what ordinary users may use, as df(1) shows it.
    #[arg(long, value_name = "SIZE|P%", value_parser = NumberOrShare::parse_size, allow_hyphen_values = true)]
    #[arg(help_heading = "Rules")]
    pub(super) min_free: Option<NumberOrShare>,
    /// Count the newest modification of anything in a workspace as an access, too
    ///
    /// This keeps a workspace that an agent still writes to. It also gives workspaces with missing or corrupt metadata a last
    /// access, so that rules can delete them. It examines everything in the workspaces, which takes longer.
    #[arg(long, help_heading = "Rules")]
    pub(super) use_mtime: bool,
    /// Always keep the N workspaces that were accessed last
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, allow_negative_numbers = true)]
    #[arg(value_parser = args::number, help_heading = "Protection")]
    pub(super) keep_last: usize,
    /// Always keep this workspace (repeatable)
    #[arg(long, value_name = "ID", value_parser = ids::value, help_heading = "Protection")]
    pub(super) exclude: Vec<WorkspaceId>,
    /// Always keep the workspaces in this file: IDs, one a line, with # comments (repeatable)
    ///
    /// If the file cannot be read, or a line is not an ID, nothing is deleted. It may be a pipe, such as /dev/stdin.
    #[arg(long, value_name = "FILE", help_heading = "Protection")]
    pub(super) exclude_from: Vec<PathBuf>,
    /// Delete nothing if more than this number or share of the workspaces would be deleted: 100 or 20%
    ///
    /// Use it in cron: if the clock jumps, every workspace looks stale. The exit status is then 78.
    #[arg(long, value_name = "N|P%", value_parser = NumberOrShare::parse_count, allow_hyphen_values = true)]
    #[arg(help_heading = "Protection")]
    pub(super) max_delete: Option<NumberOrShare>,
    /// Decide and report as usual, but change nothing
    #[arg(short = 'n', long, help_heading = "Running")]
    pub(super) dry_run: bool,
    /// Delete without asking
    ///
    /// Needed if stdin or stderr is not a terminal, except in a dry run.
    #[arg(short, long, help_heading = "Running")]
    pub(super) yes: bool,
    /// Use this many threads, from 1 to 256
    ///
    /// The default is two for each processor, but at most 4.
    #[arg(short, long, value_name = "N", value_parser = jobs, allow_negative_numbers = true, help_heading = "Running")]
    pub(super) jobs: Option<u16>,
    /// The output format
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Running")]
    pub(super) format: Format,
    /// Write metrics of this run to a file for Prometheus' `node_exporter`
    ///
    /// It replaces the file atomically, also when the run fails; a dry run writes none. It measures all workspaces, which takes
    /// longer.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Running")]
    pub(super) metrics: Option<PathBuf>,
    /// Delete only these workspaces; `-` reads IDs from stdin, one a line
    ///
    /// With a rule, delete only those of them that the rule selects. Without a rule, a workspace is deleted even if its last
    /// access is unknown.
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<OsString>,
    #[command(flatten)]
    pub(super) input: IdInput,
}

fn jobs(text: &str) -> std::result::Result<u16, String> {
    let jobs = text.trim().parse().ok().filter(|jobs| (1..=256).contains(jobs));
    jobs.ok_or_else(|| "not a number from 1 to 256: write 4".to_owned())
}

impl Arguments {
    /// Returns the file for monitoring. A dry run writes none.
    pub fn metrics(&self) -> Option<&Path> {
        self.metrics.as_deref().filter(|_| !self.dry_run)
    }

    /// Returns the cutoff: a last access before it is stale.
    pub(super) fn cutoff(&self, now: Timestamp) -> Option<Timestamp> {
        self.older_than.map(|duration| now.earlier(duration))
    }

    /// Returns the workspaces that always stay.
    pub(super) fn excluded(&self) -> anyhow::Result<HashSet<WorkspaceId>> {
        let mut excluded: HashSet<WorkspaceId> = self.exclude.iter().copied().collect();
        for file in &self.exclude_from {
            excluded.extend(ids::from_file(file).context("--exclude-from")?);
        }
        Ok(excluded)
    }

    /// Returns the free space that is wanted and that there is.
    ///
    /// # Errors
    /// As [`Base::space`].
    pub(super) fn free(&self, base: &Base) -> Result<Option<Free>> {
        let Some(wanted) = self.min_free else { return Ok(None) };
        let space = base.space()?;
        Ok(Some(Free { wanted: wanted.of(space.total), available: space.available }))
    }

    /// Returns the rules.
    pub(super) fn rules(
        &self,
        free: Option<Free>,
        exclude: HashSet<WorkspaceId>,
        ids: Option<HashSet<WorkspaceId>>,
        now: Timestamp,
    ) -> Rules {
        let (cutoff, max_total_size, keep_last) = (self.cutoff(now), self.max_total_size, self.keep_last);
        Rules { cutoff, max_total_size, free, keep_last, exclude, ids }
    }

    /// Returns which workspaces must be examined for these rules, and how.
    pub(super) fn scope<'a>(&self, rules: &'a Rules) -> Scope<'a> {
        let sizes = rules.choose_by_size() || self.metrics().is_some();
        let (all, measures) = (sizes || self.keep_last > 0, sizes || self.use_mtime);
        Scope { ids: rules.ids.as_ref(), all, measures, use_mtime: self.use_mtime }
    }
}
