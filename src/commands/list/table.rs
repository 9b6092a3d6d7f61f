//! The list as a table, and the notes below it on a terminal.

use super::args::Key;
use super::{Listing, Row, Terminal};
use crate::core::workspace::Status;
use crate::core::{Timestamp, WorkspaceId};
use crate::output::table::{self, Cell, Column, Style, Table};
use crate::output::{amounts, escape};
use std::io::{self, Write};

/// A column and the values in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Id,
    Status,
    Accessed,
    Created,
    Size,
    Files,
    Description,
}

impl Listing {
    pub(super) fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.total == 0 && self.terminal.screen.is_some() {
            return Ok(()); // a note says so
        }
        let kinds = self.kinds();
        let table = self.layout(&kinds);
        table.write_header(out)?;
        for row in &self.rows {
            let cells: Vec<_> = kinds.iter().map(|kind| self.cell(*kind, row)).collect();
            table.write_row(out, &cells)?;
        }
        if self.terminal.screen.is_some() && !self.is_quiet {
            writeln!(out, "{}", self.footer())?;
        }
        Ok(())
    }

    /// Returns a note for a terminal: why nothing is shown, or not all.
    pub(super) fn why_not_all(&self) -> Option<String> {
        if self.total == 0 {
            return match self.examined {
                0 if self.were_given => None, // each was reported
                0 => Some(format!("no workspaces in {}", self.base)),
                examined => Some(format!("none of {examined} match the filters")),
            };
        }
        let mut left_out = self.layout(&self.kinds()).left_out();
        let last = left_out.pop()?;
        let names = if left_out.is_empty() { last.to_owned() } else { format!("{} and {last}", left_out.join(", ")) };
        Some(format!("no room for {names}: use a wider terminal, or --format json"))
    }

    /// Returns the columns in order: those to sort by and those asked for come first. A terminal gets no column for descriptions
    /// if there are none.
    fn kinds(&self) -> Vec<Kind> {
        let sorted_by = match self.sort {
            Key::Created => vec![Kind::Created],
            Key::Size => vec![Kind::Size],
            Key::Accessed | Key::Id => vec![],
        };
        let asked_for: &[Kind] = if self.with_size { &[Kind::Size, Kind::Files] } else { &[] };
        let rest = [Kind::Status, Kind::Accessed, Kind::Created];
        let are_described = self.terminal.screen.is_none()
            || self.rows.iter().any(|row| row.description.as_deref().is_some_and(|text| !text.is_empty()));
        let description: &[Kind] = if are_described { &[Kind::Description] } else { &[] };
        let mut kinds = vec![Kind::Id];
        for kind in sorted_by.iter().chain(asked_for).chain(&rest).chain(description) {
            if !kinds.contains(kind) {
                kinds.push(*kind);
            }
        }
        kinds
    }

    /// Returns the columns with their widths. Those further left get their room first, except that the creation comes last if it
    /// is not sorted by, and the status after the last access if that is sorted by.
    fn layout(&self, kinds: &[Kind]) -> Table {
        let dates = || self.rows.iter().flat_map(|row| [row.last_accessed, row.created_at]).flatten();
        let date = match &self.dates {
            Some(zone) => dates().map(|time| zone.show(time).len()).max().unwrap_or("CREATED".len()),
            None => "59min ago".len(),
        };
        let most = self.rows.iter().filter_map(|row| row.usage).map(|(_, files)| files).max().unwrap_or(0);
        let column = |(at, kind): (u8, &Kind)| {
            let (head, width, rank) = match kind {
                Kind::Id => ("ID", WorkspaceId::LEN, 0),
                Kind::Status if self.sort == Key::Accessed => ("STATUS", "missing".len(), at + 2),
                Kind::Status => ("STATUS", "missing".len(), at),
                Kind::Accessed => ("LAST ACCESSED", "LAST ACCESSED".len().max(date), at),
                Kind::Created if at == 1 => ("CREATED", date, at),
                Kind::Created => ("CREATED", date, u8::MAX),
                Kind::Size => ("SIZE", "1023.9 KiB".len(), at),
                Kind::Files => ("FILES", "FILES".len().max(most.to_string().len()), at),
                Kind::Description => ("DESCRIPTION", "DESCRIPTION".len(), at),
            };
            Column { head, width, right: matches!(kind, Kind::Size | Kind::Files), rank }
        };
        let Terminal { screen, color, .. } = self.terminal;
        let (width, utf8) = screen.map_or((None, true), |screen| (screen.width, screen.utf8));
        Table::new((0..).zip(kinds).map(column).collect(), Style { color, width, utf8 })
    }

    fn cell(&self, kind: Kind, row: &Row) -> Cell {
        let absent = || "-".to_owned();
        match kind {
            Kind::Id => row.id.to_string().into(),
            Kind::Status => Cell { text: row.status.word().to_owned(), color: color_of_status(row.status) },
            Kind::Accessed => row.last_accessed.map_or_else(
                || absent().into(),
                |time| Cell { text: self.time(time), color: self.color_of_age(time, row.status) },
            ),
            Kind::Created => row.created_at.map_or_else(absent, |time| self.time(time)).into(),
            Kind::Size => row.usage.map_or_else(absent, |(bytes, _)| amounts::size(bytes)).into(),
            Kind::Files => row.usage.map_or_else(absent, |(_, files)| files.to_string()).into(),
            Kind::Description => self.text(row.description.as_deref().unwrap_or_default()).into(),
        }
    }

    fn time(&self, time: Timestamp) -> String {
        self.dates.as_ref().map_or_else(|| amounts::age(time, self.now), |zone| zone.show(time))
    }

    /// Returns a description that is safe for a terminal. Without a UTF-8 locale it is ASCII only.
    fn text(&self, description: &str) -> String {
        let text = escape::text(description);
        if self.terminal.screen.is_none_or(|screen| screen.utf8) || text.is_ascii() {
            return text.into_owned();
        }
        text.chars().map(|c| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() }).collect()
    }

    /// Shows today's accesses green, and those older than 30 days yellow.
    fn color_of_age(&self, time: Timestamp, status: Status) -> u8 {
        match time.age(self.now).num_days() {
            _ if status == Status::Future => color_of_status(status),
            ..1 => 32,
            1..30 => 0,
            30.. => 33,
        }
    }

    /// Counts what is shown: `10 workspaces (8 ok, 1 corrupt, 1 missing), 1.3 MiB`. The gravest status comes right after `ok`.
    fn footer(&self) -> String {
        let count = |status| self.rows.iter().filter(|row| row.status == status).count();
        let order = [Status::Ok, Status::Corrupt, Status::Denied, Status::Missing, Status::Future];
        let counts = order.map(|status| (count(status), status)).into_iter().filter(|(number, _)| *number > 0);
        let words: Vec<_> = counts.map(|(number, status)| self.counted(number, status)).collect();
        let what = match self.rows.len() {
            shown if shown < self.total => format!("showing {shown} of {}", amounts::count(self.total, "workspace")),
            shown => amounts::count(shown, "workspace"),
        };
        let are_ok = count(Status::Ok) == self.rows.len();
        let by_status = if are_ok { String::new() } else { format!(" ({})", words.join(", ")) };
        let sizes: Vec<_> = self.rows.iter().filter_map(|row| row.usage).map(|(bytes, _)| bytes).collect();
        let size = if sizes.is_empty() { String::new() } else { format!(", {}", amounts::size(sizes.iter().sum())) };
        what + &by_status + &size
    }

    fn counted(&self, number: usize, status: Status) -> String {
        table::paint(&format!("{number} {}", status.word()), color_of_status(status), self.terminal.color)
    }
}

/// Makes every status but `ok` stand out.
fn color_of_status(status: Status) -> u8 {
    match status {
        Status::Ok => 0,
        Status::Missing | Status::Future => 33,
        Status::Corrupt | Status::Denied => 31,
    }
}
