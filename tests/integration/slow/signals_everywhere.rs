//! SIGINT and SIGTERM are heard in every phase of every subcommand, also as process 1 of a container, whose signals the kernel drops
//! unless they are caught.

use crate::paused::Paused;
use crate::terminal::through_terminal;
use crate::tools::{text, tool, wait_until};
use crate::world::{PRUNE, Ran, Run, World, finish, has, ids_in, is_root};
use std::fs;
use std::process::Child;
use std::thread;
use std::time::Duration;

const SIGNALS: [(&str, i32); 2] = [("TERM", 143), ("INT", 130)];

/// As any process, and as process 1 with a process table of its own where that can be had.
fn wrappers() -> Vec<&'static [&'static str]> {
    let container = &["unshare", "--pid", "--fork", "--kill-child"];
    if is_root() && has("unshare") { vec![&[], container] } else { vec![&[]] }
}

/// Begins a run through these commands. Gives the process of the program, too, which a wrapper may have forked.
fn begin(run: Run<'_>, wrapper: &[&str]) -> (Child, String) {
    let child = run.through(wrapper).begin();
    let mut pid = child.id().to_string();
    wait_until("the program is run", || {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        if name == "unshare\n"
            && let Ok(children) = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
            && let Some(child) = children.split_whitespace().next()
        {
            child.clone_into(&mut pid);
        }
        name == "wsctl\n"
    });
    (child, pid)
}

/// Sends a signal to a run at the nth of these calls, each of which takes so many microseconds longer, and asserts that it ends
/// within a second: what calls take that the run still makes. What a busy machine adds does not count.
#[track_caller]
fn signalled(world: &World, run: Run<'_>, (calls, delay, nth): (&str, usize, usize), by: &[&str], signal: &str) -> Ran {
    let log = world.path("slowed");
    let _ = fs::remove_file(&log);
    let [trace, inject] = [format!("trace={calls}"), format!("inject={calls}:delay_enter={delay}")];
    // With `-D` the program is our own child, and gets the signal itself.
    let strace = ["strace", "-D", "-f", "-qq", "-o", text(&log), "-e", &trace, "-e", &inject];
    let (child, pid) = begin(run, &[by, &strace].concat());
    wait_until("it gets there", || fs::read_to_string(&log).is_ok_and(|log| log.lines().count() > nth));
    tool(&["kill", &format!("-{signal}"), &pid]);
    let ran = finish(child, &signal).sanely();
    let log = fs::read_to_string(log).expect("a log");
    let (_, after) = log.split_once(&format!("--- SIG{signal} ")).expect("the signal");
    let calls = after.lines().filter(|line| line.contains('(')).count();
    assert!(calls * delay < 1_000_000, "SIG{signal} was heard after {calls} calls: {ran:#?}");
    ran
}

/// A world in memory with stale workspaces of so many files each.
fn wide_world(workspaces: usize, files: usize) -> World {
    let world = World::in_memory();
    for _ in 0..workspaces {
        let id = world.workspace().days_ago(40).file("data/0", b"").make();
        let data = world.dir_of(&id).join("data");
        (1..files).for_each(|number| drop(fs::File::create(data.join(number.to_string())).expect("a file")));
    }
    world
}

/// What is done for each file and directory takes 3 ms. The 60th is in the reading of the base, the 400th in the measuring.
#[test]
fn a_signal_ends_prune_and_list_while_they_read_or_measure_also_as_process_1_and_nothing_is_deleted() {
    needs!("strace");
    let world = wide_world(60, 40);
    tool(&["find", text(&world.base()), "-depth", "-exec", "touch", "-d", "40 days ago", "{}", "+"]);
    let before = world.snapshot();
    for args in [&[&PRUNE[..], &["--use-mtime"]].concat()[..], &["list", "-s"]] {
        for wrapper in wrappers() {
            for (nth, (signal, status)) in [60, 400].into_iter().zip(SIGNALS) {
                let calls = ("newfstatat,statx,openat2,openat", 3000, nth);
                let _ = signalled(&world, world.wsctl(args), calls, wrapper, signal).exits(status);
                assert_eq!(world.snapshot(), before, "{args:?}");
            }
        }
    }
}

#[test]
fn a_signal_ends_what_waits_for_ids_on_stdin_or_for_an_answer_also_as_process_1() {
    needs!("python3");
    let (world, _) = World::with_aged(40);
    let before = world.snapshot();
    for wrapper in wrappers() {
        let [term, int] = SIGNALS;
        for (args, (signal, status)) in [("touch -", term), ("prune -y -", int), ("validate -", term)] {
            let (mut child, pid) = begin(world.wsctl(args.split(' ')), wrapper);
            let _stdin = child.stdin.take(); // stays open
            wait_until("it waits", || {
                let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                thread::sleep(Duration::from_millis(100));
                stat.contains(" S ")
            });
            tool(&["kill", &format!("-{signal}"), &pid]);
            let _ = finish(child, &args).sanely().exits(status).prints("");
        }
    }
    let later = ["sh", "-c", "(sleep 2; kill -TERM $$) & exec \"$@\"", "sh"];
    let ran = through_terminal(100, world.wsctl(["prune", "--older-than", "7d"]), ("never", ""), &later).exits(143);
    assert!(ran.stdout.contains("[y/N]") && !ran.stdout.contains("refused"), "{ran:#?}");
    assert_eq!(world.snapshot(), before);
}

/// One workspace takes half a minute, or many take 3 ms for each call, as on slow storage.
#[test]
fn after_a_signal_a_huge_workspace_is_busy_many_are_kept_and_the_next_prune_finishes_what_was_begun() {
    needs!("strace");
    let removal = "unlinkat,statx,newfstatat,renameat2,openat2,getdents64,fsync";
    for (workspaces, files, calls, (signal, status)) in [
        (1, 100_000, ("unlinkat", 300, 50), SIGNALS[0]),
        (200, 50, (removal, 3000, 600), SIGNALS[0]),
        (200, 2, (removal, 3000, 3000), SIGNALS[1]),
    ] {
        let world = wide_world(workspaces, files);
        let ran = signalled(&world, world.prune(&[]), calls, &[], signal).exits(status);
        let (report, left) = (ran.json(), world.names());
        let failed = ids_in(&report["failed"]);
        assert!(report["failed"].as_array().expect("failed").iter().all(|it| it["category"] == "busy"), "{report:#}");
        assert!(failed.iter().all(|id| ran.stderr.contains(id)), "{ran:#?}");
        let doomed = left.iter().filter(|name| name.starts_with(".wsctl-doomed.")).count();
        assert_eq!((failed.len(), report["kept"].as_u64()), (doomed, Some((left.len() - doomed) as u64)), "{report:#}");
        assert!(workspaces > 1 || doomed == 1, "{left:?}");
        assert_eq!(ids_in(&report["pruned"]).len(), workspaces - left.len(), "{report:#}");
        let next = world.prune(&[]).run().exits(0).json();
        assert_eq!((ids_in(&next["pruned"]).len(), world.names()), (left.len(), vec![]));
        assert!(workspaces > 1 || next["pruned"][0]["rule"] == "leftover", "{next:#}");
    }
}

#[test]
fn a_second_signal_ends_prune_at_once_and_one_that_was_ignored_from_the_start_stays_ignored() {
    needs!("strace");
    let world = wide_world(1, 100_000);
    let paused = Paused::after(&world, "unlinkat", None, world.prune(&[]));
    paused.signal("TERM");
    paused.signal("INT");
    let ran = paused.go_on().prints("");
    assert!([130, 143].contains(&ran.status), "{ran:#?}");
    for (signal, _) in SIGNALS {
        let world = wide_world(40, 1);
        let ids = world.names();
        let ignore = ["env", &format!("--ignore-signal={signal}")];
        let paused = Paused::lacking(&world, &ignore, "renameat2", world.prune(&[]));
        paused.signal(signal);
        paused.go_on().pruned(ids);
    }
}
