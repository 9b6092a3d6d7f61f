//! The progress of a long run: on a terminal, on one line that is gone at the end, and nowhere else.
//!
//! A run is made long by strace, which delays some of its system calls.

use crate::terminal::{screen, through_terminal};
use crate::tools::{text, tool, wait_until};
use crate::world::{Ran, Run, World};

/// So many milliseconds go by before each of these calls.
fn slow(call: &str, milliseconds: u32) -> [String; 6] {
    let inject = format!("inject={call}:delay_enter={}", milliseconds * 1000);
    ["strace", "-f", "-qq", "-o/dev/null", "-e", &inject].map(str::to_owned)
}

fn slowly(width: usize, run: Run<'_>, typed: (&str, &str), call: &str, milliseconds: u32) -> Ran {
    let words = slow(call, milliseconds);
    through_terminal(width, run, typed, &words.each_ref().map(String::as_str))
}

/// A world with so many workspaces that nobody has used for a week.
fn world(workspaces: usize) -> World {
    let world = World::new();
    (0..workspaces).for_each(|_| drop(world.aged(9)));
    world
}

/// A `list --size` that takes more than a second.
fn long_list(world: &World, width: usize, options: &[&str]) -> Ran {
    slowly(width, world.wsctl([&["list", "-s", "--color=never"], options].concat()), ("", ""), "getdents64", 10)
        .exits(0)
}

#[test]
fn a_long_list_shows_its_progress_and_erases_it_at_the_end() {
    needs!("python3", "strace");
    let world = world(40);
    for width in [120, 80, 30] {
        let ran = long_list(&world, width, &[]);
        assert!(ran.stdout.contains("measuring: ") && ran.stdout.contains(" of 40"), "{ran:#?}");
        for part in [" KiB used, ", "/s, ", "s left"] {
            assert!(ran.stdout.contains(part) || width == 30, "{part}: {ran:#?}");
        }
        let screen = screen(&ran.stdout, width.max(36));
        let (table, below) = screen.split_at(41);
        assert!(table[0].starts_with("ID") && below[0].starts_with("40 workspaces, "), "{screen:#?}");
        assert!(table[1..].iter().all(|line| world.names().contains(&line[..36].to_owned())), "{screen:#?}");
    }
}

/// A `prune` that takes more than a second.
fn long_prune(world: &World, args: &[&str], typed: (&str, &str), call: &str) -> Ran {
    slowly(100, world.wsctl([&["prune", "--older-than", "7d"], args].concat()), typed, call, 20)
}

#[test]
fn a_long_prune_shows_its_progress() {
    needs!("python3", "strace");
    let world = world(40);
    let ran = long_prune(&world, &["-y"], ("", ""), "unlinkat").exits(0);
    for part in ["pruning: ", " of 40, ", " KiB freed, ", "/s, ", "s left"] {
        assert!(ran.stdout.contains(part), "{part}: {ran:#?}");
    }
    let screen = screen(&ran.stdout, 100);
    assert!(screen.len() == 1 && screen[0].starts_with("pruned 40 workspaces, freed "), "{screen:#?}");
    assert!(world.names().is_empty());
}

#[test]
fn a_prune_that_measures_first_shows_its_progress() {
    needs!("python3", "strace");
    let world = world(40);
    for args in [&["-n"][..], &["-n", "--use-mtime"], &["-n", "--max-total-size", "1K"]] {
        let ran = long_prune(&world, args, ("", ""), "getdents64").exits(0);
        assert!(ran.stdout.contains("measuring: ") && ran.stdout.contains(" KiB used, "), "{ran:#?}");
        let screen = screen(&ran.stdout, 100);
        assert!(screen.len() == 1 && screen[0].starts_with("would prune "), "{screen:#?}");
    }
    let ran = long_prune(&world, &[], ("[y/N] ", "n\\n"), "getdents64").exits(78);
    let screen = screen(&ran.stdout, 100);
    assert!(ran.stdout.contains("measuring: ") && screen[0].starts_with("40 of 40 workspaces"), "{screen:#?}");
}

#[test]
fn no_progress_is_left_on_a_terminal_that_becomes_narrower() {
    needs!("tmux", "strace");
    let world = world(60);
    let socket = world.path("tmux");
    let tmux = |args: &[&str]| tool(&[&["tmux", "-S", text(&socket)], args].concat());
    let run = world.wsctl(["prune", "-y", "--older-than", "7d"]).through(slow("unlinkat", 20));
    let command = run.command();
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let line = words.map(|word| format!("'{}'", word.display())).collect::<Vec<_>>().join(" ");
    let base = format!("WSCTL_BASE={}", world.base().display());
    tmux(&["-f/dev/null", "new-session", "-d", "-x80", "-y20", "-e", &base, &format!("seq 5; {line}; sleep 100")]);
    let screen = || tmux(&["capture-pane", "-p", "-S-"]);
    wait_until("it shows its progress", || screen().contains("s left"));
    tmux(&["resize-window", "-x", "25"]);
    wait_until("it ends", || screen().contains("pruned 60"));
    let lines = screen();
    tmux(&["kill-server"]);
    assert_eq!(lines.trim_end(), "1\n2\n3\n4\n5\npruned 60 workspaces, fre\ned 1.2 MiB; kept 0");
}

#[test]
fn ctrl_c_erases_the_progress() {
    needs!("python3", "strace");
    let world = world(300);
    let ran = long_prune(&world, &["-y"], ("pruning: ", "\\x03"), "unlinkat").exits(130);
    let screen = screen(&ran.stdout, 100);
    assert!(screen.len() == 1 && screen[0].starts_with("pruned "), "{screen:#?}");
    assert!(!world.names().is_empty());
}

#[test]
fn log_messages_during_progress_are_on_lines_of_their_own() {
    needs!("python3", "strace");
    let world = world(40);
    let ran = long_list(&world, 120, &["-vvv"]);
    assert!(ran.stdout.contains("measuring: "), "{ran:#?}");
    let screen = screen(&ran.stdout, 120);
    for id in world.names() {
        assert!(screen.contains(&format!("trace: workspace {id}: ok")), "{id}: {screen:#?}");
        assert!(screen.iter().any(|line| line.starts_with(&id) && line.contains("  ok  ")), "{id}: {screen:#?}");
    }
    assert_eq!(screen.len(), 40 + 1 + 1 + 40 + 1, "traces, what debug says, heads, rows and a count: {screen:#?}");
}

#[test]
fn there_is_no_progress_with_q_or_on_a_terminal_that_cannot_erase() {
    needs!("python3", "strace");
    let world = world(40);
    assert!(!long_list(&world, 80, &["-q"]).stdout.contains("measuring"));
    let list = || world.wsctl(["list", "-s"]);
    for term in ["dumb", ""] {
        let ran = slowly(80, list().env("TERM", term), ("", ""), "getdents64", 10).exits(0);
        assert!(!ran.stdout.contains("measuring"), "{ran:#?}");
    }
}

#[test]
fn there_is_no_progress_where_stderr_is_no_terminal() {
    needs!("python3", "strace");
    let world = world(40);
    let words = slow("getdents64", 10);
    let list = || world.wsctl(["list", "-s"]).env("TERM", "xterm");
    let _ = list().through(&words).run().exits(0).quietly();
    let redirected: Vec<_> =
        words.iter().map(String::as_str).chain(["sh", "-c", "exec \"$@\" 2>errors", "sh"]).collect();
    let ran = through_terminal(80, list(), ("", ""), &redirected).exits(0);
    assert!(!ran.stdout.contains("measuring"), "{ran:#?}");
    assert_eq!(std::fs::read_to_string(world.path("errors")).expect("a file"), "");
}
