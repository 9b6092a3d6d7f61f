//! A real pseudo-terminal, on which python3 reads what comes and types an answer.

use crate::tools::text;
use crate::world::{Ran, Run, World};

/// On a terminal as wide as the first argument says, waits for a cue, types keys once, prints all that came, and exits as the program.
const TYPIST: &str = r#"
import fcntl, os, pty, struct, sys, termios
width, cue, keys, command = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3], sys.argv[4:]
keys = keys.encode().decode("unicode_escape").encode("latin-1")
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 25, width, 0, 0))
    os.execvp(command[0], command)
seen = b""
try:
    while piece := os.read(terminal, 4096):
        seen += piece
        if keys and cue in seen:
            os.write(terminal, keys)
            keys = b""
except OSError:
    pass # the end
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.write(seen.decode(errors="replace"))
sys.exit(status if status >= 0 else 128 - status)
"#;

/// Reads nothing, and sends SIGTERM when the program gets no further in this directory, which holds so many workspaces at first.
const DEAF: &str = r"
import os, pty, signal, sys, time
base, number, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
before = number
while (now := len(os.listdir(base))) == number or now != before:
    before = now
    time.sleep(1)
os.kill(pid, signal.SIGTERM)
signal.alarm(60)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

/// Runs on a terminal that takes no more, until SIGTERM ends it.
#[must_use]
pub fn at_deaf_terminal(world: &World, run: Run<'_>) -> Ran {
    run.through(["python3", "-c", DEAF, text(&world.base()), &world.names().len().to_string()]).run()
}

/// Runs on a terminal of so many columns, where `keys` is the answer to the question. What comes is all in stdout.
#[must_use]
pub fn at_terminal(width: usize, run: Run<'_>, keys: &str) -> Ran {
    through_terminal(width, run, ("[y/N] ", keys), &[])
}

/// The same with other keys after another cue, and the program run by another one.
#[must_use]
pub fn through_terminal(width: usize, run: Run<'_>, (cue, keys): (&str, &str), wrapper: &[&str]) -> Ran {
    let width = width.to_string();
    run.through([&["python3", "-c", TYPIST, &width, cue, keys], wrapper].concat()).run()
}
