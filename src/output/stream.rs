//! Writes to a stream that others share.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::AsFd;

/// Writes some bytes. If the stream is a full pipe that somebody made non-blocking, waits for its reader.
pub fn write(stream: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match rustix::io::write(&stream, bytes) {
            Err(Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::new(&stream, PollFlags::OUT)], None);
            }
            written => return Ok(written?),
        }
    }
}
