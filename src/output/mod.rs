//! Everything that people and scripts read: stdout, diagnostics, metrics, progress, tables, ages and sizes, all escaped.

pub mod amounts;
pub mod descriptor;
pub mod diagnostics;
pub mod escape;
pub mod metrics;
pub mod progress;
pub mod stdout;
pub mod table;

use crate::core::ExitStatus;
use metrics::Gauge;
use std::io::{self, Write};

/// The result of a command. A command computes it, and one place shows it.
pub trait Outcome {
    /// Writes the result to stdout.
    fn render(&self, out: &mut dyn Write) -> io::Result<()>;

    /// Returns the exit status, if stdout can be written.
    fn status(&self) -> ExitStatus;

    /// Returns a note to show on a terminal's stderr, after the result.
    fn note(&self) -> Option<String> {
        None
    }

    /// Returns the metrics.
    fn gauges(&self) -> Vec<Gauge> {
        Vec::new()
    }
}
