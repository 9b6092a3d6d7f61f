//! Reports failures on stderr: each once, in one line with its category.

use super::{escape, progress};
use crate::core::error::Severity;
use crate::core::workspace::Status;
use crate::core::{Category, Error, ExitStatus, WorkspaceId};
use std::io::{self, Write};

/// The key of the category in a log record.
pub const CATEGORY: &str = "category";

/// Logs an error with its whole chain of causes. Returns the exit status of the first [`Error`] in the chain. Without one, it is
/// [`Category::Unexpected`].
pub fn report_chain(error: &anyhow::Error) -> ExitStatus {
    let known = error.chain().find_map(|cause| cause.downcast_ref::<Error>());
    let category = known.map_or(Category::Unexpected, Error::category);
    let severity = known.map_or(Severity::Error, Error::severity);
    log(category, severity, &format!("{error:#}"));
    ExitStatus::Failure(category)
}

/// Logs a failure, and returns its exit status.
pub fn report(error: &Error) -> ExitStatus {
    log(error.category(), error.severity(), &error.to_string());
    error.status()
}

/// Shows a note on stderr. It is not a failure.
pub fn note(text: &str) {
    let line = format!("{}\n", escape::text(text));
    let _ = progress::with_line_erased(|| io::stderr().write_all(line.as_bytes()));
}

/// Warns that a rule skipped a workspace because its last access is unknown. This is not a failure. `advice` is appended.
pub fn warn_of_skip(id: WorkspaceId, status: Status, reason: Option<&Error>, advice: &str) {
    let subject = format!("{}: skipped ({})", id.subject(), status.word());
    match reason {
        Some(reason) => {
            log(reason.category(), Severity::Warning, &format!("{subject}: {reason}{advice}"));
        }
        None => log::warn!("{subject}: its last access is ahead of the clock{advice}"),
    }
}

fn log(category: Category, severity: Severity, message: &str) {
    match severity {
        Severity::Warning => log::warn!(category = category.word(); "{message}"),
        Severity::Error => log::error!(category = category.word(); "{message}"),
    }
}
