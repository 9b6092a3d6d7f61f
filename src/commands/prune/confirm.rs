//! What has to be allowed before anything is deleted: by `--max-delete`, and on a terminal by whoever sits there.

use super::done::Done;
use super::plan::Plan;
use crate::args::size::CountOrShare;
use crate::core::{Category, Error, Timestamp};
use crate::output::amounts;
use std::io::{self, BufRead, Write};

/// How many workspaces are named in the question.
const NAMED: usize = 5;

/// Refuses a plan that would delete more than `--max-delete` allows.
pub(super) fn guard(plan: &Plan, max_delete: Option<CountOrShare>) -> Result<(), Error> {
    let (chosen, total) = (plan.chosen() as u64, plan.total() as u64);
    let (most, limit) = match max_delete {
        None => return Ok(()),
        Some(CountOrShare::Count(count)) => (count as u64, count.to_string()),
        Some(CountOrShare::Share(share)) => (share.of(total), format!("{share}")),
    };
    if chosen <= most {
        return Ok(());
    }
    let what = format!("nothing was deleted: {chosen} of {total} workspaces would go, and --max-delete allows {limit}");
    Err(Error::new(Category::Refused, what))
}

/// Asks whether these shall go. A signal ends the program while it waits.
pub(super) fn ask(leaving: &[Done<'_>], total: usize, now: Timestamp) -> Result<(), Error> {
    if answer(&question(leaving, total, now)).map_err(|error| Error::io(&error, "cannot ask"))? {
        return Ok(());
    }
    Err(Error::new(Category::Refused, "nothing was deleted: the answer was no"))
}

/// What the question is about: how many and how much, the oldest and the newest, and the first of them by name, in the order
/// in which they would go.
fn question(leaving: &[Done<'_>], total: usize, now: Timestamp) -> String {
    let bytes = amounts::size(leaving.iter().map(|done| done.freed).sum());
    let mut lines =
        vec![format!("{} of {} would be deleted, {bytes}", leaving.len(), amounts::count(total, "workspace"))];
    let mut leaving: Vec<_> = leaving.iter().map(|done| (done.found.last_access, done)).collect();
    leaving.sort_by_key(|(time, _)| *time);
    let age = |time: Option<Timestamp>| {
        time.map_or_else(
            || "last access unknown".to_owned(),
            |time| format!("last accessed {}", amounts::age(time, now)),
        )
    };
    for (time, done) in leaving.iter().take(NAMED) {
        lines.push(format!("  {}  {}, {}", done.found.id, age(*time), amounts::size(done.freed)));
    }
    if let Some(more @ 1..) = leaving.len().checked_sub(NAMED) {
        lines.push(format!("  and {more} more"));
    }
    let mut known = leaving.iter().filter(|(time, _)| time.is_some());
    if let Some(oldest) = known.next() {
        let newest = known.next_back().unwrap_or(oldest);
        for (word, (time, done)) in [("oldest", oldest), ("newest", newest)] {
            lines.push(format!("{word}: {}, {}", done.found.id, age(*time)));
        }
    }
    lines.join("\n") + "\nDelete them? [y/N] "
}

/// Asks on stderr and reads a line from stdin.
fn answer(question: &str) -> io::Result<bool> {
    let mut terminal = io::stderr().lock();
    terminal.write_all(question.as_bytes()).and_then(|()| terminal.flush())?;
    let mut line = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut line)?;
    let Some(answer) = line.strip_suffix(b"\n") else {
        let _ = writeln!(terminal); // the input ended on the line of the question: nobody has pressed Enter
        return Ok(false);
    };
    Ok(matches!(answer.trim_ascii().to_ascii_lowercase().as_slice(), b"y" | b"yes"))
}
