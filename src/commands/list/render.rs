//! The list as a table, as JSON and as bare IDs.

use super::{Listing, Row};
use crate::core::workspace::Status;
use crate::core::{Timestamp, WorkspaceId};
use crate::output::table::{Cell, Column, Table};
use crate::output::{amounts, escape};
use serde::ser::{Serialize, SerializeSeq, Serializer};
use std::io::{self, Write};

impl Listing {
    pub(super) fn ids(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut name = [0; WorkspaceId::LEN];
        self.rows.iter().try_for_each(|row| {
            out.write_all(row.id.encode(&mut name).as_bytes())?;
            out.write_all(&[self.end])
        })
    }

    pub(super) fn jsonl(&self, out: &mut dyn Write) -> io::Result<()> {
        self.rows.iter().try_for_each(|row| escape::json(out, &self.item(row)))
    }

    pub(super) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(serde::Serialize)]
        struct Document<'a> {
            schema_version: u32,
            base: &'a str,
            total: usize,
            workspaces: Items<'a>,
        }
        escape::json(out, &Document { schema_version: 1, base: &self.base, total: self.total, workspaces: Items(self) })
    }

    fn item<'a>(&'a self, row: &'a Row) -> Item<'a> {
        let (size_bytes, files) = row.usage.unzip();
        Item {
            id: row.id,
            path: format!("{}/{}", self.base.trim_end_matches('/'), row.id),
            status: row.status,
            created_at: row.created_at,
            last_accessed: row.last_accessed,
            age_seconds: row.last_accessed.map(|time| time.age(self.now).num_seconds()),
            description: row.description.as_deref(),
            breaks_listing: row.breaks_listing,
            size_bytes: self.with_size.then_some(Measured(size_bytes)),
            files: self.with_size.then_some(Measured(files)),
        }
    }

    pub(super) fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        let table = Table::new(self.columns(), self.style);
        table.heads(out)?;
        self.rows.iter().try_for_each(|row| table.row(out, &self.cells(row)))
    }

    /// The columns, each as wide as what is in it gets. What describes nothing takes no other's place.
    fn columns(&self) -> Vec<Column> {
        let column = |head, width, rank| Column { head, width, right: false, rank };
        let mut columns = vec![
            column("ID", WorkspaceId::LEN, 0),
            column("STATUS", 7, 1),
            column("LAST ACCESSED", 13, 2),
            column("CREATED", 17, 6),
        ];
        if self.with_size {
            let most = self.rows.iter().filter_map(|row| row.usage).map(|(_, files)| files).max().unwrap_or(0);
            let digits = most.to_string().len().max("FILES".len());
            columns.push(Column { right: true, ..column("SIZE", 10, 3) });
            columns.push(Column { right: true, ..column("FILES", digits, 5) });
        }
        let described = self.rows.iter().any(|row| row.description.is_some());
        columns.push(column("DESCRIPTION", "DESCRIPTION".len(), if described { 4 } else { 7 }));
        columns
    }

    fn cells(&self, row: &Row) -> Vec<Cell> {
        let absent = || "-".to_owned();
        let mut cells: Vec<Cell> = vec![
            row.id.to_string().into(),
            Cell { text: row.status.word().to_owned(), color: color_of_status(row.status) },
            row.last_accessed.map_or_else(|| absent().into(), |time| self.age(time, row.status)),
            row.created_at.map_or_else(absent, minute).into(),
        ];
        if self.with_size {
            cells.push(row.usage.map_or_else(absent, |(bytes, _)| amounts::size(bytes)).into());
            cells.push(row.usage.map_or_else(absent, |(_, files)| files.to_string()).into());
        }
        cells.push(escape::text(row.description.as_deref().unwrap_or_default()).into_owned().into());
        cells
    }

    /// How long ago it was: green today, yellow after 30 days.
    fn age(&self, time: Timestamp, status: Status) -> Cell {
        let color = match time.age(self.now).num_days() {
            _ if status == Status::Future => color_of_status(status),
            ..1 => 32,
            1..30 => 0,
            30.. => 33,
        };
        Cell { text: amounts::age(time, self.now), color }
    }
}

fn color_of_status(status: Status) -> u8 {
    match status {
        Status::Ok => 32,
        Status::Missing | Status::Future => 33,
        Status::Corrupt | Status::Denied => 31,
    }
}

/// A time to the minute, in UTC: `2026-11-23 16:29Z`.
fn minute(time: Timestamp) -> String {
    let text = time.to_string();
    format!("{}Z", text.get(..16).unwrap_or(&text).replace('T', " "))
}

/// The rows of a JSON document, made as they are written.
struct Items<'a>(&'a Listing);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = serializer.serialize_seq(Some(self.0.rows.len()))?;
        self.0.rows.iter().try_for_each(|row| items.serialize_element(&self.0.item(row)))?;
        items.end()
    }
}

/// A row as JSON shows it. Sizes are there only if they were asked for.
#[derive(serde::Serialize)]
struct Item<'a> {
    id: WorkspaceId,
    path: String,
    status: Status,
    created_at: Option<Timestamp>,
    last_accessed: Option<Timestamp>,
    age_seconds: Option<i64>,
    description: Option<&'a str>,
    breaks_listing: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Measured>,
}

/// What measuring gave: null where it failed.
#[derive(serde::Serialize)]
#[serde(transparent)]
struct Measured(Option<u64>);
