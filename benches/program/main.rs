//! What wsctl costs, as ratios to the least that the kernel must be asked for and to what a user would run instead, all run
//! in alternation on bases that are made for it:
//!
//! ```sh
//! cargo bench --bench program                          # on a disk, below TMPDIR
//! TMPDIR=/dev/shm cargo bench --bench program          # on a tmpfs: no disk's noise gets in
//! cargo bench --bench program -- --help
//! ```

mod base;
mod contest;
mod each;
mod floor;
mod growth;
mod measures;
mod options;
mod plot;
mod programs;

use anyhow::Context;
use measures::Bench;
use options::Options;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [floor::WORD, rest @ ..] = &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return floor::run(rest);
    }
    let options = Options::parse(arguments.into_iter())?;
    if options.help || !options.bench {
        // `cargo test --all-targets` runs benchmarks, too, and there are no timed tests.
        println!("{}", options::HELP);
        return Ok(());
    }
    let mut bench = Bench::new(&options)?;
    match &options.plot {
        Some(file) => {
            let svg = growth::plot(&mut bench, options.up_to)?;
            std::fs::write(file, svg).with_context(|| format!("cannot write {}", file.display()))
        }
        None => options.only.iter().try_for_each(|measure| bench.measure(*measure)),
    }
}
