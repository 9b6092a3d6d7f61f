//! SIGINT and SIGTERM, as a flag that work in hand looks at, and as a descriptor that a wait can watch.

use crate::core::{Category, Error, ExitStatus, Result};
use rustix::event::{PollFd, PollFlags};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What was caught since [`Signals::install`].
#[derive(Debug)]
pub struct Signals {
    caught: Arc<AtomicUsize>,
    wake: UnixStream,
}

impl Signals {
    /// From here on the first signal is only noted, for the work in hand to be finished; a second one ends the process at
    /// once, which no promise forbids.
    pub fn install() -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::io(&error, "cannot set up signal handling").recategorized(Category::Unexpected)
        };
        let caught = Arc::new(AtomicUsize::new(0));
        let again = Arc::new(AtomicBool::new(false));
        let (wake, waker) = UnixStream::pair().map_err(failed)?;
        for signal in [SIGINT, SIGTERM] {
            let number = usize::try_from(signal).unwrap_or(0);
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))
                .map_err(failed)?;
            signal_hook::flag::register(signal, Arc::clone(&again)).map_err(failed)?;
            signal_hook::flag::register_usize(signal, Arc::clone(&caught), number).map_err(failed)?;
            signal_hook::low_level::pipe::register(signal, waker.try_clone().map_err(failed)?).map_err(failed)?;
        }
        Ok(Self { caught, wake })
    }

    /// The status to end with, if a signal came.
    pub fn caught(&self) -> Option<ExitStatus> {
        let number = u8::try_from(self.caught.load(Ordering::SeqCst)).unwrap_or(0);
        (number != 0).then_some(ExitStatus::Signal(number))
    }

    /// Waits until `input` can be read, or a signal comes: a read would be begun again after the handler had run.
    pub fn wait_for(&self, input: impl AsFd) -> Option<ExitStatus> {
        let mut watched = [PollFd::new(&input, PollFlags::IN), PollFd::new(&self.wake, PollFlags::IN)];
        while self.caught().is_none() {
            let ready = rustix::event::poll(&mut watched, None);
            if ready.is_ok() && !watched[0].revents().is_empty() {
                break;
            }
        }
        self.caught()
    }
}
