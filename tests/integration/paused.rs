//! Runs that strace watches, or stops at a system call: the program that is shipped needs no code for that.

use crate::tools::{text, tool};
use crate::world::{Ran, Run, World};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Runs to its end under strace, and gives its log beside what the run came to. File descriptors are shown with their paths.
pub fn straced(world: &World, run: Run<'_>, calls: &str) -> (Ran, Vec<String>) {
    let log = world.path("strace");
    let ran = run.through(["strace", "-f", "-y", "-o", text(&log), "-e", &format!("trace={calls}")]).run();
    let lines = fs::read_to_string(log).expect("a log").lines().map(str::to_owned).collect();
    (ran, lines)
}

/// A run that stands still (it is stopped by SIGSTOP) right after a system call, until [`Standing::go_on`].
pub struct Standing {
    child: Option<Child>,
    pid: String,
}

impl Standing {
    /// Begins the run, and returns once it stands still after the first of these calls; with `path`, after the first that
    /// has to do with that path.
    #[track_caller]
    pub fn after(world: &World, call: &str, path: Option<&Path>, run: Run<'_>) -> Self {
        Self::lacking(world, &[], call, path, run)
    }

    /// The same on a kernel that lacks something: with these further options of strace.
    #[track_caller]
    pub fn lacking(world: &World, what: &[&str], call: &str, path: Option<&Path>, run: Run<'_>) -> Self {
        Self::begin(world, what, (call, 1), path, run).unwrap_or_else(|ran| panic!("it never stood still: {ran:#?}"))
    }

    /// The same after the nth of these calls, counted from 1.
    #[track_caller]
    pub fn after_nth(world: &World, point: (&str, usize), path: Option<&Path>, run: Run<'_>) -> Self {
        Self::begin(world, &[], point, path, run).unwrap_or_else(|ran| panic!("it never stood still: {ran:#?}"))
    }

    /// The same; if it comes to its end before, that is what it came to.
    #[track_caller]
    pub fn try_after(world: &World, point: (&str, usize), run: Run<'_>) -> Result<Self, Ran> {
        Self::begin(world, &[], point, None, run)
    }

    #[track_caller]
    fn begin(
        world: &World,
        lacking: &[&str],
        (call, nth): (&str, usize),
        path: Option<&Path>,
        run: Run<'_>,
    ) -> Result<Self, Ran> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let log = world.path(&format!("standing.{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let inject = format!("inject={call}:signal=SIGSTOP:when={nth}");
        let mut strace = vec!["strace", "-f", "-o", text(&log), "-e", &inject];
        strace.extend(lacking);
        strace.extend(path.iter().flat_map(|path| ["-P", text(path)]));
        let mut command = run.through(strace).command();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("strace");
        let mut standing = Self { child: Some(child), pid: String::new() };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            let written = fs::read_to_string(&log).unwrap_or_default();
            if let Some(line) = written.lines().find(|line| line.contains("--- stopped by SIGSTOP ---")) {
                line.split_whitespace().next().expect("a process").clone_into(&mut standing.pid);
                return Ok(standing);
            }
            if written.contains("+++ exited") {
                let child = standing.child.take().expect("a process");
                return Err(Ran::new(child.wait_with_output().expect("its output")));
            }
            thread::sleep(Duration::from_millis(3));
        }
        panic!("it does not get to {call}");
    }

    /// Sends it a signal, which it gets when it goes on.
    pub fn signal(&self, signal: &str) {
        tool(&["kill", &format!("-{signal}"), &self.pid]);
    }

    /// Lets it run to its end.
    pub fn go_on(mut self) -> Ran {
        self.signal("CONT");
        let child = self.child.take().expect("a process");
        Ran::new(child.wait_with_output().expect("its output"))
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            if !self.pid.is_empty() {
                let _ = Command::new("kill").args(["-9", &self.pid]).status();
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
