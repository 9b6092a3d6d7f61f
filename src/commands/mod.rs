//! One file a subcommand: its arguments, its flow, its outcome. No command uses another.

pub mod list;
pub mod prune;
pub mod touch;
pub mod validate;

use crate::core::{Base, Category, Error, Result, Timestamp, survey};
use crate::logging::Verbosity;
use crate::signals::Signals;
use anstream::ColorChoice;
use clap::ValueEnum;
use std::path::PathBuf;

/// What every command is told about the world.
#[derive(Debug)]
pub struct Context<'a> {
    /// The base, as it was given.
    pub base: PathBuf,
    /// The time at which the program started.
    pub now: Timestamp,
    /// How much to say.
    pub verbosity: Verbosity,
    /// Who is looking.
    pub terminal: Terminal,
    /// What a signal does.
    pub signals: &'a Signals,
}

impl Context<'_> {
    /// Opens the base; whoever named one that is none is told how to name another.
    ///
    /// # Errors
    /// As [`Base::open`].
    pub fn open_base(&self) -> Result<Base> {
        Base::open(&self.base).map_err(|error| match error.category() {
            Category::NotFound => {
                let what = format!("{}; name the workspaces' directory with --base or WSCTL_BASE", error.full());
                Error::new(Category::NotFound, what).severe()
            }
            _ => error,
        })
    }
}

/// What is known of the terminal, if there is one.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Somebody is there to be asked: stdin and stderr are a terminal.
    pub interactive: bool,
    /// Somebody may be shown how far a run has come: stderr is a terminal, and nobody wants it quiet.
    pub watched: bool,
    /// The width of stdout, in columns, if it is a terminal.
    pub width: Option<usize>,
    /// Whether to use colours on stdout.
    pub color: ColorChoice,
}

/// How a result is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines for people.
    Text,
    /// One document for scripts.
    Json,
}

/// Tells whoever asks (`-v`) why there may be nothing to see: a directory above the base was named, or below it.
fn hint_where_there_are_none(base: &Base, workspaces: usize) {
    if workspaces == 0
        && log::log_enabled!(log::Level::Info)
        && let Some(nested) = survey::nested(base)
    {
        log::info!("base {}: no workspaces in it, but there are some in {}", base.path().display(), nested.display());
    }
}
