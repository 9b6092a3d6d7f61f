//! Programs run in alternation, and what their times say of each other.
//!
//! On a busy machine a time says little; the ratio of two times taken right after each other says more, and the median of
//! many such ratios can be relied on.

use anyhow::{Context, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
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

    /// Runs it on this base, and gives how long it took.
    pub(crate) fn run(&self, base: &Path) -> anyhow::Result<Taken> {
        let mut command = self.command(base);
        let (begun, used) = (Instant::now(), used_by_children()?);
        let status = command.status().with_context(|| format!("cannot run {}", self.arguments[0]))?;
        let taken = Taken { time: begun.elapsed().as_secs_f64(), work: used_by_children()? - used };
        ensure!(status.success(), "{:?}: {status}", self.arguments);
        Ok(taken)
    }
}

/// What a run took, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    /// From its start to its end.
    pub(crate) time: f64,
    /// Of the processors: others that run at the same time change it little.
    pub(crate) work: f64,
}

/// The processor time of all the processes that were waited for, in seconds.
fn used_by_children() -> nix::Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds =
        |time: nix::sys::time::TimeVal| Duration::from_micros(time.num_microseconds().unsigned_abs()).as_secs_f64();
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// Stands for the base among a program's arguments.
pub(crate) const BASE: &str = "{base}";

/// Runs each of the programs once a round, and gives what the runs of each took. Who comes first changes with each round, and
/// so does the direction, so that nobody always finds what the same other left behind.
pub(crate) fn alternate(
    programs: &[Program],
    rounds: usize,
    mut run: impl FnMut(&Program) -> anyhow::Result<Taken>,
) -> anyhow::Result<Vec<Vec<Taken>>> {
    let mut taken = vec![Vec::with_capacity(rounds); programs.len()];
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..programs.len()).collect();
        order.rotate_left(round / 2 % programs.len());
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            taken[index].push(run(&programs[index])?);
        }
    }
    Ok(taken)
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

    fn show(self, show: impl Fn(f64) -> String) -> String {
        format!("{} ({} to {})", show(self.median), show(self.lower), show(self.upper))
    }
}

/// Shows what each program took, and which share of it each of the first `subjects` takes, as tables in Markdown. A ratio is
/// that of two runs in the same round.
pub(crate) fn show(title: &str, programs: &[Program], taken: &[Vec<Taken>], subjects: usize) {
    let column = |index: usize, part: fn(&Taken) -> f64| Quartiles::of(taken[index].iter().map(part)).show(seconds);
    let ratio = |subject: usize, index: usize, part: fn(&Taken) -> f64| {
        let pairs = taken[subject].iter().zip(&taken[index]);
        Quartiles::of(pairs.map(|(own, other)| part(own) / part(other))).show(|ratio| format!("{ratio:.2}"))
    };
    let [time, work] = [|taken: &Taken| taken.time, |taken: &Taken| taken.work];
    for (subject, program) in programs[..subjects].iter().enumerate() {
        println!("{}: {title}\n", program.name);
        let mut rows = vec![["", "time", "wsctl takes", "processor time", "wsctl takes"].map(str::to_owned).to_vec()];
        rows.push(vec![
            program.name.clone(),
            column(subject, time),
            String::new(),
            column(subject, work),
            String::new(),
        ]);
        for (index, program) in programs.iter().enumerate().skip(subjects) {
            let (times, works) = (ratio(subject, index, time), ratio(subject, index, work));
            rows.push(vec![program.name.clone(), column(index, time), times, column(index, work), works]);
        }
        table(&rows);
    }
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
