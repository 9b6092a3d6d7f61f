//! What a test needs of the machine. Where that is missing it is skipped, loudly; in CI nothing may be missing.

use std::io::Write;
use std::thread;

/// Ends the test, loudly, where one of these is missing: `root`, a program, or a file.
macro_rules! needs {
    ($($what:literal),+) => {
        if !$crate::needs::all(&[$($what),+]) {
            return;
        }
    };
}

/// Whether all of these are there: `root`, programs, files; as loud as [`is_root`].
pub fn all(what: &[&str]) -> bool {
    what.iter().all(|what| if *what == "root" { is_root() } else { has(what) })
}

/// Whether the tests run as root. Says so loudly where a test must be skipped, and fails in CI, where none may be.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root() || skip("root")
}

/// Whether a program is in `PATH`, or there is a file of this absolute path; as loud as [`is_root`].
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).exists()) || skip(program)
}

/// Says that a test is skipped for want of something.
pub fn skip(what: &str) -> bool {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var_os("CI").is_none(), "{test} needs {what}, which .ci/run must provide");
    let line = format!("\n*** SKIPPED: {test} needs {what}\n");
    let _ = std::io::stderr().write_all(line.as_bytes()); // not captured by the test runner
    false
}
