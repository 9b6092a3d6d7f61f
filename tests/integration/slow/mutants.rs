//! The schedules, proven: the program is built without what it does only because of a race, and a schedule must fail.

use crate::builds;
use crate::slow::schedules::{touches, writers};
use crate::tools::{first_failure, repository, text, tool};
use std::fs;
use std::path::{Path, PathBuf};

/// The file in which a safeguard is, the safeguard, and what is in its place in the mutant.
type Change = (&'static str, &'static str, &'static str);

const CLAIM: &str = "commands/prune/claim.rs";
const REWRITE: &str = "core/rewrite.rs";

const NO_LAST_LOOK: Change = (
    CLAIM,
    "check_unchanged(found, decided_on, last, || read(&dir, METADATA, scratch)).map_err(put_back)?;",
    "let _ = last;",
);
const NO_SWEEP: Change = ("commands/prune/look.rs", "if is_temporary(name", "if false && is_temporary(name");

/// CONTRIBUTING.md: a safeguard has a mutant.
const MUTANTS: [(&str, &[Change]); 9] = [
    ("without the last look", &[NO_LAST_LOOK]),
    ("without any look", &[NO_LAST_LOOK, (CLAIM, "else if names.is_none() {", "else if false {")]),
    ("with one look only, and nothing swept", &[NO_LAST_LOOK, NO_SWEEP]),
    ("with two looks, but nothing swept between them", &[NO_SWEEP]),
    ("with a listing in which nothing waits", &[(CLAIM, "|name| is_temporary(name.to_bytes())", "|_| false")]),
    ("with a put-back that overwrites", &[(CLAIM, "dir().rename_new(&*name", "dir().rename(&*name")]),
    (
        "with unlinks before the sync",
        &[("commands/prune/carry_out.rs", "base.sync().and_then(|()| base.stat_self())", "base.stat_self()")],
    ),
    (
        "without touch's look at where its directory is",
        &[(REWRITE, "is_at_its_path(base, id, &dir) {", "is_at_its_path(base, id, &dir).map(|_| true) {")],
    ),
    (
        "without touch's look before its rename",
        &[(REWRITE, "if Signature::from(&stat)", "if stat.inode > 0 || Signature::from(&stat)")],
    ),
];

fn build(changes: &[Change], place: &Path) -> PathBuf {
    let root = repository("");
    let _ = fs::remove_dir_all(place);
    fs::create_dir_all(place).expect("a directory");
    for part in ["Cargo.toml", "Cargo.lock", "src", "benches", "completions", "README.md"] {
        tool(&["cp", "-r", text(&root.join(part)), text(place)]);
    }
    for (file, safeguard, instead) in changes {
        let path = place.join("src").join(file);
        let text = fs::read_to_string(&path).expect(file);
        let found = text.matches(safeguard).count();
        assert_eq!(found, 1, "src/{file} has this safeguard not once; where it went, so must its mutant: {safeguard}");
        fs::write(path, text.replace(safeguard, instead)).expect(file);
    }
    let built = builds::build(place, "mutants", &[], Some("-Awarnings")).join("debug/wsctl");
    tool(&["cp", text(&built), text(place)]);
    place.join("wsctl")
}

#[test]
fn without_any_one_of_its_safeguards_the_program_fails_a_schedule() {
    needs!("strace");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutant");
    for (name, changes) in MUTANTS {
        println!("building {name}"); // shown where it fails
        let binary = build(changes, &place);
        let schedules: Vec<_> = writers(&binary).into_iter().chain(touches(&binary)).collect();
        let failure = first_failure(4, &schedules, |schedule| schedule.play(&binary));
        println!("{name}: {}", failure.expect("a schedule that notices"));
    }
}
