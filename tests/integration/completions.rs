//! The committed completions are those of the program's own command line. `UPDATE=1 cargo test` writes them anew.

use clap_complete::{Shell, generate};
use std::fs;
use std::path::Path;

const FILES: [(Shell, &str); 5] = [
    (Shell::Bash, "wsctl.bash"),
    (Shell::Elvish, "wsctl.elv"),
    (Shell::Fish, "wsctl.fish"),
    (Shell::PowerShell, "_wsctl.ps1"),
    (Shell::Zsh, "_wsctl"),
];

#[test]
fn the_committed_completions_are_those_of_the_command_line() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    for (shell, name) in FILES {
        let mut generated = Vec::new();
        generate(shell, &mut wsctl::cli::command(), "wsctl", &mut generated);
        let file = directory.join(name);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&file, &generated).expect("a completion file");
        }
        let committed = fs::read(&file).unwrap_or_default();
        assert!(committed == generated, "completions/{name} is out of date: run UPDATE=1 cargo test completions");
    }
}
