//! The progress of a long run: on a terminal, on one line that is gone at the end, and nowhere else.
//!
//! A run is made long by strace, which delays some of its system calls.

use crate::terminal::{screen, through_terminal};
use crate::tools::trash;
use crate::world::{Ran, Run, World};

/// strace, which lets so many milliseconds go by before each of these calls.
fn slow(call: &str, milliseconds: u32) -> [String; 6] {
    let inject = format!("inject={call}:delay_enter={}", milliseconds * 1000);
    ["strace", "-f", "-qq", "-o/dev/null", "-e", &inject].map(str::to_owned)
}

fn slowly(width: usize, run: Run<'_>, typed: (&str, &str), call: &str, milliseconds: u32) -> Ran {
    through_terminal(width, run, typed, &slow(call, milliseconds).each_ref().map(String::as_str))
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

/// A `prune` that takes more than a second, and the screen at its end.
fn long_prune(world: &World, args: &[&str], typed: (&str, &str), call: &str) -> (Ran, Vec<String>) {
    let ran = slowly(100, world.wsctl([&["prune", "--older-than", "7d"], args].concat()), typed, call, 20);
    let screen = screen(&ran.stdout, 100);
    (ran, screen)
}

#[test]
fn a_long_prune_shows_its_progress_and_erases_it_at_the_end_also_at_ctrl_c() {
    needs!("python3", "strace");
    for (workspaces, keys, status) in [(40, "", 0), (300, "\\x03", 130)] {
        let world = world(workspaces);
        let (ran, screen) = long_prune(&world, &["-y"], ("pruning: ", keys), "unlinkat");
        let ran = ran.exits(status);
        for part in ["pruning: ", &format!(" of {workspaces}, "), " KiB freed, ", "/s, ", "s left"] {
            assert!(ran.stdout.contains(part) || status != 0, "{part}: {ran:#?}");
        }
        let (last, warnings) = screen.split_last().expect("a summary");
        assert!(last.starts_with("pruned ") && (status != 0 || warnings.is_empty()), "{screen:#?}");
        assert!(warnings.iter().all(|row| !row.contains("pruning: ")), "{screen:#?}");
        assert_eq!(world.names().is_empty(), status == 0);
    }
}

/// Ctrl-S stops the terminal: what is written to it waits until Ctrl-Q.
#[test]
fn a_signal_ends_a_prune_whose_terminal_is_stopped() {
    needs!("python3", "strace", "timeout");
    let world = world(300);
    let run = world.wsctl(["prune", "-y", "-j", "1", "--older-than", "7d"]);
    let strace = slow("unlinkat", 20);
    let timeout = ["timeout", "--foreground", "--preserve-status", "-k", "30", "4"].map(str::to_owned);
    let wrapper = strace.iter().chain(&timeout).map(String::as_str).collect::<Vec<_>>();
    let ran = through_terminal(100, run, ("pruning: ", "\\x13"), &wrapper).exits(143);
    assert!(ran.stdout.contains("pruning: ") && !world.names().is_empty(), "{ran:#?}");
    assert!(!trash(&world).iter().any(|name| name.contains("claimed")), "{:?}", trash(&world));
}

#[test]
fn a_prune_that_measures_first_shows_its_progress() {
    needs!("python3", "strace");
    let world = world(40);
    for (args, last) in [
        (&["-n"][..], "would prune "),
        (&["-n", "--use-mtime"], "would prune "),
        (&["-n", "--max-total-size", "1K"], "would prune "),
        (&[], "40 of 40 workspaces"),
    ] {
        let (ran, screen) = long_prune(&world, args, ("[y/N] ", "n\\n"), "getdents64");
        let ran = ran.exits(if args.is_empty() { 78 } else { 0 });
        assert!(ran.stdout.contains("measuring: ") && ran.stdout.contains(" KiB used, "), "{ran:#?}");
        assert!(screen[0].starts_with(last) && (args.is_empty() || screen.len() == 1), "{screen:#?}");
    }
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
fn there_is_no_progress_with_q_or_on_a_terminal_that_cannot_erase_or_where_stderr_is_no_terminal() {
    needs!("python3", "strace");
    let world = world(40);
    let strace = slow("getdents64", 10);
    let redirected = ["sh", "-c", "exec \"$@\" 2>errors", "sh"].map(str::to_owned);
    let redirected = strace.iter().chain(&redirected).map(String::as_str).collect::<Vec<_>>();
    let strace = strace.each_ref().map(String::as_str);
    for (term, option, wrapper) in
        [("xterm", "-q", &strace[..]), ("dumb", "-r", &strace), ("", "-r", &strace), ("xterm", "-r", &redirected)]
    {
        let run = world.wsctl(["list", "--size", option]).env("TERM", term);
        let ran = through_terminal(80, run, ("", ""), wrapper).exits(0);
        assert!(!ran.stdout.contains("measuring"), "{term:?} {option}: {ran:#?}");
    }
    assert_eq!(std::fs::read_to_string(world.path("errors")).expect("a file"), "");
}
