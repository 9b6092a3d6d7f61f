//! Shows the progress of a long run: one line on a terminal, which disappears at the end. Nothing is shown elsewhere.
//!
//! A thread that finishes a piece of work draws the line when it is due. Everything else on stderr goes through [`beside`].

use super::amounts;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A shorter run shows no progress.
const PATIENCE: Duration = Duration::from_millis(500);
/// The time between two updates.
const PACE: Duration = Duration::from_millis(100);
/// Erases the line. The cursor waits at its beginning, so this also works when the terminal has become narrower and wrapped it.
const ERASE: &str = "\r\x1b[J";

/// Whether the line is on the terminal. To write to stderr, lock this.
static SHOWN: Mutex<bool> = Mutex::new(false);

/// What a run does, in words: `pruning`, `freed`.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// What is done to each workspace.
    pub doing: &'static str,
    /// What happened to the bytes.
    pub done: &'static str,
}

impl Words {
    /// For measuring.
    pub const MEASURING: Self = Self { doing: "measuring", done: "used" };
    /// For removing.
    pub const PRUNING: Self = Self { doing: "pruning", done: "freed" };
}

/// Counts finished work. Drop it before showing results.
#[derive(Debug)]
pub struct Meter(Option<Mutex<Running>>);

#[derive(Debug)]
struct Running {
    words: Words,
    total: usize,
    ended: usize,
    bytes: u64,
    begun: Instant,
    due: Duration,
}

impl Meter {
    /// Creates a meter for this many pieces of work. It shows nothing unless it is `watched`.
    pub fn new(watched: bool, words: Words, total: usize) -> Self {
        let running = || Running { words, total, ended: 0, bytes: 0, begun: Instant::now(), due: PATIENCE };
        Self(watched.then(|| Mutex::new(running())))
    }

    /// Counts one more piece, with this many bytes.
    pub fn ended(&self, bytes: u64) {
        let Some(running) = &self.0 else { return };
        let mut running = lock(running);
        running.ended += 1;
        running.bytes += bytes;
        let elapsed = running.begun.elapsed();
        if elapsed >= running.due {
            running.due = elapsed + PACE;
            let width = rustix::termios::tcgetwinsize(io::stderr()).map_or(0, |size| size.ws_col);
            let width = usize::from(if width == 0 { 80 } else { width });
            show(&running.line(elapsed, width.saturating_sub(1)));
        }
    }
}

impl Running {
    /// Returns `pruning: 1234 of 20000, 1.2 GiB freed, 812/s, 23s left`, or as many of these parts as fit.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn line(&self, elapsed: Duration, width: usize) -> String {
        let Words { doing, done } = self.words;
        let rate = self.ended as f64 / elapsed.as_secs_f64();
        let left = self.total.saturating_sub(self.ended) as f64 / rate;
        let parts = [
            format!(", {} {done}", amounts::size(self.bytes)),
            format!(", {rate:.digits$}/s", digits = usize::from(rate < 10.0)),
            format!(", {} left", amounts::span(left as u64)),
        ];
        let mut line = format!("{doing}: {} of {}", self.ended, self.total);
        for part in parts {
            if line.len() + part.len() > width {
                break;
            }
            line += &part;
        }
        if line.len() <= width { line } else { String::new() }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if self.0.is_some() {
            show("");
        }
    }
}

/// Replaces the line on the terminal.
fn show(line: &str) {
    let mut shown = lock(&SHOWN);
    if *shown || !line.is_empty() {
        let _ = io::stderr().write_all(format!("{ERASE}{line}\r").as_bytes());
    }
    *shown = !line.is_empty();
}

/// Erases the line, then writes something else to stderr.
pub fn beside<T>(write: impl FnOnce() -> T) -> T {
    let mut shown = lock(&SHOWN);
    if std::mem::take(&mut *shown) {
        let _ = io::stderr().write_all(ERASE.as_bytes());
    }
    write()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_as_many_parts_as_there_is_room_for_and_none_is_cut() {
        let running =
            Running { words: Words::PRUNING, total: 200, ended: 50, bytes: 1024, begun: Instant::now(), due: PATIENCE };
        for (width, expected) in [
            (80, "pruning: 50 of 200, 1.0 KiB freed, 25/s, 6s left"),
            (40, "pruning: 50 of 200, 1.0 KiB freed, 25/s"),
            (33, "pruning: 50 of 200, 1.0 KiB freed"),
            (20, "pruning: 50 of 200"),
            (10, ""),
        ] {
            assert_eq!(running.line(Duration::from_secs(2), width), expected, "{width}");
        }
    }
}
