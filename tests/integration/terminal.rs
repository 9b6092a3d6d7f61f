//! A real pseudo-terminal, on which python3 reads what comes and types an answer.

use crate::world::{Ran, Run};

/// Waits for the question, types `keys`, and prints all that came and the exit status (a death by signal as in a shell). The
/// terminal is as wide as the first argument says.
const TYPIST: &str = r#"
import fcntl, os, pty, struct, sys, termios
width, keys, command = int(sys.argv[1]), sys.argv[2].encode().decode("unicode_escape").encode("latin-1"), sys.argv[3:]
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
    if not typed and b"[y/N] " in seen:
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
    let width = width.to_string();
    run.default_env("TERM", "xterm").through(["python3", "-c", TYPIST, &width, keys]).run()
}
