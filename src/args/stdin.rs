//! Reads stdin, also where somebody who shares it has made it non-blocking.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io::{Read, Result, stdin};

/// Descriptor 0, without std's buffer. std would read an empty list where it is open only for writing, as nohup(1) leaves it.
#[derive(Debug)]
pub struct Stdin;

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            match rustix::io::read(stdin(), &mut *buffer) {
                Err(Errno::AGAIN) => drop(poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], None)),
                read => return Ok(read?),
            }
        }
    }
}
