//! The only place that writes to stdout. It reports failures to write.

use super::{descriptor, progress};
use crate::core::{Category, Error, Result};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

/// Writes the output of `render`. A reader that has closed its end is not an error.
///
/// # Errors
/// [`Category::Io`] if stdout is closed, full or otherwise cannot be written.
pub fn write(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut out = BufWriter::with_capacity(64 * 1024, Stdout);
    let written = render(&mut out).and_then(|()| out.flush());
    drop(out.into_parts()); // dropping the buffer would try to write the rest again
    match written {
        Err(error) if !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
            let error = Error::io(&error, "cannot write to stdout");
            Err(error.with_category(Category::Io))
        }
        _ => Ok(()),
    }
}

/// Writes whole lines to stdout immediately, from several threads.
#[derive(Debug, Default)]
pub struct Lines {
    failed: Mutex<Option<io::Error>>,
}

impl Lines {
    /// Writes a line. After the first failure, it writes nothing more, and [`Self::finish`] returns the failure.
    pub fn write(&self, line: &str) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.is_none() {
            *failed = progress::with_line_erased(|| Stdout.write_all(format!("{line}\n").as_bytes())).err();
        }
    }

    /// Returns the first failure, if there was one.
    pub fn finish(&self) -> io::Result<()> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

/// Descriptor 1, without std's line buffer.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        descriptor::write_all(io::stdout(), bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
