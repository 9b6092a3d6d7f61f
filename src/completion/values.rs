//! Candidates for values: the IDs in the base, and amounts.

use crate::args::duration;
use crate::args::size;
use crate::core::workspace::{Facts, examine};
use crate::core::{Base, Result, Timestamp, WorkspaceId};
use crate::output::amounts;
use clap_complete::engine::{CompletionCandidate, ValueCompleter};
use std::cmp::Reverse;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use walkdir::WalkDir;

/// Shows ages for at most this many workspaces: zsh would take minutes for 100,000.
const MAX_WITH_AGES: usize = 1000;

/// Completes the IDs of workspaces.
pub(super) struct Ids {
    /// The base, if it is known.
    pub(super) base: Option<PathBuf>,
    /// The IDs on the line, which are not offered again.
    pub(super) named: HashSet<WorkspaceId>,
    /// The time now, or `None` if the shell shows no ages.
    pub(super) now: Option<Timestamp>,
}

impl ValueCompleter for Ids {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        self.candidates(current).unwrap_or_default() // a base that cannot be read has no candidates
    }
}

impl Ids {
    /// Returns the workspaces that begin like `current`: with their ages, the newest first, or only their IDs.
    fn candidates(&self, current: &OsStr) -> Result<Vec<CompletionCandidate>> {
        let Some(path) = &self.base else { return Ok(Vec::new()) };
        let base = Base::open(path)?;
        let begun = current.as_bytes().to_ascii_lowercase();
        let listing = WalkDir::new(path).min_depth(1).max_depth(1).into_iter().flatten();
        let offered =
            listing.filter(|entry| entry.file_type().is_dir() && entry.file_name().as_bytes().starts_with(&begun));
        let mut ids: Vec<_> = offered.filter_map(|entry| WorkspaceId::from_dir_name(entry.file_name())).collect();
        ids.retain(|id| !self.named.contains(id));
        ids.sort_unstable();
        let Some(now) = self.now.filter(|_| ids.len() <= MAX_WITH_AGES) else {
            return Ok(ids.iter().map(|id| CompletionCandidate::new(id.to_string())).collect());
        };
        let mut buffer = Vec::new();
        let looks = ids.iter().filter_map(|id| {
            let facts = examine(base.dir(), id.encode(&mut [0; WorkspaceId::LEN]), now, &mut buffer)?;
            Some((*id, facts))
        });
        let mut found: Vec<_> = looks.collect();
        found.sort_by_key(|(_, facts)| Reverse(facts.last_accessed));
        Ok(found.iter().map(|(id, facts)| candidate(*id, facts, now)).collect())
    }
}

fn candidate(id: WorkspaceId, facts: &Facts, now: Timestamp) -> CompletionCandidate {
    let told = facts.last_accessed.map_or_else(|| facts.status.word().to_owned(), |time| amounts::age(time, now));
    CompletionCandidate::new(id.to_string()).help(Some(told.into()))
}

/// Completes a duration, a size or a number.
pub(super) struct Amount {
    /// The candidates before anything is typed.
    usual: &'static [&'static str],
    /// The units that may follow a number.
    units: &'static [&'static str],
    /// Whether the option accepts a value.
    reads: fn(&str) -> bool,
}

impl Amount {
    /// Returns the completer for a value with this name in the help, if it is an amount.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "DURATION" => Self {
                usual: &["12h", "1d", "7d", "30d", "90d"],
                units: &["min", "h", "d", "weeks", "months", "years"],
                reads: |text| duration::parse(text).is_ok(),
            },
            "SIZE" => Self {
                usual: &["1GiB", "10GiB", "100GiB"],
                units: &["MiB", "GiB", "TiB"],
                reads: |text| size::parse(text).is_ok(),
            },
            "SIZE|P%" => Self {
                usual: &["5%", "10%", "1GiB", "10GiB"],
                units: &["%", "MiB", "GiB", "TiB"],
                reads: |text| size::NumberOrShare::parse_size(text).is_ok(),
            },
            "N|P%" => Self {
                usual: &["10", "100", "10%", "20%"],
                units: &["", "%"],
                reads: |text| size::NumberOrShare::parse_count(text).is_ok(),
            },
            _ => return None,
        })
    }
}

impl ValueCompleter for Amount {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let begun = current.to_string_lossy();
        let unit = begun.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let texts: Vec<String> = match &begun[..begun.len() - unit.len()] {
            "" => self.usual.iter().map(|text| (*text).to_owned()).collect(),
            number => self.units.iter().map(|unit| format!("{number}{unit}")).collect(),
        };
        let fit = texts.into_iter().filter(|text| text.starts_with(&*begun) && (self.reads)(text));
        fit.map(CompletionCandidate::new).collect()
    }
}
