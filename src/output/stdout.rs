//! Writes to stdout, and notices when it cannot. Nothing else writes there.

use super::meter;
use crate::core::{Category, Error, Result};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Whether the process began with descriptor 1 closed. std opens `/dev/null` there before `main`, so `>&-` would be a silent
/// success. A constructor runs earlier.
static CLOSED: AtomicBool = AtomicBool::new(false);

#[ctor::ctor]
fn notice_closed_stdout() {
    let closed = rustix::io::fcntl_getfd(io::stdout().as_fd()) == Err(rustix::io::Errno::BADF);
    CLOSED.store(closed, Ordering::Relaxed);
}

/// Writes what `render` produces. If the reader has closed its end, that is no error.
///
/// # Errors
/// [`Category::Io`] if stdout is closed, full or otherwise cannot be written.
pub fn write(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut out = BufWriter::with_capacity(64 * 1024, Stdout);
    let written = render(&mut out).and_then(|()| out.flush());
    drop(out.into_parts()); // so that dropping the buffer does not write the rest
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let error = Error::io(&error, "cannot write to stdout");
            Err(error.recategorized(Category::Io))
        }
        _ => Ok(()),
    }
}

/// Writes whole lines to stdout at once, from several threads.
#[derive(Debug, Default)]
pub struct Lines {
    failed: Mutex<Option<io::Error>>,
}

impl Lines {
    /// Writes a line. After a failure, which [`Self::finish`] returns, it writes no more.
    pub fn write(&self, line: &str) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.is_none() {
            *failed = meter::beside(|| Stdout.write_all(format!("{line}\n").as_bytes())).err();
        }
    }

    /// Returns the failure, if there was one.
    pub fn finish(&self) -> io::Result<()> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

/// Descriptor 1 without std's line buffer.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if CLOSED.load(Ordering::Relaxed) {
            return Err(rustix::io::Errno::BADF.into());
        }
        Ok(rustix::io::write(io::stdout().as_fd(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
