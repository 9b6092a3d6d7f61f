//! The statistics of the constant-work check behind `validate`: a million samples of each class of candidates, and Welch's t
//! between them.
//!
//! ```sh
//! cargo bench --bench validate_timing            # or with TMPDIR=/dev/shm, on a tmpfs
//! ```
//!
//! The names of the workspaces are changed all the time, since a single name may sit well or badly in the kernel's tables.
#![allow(clippy::expect_used)]

use std::fs;
use std::hint::black_box;
use std::time::Instant;
use uuid::Uuid;
use wsctl::core::{Base, check::Checker};

/// How many names there are of each class at a time.
const NAMES: usize = 12;
/// How many samples of each class are taken before the names are changed.
const SAMPLES: u64 = 2000;
/// How often they are changed: a million samples a class.
const ROUNDS: u64 = 500;
/// Samples over this many nanoseconds saw something else: an interrupt, another process.
const DISTURBED: f64 = 5000.0;

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

fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn names(make: impl Fn() -> String) -> Vec<String> {
    (0..NAMES).map(|_| make()).collect()
}

fn main() {
    let classes = ["present", "absent", "malformed"];
    let mut samples = [Sample::default(); 3];
    let mut state = 88_172_645_463_325_252;
    for _ in 0..ROUNDS {
        let world = tempfile::tempdir().expect("a directory");
        let candidates = [
            names(|| Uuid::new_v4().to_string()),
            names(|| Uuid::new_v4().to_string()),
            names(|| Uuid::new_v4().to_string().replacen(|c: char| c.is_ascii_hexdigit(), "x", 1)),
        ];
        candidates[0].iter().for_each(|id| fs::create_dir(world.path().join(id)).expect("a workspace"));
        let base = Base::open(world.path()).expect("the base");
        let checker = Checker::new(&base).expect("a checker");
        for turn in 0..3 * SAMPLES {
            let random = xorshift(&mut state);
            let class = usize::try_from(random % 3).expect("small");
            let name = &candidates[class][usize::try_from(random / 3 % 12).expect("small")];
            let begun = Instant::now();
            let answer = checker.check(Some(black_box(name.as_bytes())));
            #[allow(clippy::cast_precision_loss)]
            let taken = begun.elapsed().as_nanos() as f64;
            assert_eq!(answer.expect("an answer").is_some(), class == 0);
            // The first turns find the names for the first time.
            if turn > 300 && taken < DISTURBED {
                samples[class].add(taken);
            }
        }
    }
    for (class, sample) in classes.iter().zip(samples) {
        println!(
            "{class}: {} samples, mean {:.1} ns, deviation {:.1}",
            sample.number,
            sample.mean(),
            sample.variance().sqrt()
        );
    }
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let t = welch(samples[a], samples[b]);
        println!("{} and {}: t = {t:.2}", classes[a], classes[b]);
    }
}
