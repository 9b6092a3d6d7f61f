//! One file a subcommand: its arguments, its flow, its outcome. No command uses another.

pub mod list;
pub mod prune;
pub mod touch;
pub mod validate;

use crate::core::{Base, Category, Error, Result, Timestamp, neighbours};
use crate::logging::Verbosity;
use crate::signals::Signals;
use anstream::ColorChoice;
use clap::ValueEnum;
use std::ffi::OsString;
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
    /// The value of TZ.
    pub time_zone: Option<OsString>,
    /// What a signal does.
    pub signals: &'a Signals,
}

impl Context<'_> {
    /// Opens the base. Where it seems to be the wrong one, the right one is named.
    ///
    /// # Errors
    /// As [`Base::open`].
    pub fn open_base(&self) -> Result<Base> {
        let base = Base::open(&self.base).map_err(|error| match error.category() {
            Category::NotFound => {
                let what = format!("{}; name the workspaces' directory with --base or WSCTL_BASE", error.full());
                Error::new(Category::NotFound, what).severe()
            }
            _ => error,
        })?;
        if let Some(meant) = neighbours::meant(&base)? {
            let (base, meant) = (self.base.display(), meant.display());
            log::warn!("base {base}: it holds no workspaces, but {meant} does: did you mean --base {meant}?");
        }
        Ok(base)
    }
}

/// What is known of the terminal, if there is one.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Somebody is there to be asked: stdin and stderr are a terminal.
    pub interactive: bool,
    /// Somebody may be shown how far a run has come: stderr is a terminal, and nobody wants it quiet.
    pub watched: bool,
    /// The terminal that stdout is, if it is one.
    pub screen: Option<Screen>,
    /// Whether to use colours on stdout.
    pub color: ColorChoice,
}

/// What there is room for on a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// The width in columns, if it tells.
    pub width: Option<usize>,
    /// Whether characters beyond ASCII may be shown: the locale is UTF-8.
    pub utf8: bool,
}

/// How a result is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines for people.
    Text,
    /// One document for scripts.
    Json,
}
