//! The schedules, proven: the program is built without one of its safeguards (see `safeguards.rs`), and a schedule must fail.

use crate::builds;
use crate::safeguards::{Kind, MUTANTS, Mutant};
use crate::slow::schedules::{first_failure, touches, writers};
use crate::tools::{text, tool};
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
    let target = builds::build(place, "mutants", &[], Some("-Awarnings"));
    let binary = place.join("wsctl");
    tool(&["cp", text(&target.join("debug/wsctl")), text(&binary)]);
    binary
}

#[test]
fn without_any_one_of_its_safeguards_the_program_fails_a_schedule() {
    needs!("strace");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutant");
    let mut unnoticed = Vec::new();
    for mutant in &MUTANTS {
        let binary = build(mutant, &place);
        let schedules = match mutant.noticed_by {
            Kind::Writers => writers(&binary),
            Kind::Touches => touches(&binary),
        };
        match first_failure(&schedules) {
            Some(failure) => println!("{}: {}", mutant.name, failure.lines().next().unwrap_or_default()),
            None => unnoticed.push(mutant.name),
        }
    }
    assert!(unnoticed.is_empty(), "unnoticed: {unnoticed:#?}");
}
