//! The command line as clap sees it: the global options and the list of subcommands. Each subcommand's own arguments stand
//! beside what it does.

use crate::commands::{list, prune, touch, validate};
use crate::core::{Category, Error, Result};
use crate::logging::Verbosity;
use crate::output::escape;
use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use clap::error::ContextValue;
use clap::{ArgAction, ArgMatches, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

const EXIT_STATUSES: &str = "\
Exit statuses (of several, the first of 78, 70, 74, 77, 65, 2, 75, 66 decides; a signal comes before all):
    0  done; for validate: yes
    1  validate: no
    2  usage, invalid-id: wrong command line, or a malformed ID
   65  corrupt-metadata: .metadata.json is not what the application writes
   66  not-found: the base, a workspace or its metadata is missing
   70  unexpected: anything not named here
   74  io: the storage failed or is full
   75  busy: somebody else was using or changing it; trying later may work
   77  permission-denied
   78  refused: --max-delete, or a `no` at the prompt, stopped a prune
  130  SIGINT, 143 SIGTERM: what was in hand has been finished";

/// Administer the workspaces of PitLane AI: check, touch, list and prune them, safely beside the running application.
#[derive(Debug, Parser)]
#[command(name = "wsctl", version, subcommand_required = true, arg_required_else_help = true)]
#[command(after_long_help = EXIT_STATUSES)]
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
    #[command(after_long_help = format!("{}\n\n{EXIT_STATUSES}", validate::EXAMPLES))]
    Validate(validate::Arguments),
    /// Set the time of last access
    #[command(after_long_help = format!("{}\n\n{EXIT_STATUSES}", touch::EXAMPLES))]
    Touch(touch::Arguments),
    /// List workspaces with their status, age and size
    #[command(after_long_help = format!("{}\n\n{EXIT_STATUSES}", list::EXAMPLES))]
    List(list::Arguments),
    /// Delete stale workspaces
    #[command(after_long_help = format!("{}\n\n{EXIT_STATUSES}", prune::EXAMPLES))]
    Prune(Box<prune::Arguments>),
}

/// The options that may stand before or after the subcommand.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The workspaces' directory; it may be a symlink [env: WSCTL_BASE] [default: ~/.pitlane/workspaces]
    #[arg(short, long, global = true, value_name = "DIR")]
    base: Option<PathBuf>,
    /// Log more: -v info and a line for each workspace, -vv debug, -vvv trace [env: RUST_LOG]
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Log errors only, and print no summary
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// When to use colours [env: NO_COLOR, CLICOLOR_FORCE]
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: When,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum When {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl When {
    fn choice(self, stream: &impl RawStream) -> ColorChoice {
        match self {
            Self::Auto => AutoStream::choice(stream),
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        }
    }
}

impl Global {
    /// The base: as given, else `WSCTL_BASE`, else below the home directory. `env` reads an environment variable.
    ///
    /// # Errors
    /// [`Category::Usage`] if there is no home to find the default in.
    pub fn base(&self, env: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
        let set = |name| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        match &self.base {
            Some(base) => Ok(base.clone()),
            None => set("WSCTL_BASE").or_else(|| Some(set("HOME")?.join(".pitlane/workspaces"))).ok_or_else(|| {
                Error::new(Category::Usage, "HOME is not set, so there is no default base: pass --base DIR")
            }),
        }
    }

    /// How much to say.
    pub fn verbosity(&self) -> Verbosity {
        if self.quiet { Verbosity::QUIET } else { Verbosity(i16::from(self.verbose)) }
    }

    /// Whether to use colours on `stream`.
    pub fn color(&self, stream: &impl RawStream) -> ColorChoice {
        self.color.choice(stream)
    }
}

fn escaped(value: &ContextValue) -> ContextValue {
    let escape = |text: &String| escape::text(text).into_owned();
    match value {
        ContextValue::String(text) => ContextValue::String(escape(text)),
        ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(escape).collect()),
        other => other.clone(),
    }
}

/// The `--color` of a command line that is otherwise wrong, or asks for help, as far as clap can tell.
pub fn color_of(args: &[OsString], stream: &impl RawStream) -> ColorChoice {
    let lenient = Cli::command().ignore_errors(true).disable_help_flag(true).disable_version_flag(true);
    let matches = lenient.try_get_matches_from(args).ok();
    let of = |matches: &ArgMatches| matches.try_get_one::<When>("color").ok().flatten().copied();
    let below = |matches: &ArgMatches| matches.subcommand().and_then(|(_, matches)| of(matches));
    let when = matches.and_then(|matches| below(&matches).or_else(|| of(&matches)));
    when.unwrap_or(When::Auto).choice(stream)
}

/// The whole command line, for what is generated from it.
pub fn command() -> clap::Command {
    Cli::command()
}

/// What clap found wrong, in one line: its own words without the usage and without line ends.
pub fn complaint(mut error: clap::Error) -> String {
    // clap takes what looks like an escape sequence out of its plain text: what was given is shown as it was given.
    let given: Vec<_> = error.context().map(|(kind, value)| (kind, escaped(value))).collect();
    for (kind, value) in given {
        error.insert(kind, value);
    }
    let text = error.render().to_string();
    let paragraphs = text.split("\n\n").map(|part| part.trim_start_matches("error: ").trim());
    let telling = paragraphs
        .filter(|part| !part.is_empty() && !part.starts_with("Usage:") && !part.starts_with("For more information"));
    let lines = telling.map(|part| part.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("; ")
}
