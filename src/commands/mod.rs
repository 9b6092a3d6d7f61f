//! One file for each subcommand: its arguments, its flow, its outcome. No command uses another.

pub mod list;
pub mod prune;
pub mod touch;
pub mod validate;

use crate::core::{Base, Category, Error, Result, Timestamp, likely_base};
use crate::output::descriptor;
use crate::signals::Signals;
use anstream::ColorChoice;
use clap::ValueEnum;
use log::LevelFilter;
use std::ffi::OsString;
use std::path::PathBuf;

/// What every command knows about the world.
#[derive(Debug)]
pub struct Context<'a> {
    /// The base, as the user gave it.
    pub base: PathBuf,
    /// The time of the run. Everything is compared with it.
    pub now: Timestamp,
    /// How much to say.
    pub verbosity: LevelFilter,
    /// What is known of the terminal.
    pub terminal: Terminal,
    /// The value of TZ.
    pub time_zone: Option<OsString>,
    /// How signals are handled.
    pub signals: &'a Signals,
}

impl Context<'_> {
    /// From now on, the first signal is only remembered, so that work in progress can finish. After it, nothing waits for a slow
    /// reader of the output.
    pub fn defer_exit(&self) {
        self.signals.defer_exit();
        descriptor::give_up_after(self.signals.number());
    }

    /// Opens the base. Warns if it seems to be the wrong one, and names the right one.
    ///
    /// # Errors
    /// As [`Base::open`].
    pub fn open_base(&self) -> Result<Base> {
        let base = Base::open(&self.base).map_err(|error| match error.category() {
            Category::NotFound => {
                let what = format!("{error}; name the workspaces' directory with --base or WSCTL_BASE");
                Error::new(Category::NotFound, what).severe()
            }
            _ => error,
        })?;
        if let Some(meant) = likely_base::likely_base(&base) {
            let (base, meant) = (self.base.display(), meant.display());
            log::warn!("base {base}: holds no workspaces, but {meant} does: did you mean --base {meant}?");
        }
        Ok(base)
    }
}

/// What is known of the terminal.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Whether a person can be asked: stdin and stderr are terminals.
    pub interactive: bool,
    /// Whether to show progress: stderr is a terminal that can erase a line, and `-q` was not given.
    pub show_progress: bool,
    /// The terminal on stdout, if stdout is one.
    pub screen: Option<Screen>,
    /// Whether to use colours on stdout.
    pub color: ColorChoice,
}

/// What fits on a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Its width in columns, if it is known.
    pub width: Option<usize>,
    /// Whether it can show more than ASCII: the locale is UTF-8.
    pub utf8: bool,
}

/// The format of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines for people.
    Text,
    /// One document for scripts.
    Json,
}
