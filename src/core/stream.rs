//! Reads and writes streams that others share. Anybody who shares a pipe or a terminal can make it non-blocking, for all.

use rustix::event::{PollFd, PollFlags, poll};
use std::io::{ErrorKind, Result};
use std::os::fd::AsFd;

/// Calls `read` until it does not fail for want of input, and waits for input in between.
pub fn read<T>(stream: impl AsFd, read: impl FnMut() -> Result<T>) -> Result<T> {
    when_ready(&stream, PollFlags::IN, read)
}

/// Writes some bytes. Waits if there is no room.
pub fn write(stream: impl AsFd, bytes: &[u8]) -> Result<usize> {
    when_ready(&stream, PollFlags::OUT, || Ok(rustix::io::write(&stream, bytes)?))
}

fn when_ready<T>(stream: &impl AsFd, ready: PollFlags, mut act: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match act() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let _ = poll(&mut [PollFd::new(stream, ready)], None);
            }
            done => return done,
        }
    }
}
