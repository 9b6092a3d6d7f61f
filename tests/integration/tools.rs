//! What many tests do beside running the program: call a system tool, age a workspace, look at what a prune left aside.

use crate::run::TOO_LONG;
use crate::world::{World, ago, lines};
use chrono::TimeDelta;
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Runs a system tool and asserts that it succeeds; gives its stdout.
#[track_caller]
pub fn tool(words: &[&str]) -> String {
    let output = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).output().expect("a tool");
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < TOO_LONG, "not so: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Does something with each item, several at a time since it mostly waits, until all are done or one fails. Gives the failure.
pub fn first_failure<T: Sync>(
    at_once: usize,
    items: &[T],
    act: impl Fn(&T) -> Result<(), String> + Sync,
) -> Option<String> {
    let (queue, failure) = (Mutex::new(items.iter()), Mutex::new(None));
    let next = || queue.lock().expect("no panic").next().filter(|_| failure.lock().expect("no panic").is_none());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(item) = next() {
                    act(item).unwrap_or_else(|why| *failure.lock().expect("no panic") = Some(why));
                }
            });
        }
    });
    failure.into_inner().expect("no panic")
}

/// A path in this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Asserts that a file that is generated is the committed one; `UPDATE=1` writes it anew.
#[track_caller]
pub fn assert_committed(path: &str, generated: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(repository(path), generated).expect("a generated file");
    }
    let committed = fs::read_to_string(repository(path)).unwrap_or_default();
    assert!(committed == generated, "{path} is out of date: UPDATE=1 cargo test writes this:\n{generated}");
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

pub fn du(path: &Path) -> u64 {
    let output = tool(&["du", "-s", "-x", "-B1", text(path)]);
    output.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}

/// What is in a tree: paths relative to it, types, modes, inodes and contents. Unlike a snapshot it is the same after a move.
pub fn tree(root: &Path) -> Vec<String> {
    lines(root, |_, stat| stat.ino().to_string())
}

/// Sets the modification time of everything in a workspace, and of itself.
pub fn modify(world: &World, id: &str, days_ago: u64) {
    let time = SystemTime::now() - Duration::from_secs(days_ago * 86_400);
    for entry in walkdir::WalkDir::new(world.dir_of(id)).contents_first(true) {
        fs::File::open(entry.expect("an entry").path()).and_then(|file| file.set_modified(time)).expect("its time");
    }
}

pub fn trash(world: &World) -> Vec<String> {
    world.names().into_iter().filter(|name| name.starts_with(".wsctl-")).collect()
}

/// Moves a workspace to where a prune that was killed then would have left it, and gives its new name.
pub fn set_aside(world: &World, stage: &str, id: &str) -> String {
    let name = format!(".wsctl-{stage}.{id}.{:016x}", trash(world).len());
    fs::rename(world.dir_of(id), world.base().join(&name)).expect("a rename");
    name
}

/// The one name that a prune has taken aside.
#[track_caller]
pub fn the_trash(world: &World) -> String {
    let [name] = &trash(world)[..] else { panic!("{:?}", world.names()) };
    name.clone()
}

/// Each ID in a report's `pruned` with the rule that chose it, in the report's order.
pub fn rules(report: &Value) -> Vec<(&str, &str)> {
    let pruned = report["pruned"].as_array().expect("an array").iter();
    pruned.map(|item| (item["id"].as_str().expect("an ID"), item["rule"].as_str().expect("a rule"))).collect()
}

/// Replaces a metadata file as the application does.
pub fn rewrite(dir: &Path, content: &str) {
    let temporary = dir.join(".metadata.tmp.k3x9.json");
    fs::write(&temporary, content).expect("a temporary file");
    fs::rename(temporary, dir.join(".metadata.json")).expect("a rename");
}

/// An access by the application, now.
pub fn access(dir: &Path) {
    rewrite(dir, &format!("{{\n  \"last_accessed\": \"{}\"\n}}", ago(TimeDelta::zero())));
}

/// A directory beside the base with a file in a directory, and all that is to stay of it.
pub fn outside(world: &World) -> (PathBuf, Vec<String>) {
    let outside = world.path("outside");
    fs::create_dir_all(outside.join("dir")).expect("directories");
    fs::write(outside.join("dir/precious"), "precious").expect("a file");
    let before = tree(&outside);
    (outside, before)
}

/// A process that holds a lease on a file, and does not give it up until it is dropped.
pub struct Lease(Child);

impl Lease {
    /// Takes it. The caller needs python3.
    pub fn on(file: &Path) -> Self {
        // A lease that somebody would break sends SIGIO, which kills unless it is ignored.
        const HOLD: &str = "import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
fcntl.fcntl(os.open(sys.argv[1], os.O_RDWR), fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('held', flush=True)
sys.stdin.read()";
        let mut python = Command::new("python3");
        python.args(["-c", HOLD, text(file)]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = python.spawn().expect("python3");
        holder.stdout.as_mut().expect("stdout").read_exact(&mut [0; 5]).expect("a file system with leases");
        Self(holder)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = (self.0.kill(), self.0.wait());
    }
}
