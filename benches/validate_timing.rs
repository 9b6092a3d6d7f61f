//! The statistics of the constant work behind `validate`: a million samples of each class of candidates, and Welch's t between
//! them.
//!
//! ```sh
//! cargo bench --bench validate_timing                    # the library; with TMPDIR=/dev/shm, on a tmpfs
//! cargo bench --bench validate_timing -- process         # the program, from spawn to exit: some three hours
//! cargo bench --bench validate_timing -- process 400     # a tenth as many rounds
//! ```
//!
//! The names of the workspaces are changed all the time, since a single name may sit well or badly in the kernel's tables.
//! Half of the absent candidates are a class of their own: the t between the two halves is that of no difference at all.
//!
//! The library is compared with two bare look-ups in the two orders that a check may make them in, a hit and a miss or a miss
//! and a hit, and for several shares of present candidates among all. For the first look-up the processor guesses which it
//! will be, and guesses what came more often. That is the kernel's share of what difference there is.
#![allow(clippy::expect_used)]

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;
use uuid::Uuid;
use wsctl::core::{Base, check::Checker};

const CLASSES: [&str; 4] = ["present", "absent", "absent too", "malformed"];
/// How many names there are of each class at a time.
const NAMES: usize = 12;
/// How often they are changed, and how many samples are taken in between, all classes together: a million a class.
const LIBRARY: (u64, u64) = (750, 6300);
const PROCESS: (u64, u64) = (4000, 1120);
/// One of so many samples, the slowest, saw something else: an interrupt, another process. As many find a new name for the
/// first time.
const DISTURBED: usize = 20;
/// Nor does any sample count that took so many times as long as the median of its round.
const LIMIT: f64 = 1.25;

/// What is asked for, and what the bare look-up of the opposite kind is for.
type Names = [String; 2];

#[derive(Default, Clone, Copy)]
struct Sample {
    number: f64,
    sum: f64,
    squares: f64,
}

impl Sample {
    fn add(&mut self, value: f64) {
        self.number += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    fn mean(self) -> f64 {
        self.sum / self.number
    }

    fn variance(self) -> f64 {
        (self.squares - self.sum * self.mean()) / (self.number - 1.0)
    }
}

/// Welch's t of two samples.
fn welch(a: Sample, b: Sample) -> f64 {
    (a.mean() - b.mean()) / (a.variance() / a.number + b.variance() / b.number).sqrt()
}

/// The samples of each class, as distances from the median of their round: what makes a whole round slow is no matter.
#[derive(Default)]
struct Trial {
    medians: Sample,
    samples: [Sample; 4],
}

impl Trial {
    /// Adds a round's samples, which are in the order in which they were taken.
    fn add(&mut self, timed: &[(usize, f64)]) {
        let timed = &timed[timed.len() / DISTURBED..];
        let mut sorted: Vec<f64> = timed.iter().map(|(_, taken)| *taken).collect();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        let slowest = sorted[sorted.len() - sorted.len() / DISTURBED - 1].min(LIMIT * median);
        self.medians.add(median);
        for (class, taken) in timed.iter().filter(|(_, taken)| *taken <= slowest) {
            self.samples[*class].add(taken - median);
        }
    }

    fn report(&self, title: &str) {
        println!("{title}");
        for (class, sample) in CLASSES.iter().zip(self.samples) {
            let (mean, deviation) = (self.medians.mean() + sample.mean(), sample.variance().sqrt());
            println!("    {class}: {} samples, mean {mean:.1} ns, deviation {deviation:.1}", sample.number);
        }
        for (a, b) in [(0, 1), (0, 3), (1, 3), (1, 2)] {
            let (name, other) = (CLASSES[a], CLASSES[b]);
            let (one, two) = (self.samples[a], self.samples[b]);
            println!("    {name} and {other}: {:+.2} ns, t = {:.2}", one.mean() - two.mean(), welch(one, two));
        }
    }
}

fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// A base, and the names to ask for, by class.
fn world() -> (TempDir, [Vec<Names>; 4]) {
    let world = tempfile::tempdir().expect("a directory");
    let names = || (0..NAMES).map(|_| Uuid::new_v4().to_string());
    let present: Vec<String> = names().collect();
    for id in &present {
        fs::create_dir(world.path().join(id)).expect("a workspace");
    }
    let before_a_hit = |names: &mut dyn Iterator<Item = String>| {
        names.zip(&present).map(|(name, id)| [name, id.clone()]).collect::<Vec<_>>()
    };
    let malformed = names().map(|id| id.replacen(|c: char| c.is_ascii_hexdigit(), "x", 1));
    let classes = [
        present.iter().cloned().zip(names()).map(Into::into).collect(),
        before_a_hit(&mut names()),
        before_a_hit(&mut names()),
        before_a_hit(&mut { malformed }),
    ];
    (world, classes)
}

/// Candidates in random order, of which so many twelfths are present. They are drawn before any time is taken: whatever
/// depends on the class, and be it a branch, tells the processor what will come.
fn plan<'a>(classes: &'a [Vec<Names>; 4], length: u64, twelfths: u64, state: &mut u64) -> Vec<(usize, &'a Names)> {
    let draw = |_| {
        let random = xorshift(state);
        let class = if random % 12 < twelfths { 0 } else { 1 + (random >> 16) % 3 };
        let class = usize::try_from(class).expect("small");
        (class, &classes[class][usize::try_from((random >> 32) % 12).expect("small")])
    };
    (0..length).map(draw).collect()
}

/// How long each takes, in nanoseconds. The answer, whether it is present, must be right.
#[allow(clippy::cast_precision_loss)]
fn time(plan: &[(usize, &Names)], act: impl Fn(&Names) -> bool) -> Vec<(usize, f64)> {
    let one = |&(class, names): &(usize, &Names)| {
        let names = black_box(names.clone());
        let begun = Instant::now();
        let answer = act(&names);
        let taken = begun.elapsed().as_nanos() as f64;
        assert_eq!(answer, class == 0);
        (class, taken)
    };
    plan.iter().map(one).collect()
}

/// Two look-ups of the kernel's, and nothing else.
fn bare(length: u64, twelfths: u64, state: &mut u64) -> Vec<(usize, f64)> {
    let (world, classes) = world();
    let dir = rustix::fs::openat(CWD, world.path(), OFlags::DIRECTORY, Mode::empty()).expect("the base");
    let look_up = |name: &str| rustix::fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
    time(&plan(&classes, length, twelfths, state), |[first, second]| {
        let found = look_up(first);
        black_box(look_up(second));
        found
    })
}

fn checked(length: u64, twelfths: u64, state: &mut u64) -> Vec<(usize, f64)> {
    let (world, classes) = world();
    let base = Base::open(world.path()).expect("the base");
    let checker = Checker::new(&base).expect("a checker");
    time(&plan(&classes, length, twelfths, state), |[name, _]| {
        checker.check(name.as_bytes()).expect("an answer").is_some()
    })
}

fn library(state: &mut u64) {
    let (rounds, length) = LIBRARY;
    for twelfths in [2, 4, 6, 8] {
        let (mut control, mut trial) = (Trial::default(), Trial::default());
        for _ in 0..rounds {
            control.add(&bare(length, twelfths, state));
            trial.add(&checked(length, twelfths, state));
        }
        control.report(&format!("{twelfths} of 12 present, two bare look-ups"));
        trial.report(&format!("{twelfths} of 12 present, Checker::check"));
    }
}

fn validate(base: &Path, format: &str, id: &str) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wsctl"));
    command.env_clear().arg("-b").arg(base).args(["validate", "--format", format, id]);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().expect("an exit status");
    status.success()
}

/// As text, a present candidate's line is written and the others write nothing; as JSON every answer is written.
fn process(rounds: u64, state: &mut u64) {
    let formats = ["text", "json"];
    let mut trials = [Trial::default(), Trial::default()];
    for round in 1..=rounds {
        for (format, trial) in formats.iter().zip(&mut trials) {
            let (world, classes) = world();
            let plan = plan(&classes, PROCESS.1, 3, state);
            trial.add(&time(&plan, |[name, _]| validate(world.path(), format, name)));
        }
        if round % rounds.div_ceil(10) == 0 || round == rounds {
            formats.iter().zip(&trials).for_each(|(format, trial)| {
                trial.report(&format!("round {round} of {rounds}, wsctl validate --format {format}"));
            });
        }
    }
}

fn main() {
    let mut state = 88_172_645_463_325_252;
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["process"] => process(PROCESS.0, &mut state),
        ["process", rounds] => process(rounds.parse().expect("a number of rounds"), &mut state),
        _ => library(&mut state),
    }
}
