//! What is asked for on the command line. It is read by hand: the floors run in this executable, too, and one with all of
//! clap in it takes a tenth longer to start.

use anyhow::{Context, bail};
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Compares wsctl with floors and peers, in alternation, on bases made below TMPDIR.

Usage: cargo bench --bench program -- [OPTIONS]

  --workspaces N   how many workspaces are listed [20000]; fewer are removed
  --rounds N       how often each program lists [15]; 20 times as often it starts, less often it removes
  --quick          2,000 workspaces, 5 rounds
  --only WHAT,...  of start, list, sizes, prune, memory, calls
  --against WSCTL  another build of wsctl, as one more peer: what has become slower since?
  --plot FILE      instead measures growth, and plots it as SVG
  --up-to N        the number of workspaces that growth ends with [100000]; each 100,000 need 5 GB and
                   1,200,000 inodes below TMPDIR
  --seed N         other names, sizes and ages [1]
  --help";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Start,
    List,
    Sizes,
    Prune,
    Memory,
    Calls,
}

pub(crate) const ALL: [(&str, Measure); 6] = [
    ("start", Measure::Start),
    ("list", Measure::List),
    ("sizes", Measure::Sizes),
    ("prune", Measure::Prune),
    ("memory", Measure::Memory),
    ("calls", Measure::Calls),
];

#[derive(Debug)]
pub(crate) struct Options {
    /// `cargo bench` says so to every benchmark, `cargo test --all-targets` does not.
    pub(crate) bench: bool,
    pub(crate) help: bool,
    pub(crate) workspaces: u64,
    pub(crate) rounds: usize,
    pub(crate) only: Vec<Measure>,
    pub(crate) against: Option<PathBuf>,
    pub(crate) plot: Option<PathBuf>,
    pub(crate) up_to: u64,
    pub(crate) seed: u64,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut options = Self {
            bench: false,
            help: false,
            workspaces: 20_000,
            rounds: 15,
            only: ALL.map(|(_, measure)| measure).to_vec(),
            against: None,
            plot: None,
            up_to: 100_000,
            seed: 1,
        };
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{name} needs a value"));
            match name.as_str() {
                "--bench" => options.bench = true,
                "--help" => options.help = true,
                "--quick" => (options.workspaces, options.rounds) = (2000, 5),
                "--workspaces" => options.workspaces = number(&value()?, 100)?,
                "--rounds" => options.rounds = usize::try_from(number(&value()?, 1)?)?,
                "--only" => options.only = value()?.split(',').map(measure).collect::<anyhow::Result<_>>()?,
                "--against" => options.against = Some(value()?.into()),
                "--plot" => options.plot = Some(value()?.into()),
                "--up-to" => options.up_to = number(&value()?, 1000)?,
                "--seed" => options.seed = number(&value()?, 0)?,
                _ => bail!("no such option: {name}\n\n{HELP}"),
            }
        }
        Ok(options)
    }
}

fn number(text: &str, least: u64) -> anyhow::Result<u64> {
    let number = text.parse().ok().filter(|number| *number >= least);
    number.with_context(|| format!("{text} is no number from {least}"))
}

fn measure(name: &str) -> anyhow::Result<Measure> {
    let found = ALL.iter().find(|(word, _)| *word == name);
    found.map(|(_, measure)| *measure).with_context(|| format!("nothing to measure is called {name}"))
}
