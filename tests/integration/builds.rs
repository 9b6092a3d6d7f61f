//! Other builds of the program, each made offline in a target directory of its own below that of the tests, which stays.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the package at `root` with these further words for cargo. Gives the directory with its profiles.
pub fn build(root: &Path, target: &str, words: &[&str], flags: Option<&str>) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(target);
    let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    cargo.args(["build", "--frozen", "--quiet", "--bin", "wsctl", "--target-dir"]).arg(&target).args(words);
    let output = cargo.envs(flags.map(|flags| ("RUSTFLAGS", flags))).current_dir(root).output().expect("cargo");
    assert!(output.status.success(), "{}: {}", root.display(), String::from_utf8_lossy(&output.stderr));
    target
}

/// The program as it is shipped. Where the tests themselves are a release build, it is the one under test.
pub fn release() -> PathBuf {
    if cfg!(debug_assertions) {
        build(Path::new(env!("CARGO_MANIFEST_DIR")), "release", &["--release"], None).join("release/wsctl")
    } else {
        env!("CARGO_BIN_EXE_wsctl").into()
    }
}
