//! Handles SIGINT, SIGTERM and SIGHUP, which comes when a terminal is gone: they end the program at once, or after the work in
//! progress. SIGXFSZ does not end it.

use crate::core::{Category, Error, ExitStatus, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The signal handlers, and the last signal that they caught.
#[derive(Debug)]
pub struct Signals {
    caught: Arc<AtomicUsize>,
    exits_at_once: Arc<AtomicBool>,
}

impl Signals {
    /// Installs the handlers. From now on, a signal ends the program with 128 plus its number. This includes process 1 of a
    /// container, which the kernel does not end by default. A signal that was ignored at the start stays ignored.
    ///
    /// # Errors
    /// [`Category::Unexpected`] if the kernel accepts no handler.
    pub fn install() -> Result<Self> {
        let signals = Self { caught: Arc::default(), exits_at_once: Arc::new(AtomicBool::new(true)) };
        let ignored = ignored_signals();
        for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0) {
            signals.handle(signal).map_err(|error| {
                Error::io(&error, "cannot install signal handlers").with_category(Category::Unexpected)
            })?;
        }
        Ok(signals)
    }

    /// Registers the actions for a signal. They run in this order, so the first signal does not see the flag that it sets.
    fn handle(&self, signal: i32) -> std::io::Result<()> {
        let number = usize::try_from(signal).unwrap_or(0);
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&self.exits_at_once))?;
        flag::register(signal, Arc::clone(&self.exits_at_once))?;
        flag::register_usize(signal, Arc::clone(&self.caught), number)?;
        Ok(())
    }

    /// From now on, the first signal is only remembered, so that work in progress can finish. A second one ends the program.
    pub fn defer_exit(&self) {
        self.exits_at_once.store(false, Ordering::SeqCst);
    }

    /// Returns where the number of a caught signal is stored. It is 0 until then.
    pub fn number(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.caught)
    }

    /// Returns the exit status if a signal was caught.
    pub fn caught(&self) -> Option<ExitStatus> {
        let number = u8::try_from(self.caught.load(Ordering::SeqCst)).unwrap_or(0);
        (number != 0).then_some(ExitStatus::Signal(number))
    }
}

/// From now on, a write beyond the limit on file size (`ulimit -f`) fails with EFBIG instead of killing the program.
pub fn survive_file_size_limit() {
    let _ = flag::register(SIGXFSZ, Arc::default()); // only catching it matters: nobody reads the flag
}

/// Returns the mask of ignored signals, as in proc(5): bit 0 is signal 1. Without `/proc`, it is empty.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
