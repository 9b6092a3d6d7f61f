//! Peak memory as a function of the number of workspaces.

use crate::contest::{Program, table};
use crate::measures::{Bench, IDS, JSON, grouped};
use anyhow::{Context, ensure};
use std::path::Path;
use std::process::Command;

/// Shows what each workspace adds to the peak, between few workspaces and many.
pub(crate) fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    if bench.programs.installed(&[("peak memory", &["time"], &["time"])]).is_empty() {
        return Ok(());
    }
    let (few, many) = (bench.workspaces / 20, 5 * bench.workspaces);
    let bases = [bench.base(few, 1.0, false)?, bench.base(many, 1.0, false)?];
    let heading = |number| format!("KiB at {} workspaces", grouped(number));
    let mut rows =
        vec![["peak memory".to_owned(), heading(few), heading(many), "bytes a workspace".to_owned()].to_vec()];
    for program in bench.programs.wsctl(&[&IDS, &JSON, &["prune", "--older-than", "7d", "--dry-run"]]) {
        let [least, most] = [peak(&program, &bases[0].path)?, peak(&program, &bases[1].path)?];
        let each = most.saturating_sub(least) * 1024 / (many - few);
        rows.push(vec![program.name, grouped(least), grouped(most), each.to_string()]);
    }
    table(&rows);
    Ok(())
}

/// The peak of the resident set in KiB, the least of three runs: threads end in other orders each time.
fn peak(program: &Program, base: &Path) -> anyhow::Result<u64> {
    let once = || -> anyhow::Result<u64> {
        let command = program.command(base);
        let time = Command::new("time")
            .args(["--format", "%M"])
            .arg(command.get_program())
            .args(command.get_args())
            .output()?;
        let said = String::from_utf8_lossy(&time.stderr);
        ensure!(time.status.success(), "{}: {said}", program.name);
        said.trim().parse().with_context(|| format!("no number: {said}"))
    };
    (0..3).map(|_| once()).try_fold(u64::MAX, |least, peak| Ok(least.min(peak?)))
}
