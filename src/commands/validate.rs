//! `wsctl validate`: is each ID well formed, and does its workspace exist?

use super::{Context, Format};
use crate::args::ids::{self, IdInput};
use crate::core::{ExitStatus, WorkspaceId, check::Checker};
use crate::output::diagnostics;
use crate::output::{Outcome, escape};
use clap::Args;
use serde::Serialize;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

/// What `--help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  id=$(wsctl validate -- \"$cookie\") && ls ~/.pitlane/workspaces/\"$id\"
  wsctl validate --format json - < ids.txt
  wsctl validate -v -- \"$cookie\"               if it is not valid, say why";

/// The arguments of `validate`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// The IDs to check; `-` reads IDs from stdin, one a line
    #[arg(value_name = "ID", required_unless_present = "literal")]
    ids: Vec<OsString>,
    #[command(flatten)]
    input: IdInput,
}

/// The answer for one candidate. It is the same for a malformed and an absent ID.
#[derive(Debug, Serialize)]
struct Answer {
    input: String,
    id: Option<WorkspaceId>,
    valid: bool,
}

#[derive(Debug)]
struct Answers {
    all: Vec<Answer>,
    format: Format,
    status: ExitStatus,
}

/// Checks every candidate.
pub fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<Box<dyn Outcome>> {
    let base = context.open_base()?;
    let checker = Checker::new(&base)?;
    let mut status = ExitStatus::default();
    let mut answers = Vec::new();
    for candidate in ids::candidates(&arguments.ids, &arguments.input)? {
        let shown = || format!("'{}'", ids::shown(&candidate));
        let id = match checker.check(candidate.as_bytes()) {
            Ok(Some(id)) => Some(id),
            Ok(None) => {
                status.raise(ExitStatus::No);
                log::info!("{}: {}", shown(), reason(&candidate));
                None
            }
            Err(error) => {
                status.raise(diagnostics::report(&error.about(shown())));
                None
            }
        };
        answers.push(Answer { input: candidate.to_string_lossy().into_owned(), id, valid: id.is_some() });
    }
    if answers.is_empty() {
        status.raise(ExitStatus::No); // no ID was read, so none is valid
    }
    Ok(Box::new(Answers { all: answers, format: arguments.format, status }))
}

/// Says why the answer is no. Only `-v` shows this.
fn reason(candidate: &OsStr) -> &'static str {
    if WorkspaceId::parse(candidate.as_bytes()).is_none() { "malformed" } else { "absent" }
}

impl Outcome for Answers {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.format == Format::Json {
            return escape::json(out, &self.all);
        }
        self.all.iter().filter_map(|answer| answer.id).try_for_each(|id| writeln!(out, "{id}"))
    }

    fn status(&self) -> ExitStatus {
        self.status
    }
}
