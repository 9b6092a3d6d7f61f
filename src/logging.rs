//! `-v`, `-q` and `RUST_LOG` into `env_logger`, and the one form that all lines on stderr have.

use crate::output::diagnostics::CATEGORY;
use crate::output::escape;
use anstream::ColorChoice;
use env_logger::{Builder, WriteStyle};
use log::{Level, LevelFilter, Record};

/// How much is said, from the command line: `-q` is -1, `-v` 1, and so on.
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

/// Starts logging to stderr. `RUST_LOG` applies where the command line says nothing.
pub fn init(verbosity: Verbosity, color: ColorChoice) {
    let mut builder = Builder::new();
    builder.filter_level(verbosity.filter());
    let wanted = std::env::var("RUST_LOG").ok().filter(|filter| verbosity == Verbosity::DEFAULT && !filter.is_empty());
    // env_logger itself would complain of a filter that it cannot read, on stderr and as it stands.
    let unread = wanted.as_ref().and_then(|filter| env_filter::Builder::new().try_parse(filter).err());
    if let (Some(filter), None) = (&wanted, &unread) {
        builder.parse_filters(filter);
    }
    builder.write_style(if color == ColorChoice::Never { WriteStyle::Never } else { WriteStyle::Always });
    builder.format(move |out, record| {
        use std::io::Write;
        writeln!(out, "{}", line(record, color))
    });
    let _ = builder.try_init(); // a second run in the same process keeps the first one's
    if let Some(error) = unread {
        log::warn!("RUST_LOG is ignored: {error}");
    }
}

/// A record as one line: `warning[not-found]: …`, `info: …`.
fn line(record: &Record<'_>, color: ColorChoice) -> String {
    let (word, sgr) = match record.level() {
        Level::Error => ("error", "1;31"),
        Level::Warn => ("warning", "1;33"),
        Level::Info => ("info", "32"),
        Level::Debug => ("debug", "34"),
        Level::Trace => ("trace", "36"),
    };
    let category = record.key_values().get(CATEGORY.into()).map(|word| format!("[{word}]")).unwrap_or_default();
    let message = record.args().to_string();
    let message = escape::text(&message);
    if color == ColorChoice::Never {
        format!("{word}{category}: {message}")
    } else {
        format!("\x1b[{sgr}m{word}{category}\x1b[0m: {message}")
    }
}
