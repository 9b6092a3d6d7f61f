//! The progress of a long run: on a terminal, on one line that is gone at the end, and nowhere else.

use crate::terminal::through_terminal;
use crate::tools::trash;
use crate::world::World;

/// A world with so many workspaces that nobody has used for a week.
fn world(workspaces: usize) -> World {
    let world = World::new();
    (0..workspaces).for_each(|_| drop(world.aged(9)));
    world
}

/// Runs it as long as it takes if strace lets so many microseconds go by before each of these calls.
fn slow(call: &str, delay: u32) -> [String; 6] {
    let inject = format!("inject={call}:delay_enter={delay}");
    ["strace", "-f", "-qq", "-o/dev/null", "-e", &inject].map(str::to_owned)
}

#[test]
fn a_long_run_shows_its_progress_and_erases_it_at_the_end_also_at_ctrl_c() {
    needs!("python3", "strace");
    let prune = ["prune", "--older-than", "7d"];
    for (workspaces, args, (cue, keys), call, status, shows, last) in [
        (40, &["list", "-s"][..], ("", ""), "getdents64", 0, "measuring: ", "40 workspaces, "),
        (40, &[&prune[..], &["-y"]].concat(), ("", ""), "unlinkat", 0, "pruning: ", "pruned 40 "),
        (300, &[&prune[..], &["-y"]].concat(), ("pruning: ", "\\x03"), "unlinkat", 130, "pruning: ", "pruned "),
        (40, &prune, ("[y/N] ", "n\\n"), "getdents64", 78, "measuring: ", "pruned 0 "),
    ] {
        let (world, slow) = (world(workspaces), slow(call, 20_000));
        let ran = through_terminal(100, world.wsctl(args), (cue, keys), &slow.each_ref().map(String::as_str));
        let ran = ran.exits(status);
        assert!(ran.stdout.contains(shows) && ran.stdout.contains(&format!(" of {workspaces}")), "{ran:#?}");
        let (_, left) = ran.stdout.rsplit_once("\r\x1b[J").expect("it is erased");
        assert!(left.contains(last) && !left.contains(shows), "{ran:#?}");
    }
}

/// Ctrl-S stops the terminal: what is written to it waits until Ctrl-Q.
#[test]
fn a_signal_ends_a_prune_whose_terminal_is_stopped() {
    needs!("python3", "strace", "timeout");
    let world = world(300);
    let run = world.wsctl(["prune", "-y", "-j", "1", "--older-than", "7d"]);
    let slow = slow("unlinkat", 20_000);
    let timeout = ["timeout", "--foreground", "--preserve-status", "-k", "30", "4"];
    let wrapper = [slow.each_ref().map(String::as_str), timeout].concat();
    let ran = through_terminal(100, run, ("pruning: ", "\\x13"), &wrapper).exits(143);
    assert!(ran.stdout.contains("pruning: ") && !world.names().is_empty(), "{ran:#?}");
    assert!(!trash(&world).iter().any(|name| name.contains("claimed")), "{:?}", trash(&world));
}

#[test]
fn there_is_no_progress_with_q_or_on_a_terminal_that_cannot_erase_or_where_stderr_is_no_terminal() {
    needs!("python3", "strace");
    let (world, strace) = (world(40), slow("getdents64", 20_000));
    let strace = strace.each_ref().map(String::as_str);
    let redirected = [&strace[..], &["sh", "-c", "exec \"$@\" 2>errors", "sh"]].concat();
    for (term, option, wrapper) in [("xterm", "-q", &strace[..]), ("dumb", "-r", &strace), ("xterm", "-r", &redirected)]
    {
        let run = world.wsctl(["list", "--size", option]).env("TERM", term);
        let ran = through_terminal(80, run, ("", ""), wrapper).exits(0);
        assert!(!ran.stdout.contains("measuring"), "{term:?} {option}: {ran:#?}");
    }
    assert_eq!(std::fs::read_to_string(world.path("errors")).expect("a file"), "");
}
