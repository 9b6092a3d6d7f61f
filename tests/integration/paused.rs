//! Runs that strace watches, or stops at a system call: the program that is shipped needs no code for that.

use crate::tools::{text, tool, wait_until};
use crate::world::{Ran, Run, World};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs to its end under strace, and gives its log beside what the run came to. File descriptors are shown with their paths.
pub fn straced(world: &World, run: Run<'_>, calls: &str) -> (Ran, Vec<String>) {
    let log = world.path("strace");
    let ran = run.through(["strace", "-f", "-y", "-o", text(&log), "-e", &format!("trace={calls}")]).run();
    (ran, lines(&log))
}

fn lines(log: &Path) -> Vec<String> {
    fs::read_to_string(log).expect("a log").lines().map(str::to_owned).collect()
}

#[derive(Debug, Clone)]
pub struct Call {
    pub name: String,
    /// Its number among those of its name in its thread, from 1, as strace counts them.
    pub nth: usize,
    pub line: String,
}

pub fn calls(log: &str) -> Vec<Call> {
    let mut counts = HashMap::new();
    let call = |line: &str| {
        let (process, rest) = line.split_once(' ')?;
        let (name, _) = rest.trim_start().split_once('(').filter(|(name, _)| !name.contains(['<', ' ']))?;
        let nth = counts.entry((process.to_owned(), name.to_owned())).or_insert(0);
        *nth += 1;
        Some(Call { name: name.to_owned(), nth: *nth, line: line.to_owned() })
    };
    log.lines().filter_map(call).collect()
}

/// A run that is paused (it is stopped by SIGSTOP) right after a system call, until [`Paused::go_on`].
pub struct Paused {
    child: Option<Child>,
    pid: String,
    log: PathBuf,
}

impl Paused {
    /// Begins the run, and returns once it is paused after the first of these calls, or after the first on `path`.
    #[track_caller]
    pub fn after(world: &World, call: &str, path: Option<&Path>, run: Run<'_>) -> Self {
        Self::lacking(world, &path.map_or(vec![], |path| vec!["-P", text(path)]), call, run)
    }

    /// The same on a kernel that lacks something: with these further options of strace.
    #[track_caller]
    pub fn lacking(world: &World, what: &[&str], call: &str, run: Run<'_>) -> Self {
        Self::begin(world, what, (call, 1), run).unwrap_or_else(|ran| panic!("it was never paused: {ran:#?}"))
    }

    /// The same after the nth of these calls, counted from 1; if the run ends before, that is what it came to.
    #[track_caller]
    pub fn try_after(world: &World, call: (&str, usize), run: Run<'_>) -> Result<Self, Ran> {
        Self::begin(world, &[], call, run)
    }

    #[track_caller]
    fn begin(world: &World, options: &[&str], (call, nth): (&str, usize), run: Run<'_>) -> Result<Self, Ran> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let log = world.path(&format!("paused.{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let inject = format!("inject={call}:signal=SIGSTOP:when={nth}");
        let mut child = run.through([&["strace", "-f", "-o", text(&log), "-e", &inject], options].concat()).begin();
        child.stdin = None;
        let (mut paused, mut has_ended) = (Self { child: Some(child), pid: String::new(), log }, false);
        wait_until("it is paused or ends", || {
            let written = fs::read_to_string(&paused.log).unwrap_or_default();
            let stop = written.lines().find(|line| line.contains("--- stopped by SIGSTOP ---"));
            paused.pid = stop.and_then(|line| line.split_whitespace().next()).unwrap_or_default().into();
            has_ended = written.contains("+++ exited");
            stop.is_some() || has_ended
        });
        if paused.pid.is_empty() { Err(paused.end()) } else { Ok(paused) }
    }

    fn end(mut self) -> Ran {
        let child = self.child.take().expect("a process");
        Ran::new(child.wait_with_output().expect("its output"))
    }

    /// Sends it a signal, which it gets when it goes on.
    pub fn signal(&self, signal: &str) {
        tool(&["kill", &format!("-{signal}"), &self.pid]);
    }

    pub fn go_on(self) -> Ran {
        self.signal("CONT");
        self.end()
    }

    pub fn go_on_logged(self) -> (Ran, Vec<String>) {
        let log = self.log.clone();
        (self.go_on(), lines(&log))
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            if !self.pid.is_empty() {
                let _ = Command::new("kill").args(["-9", &self.pid]).status();
            }
            let _ = (child.kill(), child.wait());
        }
    }
}
