//! A wrong command line is answered with one line that says what to write instead.

use crate::world::{World, numbered};

/// Runs command lines that are all wrong (`ID` stands for an ID): one line on stderr has these parts, and nothing happens.
fn each(status: i32, complaints: &[(&str, &[&str])]) {
    let (world, _) = World::with_aged(9);
    let before = world.snapshot();
    for (line, parts) in complaints {
        println!("{line}"); // shown if it fails
        let line = line.replace("ID", &numbered(1));
        let ran = world.wsctl(line.split(' ')).run().sanely().exits(status).prints("").complains("error[");
        parts.iter().fold(ran, |ran, part| ran.complains(part));
    }
    assert_eq!(world.snapshot(), before);
}

const COMPLAINTS: &[(&str, &[&str])] = &[
    // What is mistyped.
    ("prnue", &["error[usage]: ", "'prnue'", "'prune'", "try 'wsctl --help'"]),
    ("prune --oldr-than 7d", &["'--oldr-than'", "'--older-than'", "try 'wsctl prune --help'"]),
    ("prune --older_than=7d", &["'--older-than'"]),
    ("list --status corupt", &["ok, missing, corrupt, denied, future", "'corrupt'"]),
    ("--dry-run prune --older-than 7d", &["'prune --dry-run' exists"]),
    ("frobnicate", &["the subcommands are validate, touch, list and prune"]),
    ("list --frobnicate", &["error[usage]: "]),
    // What other programs have.
    ("list --json", &["'--json'", "write --format json", "try 'wsctl list --help'"]),
    ("prune -n --older-than 7d -ojson", &["write --format json"]),
    ("prune -nf ID", &["'-f'", "write --yes"]),
    ("touch --json", &["'--json' found; try 'wsctl touch --help'"]), // it has no --format
    ("list --days=12", &["write --older-than 12d"]),
    ("rm ID", &["'rm'", "write wsctl prune ID", "--older-than"]),
    ("help version", &["write wsctl --version"]),
    // A base that took the subcommand.
    ("--base list", &["--base took 'list' as its directory: write --base DIR list"]),
    ("-b ls --size", &["--base took 'ls'"]),
    ("-b nowhere", &["requires a subcommand"]),
    // What does not go together.
    ("list -q -v", &["error[usage]: "]),
    ("list --older-than 30d --newer-than 10d", &["--newer-than is shorter than --older-than", "swap the two"]),
    // Only validate suggests two dashes before what begins with a hyphen, and only escapes show what is odd.
    ("validate -x", &["'-- -x'"]),
    ("list -x", &["'-x' found; try 'wsctl list --help'"]),
    ("validate -\u{1b}[31m", &["'-\\u{1b}' found; try 'wsctl validate --help'"]),
    ("validate --a\r", &["'--a\\r' found; try "]),
    // What is no value; for all that is no duration and no size see the tests beside the code.
    ("prune -y --older-than 7", &["'7'", "has no unit: write 7d, 7h or 7min"]),
    ("list --newer-than 2026-11-23T15:51:30Z", &["not a duration: write 7d"]),
    ("prune -y --max-total-size -1G", &["write 10GiB"]),
    ("prune -y --max-total-size 0", &["0 has no unit", "0GiB", "0B"]),
    ("prune -y --min-free 10", &["10 has no unit", "10GiB", "10B", "5%"]),
    ("prune -y --min-free 101%", &["0% to 100%: write 5%"]),
    ("prune -y --max-delete some", &["write 100 or 20%"]),
    ("prune -y --keep-last 99999999999999999999999", &["the number is too large"]),
    ("prune -y --jobs 0", &["from 1 to 256: write 4"]),
    ("prune -y --older-than 1d --exclude foo", &["'foo'", "a UUID of 36 characters"]),
    ("list --limit 1.5", &["not a whole number: write 10"]),
    ("touch --at now x", &["write 2026-"]),
    // None at all.
    ("list -b", &["--base needs a value: write --base /srv/workspaces"]),
    ("prune -y --older-than 1d --base ", &["--base needs a value"]), // it is empty
    ("prune --older-than", &["write --older-than 30d"]),
    ("prune --older-than ", &["write 7d"]),
    ("prune --max-total-size", &["write --max-total-size 10GiB"]),
    ("prune --min-free", &["write --min-free 5%"]),
    ("prune --max-delete", &["write --max-delete 20%"]),
    ("prune --keep-last", &["write --keep-last 10"]),
    ("prune --exclude", &["write --exclude 6c7ab482-"]),
    ("prune --exclude-from", &["write --exclude-from ids.txt"]),
    ("prune --metrics", &["write --metrics wsctl.prom"]),
    ("prune --older-than -y", &["'-y'", "not a duration"]),
    ("touch --at", &["write --at 2026-"]),
    ("list --sort", &["'--sort <KEY>'", "accessed, created, size, id"]),
    // IDs, and what is reported before a missing terminal.
    ("prune", &["no rule or ID given: pass --older-than 30d, ", "try 'wsctl prune --help'"]),
    ("prune -y --max-delete 9 --use-mtime --keep-last 3 --exclude ID", &["no rule or ID given"]),
    ("touch", &["no ID was given", "`wsctl list`", "stdin"]),
    ("validate", &["no ID was given"]),
    ("prune 7d", &["'7d' is not a workspace ID", "--older-than 7d"]),
    ("list --format ids 12h", &["--older-than 12h"]),
    ("prune ID nonsense", &["error[invalid-id]: 'nonsense' is not"]),
    ("prune --older-than 7d --exclude-from base", &["--exclude-from: cannot read base"]),
    ("prune --older-than 7d --metrics base", &["metrics base: "]),
    ("prune ID", &["cannot ask without a terminal: pass --yes"]),
    ("prune --older-than 1d", &["pass --yes to delete without asking, or --dry-run to see"]),
];

#[test]
fn a_wrong_command_line_is_answered_in_one_line_with_what_to_write_instead() {
    each(2, COMPLAINTS);
    each(66, &[("-b nowhere prune ID", &["base nowhere: no such directory"])]); // before it asks
}
