//! What became of a workspace that was to be deleted.

use super::claim::{Stopped, Where};
use super::plan::Rule;
use super::survey::{Found, Place};
use crate::core::Error;
use crate::core::workspace::Seen;

/// What became of a workspace that was to be deleted.
#[derive(Debug)]
pub(super) struct Done<'a> {
    pub(super) found: &'a Found,
    pub(super) rule: Rule,
    pub(super) result: TaskResult,
    /// Why it failed, why there was no room, or why it may use more than its size.
    pub(super) error: Option<Box<Error>>,
    /// The bytes that this run freed of it, whatever the result.
    pub(super) freed: u64,
}

/// The result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TaskResult {
    /// It is gone, and this run removed the last of it.
    Pruned,
    /// Another run has it and reports it.
    Elsewhere,
    /// It stays: a signal came first, or another run decided so.
    Kept,
    /// It could not be removed, or only in part.
    Failed,
    /// There was no room for another name.
    NoRoom(Where),
    /// Another run put it back.
    PutBack,
}

impl<'a> Done<'a> {
    /// One that has not been worked on yet.
    pub(super) fn new((found, rule): (&'a Found, Rule)) -> Self {
        Self { found, rule, result: TaskResult::Kept, error: None, freed: 0 }
    }

    /// Whether to claim it again because another run put it back. Without metadata, it might be a new workspace. A copy might be
    /// the workspace beside it.
    pub(super) fn is_put_back(&self) -> bool {
        let is_known = matches!(self.found.seen, Seen::File(_)) && self.found.place != Place::Copy;
        self.result == TaskResult::PutBack && is_known
    }

    /// Returns where to look for it.
    pub(super) fn at(&self) -> Where {
        match self.result {
            TaskResult::NoRoom(at) => at,
            TaskResult::PutBack => Where::Own,
            _ => Where::AsFound,
        }
    }

    /// Whether to try it again when there is room.
    pub(super) fn has_no_room(&self) -> bool {
        matches!(self.result, TaskResult::NoRoom(_))
    }

    /// Whether it found no room and is still at its own path.
    pub(super) fn is_full_at_its_own_path(&self) -> bool {
        match self.result {
            TaskResult::NoRoom(Where::AsFound) => self.found.place == Place::Own,
            TaskResult::NoRoom(at) => at == Where::Own,
            _ => false,
        }
    }

    /// Sets the result.
    pub(super) fn end(&mut self, result: TaskResult, error: Option<Error>) {
        self.result = result;
        self.error = error.map(Box::new);
    }

    /// Sets the result from why it was not doomed.
    pub(super) fn stop(&mut self, stopped: Stopped) {
        match stopped {
            Stopped::Gone => self.end(TaskResult::Elsewhere, None),
            Stopped::Kept => self.end(TaskResult::Kept, None),
            Stopped::PutBack => self.end(TaskResult::PutBack, None),
            Stopped::Failed(error) => self.end(TaskResult::Failed, Some(error)),
            Stopped::NoRoom(error, at) => self.end(TaskResult::NoRoom(at), Some(error)),
        }
    }
}
