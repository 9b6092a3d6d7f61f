//! The list as JSON and as plain IDs.

use super::{Listing, Row};
use crate::core::{Timestamp, WorkspaceId};
use crate::output::escape;
use serde::ser::{Serialize, Serializer};
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
        let (size_bytes, files) = row.usage.filter(|_| self.with_size).unzip();
        Item {
            id: row.id,
            path: format!("{}/{}", self.base.trim_end_matches('/'), row.id),
            status: row.status.word(),
            created_at: row.created_at,
            last_accessed: row.last_accessed,
            age_seconds: row.last_accessed.map(|time| time.age(self.now).num_seconds()),
            description: row.description.as_deref(),
            breaks_listing: row.breaks_listing,
            size_bytes,
            files,
        }
    }
}

/// The rows of a JSON document, created while they are written.
struct Items<'a>(&'a Listing);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.rows.iter().map(|row| self.0.item(row)))
    }
}

/// A row in JSON. It has sizes only with `-s`.
#[derive(serde::Serialize)]
struct Item<'a> {
    id: WorkspaceId,
    path: String,
    status: &'static str,
    created_at: Option<Timestamp>,
    last_accessed: Option<Timestamp>,
    age_seconds: Option<i64>,
    description: Option<&'a str>,
    breaks_listing: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
}
