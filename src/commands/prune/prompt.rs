//! The question before a prune on a terminal.

use super::candidates::Candidate;
use crate::core::{Error, ExitStatus, Timestamp};
use crate::output::amounts;
use crate::signals::Signals;
use std::io::{self, BufRead, Write};

/// What the one who was asked said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Go on.
    Yes,
    /// Anything else, also nothing.
    No,
    /// A signal, which ends the run at once.
    Signal(ExitStatus),
}

/// What the question is about.
pub(super) fn question(leaving: &[&Candidate], total: usize, now: Timestamp) -> String {
    let bytes = amounts::size(leaving.iter().map(|candidate| candidate.size()).sum());
    let mut question = format!("{} of {} would be deleted, {bytes}", leaving.len(), amounts::count(total, "workspace"));
    let mut known: Vec<_> =
        leaving.iter().filter_map(|candidate| Some((candidate.last_access?, candidate.id))).collect();
    known.sort_unstable();
    if let (Some((oldest, old_id)), Some((newest, new_id))) = (known.first(), known.last()) {
        for (word, id, time) in [("oldest", old_id, oldest), ("newest", new_id, newest)] {
            question.extend(["\n  ", word, ": ", &id.to_string(), ", last accessed ", &amounts::age(*time, now)]);
        }
    }
    question + "\nDelete them? [y/N] "
}

/// Asks on stderr and reads a line from stdin.
pub(super) fn ask(question: &str, signals: &Signals) -> Result<Answer, Error> {
    let failed = |error: io::Error| Error::io(&error, "cannot ask");
    let mut terminal = io::stderr().lock();
    terminal.write_all(question.as_bytes()).and_then(|()| terminal.flush()).map_err(failed)?;
    if let Some(status) = signals.wait_for(io::stdin()) {
        let _ = writeln!(terminal);
        return Ok(Answer::Signal(status));
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    let yes = matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    Ok(if yes { Answer::Yes } else { Answer::No })
}
