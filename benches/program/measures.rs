//! What is measured: each a contest of wsctl with floors and peers.

use crate::base::{self, Shape};
use crate::contest::{Program, Taken, alternate, show};
use crate::each;
use crate::options::{Measure, Options};
use crate::programs::Programs;
use anyhow::{Context, ensure};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Everything that shall go is older than a week.
pub(crate) const PRUNE: [&str; 4] = ["prune", "--older-than", "7d", "--yes"];
pub(crate) const IDS: [&str; 3] = ["list", "--format", "ids"];
pub(crate) const JSON: [&str; 3] = ["list", "--format", "json"];
pub(crate) const SIZES: [&str; 4] = ["list", "--size", "--format", "ids"];

/// A place to work in, and who takes part.
pub(crate) struct Bench {
    dir: TempDir,
    file_system: String,
    pub(crate) programs: Programs,
    pub(crate) rounds: usize,
    pub(crate) workspaces: u64,
    seed: u64,
}

/// A base that was made, and goes when it is no longer needed.
pub(crate) struct Made {
    pub(crate) path: PathBuf,
    pub(crate) title: String,
    _dir: TempDir,
}

impl Bench {
    pub(crate) fn new(options: &Options) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("wsctl-bench.")
            .tempdir()
            .context("cannot make a directory below TMPDIR")?;
        Ok(Self {
            file_system: base::file_system(dir.path())?,
            dir,
            programs: Programs::new(std::env::current_exe()?, options.against.as_ref()),
            rounds: options.rounds,
            workspaces: options.workspaces,
            seed: options.seed,
        })
    }

    pub(crate) fn measure(&mut self, measure: Measure) -> anyhow::Result<()> {
        match measure {
            Measure::Start => self.start(),
            Measure::List => self.list(),
            Measure::Sizes => self.sizes(),
            Measure::Prune => self.prune(),
            Measure::Memory => each::memory(self),
            Measure::Calls => each::calls(self),
        }
    }

    /// Makes a base that no other run has touched.
    pub(crate) fn base(&self, workspaces: u64, stale: f64, filled: bool) -> anyhow::Result<Made> {
        let dir = TempDir::new_in(&self.dir)?;
        let path = dir.path().join("base");
        let files = base::make(&path, Shape { workspaces, stale, filled, seed: self.seed })?;
        base::sync(&path)?;
        let title = format!("{} workspaces, {} files, {}", grouped(workspaces), grouped(files), self.file_system);
        Ok(Made { path, title, _dir: dir })
    }

    fn start(&mut self) -> anyhow::Result<()> {
        let base = self.base(1, 0.0, false)?;
        let first = fs::read_dir(&base.path)?.next().context("no workspace")??;
        let id = first.file_name().to_string_lossy().into_owned();
        let mut programs = self.programs.wsctl(&[&["validate", &id]]);
        for program in &mut programs {
            program.name = program.name.replace(&id, "ID");
        }
        programs.push(self.programs.nothing());
        programs.extend(self.programs.installed(&[("true", &["true"], &["true"])]));
        let taken = alternate(&programs, 20 * self.rounds, |program| program.run(&base.path))?;
        show("start-up", &programs, &taken, 1);
        Ok(())
    }

    fn list(&mut self) -> anyhow::Result<()> {
        let mut programs = self.programs.wsctl(&[&IDS, &JSON]);
        programs.extend([2, 1].map(|threads| self.programs.floor("list", threads)));
        programs.extend(self.programs.listers());
        let base = self.base(self.workspaces, 0.5, true)?;
        let taken = on_one_base(&programs, &base, self.rounds)?;
        show(&base.title, &programs, &taken, 2);
        Ok(())
    }

    fn sizes(&mut self) -> anyhow::Result<()> {
        let mut programs = self.programs.wsctl(&[&SIZES]);
        programs.extend(self.programs.adders());
        let base = self.base(self.workspaces, 0.5, true)?;
        let taken = on_one_base(&programs, &base, self.rounds.div_ceil(2))?;
        show(&base.title, &programs, &taken, 1);
        Ok(())
    }

    fn prune(&mut self) -> anyhow::Result<()> {
        let mut programs = self.programs.wsctl(&[&PRUNE]);
        programs.extend([2, 1].map(|threads| self.programs.floor("remove", threads)));
        programs.extend(self.programs.removers());
        let (workspaces, rounds) = if self.is_in_memory() {
            (self.workspaces / 4, self.rounds.div_ceil(2))
        } else {
            (self.workspaces / 10, self.rounds.div_ceil(4))
        };
        let (title, taken) = self.on_fresh_bases(&programs, workspaces, rounds)?;
        show(&title, &programs, &taken, 1);
        Ok(())
    }

    fn is_in_memory(&self) -> bool {
        self.file_system == "tmpfs"
    }

    /// Runs each of the programs, which remove, each time on a base of its own, where everything is old enough to go.
    ///
    /// On a disk all the bases are made before: ext4 takes ten times as long to make files as long as it remembers many
    /// that have just been removed. In memory there may be no room for that, and no need.
    pub(crate) fn on_fresh_bases(
        &self,
        programs: &[Program],
        workspaces: u64,
        rounds: usize,
    ) -> anyhow::Result<(String, Vec<Vec<Taken>>)> {
        let mut ready = Vec::new();
        if !self.is_in_memory() {
            ready = (0..programs.len() * rounds).map(|_| self.base(workspaces, 1.0, true)).collect::<Result<_, _>>()?;
        }
        let mut title = String::new();
        let taken = alternate(programs, rounds, |program| {
            let base = ready.pop().map_or_else(|| self.base(workspaces, 1.0, true), Ok)?;
            let run = program.run(&base.path)?;
            title = base.title;
            ensure!(is_gone(&base.path)?, "{} left something behind", program.name);
            Ok(run)
        })?;
        Ok((title, taken))
    }
}

/// Runs the programs on a base that none of them changes, once before it counts: all that they read is then in memory.
pub(crate) fn on_one_base(programs: &[Program], base: &Made, rounds: usize) -> anyhow::Result<Vec<Vec<Taken>>> {
    alternate(programs, 1, |program| program.run(&base.path))?;
    alternate(programs, rounds, |program| program.run(&base.path))
}

/// Whether a base is empty, or no more.
fn is_gone(base: &Path) -> anyhow::Result<bool> {
    match fs::read_dir(base) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// A number with a comma after each three digits from the right.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}
