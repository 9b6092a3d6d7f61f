//! `wsctl prune` on a terminal: a real pseudo-terminal, on which python3 reads the question and types the answer.

use crate::world::{Ran, World, has};

/// Waits for the question, types `keys`, and prints all that came and the exit status (a death by signal as in a shell).
const TYPIST: &str = r#"
import fcntl, os, pty, struct, sys, termios
keys, command = sys.argv[1].encode().decode("unicode_escape").encode(), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 100, 0, 0))
    os.execvp(command[0], command)
seen, typed = b"", False
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    seen += piece
    if not typed and b"[y/N] " in seen:
        os.write(terminal, keys)
        typed = True
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.write(seen.decode())
sys.exit(status if status >= 0 else 128 - status)
"#;

fn at_terminal(world: &World, args: &[&str], keys: &str) -> Ran {
    world.wsctl(args).env("TERM", "xterm").through(["python3", "-c", TYPIST, keys]).run()
}

#[test]
fn on_a_terminal_prune_shows_what_would_go_and_asks() {
    if !has("python3") {
        return;
    }
    let world = World::new();
    let (oldest, newer, fresh) = (world.aged(90), world.aged(30), world.aged(1));
    let ran = at_terminal(&world, &["prune", "--older-than", "7d"], "y\\n").exits(0);
    for part in
        ["2 of 3 workspaces", "KiB", &format!("oldest: {oldest}"), "90d ago", &format!("newest: {newer}"), "30d ago"]
    {
        assert!(ran.stdout.contains(part), "{part}: {ran:#?}");
    }
    assert!(ran.stdout.contains("pruned 2 workspaces"), "{ran:#?}");
    assert_eq!(world.names(), [fresh]);
}

#[test]
fn anything_but_yes_means_no_and_deletes_nothing() {
    if !has("python3") {
        return;
    }
    let world = World::new();
    let stale = world.aged(30);
    let before = world.snapshot();
    for keys in ["n\\n", "\\n", "yes please\\n", "\\x04"] {
        let ran = at_terminal(&world, &["prune", "--color", "never", &stale], keys).exits(78);
        assert!(ran.stdout.contains("error[refused]: nothing was deleted"), "{ran:#?}");
        assert_eq!(world.snapshot(), before, "{keys}");
    }
}

#[test]
fn ctrl_c_at_the_question_ends_at_once_and_deletes_nothing() {
    if !has("python3") {
        return;
    }
    let world = World::new();
    world.aged(30);
    let before = world.snapshot();
    let ran = at_terminal(&world, &["prune", "--older-than", "7d"], "\\x03").exits(130);
    assert!(!ran.stdout.contains("refused"), "{ran:#?}");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn there_is_no_question_where_there_is_nothing_to_do_or_yes_was_said_before() {
    if !has("python3") {
        return;
    }
    let world = World::new();
    let stale = world.aged(30);
    for args in [&["prune", "--older-than", "60d"][..], &["prune", "-n", &stale], &["prune", "-y", &stale]] {
        let ran = at_terminal(&world, args, "").exits(0);
        assert!(!ran.stdout.contains("[y/N]"), "{ran:#?}");
    }
    assert!(world.names().is_empty());
}

#[test]
fn on_a_terminal_the_table_has_colours_and_fits_the_width() {
    if !has("python3") {
        return;
    }
    let world = World::new();
    let id = world.workspace().description(&"Monaco – VER vs HAM ".repeat(40)).make();
    let ran = at_terminal(&world, &["list"], "").exits(0);
    assert!(ran.stdout.contains("\x1b[32mok"), "{ran:#?}");
    assert!(ran.stdout.contains(&id) && ran.stdout.contains('…'), "{ran:#?}");
    let plain = world.wsctl(["list"]).run().exits(0).stdout;
    let width = |text: &str| text.lines().map(|line| line.chars().count()).max();
    assert_eq!(width(&ran.stdout.replace("\x1b[1m", "").replace("\x1b[32m", "").replace("\x1b[0m", "")), Some(100));
    assert!(plain.lines().any(|line| line.ends_with("VER vs HAM")), "a pipe has no width to fit: {plain}");
}
