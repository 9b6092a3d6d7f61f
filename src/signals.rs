//! SIGINT and SIGTERM: they end the program at once, until it has work to finish first. SIGXFSZ never ends it.

use crate::core::{Category, Error, ExitStatus, Result};
use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How signals are handled, and which one was caught.
#[derive(Debug)]
pub struct Signals {
    caught: Arc<AtomicUsize>,
    ends_at_once: Arc<AtomicBool>,
}

impl Signals {
    /// From now on, a signal ends the program with 128 and its number, even as process 1 of a container, for which the kernel
    /// does nothing. A signal that was ignored when the program started stays ignored.
    ///
    /// # Errors
    /// [`Category::Unexpected`] if the kernel does not accept a handler.
    pub fn install() -> Result<Self> {
        let signals = Self { caught: Arc::default(), ends_at_once: Arc::new(AtomicBool::new(true)) };
        let ignored = ignored();
        for signal in [SIGINT, SIGTERM].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0) {
            signals.handle(signal).map_err(|error| {
                Error::io(&error, "cannot set up signal handling").recategorized(Category::Unexpected)
            })?;
        }
        Ok(signals)
    }

    /// Registers the actions of a signal. They run in this order.
    fn handle(&self, signal: i32) -> std::io::Result<()> {
        let number = usize::try_from(signal).unwrap_or(0);
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&self.ends_at_once))?;
        flag::register(signal, Arc::clone(&self.ends_at_once))?;
        flag::register_usize(signal, Arc::clone(&self.caught), number)?;
        Ok(())
    }

    /// From now on, the first signal is only remembered, so that work in progress can be finished. A second one ends the program.
    pub fn finish_first(&self) {
        self.ends_at_once.store(false, Ordering::SeqCst);
    }

    /// Returns the exit status, if a signal was caught.
    pub fn caught(&self) -> Option<ExitStatus> {
        let number = u8::try_from(self.caught.load(Ordering::SeqCst)).unwrap_or(0);
        (number != 0).then_some(ExitStatus::Signal(number))
    }
}

/// From now on, a write beyond the limit on a file's size (`ulimit -f`) fails with EFBIG and does not kill the program.
pub fn survive_file_size_limit() {
    let _ = flag::register(SIGXFSZ, Arc::default()); // nobody reads the flag: catching the signal is enough
}

/// Returns the ignored signals, a bit each, as in proc(5). None if there is no `/proc`.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
