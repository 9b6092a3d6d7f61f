//! Writes to stdout and stderr. After a signal, it does not wait for a reader who reads nothing.

use crate::core::ExitStatus;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::isatty;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// The number of the signal that was caught, or 0. While this is unset, a signal ends the program, also during a wait.
static CAUGHT: OnceLock<Arc<AtomicUsize>> = OnceLock::new();
/// Whether something was not written because of the signal.
static IS_LOST: AtomicBool = AtomicBool::new(false);
/// How long to wait before looking for a signal, in nanoseconds: 100 ms.
const PAUSE: i64 = 100_000_000;
/// The most bytes that a pipe takes without waiting when poll(2) says that it is ready: `PIPE_BUF`, see pipe(7).
const READY_PIPE: usize = 4096;
/// The same for a terminal. Linux may write more than one byte for a newline, so only one of those at a time.
const READY_TERMINAL: usize = 256;

/// From now on, waits for a reader only until a signal is caught: until `caught` is not 0.
pub fn give_up_after(caught: Arc<AtomicUsize>) {
    let _ = CAUGHT.set(caught); // a second run in the same process keeps the first one
}

/// Writes all of the bytes. Also waits where somebody who shares the pipe or terminal has made it non-blocking.
///
/// # Errors
/// By errno; EPIPE, as from a reader who has gone, if nobody reads and a signal was caught.
pub fn write_all(fd: impl AsFd, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match write(&fd, rest)? {
            0 => return Err(ErrorKind::WriteZero.into()),
            written => rest = &rest[written..],
        }
    }
    Ok(())
}

fn write(fd: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    let caught = CAUGHT.get();
    let bytes = if caught.is_some() { &bytes[..taken_when_ready(&fd, bytes)] } else { bytes };
    let mut must_wait = caught.is_some();
    loop {
        if must_wait && !is_ready(&fd, || caught.is_some_and(|number| number.load(Ordering::SeqCst) != 0)) {
            IS_LOST.store(true, Ordering::SeqCst);
            return Err(Errno::PIPE.into());
        }
        match rustix::io::write(&fd, bytes) {
            Err(Errno::AGAIN) => must_wait = true,
            Err(Errno::INTR) => {} // callers that heard of it would write again what was written before
            written => return Ok(written?),
        }
    }
}

/// Returns how many of the bytes the descriptor takes without waiting when poll(2) says that it is ready.
fn taken_when_ready(fd: impl AsFd, bytes: &[u8]) -> usize {
    if !isatty(fd) {
        return bytes.len().min(READY_PIPE);
    }
    let plain = bytes.iter().take(READY_TERMINAL).take_while(|byte| **byte != b'\n').count();
    plain.max(1).min(bytes.len())
}

/// Waits until the descriptor takes bytes. Returns `false` if a signal comes first.
fn is_ready(fd: &impl AsFd, has_signal: impl Fn() -> bool) -> bool {
    // After the first output that was given up, give up at once: otherwise each further line would take as long.
    let pause = Timespec { tv_sec: 0, tv_nsec: if IS_LOST.load(Ordering::SeqCst) { 0 } else { PAUSE } };
    let mut ready = [PollFd::new(fd, PollFlags::OUT)];
    while matches!(poll(&mut ready, Some(&pause)), Ok(0) | Err(Errno::INTR)) {
        if has_signal() {
            return false;
        }
    }
    true
}

/// Returns the exit status if something was not written because of a signal.
pub fn lost_output() -> ExitStatus {
    let caught = CAUGHT.get().filter(|_| IS_LOST.load(Ordering::SeqCst));
    let number = caught.and_then(|caught| u8::try_from(caught.load(Ordering::SeqCst)).ok());
    number.map_or_else(ExitStatus::default, ExitStatus::Signal)
}
