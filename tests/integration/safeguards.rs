//! What `prune` and `touch` do only because of a race, and what the program is without it. `slow/mutants.rs` builds each of these
//! programs, and a schedule must fail.
//!
//! A safeguard is named by its text in the source, in which white space does not count. Where that text is no longer there, the
//! quick test here says which safeguard is looked for, and where.

use std::fs;
use std::path::Path;

/// A program without one of its safeguards.
pub struct Mutant {
    pub name: &'static str,
    changes: &'static [Change],
}

/// The file in which a safeguard is, the safeguard, and what is in its place in the mutant.
type Change = (&'static str, &'static str, &'static str);

/// Where the safeguards are.
const CLAIM: &str = "commands/prune/claim.rs";
const LOOK: &str = "commands/prune/look.rs";

const NO_LAST_LOOK: Change = (
    CLAIM,
    "check_unchanged(found, decided_on, last, || read(&dir, METADATA, scratch)).map_err(put_back)?;",
    "let _ = last;",
);
const NO_SWEEP: Change = (LOOK, "if is_temporary(name.to_bytes())", "if name.to_bytes().len() > 500");

/// CONTRIBUTING.md: a safeguard has a mutant.
pub const MUTANTS: [Mutant; 9] = [
    Mutant { name: "without the last look", changes: &[NO_LAST_LOOK] },
    Mutant {
        name: "without any look",
        changes: &[
            NO_LAST_LOOK,
            (
                CLAIM,
                "check_unchanged(found, decided_on, look_inside()?, || read(&dir, METADATA, scratch)).map_err(put_back)?;",
                "",
            ),
        ],
    },
    Mutant { name: "with one look only, and nothing swept", changes: &[NO_LAST_LOOK, NO_SWEEP] },
    Mutant { name: "with two looks, but nothing swept between them", changes: &[NO_SWEEP] },
    Mutant {
        name: "with a listing in which nothing is seen to wait",
        changes: &[(CLAIM, ".any(|name| is_temporary(", ".any(|name| false && is_temporary(")],
    },
    Mutant {
        name: "with a put-back that overwrites",
        changes: &[(
            CLAIM,
            "base.dir().rename_new(&*name.to_string(), name.id.encode",
            "base.dir().rename(&*name.to_string(), name.id.encode",
        )],
    },
    Mutant {
        name: "with unlinks before the sync",
        changes: &[("commands/prune/carry_out.rs", "base.sync().and_then(|()| base.stat_self())", "base.stat_self()")],
    },
    Mutant {
        name: "without touch's look at where its directory is",
        changes: &[(
            "core/rewrite.rs",
            "Some(Ok(false)) => Err(Error::new(Category::Busy, \"its directory was moved or removed meanwhile\")),",
            "Some(Ok(false)) => rewritten,",
        )],
    },
    Mutant {
        name: "without touch's look at the file before its rename",
        changes: &[(
            "core/rewrite.rs",
            "Ok(stat) if Signature::from(&stat) == Signature::from(&read.stat) => {}",
            "Ok(stat) if stat.inode > 0 || Signature::from(&stat) == Signature::from(&read.stat) => {}",
        )],
    },
];

impl Mutant {
    /// Takes the safeguard out of the sources in this directory.
    ///
    /// # Errors
    /// What no longer fits, and what to do about it.
    pub fn apply(&self, src: &Path) -> Result<(), String> {
        for (file, safeguard, instead) in self.changes {
            let text = fs::read_to_string(src.join(file))
                .map_err(|error| self.does_not_fit(file, safeguard, &error.to_string()))?;
            let places = places(&text, safeguard);
            let [(from, to)] = places[..] else {
                return Err(self.does_not_fit(file, safeguard, &format!("it is there {} times", places.len())));
            };
            fs::write(src.join(file), [&text[..from], instead, &text[to..]].concat())
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn does_not_fit(&self, file: &str, safeguard: &str, why: &str) -> String {
        format!(
            "The mutant {:?} looks for this safeguard in src/{file}, exactly once, but {why}:\n\n    {safeguard}\n\n\
             If the code was only reworded, change the text in tests/integration/safeguards.rs. If the safeguard went, so must \
             the mutant, with the reason in the commit.",
            self.name
        )
    }
}

/// Where a text is in a source, if white space does not count: from which byte to which.
fn places(source: &str, wanted: &str) -> Vec<(usize, usize)> {
    let dense: Vec<(usize, char)> = source.char_indices().filter(|(_, c)| !c.is_whitespace()).collect();
    let wanted: Vec<char> = wanted.chars().filter(|c| !c.is_whitespace()).collect();
    let windows = dense.windows(wanted.len()).filter(|window| window.iter().map(|(_, c)| c).eq(&wanted));
    windows.map(|window| (window[0].0, window[window.len() - 1].0 + window[window.len() - 1].1.len_utf8())).collect()
}

#[test]
fn every_mutant_fits_the_sources() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for mutant in &MUTANTS {
        let copy = tempfile::tempdir().expect("a directory");
        for (file, ..) in mutant.changes {
            let to = copy.path().join(file);
            fs::create_dir_all(to.parent().expect("a parent"))
                .and_then(|()| fs::copy(src.join(file), to))
                .expect("a copy");
        }
        mutant.apply(copy.path()).unwrap_or_else(|why| panic!("{why}"));
    }
}
