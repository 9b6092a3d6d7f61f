//! The progress of a long run: on a terminal, on one line that is gone at the end, and nowhere else.

use crate::terminal::through_terminal;
use crate::tools::trash;
use crate::world::World;

fn world(workspaces: usize) -> World {
    let world = World::new();
    (0..workspaces).for_each(|_| drop(world.aged(9)));
    world
}

/// Runs it with strace, which lets 20 ms go by before each call that lists a directory or unlinks a file.
const SLOW: [&str; 6] = ["strace", "-f", "-qq", "-o/dev/null", "-e", "inject=getdents64,unlinkat:delay_enter=20000"];

#[test]
fn a_long_run_shows_its_progress_and_erases_it_at_the_end_also_at_ctrl_c() {
    needs!("python3", "strace");
    for (workspaces, args, typed, status, shows, last) in [
        (40, "list -s", ("", ""), 0, "measuring: ", "40 workspaces, "),
        (40, "prune -y --older-than 7d", ("", ""), 0, "pruning: ", "pruned 40 "),
        (300, "prune -y --older-than 7d", ("pruning: ", "\\x03"), 130, "pruning: ", "pruned "),
        (40, "prune --older-than 7d", ("[y/N] ", "n\\n"), 78, "measuring: ", "pruned 0 "),
    ] {
        let ran = through_terminal(100, world(workspaces).wsctl(args.split(' ')), typed, &SLOW).exits(status);
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
    let timeout = ["timeout", "--foreground", "--preserve-status", "-k", "30", "4"];
    let ran = through_terminal(100, run, ("pruning: ", "\\x13"), &[SLOW, timeout].concat()).exits(143);
    assert!(ran.stdout.contains("pruning: ") && !world.names().is_empty(), "{ran:#?}");
    assert!(!trash(&world).iter().any(|name| name.contains("claimed")), "{:?}", trash(&world));
}

#[test]
fn there_is_no_progress_with_q_or_on_a_terminal_that_cannot_erase_or_where_stderr_is_no_terminal() {
    needs!("python3", "strace");
    let world = world(40);
    let redirected = [&SLOW[..], &["sh", "-c", "exec \"$@\" 2>errors", "sh"]].concat();
    for (term, option, wrapper) in [("xterm", "-q", &SLOW[..]), ("dumb", "-r", &SLOW), ("xterm", "-r", &redirected)] {
        let run = world.wsctl(["list", "--size", option]).env("TERM", term);
        let ran = through_terminal(80, run, ("", ""), wrapper).exits(0);
        assert!(!ran.stdout.contains("measuring"), "{term:?} {option}: {ran:#?}");
    }
    assert_eq!(std::fs::read_to_string(world.path("errors")).expect("a file"), "");
}
