//! What each workspace adds: the same run on few workspaces and on many. Unlike times, these figures are the same on a busy
//! machine: a system call too many is one more here.

use crate::contest::{Program, table};
use crate::measures::{Bench, IDS, JSON, PRUNE, grouped};
use anyhow::{Context, ensure};
use std::path::Path;
use std::process::Command;

/// Shows the peak of the resident set.
pub(crate) fn memory(bench: &mut Bench) -> anyhow::Result<()> {
    let sizes = [bench.workspaces / 20, bench.workspaces * 5];
    let ways: [&[&str]; 3] = [&IDS, &JSON, &["prune", "--older-than", "7d", "--dry-run"]];
    let by = ["time", "--format", "%M"];
    compare(bench, "KiB at the peak", sizes, &ways, &by, |said| Some(said.trim().parse::<u64>().ok()? * 1024))
}

/// Shows how many system calls are made.
pub(crate) fn calls(bench: &mut Bench) -> anyhow::Result<()> {
    let sizes = [bench.workspaces / 20, bench.workspaces / 4];
    // The last line has the sums: share, seconds, microseconds a call, calls.
    let total = |said: &str| said.lines().last()?.split_whitespace().nth(3)?.parse().ok();
    compare(
        bench,
        "system calls",
        sizes,
        &[&IDS, &JSON, &PRUNE],
        &["strace", "--follow-forks", "--summary-only"],
        total,
    )
}

/// Runs wsctl in each of these ways by a program that measures it, and says on stderr what it measured.
fn compare(
    bench: &mut Bench,
    what: &str,
    [few, many]: [u64; 2],
    ways: &[&[&str]],
    by: &[&'static str],
    read: impl Fn(&str) -> Option<u64>,
) -> anyhow::Result<()> {
    if bench.programs.installed(&[(what, &by[..1], &by[..1])]).is_empty() {
        return Ok(());
    }
    let unit = if what.starts_with("KiB") { 1024 } else { 1 };
    let heading = |number| format!("at {} workspaces", grouped(number));
    let mut rows = vec![vec![what.to_owned(), heading(few), heading(many), "each workspace adds".to_owned()]];
    for program in bench.programs.wsctl(ways) {
        let measure = |workspaces| {
            let base = bench.base(workspaces, 1.0, false)?;
            let said = measured(&program, &base.path, by)?;
            read(&said).with_context(|| format!("no number: {said}"))
        };
        let (least, most) = (measure(few)?, measure(many)?);
        let hundredths = most.saturating_sub(least) * 100 / (many - few);
        let added = format!("{}.{:02}{}", hundredths / 100, hundredths % 100, if unit == 1 { "" } else { " bytes" });
        rows.push(vec![program.name, grouped(least / unit), grouped(most / unit), added]);
    }
    table(&rows);
    Ok(())
}

fn measured(program: &Program, base: &Path, by: &[&str]) -> anyhow::Result<String> {
    let command = program.command(base);
    let run = Command::new(by[0]).args(&by[1..]).arg(command.get_program()).args(command.get_args()).output()?;
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    ensure!(run.status.success(), "{}: {said}", program.name);
    Ok(said)
}
