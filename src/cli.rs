//! The command line as clap sees it: the global options and the list of subcommands. Each subcommand's own arguments stand
//! beside what it does.

use crate::commands::{list, prune, touch, validate};
use crate::core::{Category, Error, Result};
use crate::logging::Verbosity;
use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

mod complaint;
mod lenient;

pub use complaint::complaint;
pub use lenient::Lenient;

const EXAMPLES: &str = "\
Examples:
  wsctl list --size                             what is there
  wsctl prune --older-than 30d --dry-run -v     what would go
  wsctl prune --older-than 30d                  shows what would go, and asks
  wsctl prune --help                            all that prune can do";

const EXIT_STATUSES: &str = "\
Exit statuses (of several, the first of 78, 70, 74, 77, 65, 2, 75, 66 decides;
a signal comes before all):
    0  done; for validate: yes
    1  validate: no
    2  usage, invalid-id: wrong command line, or a malformed ID
   65  corrupt-metadata: .metadata.json is not what the application writes
   66  not-found: the base, a workspace or its metadata is missing
   70  unexpected: anything not named here
   74  io: the storage failed or is full
   75  busy: somebody else was using or changing it; trying later may work
   77  permission-denied: the user who runs it may not
   78  refused: --max-delete, or a `no` at the prompt, stopped a prune
  130  SIGINT, 143 SIGTERM: interrupted; the next prune goes on";

/// Administer the workspaces of PitLane AI: check, touch, list and prune them, safely beside the running application
///
/// A workspace is a directory of the base whose name is a UUID; whatever else is in the base is left alone. Results go to
/// stdout and everything else to stderr, one line each, with a category in brackets that decides the exit status.
#[derive(Debug, Parser)]
#[command(name = "wsctl", version, subcommand_required = true, arg_required_else_help = true)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{EXIT_STATUSES}"))]
pub struct Cli {
    /// What applies to every subcommand.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say which IDs are well formed and name a workspace that exists
    ///
    /// Prints each ID that is valid in canonical form, one a line, in the order given: safe to use as a path. Exits 0 if all
    /// are valid and 1 if any is not. A malformed ID and an absent one look the same and take the same time; -v says which it
    /// was.
    ///
    /// What comes from outside belongs behind `--`: there `-` reads no stdin, and `--help` is no option.
    #[command(override_usage = "wsctl validate [OPTIONS] [--] <ID>...")]
    #[command(after_long_help = format!("{}\n\n{EXIT_STATUSES}", validate::EXAMPLES))]
    Validate(validate::Arguments),
    /// Set the time of last access
    ///
    /// Changes that one value of .metadata.json and no other byte of it, and says nothing if all went well: once it has
    /// exited 0, the new time is on disk. A missing file is made anew, with a warning; a corrupt one is never overwritten.
    #[command(override_usage = "wsctl touch [OPTIONS] [--] <ID>...")]
    #[command(after_long_help = format!("{}\n\n{EXIT_STATUSES}", touch::EXAMPLES))]
    Touch(touch::Arguments),
    /// List workspaces with their status, age and size
    ///
    /// A status is one of: ok; missing (there is no .metadata.json); corrupt (it is not what the application writes); denied
    /// (it cannot be read); future (last accessed more than 5 minutes ahead of the clock). With -v it is said why.
    ///
    /// The application's own listing breaks where .metadata.json is missing, and where the last access is missing from it or has
    /// no offset. Then JSON says true for `breaks_listing`, and touch repairs it.
    ///
    /// Where an earlier prune left a copy aside beside a new workspace of the same ID, a warning names it.
    ///
    /// On a terminal the table fits the width: descriptions are cut off, and columns for which there is no room are left out and
    /// named below it. What was sorted by or asked for with -s comes first and stays longest. The last line counts what is shown.
    /// A pipe gets the whole table, and no such line.
    #[command(visible_alias = "ls", after_long_help = format!("{}\n\n{EXIT_STATUSES}", list::EXAMPLES))]
    List(list::Arguments),
    /// Delete stale workspaces
    ///
    /// Rules or IDs say which, at least one of them; protection comes before both. A workspace whose last access is not known
    /// is never chosen by a rule, and one that is accessed meanwhile stays, whole: busy.
    ///
    /// On a terminal it shows what would go, and asks; elsewhere it wants --yes. What a run that was stopped has left half
    /// done, the next one finishes.
    #[command(override_usage = "wsctl prune [OPTIONS] <RULE|ID>...")]
    #[command(after_long_help = format!("{}\n\n{EXIT_STATUSES}", prune::EXAMPLES))]
    Prune(Box<prune::Arguments>),
}

impl Command {
    /// The file that monitoring reads, if the run shall leave one.
    pub fn metrics(&self) -> Option<&Path> {
        match self {
            Self::List(arguments) => arguments.metrics(),
            Self::Prune(arguments) => arguments.metrics(),
            Self::Validate(_) | Self::Touch(_) => None,
        }
    }
}

/// The options that may stand before or after the subcommand.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The workspaces' directory [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]
    ///
    /// It may be a symlink. An empty WSCTL_BASE counts as unset.
    #[arg(short, long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    base: Option<PathBuf>,
    /// Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]
    ///
    /// Otherwise warnings and errors are logged. RUST_LOG applies where neither -v nor -q is given.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Log errors only, and print no summary
    ///
    /// Results stay: lists, JSON and valid IDs. There is no progress to be seen, either.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// When to use colours [env: NO_COLOR, CLICOLOR_FORCE]
    ///
    /// The journal of systemd gets priorities instead.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: When,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum When {
    /// On a terminal, unless NO_COLOR is set; anywhere, if CLICOLOR_FORCE is.
    Auto,
    /// Wherever it goes.
    Always,
    /// Nowhere.
    Never,
}

impl Global {
    /// The base: as given, else `WSCTL_BASE`, else below the home directory. `env` reads an environment variable.
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

    /// How much to say.
    pub fn verbosity(&self) -> Verbosity {
        if self.quiet { Verbosity::QUIET } else { Verbosity(i16::from(self.verbose)) }
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

/// The whole command line, for what is generated from it.
pub fn command() -> clap::Command {
    Cli::command()
}
