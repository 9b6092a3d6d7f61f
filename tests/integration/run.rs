//! A run of the program, and what it came to. Of the environment it inherits nothing but `PATH`.

use crate::foreign_bytes::properties::is_dangerous;
use crate::tools::text;
use crate::world::{AS_ORDINARY_USER, World, ids_in, sorted};
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once, mpsc};
use std::thread;
use std::time::Duration;

/// Longer than any run takes, also on a machine that is busy with other things: what hangs, hangs for ever.
pub const TOO_LONG: Duration = Duration::from_secs(1200);

#[must_use]
pub struct Run<'a> {
    world: &'a World,
    args: Vec<OsString>,
    stdin: Vec<u8>,
    env: Vec<(OsString, OsString)>,
    user: &'static [&'static str],
    wrapper: Vec<OsString>,
}

impl World {
    /// Begins a run that knows of no base but what its arguments say.
    pub fn bare<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Run<'_> {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        Run { world: self, args, stdin: Vec::new(), env: Vec::new(), user: &[], wrapper: Vec::new() }
    }
}

impl Run<'_> {
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// As the ordinary user. The caller must be root (see [`is_root`]).
    pub fn by_ordinary_user(mut self) -> Self {
        self.user = &AS_ORDINARY_USER;
        self
    }

    /// Through another command that gets the program and its arguments as its last ones.
    pub fn through<I: AsRef<OsStr>>(mut self, wrapper: impl IntoIterator<Item = I>) -> Self {
        self.wrapper = wrapper.into_iter().map(|word| word.as_ref().to_owned()).collect();
        self
    }

    /// Through a shell that runs this, in which the program and its arguments are `"$@"`.
    pub fn through_sh(self, script: &str) -> Self {
        self.through(["sh", "-c", script, "sh"])
    }

    /// Through strace, which does this to its system calls: `renameat2:error=ENOSPC`, say.
    pub fn injecting<'b>(self, injections: impl IntoIterator<Item = &'b str>) -> Self {
        let injections = injections.into_iter().map(|it| format!("--inject={it}"));
        self.through(["strace", "-f", "-o/dev/null"].map(str::to_owned).into_iter().chain(injections))
    }

    /// The same to those calls alone that have to do with this path.
    pub fn injecting_at(self, path: &Path, injection: &str) -> Self {
        self.through(["strace", "-f", "-o/dev/null", "-P", text(path), &format!("--inject={injection}")])
    }

    /// The command, for tests that need more of it than [`Run::run`] gives.
    pub fn command(&self) -> Command {
        take_signals();
        let is_other = !self.user.is_empty();
        let binary = if is_other { self.world.binary_for_everybody() } else { self.world.binary.clone() };
        let user = self.user.iter().map(OsString::from).chain([binary.into()]);
        let words: Vec<_> = self.wrapper.iter().cloned().chain(user).chain(self.args.iter().cloned()).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.world.path("home"));
        command.env("TERM", "xterm");
        command.envs(self.env.iter().map(|(name, value)| (name, value))).current_dir(self.world.path(""));
        command
    }

    pub fn begin(&self) -> Child {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    #[must_use]
    pub fn run(self) -> Ran {
        let mut child = self.begin();
        let (mut input, bytes) = (child.stdin.take().expect("stdin"), self.stdin);
        thread::spawn(move || input.write_all(&bytes)); // it may end without reading all of it
        finish(child, &self.args)
    }
}

/// Makes what this process starts take these signals, also where a shell in the background or nohup(1) has ignored one: a signal that
/// is caught here has its default action in a new program. Here, too, each ends the process.
fn take_signals() {
    static TAKEN: Once = Once::new();
    TAKEN.call_once(|| {
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            let always = Arc::new(AtomicBool::new(true));
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, always).expect("a handler");
        }
    });
}

/// Waits for a process to end, but not for ever: one that hangs is killed, and the test fails.
#[must_use]
pub fn finish(child: Child, what: &dyn Debug) -> Ran {
    let (pid, (ended, end)) = (child.id(), mpsc::channel());
    thread::spawn(move || ended.send(child.wait_with_output()));
    let Ok(output) = end.recv_timeout(TOO_LONG) else {
        let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        panic!("it hangs: {what:?}");
    };
    Ran::new(output.expect("its output"))
}

#[derive(Debug)]
pub struct Ran {
    /// The exit status; a death by signal is 128 and its number, as in a shell.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn new(output: Output) -> Self {
        let status = output.status.code().or_else(|| output.status.signal().map(|signal| 128 + signal));
        Self {
            status: status.expect("a status"),
            stdout: String::from_utf8(output.stdout).expect("stdout in UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr in UTF-8"),
        }
    }

    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    #[track_caller]
    pub fn prints(self, stdout: &str) -> Self {
        assert_eq!(self.stdout, stdout, "{self:#?}");
        self
    }

    #[track_caller]
    pub fn quietly(self) -> Self {
        assert_eq!(self.stderr, "", "{self:#?}");
        self
    }

    /// Asserts that stderr is a single line that contains `part`.
    #[track_caller]
    pub fn complains(self, part: &str) -> Self {
        assert!(self.stderr.lines().count() == 1 && self.stderr.contains(part), "one line with {part:?}: {self:#?}");
        self
    }

    #[track_caller]
    pub fn mentions(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "{part:?}: {self:#?}");
        self
    }

    /// Asserts that nothing was said of a defect, and that nothing that could drive a terminal was printed.
    #[track_caller]
    pub fn sanely(self) -> Self {
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("a bug in wsctl"), "{self:#?}");
        let dangerous = |c| is_dangerous(c) && c != '\n';
        assert!(!self.stderr.contains(dangerous) && !self.stdout.contains(dangerous), "{self:#?}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Asserts that just this workspace is busy, by a warning and in the JSON report, which it gives, and that nothing else failed.
    #[track_caller]
    pub fn finds_busy(self, id: &str) -> Value {
        let report = self.exits(75).complains("warning[busy]: ").json();
        assert_eq!(ids_in(&report["failed"]), [id], "{report:#}");
        assert_eq!(report["failed"][0]["category"], "busy", "{report:#}");
        report
    }

    /// Asserts that a prune went well and that just these were pruned. Gives the report.
    #[track_caller]
    pub fn pruned<I: AsRef<str>>(self, ids: impl IntoIterator<Item = I>) -> Value {
        let report = self.exits(0).quietly().json();
        assert_eq!((ids_in(&report["pruned"]), ids_in(&report["failed"])), (sorted(ids), vec![]), "{report:#}");
        report
    }

    pub fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}
