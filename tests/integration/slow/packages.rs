//! The package for Debian, installed into a root of its own. The static build is run in `containers.rs`.

use crate::builds;
use crate::tools::{text, tool};
use crate::world::{World, has};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the package must contain.
const FILES: &str =
    "usr/bin/wsctl usr/lib/systemd/system/wsctl-prune@.service usr/lib/systemd/system/wsctl-prune@.timer
    usr/share/bash-completion/completions/wsctl usr/share/fish/vendor_completions.d/wsctl.fish
    usr/share/zsh/vendor-completions/_wsctl usr/share/doc/wsctl/changelog.Debian.gz usr/share/doc/wsctl/changelog.gz
    usr/share/doc/wsctl/copyright usr/share/doc/wsctl/examples/wsctl-prune.cron usr/share/man/man1/wsctl-prune.1.gz
    usr/share/man/man1/wsctl.1.gz usr/share/wsctl/schema/list-row.schema.json usr/share/wsctl/schema/list.schema.json
    usr/share/wsctl/schema/prune.schema.json usr/share/wsctl/schema/validate.schema.json";

/// Where cargo has the release build.
fn target() -> PathBuf {
    builds::release().ancestors().nth(2).expect("a target directory").to_owned()
}

/// A cargo that fetches nothing and uses the release build that is there.
fn cargo(words: &[&str]) {
    let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    cargo.args(words).env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true");
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The package, made once.
static PACKAGE: LazyLock<PathBuf> = LazyLock::new(|| {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wsctl.deb");
    cargo(&["deb", "--no-build", "--no-strip", "--output", text(&package)]);
    package
});

/// A root with nothing in it but what dpkg knows of what the package depends on.
fn root(world: &World) -> PathBuf {
    let (root, dpkg) = (world.path("root"), world.path("root/var/lib/dpkg"));
    fs::create_dir_all(dpkg.join("info")).expect("a directory");
    fs::create_dir_all(dpkg.join("updates")).expect("a directory");
    let depends = tool(&["dpkg-deb", "--field", text(&PACKAGE), "Depends"]);
    let mut status = String::new();
    for package in depends.trim().split(", ").map(|package| package.split(' ').next().expect("a name")) {
        status += &(tool(&["dpkg-query", "--status", package]) + "\n");
    }
    fs::write(dpkg.join("status"), status).expect("a status");
    root
}

/// The files in a root, but for what dpkg knows of them.
fn files(root: &Path) -> Vec<String> {
    let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(|entry| entry.expect("an entry"));
    let files =
        entries.filter(|entry| !entry.file_type().is_dir() && !entry.path().starts_with(root.join("var/lib/dpkg")));
    files.map(|entry| text(entry.path().strip_prefix(root).expect("below the root")).to_owned()).collect()
}

#[test]
fn lintian_finds_nothing_in_the_package() {
    if has("cargo-deb") && has("lintian") {
        assert_eq!(tool(&["lintian", "--allow-root", "--fail-on=error,warning", text(&PACKAGE)]), "");
    }
}

#[test]
fn the_package_installs_into_a_root_where_nothing_is_enabled_runs_and_is_removed_without_a_trace() {
    needs!("root", "cargo-deb", "dpkg");
    let world = World::new();
    let root = root(&world);
    let dpkg = |words: &[&str]| {
        let log = format!("--log={}", text(&world.path("log")));
        tool(&[&["dpkg", "--root", text(&root), &log], words].concat())
    };
    dpkg(&["--install", text(&PACKAGE)]);
    let installed = files(&root);
    for file in FILES.split_whitespace() {
        assert!(installed.iter().any(|installed| installed == file), "{file} is not in {installed:#?}");
    }
    let elsewhere: Vec<_> = installed.iter().filter(|file| !file.starts_with("usr/")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert_eq!(tool(&[text(&root.join("usr/bin/wsctl")), "--version"]), format!("wsctl {VERSION}\n"));
    dpkg(&["--verify", "wsctl"]);
    dpkg(&["--purge", "wsctl"]);
    assert_eq!(files(&root), Vec::<String>::new());
}

#[test]
fn both_changelogs_and_the_cron_job_name_this_version_and_the_changelogs_the_same_day() {
    let read = |file: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a file");
    let debian = read("dist/debian/changelog");
    assert!(debian.starts_with(&format!("wsctl ({VERSION}-1) ")), "{debian}");
    let signed = debian.lines().find_map(|line| line.strip_prefix(" -- ")?.split_once("  ")).expect("a signature").1;
    let day = chrono::DateTime::parse_from_rfc2822(signed).expect("a time").date_naive();
    let changelog = read("CHANGELOG.md");
    let versions: Vec<_> = changelog.lines().filter_map(|line| line.strip_prefix("## ")).take(2).collect();
    assert_eq!(versions, ["[Unreleased]", &format!("[{VERSION}] - {day}")]);
    assert!(read("dist/kubernetes.yaml").contains(&format!("/wsctl:{VERSION}\n")));
}
