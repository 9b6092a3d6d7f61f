//! Turns `-v`, `-q` and `RUST_LOG` into `env_logger`, and formats every line on stderr. For the journal, a line begins with its
//! priority.

use crate::output::diagnostics::CATEGORY;
use crate::output::escape;
use crate::output::meter;
use anstream::ColorChoice;
use env_logger::{Builder, Target, WriteStyle};
use log::{Level, LevelFilter, Record};
use std::io::{self, Write};

/// How much to log: `-q` is -1, `-v` is 1, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Verbosity(pub i16);

impl Verbosity {
    /// Only errors, and no summary.
    pub const QUIET: Self = Self(-1);
    /// Neither `-v` nor `-q`.
    pub const DEFAULT: Self = Self(0);
    /// A line for each workspace.
    pub const VERBOSE: Self = Self(1);

    fn filter(self) -> LevelFilter {
        match self.0 {
            ..0 => LevelFilter::Error,
            0 => LevelFilter::Warn,
            1 => LevelFilter::Info,
            2 => LevelFilter::Debug,
            3.. => LevelFilter::Trace,
        }
    }
}

/// How lines are marked on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// Not at all.
    None,
    /// With colours, for a terminal.
    Colors,
    /// With the priorities of sd-daemon(3), for the journal.
    Priorities,
}

/// Starts logging to stderr. `RUST_LOG` applies if the command line says nothing. Returns whether stderr has colours; the journal
/// has none.
pub fn init(verbosity: Verbosity, color: ColorChoice) -> ColorChoice {
    let marks = match color {
        _ if stderr_is_the_journal() => Marks::Priorities,
        ColorChoice::Never => Marks::None,
        _ => Marks::Colors,
    };
    let mut builder = Builder::new();
    builder.filter_level(verbosity.filter());
    let wanted = std::env::var("RUST_LOG").ok().filter(|filter| verbosity == Verbosity::DEFAULT && !filter.is_empty());
    // env_logger would complain about a wrong filter itself, unescaped.
    let unread = wanted.as_ref().and_then(|filter| env_filter::Builder::new().try_parse(filter).err());
    if let (Some(filter), None) = (&wanted, &unread) {
        builder.parse_filters(filter);
    }
    builder.write_style(if marks == Marks::Colors { WriteStyle::Always } else { WriteStyle::Never });
    builder.target(Target::Pipe(Box::new(Stderr)));
    builder.format(move |out, record| writeln!(out, "{}", line(record, marks)));
    let _ = builder.try_init(); // a second run in the same process keeps the first logger
    if let Some(error) = unread {
        log::warn!("RUST_LOG is ignored: {error}");
    }
    if marks == Marks::Colors { color } else { ColorChoice::Never }
}

/// Whether stderr is the stream that systemd names in the environment, by device and inode. It is not, if stderr was redirected
/// or if a parent process got the variable.
fn stderr_is_the_journal() -> bool {
    let Some(stream) = std::env::var_os("JOURNAL_STREAM") else { return false };
    rustix::fs::fstat(io::stderr()).is_ok_and(|stat| stream == *format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// Stderr, which may show the progress of a run.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        meter::beside(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Formats a record as one line: `warning[not-found]: …`, `info: …`.
fn line(record: &Record<'_>, marks: Marks) -> String {
    let (word, sgr, priority) = match record.level() {
        Level::Error => ("error", "1;31", 3),
        Level::Warn => ("warning", "1;33", 4),
        Level::Info => ("info", "32", 6),
        Level::Debug => ("debug", "34", 7),
        Level::Trace => ("trace", "36", 7),
    };
    let category = record.key_values().get(CATEGORY.into()).map(|word| format!("[{word}]")).unwrap_or_default();
    let message = record.args().to_string();
    let message = escape::text(&message);
    match marks {
        Marks::None => format!("{word}{category}: {message}"),
        Marks::Colors => format!("\x1b[{sgr}m{word}{category}\x1b[0m: {message}"),
        Marks::Priorities => format!("<{priority}>{word}{category}: {message}"),
    }
}
