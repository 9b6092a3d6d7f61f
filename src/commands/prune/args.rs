//! The arguments of `prune`, and the rules that they make.

use super::plan::{Free, Rules};
use super::survey::Scope;
use crate::args::ids::{self, Separator};
use crate::args::size::{CountOrShare, SizeOrShare};
use crate::args::{self, duration, size};
use crate::commands::Format;
use crate::core::{Base, Result, Timestamp, WorkspaceId};
use anyhow::Context as _;
use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{ArgGroup, Args, ValueHint};
use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What `--help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  wsctl prune --older-than 30d --dry-run -v     what would go
  wsctl prune --older-than 30d                  shows what would go, and asks
  wsctl prune --older-than 30d --max-delete 20% --yes     every night, by cron
  wsctl prune --max-total-size 10GiB --min-free 5% --keep-last 100 --yes
  wsctl prune --older-than 7d --use-mtime --exclude-from pinned.txt --yes
  wsctl list --older-than 30d --format ids | wsctl prune --older-than 30d -y -
  wsctl prune --yes 6c7ab482-a9ca-49d7-9364-b3e425655d2e";

/// The arguments of `prune`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("selection").args(["older_than", "max_total_size", "min_free", "ids", "literal"]).required(true).multiple(true))]
pub struct Arguments {
    /// Those last accessed longer ago than this: 7d, 12h, 2weeks, "1day 12h", 3months
    ///
    /// A number needs its unit: min, h, d, weeks, months or years. `m` is none, since it may mean minutes or months.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, allow_hyphen_values = true)]
    #[arg(help_heading = "Rules")]
    pub(super) older_than: Option<Duration>,
    /// Then, while all together use more than this, the least recently accessed: 10GiB
    ///
    /// A number needs its unit: K, M, G, … and KiB, MiB, GiB, … are powers of 1024; KB, MB, GB, … of 1000; B is bytes. Usage is
    /// what `du -sx` counts.
    #[arg(long, value_name = "SIZE", value_parser = size::parse, allow_hyphen_values = true)]
    #[arg(help_heading = "Rules")]
    pub(super) max_total_size: Option<u64>,
    /// Then, while the file system has less free than this, the least recently accessed: 5% or 20GiB
    ///
    /// The share is one of the whole file system, and free is what others than root may use, as df(1) shows it.
    #[arg(long, value_name = "SIZE|P%", allow_hyphen_values = true, help_heading = "Rules")]
    pub(super) min_free: Option<SizeOrShare>,
    /// Count the newest modification of anything in a workspace as an access, too
    ///
    /// An agent may still be writing where nobody has looked for long. It is the only access of a workspace whose metadata is
    /// missing or corrupt, which may then be chosen by a rule. All that is in the workspaces is looked at: that takes longer.
    #[arg(long, help_heading = "Rules")]
    pub(super) use_mtime: bool,
    /// Keep the N last accessed, whatever else applies
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, allow_negative_numbers = true)]
    #[arg(value_parser = args::number, help_heading = "Protection")]
    pub(super) keep_last: usize,
    /// Keep this workspace (repeatable)
    #[arg(long, value_name = "ID", help_heading = "Protection")]
    pub(super) exclude: Vec<WorkspaceId>,
    /// Keep the workspaces in this file: IDs, one a line, with # comments (repeatable)
    ///
    /// If it cannot be read, or a line of it is no ID, nothing is deleted. It may be a pipe: <(command) in bash.
    #[arg(long, value_name = "FILE", help_heading = "Protection")]
    pub(super) exclude_from: Vec<PathBuf>,
    /// Delete nothing at all if more than this many would go, or this share of all: 100 or 20%
    ///
    /// A guard for cron: a clock that has jumped makes everything look stale. The exit status is then 78.
    #[arg(long, value_name = "N|P%", allow_hyphen_values = true, help_heading = "Protection")]
    pub(super) max_delete: Option<CountOrShare>,
    /// Decide and report the same, but change nothing
    #[arg(short = 'n', long, help_heading = "Running")]
    pub(super) dry_run: bool,
    /// Do not ask
    ///
    /// Needed where stdin or stderr is no terminal, unless it is a dry run.
    #[arg(short, long, help_heading = "Running")]
    pub(super) yes: bool,
    /// How many threads remove at once
    ///
    /// From 1 to 256; otherwise twice as many as there are processors, but no more than 4.
    #[arg(short, long, value_name = "N", value_parser = jobs, allow_negative_numbers = true, help_heading = "Running")]
    pub(super) jobs: Option<u16>,
    /// How to show the report
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Running")]
    pub(super) format: Format,
    /// Leave the numbers of this run in a file for the textfile collector of Prometheus' `node_exporter`
    ///
    /// It is replaced atomically, also when the run fails, but for a dry run. All workspaces are looked at and measured for it,
    /// whatever the rules need: that takes longer.
    #[arg(long, value_name = "FILE", value_parser = file(), value_hint = ValueHint::FilePath, help_heading = "Running")]
    pub(super) metrics: Option<PathBuf>,
    /// Just these workspaces; with --older-than, those of them that are stale; `-` reads IDs from stdin
    ///
    /// A workspace that is given by its ID goes also if its last access is not known.
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<OsString>,
    #[command(flatten)]
    pub(super) separator: Separator,
}

fn file() -> impl TypedValueParser<Value = PathBuf> {
    let named = |path: PathBuf| if path.file_name().is_some() { Ok(path) } else { Err("it names no file") };
    PathBufValueParser::new().try_map(named)
}

fn jobs(text: &str) -> std::result::Result<u16, String> {
    let jobs = text.trim().parse().ok().filter(|jobs| (1..=256).contains(jobs));
    jobs.ok_or_else(|| "not a number from 1 to 256: write 4".to_owned())
}

impl Arguments {
    /// Where the numbers of this run belong; a dry run changes nothing on disk.
    pub fn metrics(&self) -> Option<&Path> {
        self.metrics.as_deref().filter(|_| !self.dry_run)
    }

    /// Before this, a last access is stale.
    pub(super) fn cutoff(&self, now: Timestamp) -> Option<Timestamp> {
        self.older_than.map(|duration| now.earlier(duration))
    }

    /// The workspaces that stay in any case.
    pub(super) fn excluded(&self) -> anyhow::Result<HashSet<WorkspaceId>> {
        let mut excluded: HashSet<WorkspaceId> = self.exclude.iter().copied().collect();
        for file in &self.exclude_from {
            excluded.extend(ids::from_file(file).context("--exclude-from")?);
        }
        Ok(excluded)
    }

    /// The free space that there shall be, and is.
    ///
    /// # Errors
    /// As [`Base::space`].
    pub(super) fn free(&self, base: &Base) -> Result<Option<Free>> {
        let Some(wanted) = self.min_free else { return Ok(None) };
        let space = base.space()?;
        let wanted = match wanted {
            SizeOrShare::Bytes(bytes) => bytes,
            SizeOrShare::Share(share) => share.of(space.total),
        };
        Ok(Some(Free { wanted, available: space.available }))
    }

    /// The rules.
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

    /// Which workspaces have to be looked at for these rules.
    pub(super) fn scope<'a>(&self, rules: &'a Rules) -> Scope<'a> {
        let sizes = rules.choose_by_size() || self.metrics().is_some();
        Scope { ids: rules.ids.as_ref(), all: sizes || self.keep_last > 0, sizes, use_mtime: self.use_mtime }
    }
}
