//! Permission to delete: from `--max-delete`, and on a terminal from the person who sits there.

use super::plan::{Decision, Plan, Rules, count_workspaces};
use super::survey::Found;
use super::task::Task;
use crate::args::size::NumberOrShare;
use crate::args::stdin::Stdin;
use crate::core::workspace::Status;
use crate::core::{Base, Category, Error, Timestamp};
use crate::output::amounts::{self, Zone};
use crate::output::escape;
use std::io::{self, BufRead, BufReader, Write};

/// How many workspaces the question names, besides the newest.
const NAMED: usize = 4;
/// How often the question is asked.
const ATTEMPTS: usize = 3;

/// Refuses a plan that would delete more than `--max-delete` allows.
pub(super) fn guard(plan: &Plan, max_delete: Option<NumberOrShare>) -> Result<(), Error> {
    let (chosen, total) = (count_workspaces(plan.to_prune().map(|(found, _)| found)), plan.total());
    let Some(limit) = max_delete.filter(|limit| chosen as u64 > limit.of(total as u64)) else { return Ok(()) };
    let total = amounts::count(total, "workspace");
    let what =
        format!("nothing was deleted: {chosen} of {total} would be deleted, but --max-delete allows only {limit}");
    Err(Error::new(Category::Refused, what))
}

/// Asks whether to delete them. While it waits for the answer, a signal ends the program.
pub(super) fn ask(question: &Question<'_>) -> Result<(), Error> {
    if answer(&question.text()).map_err(|error| Error::io(&error, "cannot ask").with_category(Category::Io))? {
        return Ok(());
    }
    Err(Error::new(Category::Refused, "nothing was deleted: the answer was no"))
}

/// What a person has to know before answering.
pub(super) struct Question<'a> {
    pub(super) base: &'a Base,
    pub(super) rules: &'a Rules,
    pub(super) plan: &'a Plan,
    pub(super) rehearsed: &'a [Task<'a>],
    pub(super) now: Timestamp,
}

impl Question<'_> {
    /// Says what would be deleted, the oldest first, by which rule, and what would stay.
    fn text(&self) -> String {
        let mut to_prune: Vec<_> = self.rehearsed.iter().filter(|task| task.result.is_pruned()).collect();
        to_prune.sort_by_key(|task| task.found.last_access);
        let workspaces = count_workspaces(to_prune.iter().map(|task| task.found));
        let mut lines = vec![format!(
            "{workspaces} of {} in {} would be deleted, {}:",
            amounts::count(self.plan.total(), "workspace"),
            escape::text(&self.base.path().to_string_lossy()),
            amounts::size(to_prune.iter().map(|task| task.freed).sum()),
        )];
        lines.extend(self.each(&to_prune));
        let protected = [
            match self.rules.keep_last {
                0 => None,
                1 => Some("the one accessed last".to_owned()),
                number => Some(format!("the {number} accessed last")),
            },
            (!self.rules.exclude.is_empty()).then(|| format!("{} excluded", self.rules.exclude.len())),
        ];
        let [others, failing] = [to_prune.len() - workspaces, self.rehearsed.len() - to_prune.len()];
        let number = |number: usize| (number > 0).then(|| number.to_string()).into_iter().collect();
        for (label, parts) in [
            ("Also leftovers of earlier prunes", number(others)),
            ("Rule", self.rules()),
            ("Protected", protected.into_iter().flatten().collect()),
            ("Skipped, because their last access is unknown or ahead of the clock", self.skipped()),
            ("Cannot be deleted", number(failing)),
        ] {
            if !parts.is_empty() {
                lines.push(format!("{label}: {}", parts.join("; ")));
            }
        }
        lines.join("\n") + "\nDelete them? [y/N] "
    }

    /// Describes the oldest ones and the newest one, a line each.
    fn each(&self, to_prune: &[&Task<'_>]) -> Vec<String> {
        let known = to_prune.iter().position(|task| task.found.last_access.is_some());
        let last = to_prune.len().saturating_sub(1);
        let line = |(place, task): (usize, &&Task<'_>)| {
            let mark = match known {
                Some(first) if first < last && place == first => ", oldest",
                Some(first) if first < last && place == last => ", newest",
                _ => "",
            };
            let (age, size) = (amounts::last_access(task.found.last_access, self.now), amounts::size(task.freed));
            format!("  {}  {age}, {size}{mark}", task.found.id)
        };
        let mut lines: Vec<_> = to_prune.iter().enumerate().map(line).collect();
        if lines.len() > NAMED + 2 {
            let more = format!("  and {} more", lines.len() - NAMED - 1);
            lines.splice(NAMED..last, [more]);
        }
        lines
    }

    fn rules(&self) -> Vec<String> {
        let Rules { ids, cutoff, max_total_size, free, .. } = self.rules;
        let least = "the least recently accessed until";
        [
            ids.as_ref().map(|ids| format!("the {} given", amounts::count(ids.len(), "ID"))),
            cutoff.map(|time| {
                format!("last accessed before {} ({})", Zone::Utc.show(time), amounts::age(time, self.now))
            }),
            max_total_size.map(|size| format!("{least} all together use at most {}", amounts::size(size))),
            free.map(|free| format!("{least} {} are free", amounts::size(free.wanted))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn skipped(&self) -> Vec<String> {
        let number = |status| {
            let is_skipped =
                |(found, decision): &(&Found, Decision)| *decision == Decision::Skip && found.status == status;
            self.plan.iter().filter(is_skipped).count()
        };
        let words = Status::ALL.into_iter().map(|status| (number(status), status.word()));
        words.filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect()
    }
}

/// Asks on stderr and reads a line from stdin. Asks again if the answer is neither yes nor no.
fn answer(question: &str) -> io::Result<bool> {
    let (mut terminal, mut input) = (io::stderr().lock(), BufReader::new(Stdin));
    terminal.write_all(question.as_bytes())?;
    for attempt in 1..=ATTEMPTS {
        terminal.flush()?;
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line)?;
        let Some(answer) = line.strip_suffix(b"\n") else {
            let _ = writeln!(terminal); // the input ended on the line of the question: nobody has pressed Enter
            return Ok(false);
        };
        match answer.trim_ascii().to_ascii_lowercase().as_slice() {
            b"y" | b"yes" => return Ok(true),
            b"" | b"n" | b"no" => return Ok(false),
            _ if attempt < ATTEMPTS => terminal.write_all(b"Please answer yes or no. [y/N] ")?,
            _ => {}
        }
    }
    Ok(false)
}
