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

/// How many workspaces are named in the question.
const NAMED: usize = 5;

/// What the question is about: how many and how much, the oldest and the newest, and the first of them by name, in the order
/// in which they would go.
pub(super) fn question(leaving: &[&Candidate], total: usize, now: Timestamp) -> String {
    let bytes = amounts::size(leaving.iter().map(|candidate| candidate.size()).sum());
    let mut lines =
        vec![format!("{} of {} would be deleted, {bytes}", leaving.len(), amounts::count(total, "workspace"))];
    let mut leaving: Vec<_> = leaving.iter().map(|candidate| (candidate.last_access, candidate)).collect();
    leaving.sort_by_key(|(time, _)| *time);
    let age = |time: Option<Timestamp>| {
        time.map_or_else(
            || "last access unknown".to_owned(),
            |time| format!("last accessed {}", amounts::age(time, now)),
        )
    };
    for (time, candidate) in leaving.iter().take(NAMED) {
        lines.push(format!("  {}  {}, {}", candidate.id, age(*time), amounts::size(candidate.size())));
    }
    if let Some(more @ 1..) = leaving.len().checked_sub(NAMED) {
        lines.push(format!("  and {more} more"));
    }
    let mut known = leaving.iter().filter(|(time, _)| time.is_some());
    if let Some(oldest) = known.next() {
        let newest = known.next_back().unwrap_or(oldest);
        for (word, (time, candidate)) in [("oldest", oldest), ("newest", newest)] {
            lines.push(format!("{word}: {}, {}", candidate.id, age(*time)));
        }
    }
    lines.join("\n") + "\nDelete them? [y/N] "
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
    let mut line = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut line).map_err(failed)?;
    let Some(answer) = line.strip_suffix(b"\n") else {
        let _ = writeln!(terminal); // the input ended on the line of the question: nobody has pressed Enter
        return Ok(Answer::No);
    };
    let yes = matches!(answer.trim_ascii().to_ascii_lowercase().as_slice(), b"y" | b"yes");
    Ok(if yes { Answer::Yes } else { Answer::No })
}
