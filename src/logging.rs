//! Sets up `env_logger` from `-v`, `-q` and `RUST_LOG`, and formats all log lines. Lines for the journal begin with a priority.

use crate::output::diagnostics::CATEGORY;
use crate::output::escape;
use crate::output::{descriptor, progress};
use anstream::ColorChoice;
use env_logger::{Builder, Target, WriteStyle};
use log::{Level, LevelFilter, Record};
use std::io::{self, Write};

/// How the severity of a line is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// With words only.
    None,
    /// Also with colours, for a terminal.
    Colors,
    /// Also with the prefixes of sd-daemon(3), for the journal.
    Priorities,
}

/// Starts logging to stderr. `RUST_LOG` applies if neither `-v` nor `-q` was given. Returns the choice of colours for stderr: the
/// journal has none.
pub fn init(verbosity: LevelFilter, color: ColorChoice) -> ColorChoice {
    let marks = match color {
        _ if stderr_is_journal() => Marks::Priorities,
        ColorChoice::Never => Marks::None,
        _ => Marks::Colors,
    };
    let mut builder = Builder::new();
    builder.filter_level(verbosity);
    let filter = std::env::var("RUST_LOG").ok().filter(|filter| verbosity == LevelFilter::Warn && !filter.is_empty());
    // env_logger itself would print an invalid filter to stderr without escaping it.
    let invalid = filter.as_ref().and_then(|filter| env_filter::Builder::new().try_parse(filter).err());
    if let (Some(filter), None) = (&filter, &invalid) {
        builder.parse_filters(filter);
    }
    builder.write_style(if marks == Marks::Colors { WriteStyle::Always } else { WriteStyle::Never });
    builder.target(Target::Pipe(Box::new(Stderr)));
    builder.format(move |out, record| writeln!(out, "{}", format_line(record, marks)));
    let _ = builder.try_init(); // a second run in the same process keeps the first logger
    if let Some(error) = invalid {
        log::warn!("RUST_LOG is ignored: {error}");
    }
    if marks == Marks::Colors { color } else { ColorChoice::Never }
}

/// Whether stderr is the journal's stream, whose device and inode are in the environment. They differ if stderr was redirected
/// after systemd set them.
fn stderr_is_journal() -> bool {
    let Some(stream) = std::env::var_os("JOURNAL_STREAM") else { return false };
    rustix::fs::fstat(io::stderr()).is_ok_and(|stat| stream == *format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// Writes to stderr, without disturbing the progress line.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        progress::with_line_erased(|| descriptor::write_all(io::stderr(), bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Formats a record as one line: `warning[not-found]: …`, `info: …`.
fn format_line(record: &Record<'_>, marks: Marks) -> String {
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
