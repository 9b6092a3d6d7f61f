//! The schedules, proven: the program is built without one of its safeguards (see `safeguards.rs`), and a schedule must fail.

use crate::builds;
use crate::safeguards::{MUTANTS, Mutant};
use crate::slow::schedules::{touches, writers};
use crate::tools::{first_failure, text, tool};
use std::fs;
use std::path::{Path, PathBuf};

fn build(mutant: &Mutant, place: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let _ = fs::remove_dir_all(place);
    fs::create_dir_all(place).expect("a directory");
    for part in ["Cargo.toml", "Cargo.lock", "src", "benches", "completions", "README.md"] {
        tool(&["cp", "-r", text(&root.join(part)), text(place)]);
    }
    mutant.apply(&place.join("src")).unwrap_or_else(|why| panic!("{why}"));
    println!("building {}", mutant.name); // shown where it fails
    let built = builds::build(place, "mutants", &[], Some("-Awarnings")).join("debug/wsctl");
    tool(&["cp", text(&built), text(place)]);
    place.join("wsctl")
}

#[test]
fn without_any_one_of_its_safeguards_the_program_fails_a_schedule() {
    needs!("strace");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutant");
    for mutant in &MUTANTS {
        let binary = build(mutant, &place);
        let schedules: Vec<_> = writers(&binary).into_iter().chain(touches(&binary)).collect();
        let failure = first_failure(4, &schedules, |schedule| schedule.play(&binary));
        println!("{}: {}", mutant.name, failure.expect("a schedule that notices"));
    }
}
