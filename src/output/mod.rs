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

/// What a command came to. It is computed first and shown afterwards, in one place.
pub trait Outcome {
    /// Writes what belongs on stdout.
    fn render(&self, out: &mut dyn Write) -> io::Result<()>;

    /// How the process shall end, if stdout takes all that is written.
    fn status(&self) -> ExitStatus;

    /// What whoever sits at a terminal is told on stderr, after the result.
    fn note(&self) -> Option<String> {
        None
    }

    /// What monitoring wants to know of it.
    fn gauges(&self) -> Vec<Gauge> {
        Vec::new()
    }
}
