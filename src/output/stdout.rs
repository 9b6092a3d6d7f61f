//! The one place that writes to stdout, and that notices when it cannot.

use super::meter;
use crate::core::{Category, Error, Result};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Whether the process began with descriptor 1 closed. std opens `/dev/null` there before `main`, so that `>&-` would be a
/// silent success; a constructor comes earlier.
static CLOSED: AtomicBool = AtomicBool::new(false);

#[ctor::ctor]
fn notice_closed_stdout() {
    let closed = rustix::io::fcntl_getfd(io::stdout().as_fd()) == Err(rustix::io::Errno::BADF);
    CLOSED.store(closed, Ordering::Relaxed);
}

/// Writes what `render` gives. A reader that has closed its end wants no more, and that is no error.
///
/// # Errors
/// [`Category::Io`] if stdout is closed, full or otherwise cannot be written.
pub fn write(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut out = BufWriter::with_capacity(64 * 1024, Stdout);
    let written = render(&mut out).and_then(|()| out.flush());
    drop(out.into_parts()); // what was not taken must not be written again, after all, when the buffer is dropped
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let error = Error::io(&error, "cannot write to stdout");
            Err(error.recategorized(Category::Io))
        }
        _ => Ok(()),
    }
}

/// Lines that go to stdout at once, each whole, while several threads work.
#[derive(Debug, Default)]
pub struct Lines {
    failed: Mutex<Option<io::Error>>,
}

impl Lines {
    /// Writes a line. The first failure is kept for [`Self::finish`], and ends the writing but not the work.
    pub fn write(&self, line: &str) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.is_none() {
            *failed = meter::beside(|| Stdout.write_all(format!("{line}\n").as_bytes())).err();
        }
    }

    /// Gives the failure, if there was one.
    pub fn finish(&self) -> io::Result<()> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

/// Descriptor 1, without std's buffer of lines.
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
