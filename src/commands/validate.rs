//! `wsctl validate`: is each ID well formed, and does its workspace exist?

use super::{Context, Format};
use crate::args::ids::{self, Separator};
use crate::core::{ExitStatus, WorkspaceId, check::Checker};
use crate::output::diagnostics::Diagnostics;
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
  wsctl validate -v -- \"$cookie\"               says why, if it is not";

/// The arguments of `validate`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How to show the answers
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// What to check; `-` reads IDs from stdin, one a line
    #[arg(value_name = "ID", required_unless_present = "literal")]
    ids: Vec<OsString>,
    #[command(flatten)]
    separator: Separator,
}

/// The answer for one candidate. A malformed ID and an absent one look the same.
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
    let mut diagnostics = Diagnostics::default();
    let mut answers = Vec::new();
    for candidate in ids::candidates(&arguments.ids, &arguments.separator)? {
        let id = checker.check(Some(candidate.as_bytes())).unwrap_or_else(|error| {
            diagnostics.report(&error);
            None
        });
        if id.is_none() {
            diagnostics.raise(ExitStatus::No);
            log::info!("'{}': {}", ids::shown(&candidate), reason(&candidate));
        }
        answers.push(Answer { input: candidate.to_string_lossy().into_owned(), id, valid: id.is_some() });
    }
    if answers.is_empty() {
        diagnostics.raise(ExitStatus::No); // nobody was told yes
    }
    Ok(Box::new(Answers { all: answers, format: arguments.format, status: diagnostics.status() }))
}

/// Why the answer is no: for who asks with `-v`, and nobody else.
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
