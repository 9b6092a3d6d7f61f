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

/// What is to be seen at last on a terminal of so many columns that was sent this, without empty lines at the end.
#[must_use]
pub fn screen(sent: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = vec![];
    let (mut row, mut column) = (0, 0);
    let mut rest = sent.chars();
    while let Some(c) = rest.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\x1b' => {
                let number: String = rest.as_str().chars().skip(1).take_while(|c| !c.is_ascii_alphabetic()).collect();
                match rest.nth(1 + number.len()) {
                    Some('J') => {
                        lines.truncate(row + 1);
                        lines.get_mut(row).into_iter().for_each(|line| line.truncate(column));
                    }
                    Some('A') => row -= number.parse().unwrap_or(1).min(row),
                    Some('B') => row += number.parse().unwrap_or(1),
                    Some('m') => {}
                    letter => panic!("a terminal is told {number:?} and {letter:?}"),
                }
            }
            c => {
                if column == width {
                    (row, column) = (row + 1, 0);
                }
                lines.resize(lines.len().max(row + 1), vec![]);
                let line = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
    }
    let mut lines: Vec<_> = lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned()).collect();
    lines.truncate(lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1));
    lines
}
