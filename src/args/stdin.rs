//! Reads stdin, also where it was closed at the start or where somebody who shares it has made it non-blocking.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io::{ErrorKind, Result, StdinLock, stdin};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether descriptor 0 was closed when the process started. Before `main`, std opens `/dev/null` there, which would make `<&-` an
/// empty list. A constructor runs before that.
static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

#[ctor::ctor]
fn check_stdin() {
    WAS_CLOSED.store(rustix::io::fcntl_getfd(stdin().as_fd()) == Err(Errno::BADF), Ordering::Relaxed);
}

/// Calls `act` until it does not fail for want of input, and waits for input in between.
///
/// # Errors
/// As `act`; EBADF if stdin was closed at the start.
pub fn read<T>(mut act: impl FnMut(&mut StdinLock<'_>) -> Result<T>) -> Result<T> {
    if WAS_CLOSED.load(Ordering::Relaxed) {
        return Err(Errno::BADF.into());
    }
    let mut input = stdin().lock();
    loop {
        match act(&mut input) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let _ = poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], None);
            }
            done => return done,
        }
    }
}
