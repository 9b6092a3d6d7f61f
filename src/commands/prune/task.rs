//! A workspace to delete, and what became of it.

use super::plan::Rule;
use super::survey::{Found, Place};
use crate::core::Error;
use crate::core::workspace::Seen;

/// A workspace to delete, and what became of it.
#[derive(Debug)]
pub(super) struct Task<'a> {
    pub(super) found: &'a Found,
    pub(super) rule: Rule,
    pub(super) result: TaskResult,
    /// The bytes that this run freed of it, whatever the result.
    pub(super) freed: u64,
    /// Whether this run doomed it, so that it is no longer a workspace, whatever the result.
    pub(super) is_doomed: bool,
}

/// The result.
#[derive(Debug)]
pub(super) enum TaskResult {
    /// It is gone, and this run removed the last of it. In a dry run: why it may use more than its size.
    Pruned(Option<Box<Error>>),
    /// Another run has it and reports it.
    Elsewhere,
    /// It stays: it was not begun, or a signal came first.
    Kept,
    /// It could not be removed, or only in part.
    Failed(Box<Error>),
    /// There was no room for another name. It is claimed under this tag, or at its own path.
    NoRoom(Box<Error>, Option<u64>),
    /// Another run put it back, perhaps without knowing that this one decided on it.
    PutBack,
}

impl TaskResult {
    /// It could not be removed, or only in part, for this reason.
    pub(super) fn failed(error: Error) -> Self {
        Self::Failed(Box::new(error))
    }

    /// Whether it is pruned.
    pub(super) fn is_pruned(&self) -> bool {
        matches!(self, Self::Pruned(_))
    }

    /// Returns what went wrong.
    pub(super) fn error(&self) -> Option<&Error> {
        match self {
            Self::Pruned(error) => error.as_deref(),
            Self::Failed(error) | Self::NoRoom(error, _) => Some(error),
            Self::Elsewhere | Self::Kept | Self::PutBack => None,
        }
    }

    /// Whether to try it again when there is room.
    pub(super) fn has_no_room(&self) -> bool {
        matches!(self, Self::NoRoom(..))
    }
}

impl<'a> Task<'a> {
    /// Creates a task that has not been started.
    pub(super) fn new((found, rule): (&'a Found, Rule)) -> Self {
        Self { found, rule, result: TaskResult::Kept, freed: 0, is_doomed: false }
    }

    /// Whether to claim it again after another run put it back. Not without metadata, because what is at the path may be a new
    /// workspace; nor a copy, because it may be the workspace beside it.
    pub(super) fn is_put_back(&self) -> bool {
        let is_known = matches!(self.found.seen, Seen::File(_)) && self.found.place != Place::Copy;
        matches!(self.result, TaskResult::PutBack) && is_known
    }

    /// Returns the tag of its claim, or `None` if it is at its own path.
    pub(super) fn claim(&self) -> Option<u64> {
        match self.result {
            TaskResult::NoRoom(_, claim) => claim,
            TaskResult::PutBack => None,
            _ => self.found.trash_name().map(|name| name.tag),
        }
    }
}
