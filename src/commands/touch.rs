//! `wsctl touch`: sets the time of last access.

use super::Context;
use crate::args;
use crate::args::ids::{self, IdInput};
use crate::core::rewrite::{Missing, Rewritten, set_last_accessed};
use crate::core::{Category, Error, ExitStatus, Timestamp};
use crate::output::Outcome;
use crate::output::diagnostics;
use clap::Args;
use std::ffi::OsString;
use std::io::{self, Write};

/// What `--help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  wsctl touch 6c7ab482-a9ca-49d7-9364-b3e425655d2e
  wsctl touch --at 2026-11-23T15:51:30Z --no-create - < ids.txt
  wsctl list --status missing --format ids | wsctl touch -";

/// The arguments of `touch`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Do not create a missing .metadata.json
    ///
    /// Instead, warn and exit with 66.
    #[arg(short = 'c', long)]
    no_create: bool,
    /// Set this time instead of now: 2026-11-23T15:51:30Z
    ///
    /// The format is RFC 3339, with Z or another offset and up to nine fractional digits.
    #[arg(long, value_name = "TIME", value_parser = args::time)]
    at: Option<Timestamp>,
    /// The workspaces to touch; `-` reads IDs from stdin, one a line
    #[arg(value_name = "ID", required_unless_present = "literal")]
    ids: Vec<OsString>,
    #[command(flatten)]
    input: IdInput,
}

/// Touches each workspace. A failure does not stop the others.
pub fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<Box<dyn Outcome>> {
    let time = arguments.at.unwrap_or(context.now);
    let missing = if arguments.no_create { Missing::Fail } else { Missing::Create };
    let given = ids::read(&arguments.ids, &arguments.input, &context.base)?;
    let base = context.open_base()?;
    context.defer_exit();
    let mut status = ExitStatus::default();
    given.wrong.iter().for_each(|(_, error)| status.raise(diagnostics::report(error)));
    for id in given.ids {
        if let Some(signal) = context.signals.caught() {
            status.raise(signal);
            break;
        }
        match set_last_accessed(&base, id, time, missing) {
            Ok(Rewritten::Updated) => log::info!("{}: touched", id.subject()),
            Ok(Rewritten::Created) => {
                let what = ".metadata.json is missing: created anew";
                diagnostics::report(&Error::new(Category::NotFound, what).about(id.subject()));
            }
            Err(error) => status.raise(diagnostics::report(&error)),
        }
    }
    Ok(Box::new(status))
}

/// The outcome is only an exit status.
impl Outcome for ExitStatus {
    fn render(&self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn status(&self) -> ExitStatus {
        *self
    }
}
