//! How far a long run has come: one line on a terminal that is gone when the run ends, and nothing anywhere else.
//!
//! Whoever has ended a piece of work draws it, if it is time to. What else goes to stderr meanwhile goes through [`beside`].

use super::amounts;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A run that is shorter than this shows none.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a line is left to be read.
const PACE: Duration = Duration::from_millis(100);
/// What is kept free at the end of the line, for the `^C` that a terminal echoes there.
const ECHO: u16 = 3;

/// The line that is on the terminal, if there is one.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// What a run does, in words: `pruning`, `freed`.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// What is done to each.
    pub doing: &'static str,
    /// What has become of the bytes.
    pub done: &'static str,
}

impl Words {
    /// For disk usage.
    pub const MEASURING: Self = Self { doing: "measuring", done: "used" };
    /// For removal.
    pub const PRUNING: Self = Self { doing: "pruning", done: "freed" };
}

/// Counts what has ended. To be dropped before results are shown.
#[derive(Debug)]
pub struct Meter(Option<Running>);

#[derive(Debug)]
struct Running {
    words: Words,
    total: usize,
    ended: AtomicUsize,
    bytes: AtomicU64,
    pace: Pace,
    bar: ProgressBar,
}

impl Meter {
    /// A meter for so many pieces of work; where nobody `watches` there is nothing to it.
    pub fn new(watched: bool, words: Words, total: usize) -> Self {
        let running = || {
            let screen = ProgressDrawTarget::term_like(Box::<Screen>::default());
            let bar = ProgressBar::with_draw_target(Some(total as u64), screen);
            let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style);
            let pace = Pace::new(Instant::now());
            Running { words, total, ended: AtomicUsize::new(0), bytes: AtomicU64::new(0), pace, bar }
        };
        Self(watched.then(running))
    }

    /// One more has ended, with so many bytes.
    pub fn ended(&self, bytes: u64) {
        let Some(running) = &self.0 else { return };
        running.ended.fetch_add(1, Ordering::Relaxed);
        running.bytes.fetch_add(bytes, Ordering::Relaxed);
        if running.pace.is_due(Instant::now()) {
            running.draw();
        }
    }
}

impl Running {
    fn draw(&self) {
        *shown() = Some(self.bar.clone());
        let ended = self.ended.load(Ordering::Relaxed);
        self.bar.set_position(ended as u64);
        self.bar.set_message(self.line(ended));
    }

    /// `pruning: 1234 of 20000, 1.2 GiB freed, 812/s, 23s left`
    fn line(&self, ended: usize) -> String {
        let Words { doing, done } = self.words;
        let bytes = amounts::size(self.bytes.load(Ordering::Relaxed));
        let (rate, left) = (self.bar.per_sec(), amounts::span(self.bar.eta().as_secs()));
        let digits = usize::from(rate < 10.0);
        format!("{doing}: {ended} of {}, {bytes} {done}, {rate:.digits$}/s, {left} left", self.total)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(running) = &self.0 {
            let mut shown = shown();
            running.bar.finish_and_clear();
            *shown = None;
        }
    }
}

/// Does what writes to stderr while the line is away.
pub fn beside<T>(write: impl FnOnce() -> T) -> T {
    match &*shown() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

fn shown() -> std::sync::MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When the next line is due.
#[derive(Debug)]
struct Pace {
    begun: Instant,
    /// In milliseconds since then.
    due: AtomicU64,
}

impl Pace {
    fn new(begun: Instant) -> Self {
        Self { begun, due: AtomicU64::new(milliseconds(PATIENCE)) }
    }

    /// Whether it is due. Of several that ask at once, one is told so.
    fn is_due(&self, now: Instant) -> bool {
        let (now, due) = (milliseconds(now - self.begun), self.due.load(Ordering::Relaxed));
        let next = now + milliseconds(PACE);
        now >= due && self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Stderr, as indicatif draws on it.
#[derive(Debug, Default)]
struct Screen(Mutex<String>);

impl Screen {
    fn put(&self, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
    }

    fn step(&self, steps: usize, direction: char) {
        if steps > 0 {
            self.put(&format!("\x1b[{steps}{direction}"));
        }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        let width = rustix::termios::tcgetwinsize(io::stderr()).map_or(0, |size| size.ws_col);
        if width == 0 { 80 } else { width }.saturating_sub(ECHO)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.step(n, 'A');
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.step(n, 'B');
        Ok(())
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.step(n, 'C');
        Ok(())
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.step(n, 'D');
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.put(text);
        self.put("\n");
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.put(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.put("\r\x1b[2K");
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let text = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        io::stderr().write_all(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_after_half_a_second_and_then_ten_times_a_second() {
        let begun = Instant::now();
        let pace = Pace::new(begun);
        let due = |milliseconds| pace.is_due(begun + Duration::from_millis(milliseconds));
        let asked = [
            (0, false),
            (499, false),
            (500, true),
            (500, false),
            (599, false),
            (600, true),
            (9000, true),
            (9099, false),
        ];
        for (milliseconds, expected) in asked {
            assert_eq!(due(milliseconds), expected, "{milliseconds}");
        }
    }

    #[test]
    fn where_nobody_watches_there_is_nothing_to_it() {
        let meter = Meter::new(false, Words::PRUNING, 3);
        assert!(meter.0.is_none());
        meter.ended(1);
        assert!(shown().is_none());
    }
}
