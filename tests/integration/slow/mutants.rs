//! The schedules, proven: the program is built with one of its safeguards taken out, and a schedule must fail.
//!
//! The sources are copied and changed by exact text; a change that no longer fits its source fails the test.

use crate::builds;
use crate::slow::schedules::{Schedule, first_failure, touches, writers};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program without one of its safeguards, and the schedules that must notice.
struct Mutant {
    name: &'static str,
    changes: &'static [Change],
    noticed_by: fn(&Path) -> Vec<Schedule<'_>>,
}

/// The file in which a safeguard stands, the safeguard, and what stands in its place in the mutant.
type Change = (&'static str, &'static str, &'static str);

const CLAIM: &str = "commands/prune/claim.rs";
const LOOK: &str = "commands/prune/look.rs";

const NO_LAST_LOOK: Change = (
    CLAIM,
    "let reason = changed(found, seen, last, || read(&dir, METADATA, scratch));",
    "let (reason, _) = (None::<Error>, last);",
);
const NO_SWEEP: Change =
    (LOOK, "if !is_temporary(name.to_bytes())", "if name.to_bytes().len() < 500 || !is_temporary(name.to_bytes())");

const MUTANTS: [Mutant; 9] = [
    Mutant { name: "without the last look", changes: &[NO_LAST_LOOK], noticed_by: writers },
    Mutant {
        name: "without any look",
        changes: &[
            NO_LAST_LOOK,
            (CLAIM, "if let Some(reason) = changed(found, seen, first, ||", "if let Some(reason) = no_change(||"),
            (CLAIM, "\nfn in_the_way", "\nfn no_change<T>(_: T) -> Option<Error> {\n    None\n}\n\nfn in_the_way"),
        ],
        noticed_by: writers,
    },
    Mutant { name: "with one look only, and nothing swept", changes: &[NO_LAST_LOOK, NO_SWEEP], noticed_by: writers },
    Mutant { name: "with two looks, but nothing swept between them", changes: &[NO_SWEEP], noticed_by: writers },
    Mutant {
        name: "with a listing in which nothing is seen to wait",
        changes: &[(CLAIM, ".any(|name| is_temporary(", ".any(|name| false && is_temporary(")],
        noticed_by: writers,
    },
    Mutant {
        name: "with a put-back that overwrites",
        changes: &[(
            CLAIM,
            "base.dir().rename_new(&*name.to_string(), name.id.encode",
            "base.dir().rename(&*name.to_string(), name.id.encode",
        )],
        noticed_by: writers,
    },
    Mutant {
        name: "with unlinks before the sync",
        changes: &[(
            "commands/prune/carry_out.rs",
            "base.sync().and_then(|()| last_change(base))",
            "last_change(base)",
        )],
        noticed_by: writers,
    },
    Mutant {
        name: "without touch's look at where its directory is",
        changes: &[(
            "core/rewrite.rs",
            "Some(Ok(false)) => Err(Error::new(Category::Busy, \"its directory was moved or removed meanwhile\")),",
            "Some(Ok(false)) => rewritten,",
        )],
        noticed_by: touches,
    },
    Mutant {
        name: "without touch's look at the file before its rename",
        changes: &[(
            "core/rewrite.rs",
            "Ok(stat) if Signature::from(&stat) == Signature::from(&read.stat) => {}",
            "Ok(stat) if stat.inode > 0 || Signature::from(&stat) == Signature::from(&read.stat) => {}",
        )],
        noticed_by: writers,
    },
];

fn build(mutant: &Mutant, place: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let _ = fs::remove_dir_all(place);
    fs::create_dir_all(place).expect("a directory");
    for part in ["Cargo.toml", "Cargo.lock", "src", "benches", "completions", "README.md"] {
        let copied = Command::new("cp").arg("-r").arg(root.join(part)).arg(place).status();
        assert!(copied.expect("cp").success());
    }
    for (file, safeguard, instead) in mutant.changes {
        let file = place.join("src").join(file);
        let text = fs::read_to_string(&file).expect("a source");
        assert_eq!(text.matches(safeguard).count(), 1, "{}: {safeguard}", mutant.name);
        fs::write(&file, text.replace(safeguard, instead)).expect("a source");
    }
    println!("building {}", mutant.name); // shown where it fails
    let target = builds::build(place, "mutants", &[], Some("-Awarnings"));
    let binary = place.join("wsctl");
    assert!(Command::new("cp").arg(target.join("debug/wsctl")).arg(&binary).status().expect("cp").success());
    binary
}

#[test]
fn without_any_one_of_its_safeguards_the_program_fails_a_schedule() {
    needs!("strace");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutant");
    let mut unnoticed = Vec::new();
    for mutant in &MUTANTS {
        let binary = build(mutant, &place);
        let schedules = (mutant.noticed_by)(&binary);
        match first_failure(&schedules) {
            Some(failure) => println!("{}: {}", mutant.name, failure.lines().next().unwrap_or_default()),
            None => unnoticed.push(mutant.name),
        }
    }
    assert!(unnoticed.is_empty(), "unnoticed: {unnoticed:#?}");
}
