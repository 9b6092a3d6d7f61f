//! What people and scripts read: stdout, diagnostics, progress, escaping, tables, ages and sizes.

pub mod amounts;
pub mod diagnostics;
pub mod escape;
pub mod meter;
pub mod metrics;
pub mod stdout;
pub mod table;

use crate::core::ExitStatus;
use metrics::Gauge;
use std::io::{self, Write};

/// The outcome of a command. It is computed first, and shown in one place.
pub trait Outcome {
    /// Writes the result to stdout.
    fn render(&self, out: &mut dyn Write) -> io::Result<()>;

    /// Returns the exit status, unless stdout fails.
    fn status(&self) -> ExitStatus;

    /// Returns a note for a terminal, to be shown on stderr after the result.
    fn note(&self) -> Option<String> {
        None
    }

    /// Returns the numbers for monitoring.
    fn gauges(&self) -> Vec<Gauge> {
        Vec::new()
    }
}
