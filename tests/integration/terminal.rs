//! A real pseudo-terminal, on which python3 reads what comes and types an answer.

use crate::world::{Ran, Run};

/// Waits for a cue, types keys once, and prints all that came and the exit status (a death by signal as in a shell). The
/// terminal is as wide as the first argument says.
const TYPIST: &str = r#"
import fcntl, os, pty, struct, sys, termios
width, cue, keys, command = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3], sys.argv[4:]
keys = keys.encode().decode("unicode_escape").encode("latin-1")
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 25, width, 0, 0))
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
    if not typed and cue in seen:
        os.write(terminal, keys)
        typed = True
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.write(seen.decode(errors="replace"))
sys.exit(status if status >= 0 else 128 - status)
"#;

/// Runs on a terminal of 100 columns, where `keys` is the answer to the question. What comes is all in stdout.
#[must_use]
pub fn at_terminal(run: Run<'_>, keys: &str) -> Ran {
    at_terminal_of(100, run, keys)
}

/// The same on a terminal of so many columns.
#[must_use]
pub fn at_terminal_of(width: usize, run: Run<'_>, keys: &str) -> Ran {
    through_terminal(width, run, ("[y/N] ", keys), &[])
}

/// The same with other keys after another cue, and the program run by another one.
#[must_use]
pub fn through_terminal(width: usize, run: Run<'_>, (cue, keys): (&str, &str), wrapper: &[&str]) -> Ran {
    let width = width.to_string();
    let typist = ["python3", "-c", TYPIST, &width, cue, keys];
    run.default_env("TERM", "xterm").through([&typist, wrapper].concat()).run()
}
