//! Who takes part: wsctl, the floors, and what a user would run instead.

use crate::contest::{BASE, Program};
use crate::floor;
use std::path::{Path, PathBuf};

/// Where the programs are found.
pub(crate) struct Programs {
    itself: String,
    against: Option<String>,
    missing: Vec<&'static str>,
}

/// What a user would run instead: its name, the programs that it needs, and its arguments.
type Peer<'a> = (&'a str, &'a [&'static str], &'a [&'a str]);

impl Programs {
    pub(crate) fn new(itself: PathBuf, against: Option<&PathBuf>) -> Self {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        Self { itself: text(itself), against: against.cloned().map(text), missing: Vec::new() }
    }

    /// The benchmarked wsctl, and after it the one that it is compared with, run each of these ways.
    pub(crate) fn wsctl(&self, ways: &[&[&str]]) -> Vec<Program> {
        let this = [("wsctl", env!("CARGO_BIN_EXE_wsctl"))];
        let other = self.against.as_deref().map(|path| ("other wsctl", path));
        let run = |(name, path): (&str, &str)| {
            let name = name.to_owned();
            let program = move |way: &&[&str]| {
                Program::new(&format!("{name} {}", way.join(" ")), [path, "-b", BASE].iter().chain(*way).copied())
            };
            ways.iter().map(program).collect::<Vec<_>>()
        };
        this.into_iter().chain(other).flat_map(run).collect()
    }

    /// The least that must be done, on so many threads.
    pub(crate) fn floor(&self, what: &str, threads: u32) -> Program {
        let name = format!("floor, {threads} thread{}", if threads == 1 { "" } else { "s" });
        Program::new(&name, [&self.itself, floor::WORD, what, &threads.to_string(), BASE])
    }

    /// A process of the same kind that does nothing: started by the same loader, with the same runtime.
    pub(crate) fn nothing(&self) -> Program {
        Program::new("a process that does nothing", [&self.itself, floor::WORD, "start"])
    }

    /// Those of the peers that are installed; of the others it is said, once, that they are left out.
    pub(crate) fn installed(&mut self, peers: &[Peer<'_>]) -> Vec<Program> {
        let mut programs = Vec::new();
        for (name, needs, arguments) in peers {
            match needs.iter().find(|need| !is_installed(need)) {
                None => programs.push(Program::new(name, arguments.iter().copied())),
                Some(need) if self.missing.contains(need) => {}
                Some(need) => {
                    println!("{name} is left out: {need} is not installed\n");
                    self.missing.push(need);
                }
            }
        }
        programs
    }

    pub(crate) fn listers(&mut self) -> Vec<Program> {
        let script = r#"find "$0" -maxdepth 2 -name .metadata.json -print0 | xargs -0 jq -r .last_accessed"#;
        self.installed(&[("find \\| xargs jq", &["find", "xargs", "jq"], &["sh", "-c", script, BASE])])
    }

    pub(crate) fn adders(&mut self) -> Vec<Program> {
        self.installed(&[("du -s", &["du"], &["du", "-s", BASE])])
    }

    pub(crate) fn removers(&mut self) -> Vec<Program> {
        self.installed(&[
            ("rm -rf", &["rm"], &["rm", "-rf", BASE]),
            ("find -delete", &["find"], &["find", BASE, "-delete"]),
            ("rmz", &["rmz"], &["rmz", BASE]),
        ])
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| Path::new(&dir).join(program).is_file())
}
