//! Reads stdin, also where somebody who shares it has made it non-blocking.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io::{Read, Result, stdin};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether descriptor 0 was closed when the process started. Before `main`, std opens `/dev/null` there, which would make `<&-` an
/// empty list. A constructor runs before that.
static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

#[ctor::ctor]
fn check_stdin() {
    WAS_CLOSED.store(rustix::io::fcntl_getfd(stdin().as_fd()) == Err(Errno::BADF), Ordering::Relaxed);
}

/// Descriptor 0, without std's buffer. std would read an empty list where it is open only for writing, as nohup(1) leaves it.
#[derive(Debug)]
pub struct Stdin;

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if WAS_CLOSED.load(Ordering::Relaxed) {
            return Err(Errno::BADF.into());
        }
        loop {
            match rustix::io::read(stdin(), &mut *buffer) {
                Err(Errno::AGAIN) => drop(poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], None)),
                read => return Ok(read?),
            }
        }
    }
}
