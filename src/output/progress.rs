//! Shows the progress of a long run: one line on a terminal, which disappears when the run ends.
//! The thread that finishes a piece of work redraws the line, if it is time to. Meanwhile, other output goes
//! through [`with_line_erased`].

use super::{amounts, descriptor};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long to wait before showing a line.
const DELAY: Duration = Duration::from_millis(500);
/// The time between two lines.
const INTERVAL: Duration = Duration::from_millis(100);
/// Erases the line. The cursor stays at the start of the line, so this also works if the terminal has become narrower and has
/// wrapped it.
const ERASE: &str = "\r\x1b[J";

/// Whether the line is on the terminal. Hold this lock to write to the terminal.
static IS_SHOWN: Mutex<bool> = Mutex::new(false);

/// The words that describe the work, such as `pruning` and `freed`.
#[derive(Debug, Clone, Copy)]
pub struct Labels {
    /// What happens to the workspaces.
    pub doing: &'static str,
    /// What happened to the bytes.
    pub done: &'static str,
}

impl Labels {
    /// The words for measuring disk usage.
    pub const MEASURING: Self = Self { doing: "measuring", done: "used" };
    /// The words for deleting.
    pub const PRUNING: Self = Self { doing: "pruning", done: "freed" };
}

/// Counts finished work and shows the line. Drop it before showing results.
#[derive(Debug)]
pub struct Progress(Option<Mutex<Running>>);

#[derive(Debug)]
struct Running {
    labels: Labels,
    total: usize,
    finished: usize,
    bytes: u64,
    begun: Instant,
    due: Duration,
}

impl Progress {
    /// Starts with `total` pieces of work. Unless `show_progress`, it shows nothing.
    pub fn new(show_progress: bool, labels: Labels, total: usize) -> Self {
        let running = || Running { labels, total, finished: 0, bytes: 0, begun: Instant::now(), due: DELAY };
        Self(show_progress.then(|| Mutex::new(running())))
    }

    /// Counts one more finished piece of work, with its bytes.
    pub fn advance(&self, bytes: u64) {
        let Some(running) = &self.0 else { return };
        let mut running = lock(running);
        running.finished += 1;
        running.bytes += bytes;
        let elapsed = running.begun.elapsed();
        if elapsed >= running.due {
            running.due = elapsed + INTERVAL;
            let width = rustix::termios::tcgetwinsize(io::stderr()).map_or(0, |size| size.ws_col);
            let width = usize::from(if width == 0 { 80 } else { width });
            replace_line(&running.line(elapsed, width.saturating_sub(1)));
        }
    }
}

impl Running {
    /// Returns `pruning: 1234 of 20000, 1.2 GiB freed, 812/s, 23s left`, or as many parts of it as fit.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn line(&self, elapsed: Duration, width: usize) -> String {
        let Labels { doing, done } = self.labels;
        let rate = self.finished as f64 / elapsed.as_secs_f64();
        let left = self.total.saturating_sub(self.finished) as f64 / rate;
        let parts = [
            format!(", {} {done}", amounts::size(self.bytes)),
            format!(", {rate:.digits$}/s", digits = usize::from(rate < 10.0)),
            format!(", {} left", amounts::span(left as u64)),
        ];
        let mut line = format!("{doing}: {} of {}", self.finished, self.total);
        for part in parts {
            if line.len() + part.len() > width {
                break;
            }
            line += &part;
        }
        if line.len() <= width { line } else { String::new() }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.0.is_some() {
            replace_line("");
        }
    }
}

/// Replaces the line on the terminal.
fn replace_line(line: &str) {
    let mut is_shown = lock(&IS_SHOWN);
    if *is_shown || !line.is_empty() {
        let _ = descriptor::write_all(io::stderr(), format!("{ERASE}{line}\r").as_bytes());
    }
    *is_shown = !line.is_empty();
}

/// Erases the line and then calls `write`, which may write to the terminal.
pub fn with_line_erased<T>(write: impl FnOnce() -> T) -> T {
    let mut is_shown = lock(&IS_SHOWN);
    if std::mem::take(&mut *is_shown) {
        let _ = descriptor::write_all(io::stderr(), ERASE.as_bytes());
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
    fn a_line_shows_as_many_whole_parts_as_fit() {
        let running = Running {
            labels: Labels::PRUNING,
            total: 200,
            finished: 50,
            bytes: 1024,
            begun: Instant::now(),
            due: DELAY,
        };
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
