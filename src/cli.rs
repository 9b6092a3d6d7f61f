//! The command line as clap sees it: the global options and the list of subcommands. Each subcommand's file has its own
//! arguments.

use crate::commands::{list, prune, touch, validate};
use crate::core::{Category, Error, Result};
use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use log::LevelFilter;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

mod lenient;
mod usage_error;

pub use lenient::Lenient;
pub use usage_error::usage_error;

const EXAMPLES: &str = "\
Examples:
  wsctl list --size                             list all workspaces
  wsctl prune --older-than 30d --dry-run -v     show what would be deleted
  wsctl prune --older-than 30d                  show it, ask, and delete
  wsctl prune --help                            explain every option of prune";

const EXIT_STATUSES: &str = "\
Exit statuses (if there are several, the first of 78, 70, 74, 77, 65, 2, 75, 66
wins, and a signal wins over all):
    0  done; for validate: yes
    1  validate: no
    2  usage, invalid-id: the command line is wrong, or an ID is malformed
   65  corrupt-metadata: .metadata.json is not what the application writes
   66  not-found: the base, a workspace or its metadata is missing
   70  unexpected: anything else
   74  io: the storage failed or is full, or stdin or stdout cannot be used
   75  busy: somebody was using or changing it; try again later
   77  permission-denied: the user who runs wsctl may not do this
   78  refused: --max-delete or a `no` at the prompt stopped a prune
  130  SIGINT, 143 SIGTERM, 129 SIGHUP: interrupted; the next prune continues";

/// Check, touch, list and prune the workspaces of PitLane AI while the application runs
///
/// A workspace is a directory in the base whose name is a UUID. wsctl ignores everything else in the base. Results go to stdout,
/// everything else to stderr: one line each, with a category in brackets that decides the exit status.
#[derive(Debug, Parser)]
#[command(name = "wsctl", bin_name = "wsctl", version, subcommand_required = true, arg_required_else_help = true)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{EXIT_STATUSES}"))]
pub struct Cli {
    /// The options of every subcommand.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check that IDs are well formed and that their workspaces exist
    ///
    /// Prints each valid ID in canonical form, one a line, in the order given: this is safe to use as a path. Exits with 0 if all
    /// are valid, with 1 if any is not or stdin has none. Malformed and absent IDs look the same and take the same time; -v says which it was.
    ///
    /// Write untrusted input after `--`: there `-` does not read stdin, and `--help` is not an option.
    #[command(override_usage = "wsctl validate [OPTIONS] [--] <ID>...")]
    #[command(after_long_help = format!("{}\n\n{EXIT_STATUSES}", validate::EXAMPLES))]
    Validate(validate::Arguments),
    /// Set the time of last access
    ///
    /// Changes only the bytes of that one value in .metadata.json. Prints nothing on success: when it exits with 0, the new time
    /// is on disk. Creates a missing file, with a warning, and never overwrites a corrupt one.
    #[command(override_usage = "wsctl touch [OPTIONS] [--] <ID>...")]
    #[command(after_long_help = format!("{}\n\n{EXIT_STATUSES}", touch::EXAMPLES))]
    Touch(touch::Arguments),
    /// List workspaces with their status, age and size
    ///
    /// The status is ok, missing (there is no .metadata.json), corrupt (it is not what the application writes), denied (it cannot
    /// be read) or future (last accessed more than 5 minutes ahead of the clock). -v says why.
    ///
    /// The application's own listing breaks if .metadata.json is missing, or if the last access in it is missing or has no UTC
    /// offset. JSON then has `breaks_listing: true`, and touch repairs it.
    ///
    /// If an earlier prune could not put a workspace back, because the application had created a
    /// new one with the same ID, a list of all workspaces warns of the old copy.
    ///
    /// On a terminal, the table fits the width: it cuts descriptions and leaves out columns, and says which. Columns that you sort
    /// by or ask for stay longest. The last line counts the workspaces. A pipe gets the whole table without that line.
    #[command(visible_alias = "ls", after_long_help = format!("{}\n\n{EXIT_STATUSES}", list::EXAMPLES))]
    List(list::Arguments),
    /// Delete stale workspaces
    ///
    /// Give at least one rule or ID. Protected workspaces always stay. A rule never deletes a workspace whose last access is
    /// unknown or ahead of the clock. A workspace that is accessed during the prune stays, whole, and is reported as busy.
    ///
    /// On a terminal, prune shows what it would delete and asks. Elsewhere it needs --yes. If a run is stopped, the next one
    /// finishes its work.
    #[command(override_usage = "wsctl prune [OPTIONS] <RULE|ID>...")]
    #[command(after_long_help = format!("{}\n\n{EXIT_STATUSES}", prune::EXAMPLES))]
    Prune(Box<prune::Arguments>),
}

impl Command {
    /// The file for monitoring, if the run writes one.
    pub fn metrics(&self) -> Option<&Path> {
        match self {
            Self::List(arguments) => arguments.metrics(),
            Self::Prune(arguments) => arguments.metrics(),
            Self::Validate(_) | Self::Touch(_) => None,
        }
    }
}

/// The options that may come before or after the subcommand.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The directory that holds the workspaces [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]
    ///
    /// It may be a symlink. An empty WSCTL_BASE counts as unset.
    #[arg(short, long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    base: Option<PathBuf>,
    /// Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]
    ///
    /// The default is to log warnings and errors. RUST_LOG applies if neither -v nor -q is given.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Log only errors, and print no summary
    ///
    /// Results are still printed: lists, JSON and valid IDs. Progress is not shown.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// When to use colours [env: NO_COLOR, CLICOLOR_FORCE]
    ///
    /// In the systemd journal, lines have a priority instead of a colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: When,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum When {
    /// On a terminal unless NO_COLOR is set, and everywhere if CLICOLOR_FORCE is set.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl Global {
    /// The base: from `--base`, else from `WSCTL_BASE`, else the default in the home directory. `env` reads an environment
    /// variable.
    ///
    /// # Errors
    /// [`Category::Usage`] if there is no home to find the default in.
    pub fn base(&self, env: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
        let set = |name| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let default = || Some(set("HOME")?.join(".pitlane/workspaces"));
        self.base
            .clone()
            .or_else(|| set("WSCTL_BASE"))
            .or_else(default)
            .ok_or_else(|| Error::new(Category::Usage, "HOME is not set, so there is no default base: pass --base DIR"))
    }

    /// The least severe lines to show: with `-q`, errors; with `-v`, info; with neither, warnings.
    pub fn verbosity(&self) -> LevelFilter {
        match self.verbose {
            _ if self.quiet => LevelFilter::Error,
            0 => LevelFilter::Warn,
            1 => LevelFilter::Info,
            2 => LevelFilter::Debug,
            3.. => LevelFilter::Trace,
        }
    }

    /// Whether to use colours on `stream`.
    pub fn color(&self, stream: &impl RawStream) -> ColorChoice {
        match self.color {
            When::Auto => AutoStream::choice(stream),
            When::Always => ColorChoice::Always,
            When::Never => ColorChoice::Never,
        }
    }
}

/// The whole command line, to generate manual pages and completions from it.
pub fn command() -> clap::Command {
    Cli::command()
}
