//! Programs run in alternation, and what their times say of each other.
//!
//! On a busy machine a time says little; the ratio of two times taken right after each other says more, and the median of
//! many such ratios can be relied on.

use anyhow::{Context, ensure};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What is run.
pub(crate) struct Program {
    pub(crate) name: String,
    arguments: Vec<String>,
}

impl Program {
    /// A program whose last argument is the base.
    pub(crate) fn new<S: Into<String>>(name: &str, arguments: impl IntoIterator<Item = S>) -> Self {
        Self { name: name.to_owned(), arguments: arguments.into_iter().map(Into::into).collect() }
    }

    /// The command on this base, silent and with nothing in its environment that changes what wsctl does.
    pub(crate) fn command(&self, base: &Path) -> Command {
        let mut command = Command::new(&self.arguments[0]);
        let arguments = self.arguments[1..].iter().map(|argument| match argument.as_str() {
            BASE => base.as_os_str(),
            other => other.as_ref(),
        });
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        for name in ["RUST_LOG", "WSCTL_BASE", "JOURNAL_STREAM", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn time(&self, base: &Path) -> anyhow::Result<Duration> {
        let mut command = self.command(base);
        let begun = Instant::now();
        let status = command.status().with_context(|| format!("cannot run {}", self.arguments[0]))?;
        let taken = begun.elapsed();
        ensure!(status.success(), "{:?}: {status}", self.arguments);
        Ok(taken)
    }
}

/// Stands for the base among a program's arguments.
pub(crate) const BASE: &str = "{base}";

/// Runs each of the programs once a round, and gives the times of each. Who comes first changes with each round, and so
/// does the direction, so that nobody always finds what the same other left behind.
pub(crate) fn alternate(
    programs: &[Program],
    rounds: usize,
    mut run: impl FnMut(&Program) -> anyhow::Result<Duration>,
) -> anyhow::Result<Vec<Vec<f64>>> {
    let mut times = vec![Vec::with_capacity(rounds); programs.len()];
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..programs.len()).collect();
        order.rotate_left(round / 2 % programs.len());
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            times[index].push(run(&programs[index])?.as_secs_f64());
        }
    }
    Ok(times)
}

/// The median, and the quartiles on either side of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quartiles {
    pub(crate) lower: f64,
    pub(crate) median: f64,
    pub(crate) upper: f64,
}

impl Quartiles {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        // `quarters` of the way from the first to the last, between two values if need be.
        let at = |quarters: usize| {
            let place = quarters * (sorted.len() - 1);
            let (below, above) = (sorted[place / 4], sorted[place.div_ceil(4)]);
            below + (above - below) * [0.0, 0.25, 0.5, 0.75][place % 4]
        };
        Self { lower: at(1), median: at(2), upper: at(3) }
    }

    /// Of the ratios of what was measured in the same round.
    pub(crate) fn of_ratios(numerators: &[f64], denominators: &[f64]) -> Self {
        Self::of(numerators.iter().zip(denominators).map(|(numerator, denominator)| numerator / denominator))
    }

    fn show(self, show: impl Fn(f64) -> String) -> String {
        format!("{} ({} to {})", show(self.median), show(self.lower), show(self.upper))
    }
}

/// Shows the times of each program, and what share of it each of the first `subjects` takes, as a table in Markdown.
pub(crate) fn show(title: &str, programs: &[Program], times: &[Vec<f64>], subjects: usize) {
    let mut rows = vec![vec![title.to_owned(), "time".to_owned()]];
    rows[0].extend(programs[..subjects].iter().map(|program| format!("{} takes of it", program.name)));
    for (index, program) in programs.iter().enumerate() {
        let mut row = vec![program.name.clone(), Quartiles::of(times[index].iter().copied()).show(seconds)];
        row.extend(times[..subjects].iter().enumerate().map(|(subject, own)| {
            let ratio = || Quartiles::of_ratios(own, &times[index]).show(|ratio| format!("{ratio:.3}"));
            if subject == index { String::new() } else { ratio() }
        }));
        rows.push(row);
    }
    table(&rows);
}

/// Shows a table in Markdown; the first row is its head.
pub(crate) fn table(rows: &[Vec<String>]) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("| {} |", cells.join(" | "));
        if number == 0 {
            println!("|{}|", widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("|"));
        }
    }
    println!();
}

/// A duration as people read it.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        0.995.. => format!("{seconds:.2} s"),
        0.0995.. => format!("{:.0} ms", seconds * 1e3),
        0.00995.. => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{:.2} ms", seconds * 1e3),
    }
}
