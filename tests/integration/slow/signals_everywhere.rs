//! SIGINT and SIGTERM are heard in every phase of every subcommand: while it measures, asks, waits for IDs on stdin, removes a
//! huge directory; also as process 1 of a container, whose signals the kernel drops unless they are caught.

use crate::paused::Paused;
use crate::terminal::through_terminal;
use crate::tools::{text, tool, trash, wait_until};
use crate::world::{PRUNE, Ran, Run, World, finish, has, ids_in, is_root};
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::thread;
use std::time::Duration;

/// A signal is heard within a second: what calls take that a run still makes after it, each slowed down by so many microseconds.
/// What a busy machine adds does not count.
const HEARD: usize = 1_000_000;
const SIGNALS: [(&str, i32); 2] = [("TERM", 143), ("INT", 130)];
/// A process 1 with a process table of its own.
const CONTAINER: [&str; 4] = ["unshare", "--pid", "--fork", "--kill-child"];

/// As any process, and as process 1 where that can be had.
fn wrappers() -> Vec<&'static [&'static str]> {
    if is_root() && has("unshare") { vec![&[], &CONTAINER] } else { vec![&[]] }
}

/// A run that is under way.
struct Started {
    child: Child,
    /// The process of the program itself, which a wrapper may have forked.
    pid: String,
    /// Stays open until it has ended.
    stdin: ChildStdin,
    /// Where the calls are logged of which each takes so many microseconds longer.
    slowed: Option<(PathBuf, usize)>,
}

impl Started {
    /// Begins a run through these commands, the last of which becomes the program itself.
    fn new<I: AsRef<OsStr>>(run: Run<'_>, wrapper: impl IntoIterator<Item = I>) -> Self {
        let mut command = run.through(wrapper).command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        let (stdin, mut pid) = (child.stdin.take().expect("stdin"), child.id().to_string());
        wait_until("the program is not run", || {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            if name == "unshare\n" {
                let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
                if let Some(child) = children.split_whitespace().next() {
                    child.clone_into(&mut pid);
                }
            }
            name == "wsctl\n"
        });
        Self { child, pid, stdin, slowed: None }
    }

    /// Begins a run of which each of these system calls takes so many microseconds longer, and lets it get to the nth.
    fn slowed(world: &World, run: Run<'_>, (calls, delay, nth): (&str, usize, usize), wrapper: &[&str]) -> Self {
        let log = world.path("slowed");
        let _ = fs::remove_file(&log);
        let inject = format!("inject={calls}:delay_enter={delay}");
        let trace = format!("trace={calls}");
        // With `-D` the program is our own child, and gets the signal itself.
        let strace = ["strace", "-D", "-f", "-qq", "-o", text(&log), "-e", &trace, "-e", &inject];
        let started = Self { slowed: Some((log.clone(), delay)), ..Self::new(run, [wrapper, &strace].concat()) };
        wait_until("it does not get there", || fs::read_to_string(&log).is_ok_and(|log| log.lines().count() > nth));
        started
    }

    /// Sends a signal, and asserts that the run ends soon.
    #[track_caller]
    fn ends_at(self, signal: &str) -> Ran {
        tool(&["kill", &format!("-{signal}"), &self.pid]);
        let ran = finish(self.child, &signal).sanely();
        drop(self.stdin);
        if let Some((log, delay)) = self.slowed {
            let log = fs::read_to_string(log).expect("a log");
            let (_, after) = log.split_once(&format!("--- SIG{signal} ")).expect("the signal");
            let calls = after.lines().filter(|line| line.contains('(')).count();
            assert!(calls * delay < HEARD, "SIG{signal} was heard after {calls} calls: {ran:#?}");
        }
        ran
    }
}

/// What is done for each file and directory, by whichever call; it takes 3 ms. The 60th is in the reading of the base, the 400th
/// in the measuring.
const LOOKS: (&str, usize) = ("newfstatat,statx,openat2,openat", 3000);
/// A removal of 100,000 files takes half a minute.
const REMOVALS: (&str, usize, usize) = ("unlinkat", 300, 50);

#[test]
fn a_signal_ends_prune_and_list_while_they_read_or_measure_also_as_process_1_and_nothing_is_deleted() {
    needs!("strace");
    let world = World::new();
    for _ in 0..60 {
        let workspace = world.workspace().days_ago(40);
        let _ = (0..40).fold(workspace, |workspace, file| workspace.file(&format!("data/{file}"), b"")).make();
    }
    tool(&["find", text(&world.base()), "-depth", "-exec", "touch", "-d", "40 days ago", "{}", "+"]);
    let before = world.snapshot();
    for args in [&[&PRUNE[..], &["--use-mtime"]].concat()[..], &["list", "-s"]] {
        for wrapper in wrappers() {
            for (nth, (signal, status)) in [60, 400].into_iter().zip(SIGNALS) {
                let point = (LOOKS.0, LOOKS.1, nth);
                let _ = Started::slowed(&world, world.wsctl(args), point, wrapper).ends_at(signal).exits(status);
                assert_eq!(world.snapshot(), before, "{args:?}");
            }
        }
    }
}

#[test]
fn a_signal_ends_what_waits_for_ids_on_stdin_also_as_process_1() {
    let world = World::new();
    world.aged(40);
    let before = world.snapshot();
    for wrapper in wrappers() {
        for args in [&["touch", "-"][..], &["prune", "-y", "-"], &["validate", "-"]] {
            for (signal, status) in SIGNALS {
                let started = Started::new(world.wsctl(args), wrapper);
                wait_until("it does not wait", || {
                    let stat = fs::read_to_string(format!("/proc/{}/stat", started.pid)).unwrap_or_default();
                    thread::sleep(Duration::from_millis(100));
                    stat.contains(" S ")
                });
                let _ = started.ends_at(signal).exits(status).prints("");
                assert_eq!(world.snapshot(), before);
            }
        }
    }
}

#[test]
fn sigterm_at_the_question_ends_at_once_and_deletes_nothing() {
    needs!("python3");
    let world = World::new();
    world.aged(30);
    let before = world.snapshot();
    let later = ["sh", "-c", "(sleep 2; kill -TERM $$) & exec \"$@\"", "sh"];
    let ran = through_terminal(100, world.wsctl(["prune", "--older-than", "7d"]), ("never", ""), &later).exits(143);
    assert!(ran.stdout.contains("[y/N]") && !ran.stdout.contains("refused"), "{ran:#?}");
    assert_eq!(world.snapshot(), before);
}

/// A world in memory with a stale workspace of 100,000 files.
fn wide_world() -> (World, String) {
    let world = World::in_memory();
    let id = world.workspace().days_ago(40).file("wide/0", b"").make();
    let wide = world.dir_of(&id).join("wide");
    (1..100_000).for_each(|number| drop(fs::File::create(wide.join(number.to_string())).expect("a file")));
    (world, id)
}

#[test]
fn after_a_signal_a_huge_directory_is_reported_as_busy_and_the_next_prune_finishes_it() {
    needs!("strace");
    let (world, id) = wide_world();
    for (signal, status) in SIGNALS {
        let started = Started::slowed(&world, world.prune(&[]), REMOVALS, &[]);
        let ran = started.ends_at(signal).exits(status).mentions("warning[busy]: ").mentions(&id);
        let report = ran.json();
        assert_eq!((ids_in(&report["pruned"]), ids_in(&report["failed"])), (vec![], vec![id.clone()]));
        assert_eq!(report["failed"][0]["category"], "busy");
        assert!(matches!(&trash(&world)[..], [left] if left.starts_with(".wsctl-doomed.")), "{:?}", world.names());
    }
    assert_eq!(world.prune(&[]).run().pruned([id])["pruned"][0]["rule"], "leftover");
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn a_second_signal_ends_prune_at_once() {
    needs!("strace");
    let (world, id) = wide_world();
    let paused = Paused::after(&world, "unlinkat", None, world.prune(&[]));
    paused.signal("TERM");
    paused.signal("INT");
    let ran = paused.go_on().prints("");
    assert!([130, 143].contains(&ran.status), "{ran:#?}");
    world.prune(&[]).run().pruned([id]);
}

#[test]
fn a_signal_that_was_ignored_from_the_start_stays_ignored() {
    needs!("strace");
    for (signal, _) in SIGNALS {
        let world = World::new();
        let ids: Vec<_> = (0..40).map(|_| world.aged(40)).collect();
        let ignore = ["env", &format!("--ignore-signal={signal}")];
        let paused = Paused::lacking(&world, &ignore, "renameat2", None, world.prune(&[]));
        paused.signal(signal);
        paused.go_on().pruned(ids);
        assert_eq!(world.names(), [""; 0], "SIG{signal}");
    }
}

/// The calls of a removal. On slow storage, each takes 3 ms.
const REMOVAL: &str = "unlinkat,statx,newfstatat,renameat2,openat2,getdents64,fsync";

#[test]
fn a_signal_is_heard_within_a_second_while_slow_storage_removes_many_workspaces() {
    needs!("strace");
    for (files, nth, (signal, status)) in [(50, 600, SIGNALS[0]), (2, 3000, SIGNALS[1])] {
        let world = World::in_memory();
        for _ in 0..200 {
            let workspace = world.workspace().days_ago(40);
            let _ = (0..files).fold(workspace, |made, file| made.file(&format!("data/{file}"), b"")).make();
        }
        let ran = Started::slowed(&world, world.prune(&[]), (REMOVAL, 3000, nth), &[]).ends_at(signal).exits(status);
        let (report, left) = (ran.json(), world.names().len() as u64);
        assert!(report["pruned"].as_array().is_some_and(|pruned| !pruned.is_empty()), "{report}");
        let failed = report["failed"].as_array().map_or(0, Vec::len) as u64;
        assert_eq!(report["kept"].as_u64(), Some(left - failed), "{report}");
    }
}
