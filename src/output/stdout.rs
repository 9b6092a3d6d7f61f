//! The one place that writes to stdout, and that notices when it cannot.

use crate::core::{Category, Error, Result};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

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
