//! `wsctl prune` asks: on a real pseudo-terminal, where the answer is typed.

use crate::terminal::{at_terminal, through_terminal};
use crate::world::World;

#[test]
fn yes_deletes_no_and_ctrl_c_delete_nothing_and_an_unclear_answer_is_asked_again_twice() {
    needs!("python3");
    for (keys, status, again) in [
        ("y\\n", 0, 0),
        ("yeah\\nYES\\n", 0, 1),
        ("yes please\\nsure\\ny\\xff\\nn\\n", 78, 2),
        ("no\\n", 78, 0),
        ("\\n", 78, 0),
        ("\\x04", 78, 0),
        ("y\\x04\\x04", 78, 0),
        ("\\x03", 130, 0),
    ] {
        let (world, _) = World::with_aged(30);
        let before = world.snapshot();
        let ran = at_terminal(100, world.wsctl(["prune", "--color=never", "--older-than=7d"]), keys).exits(status);
        assert_eq!(ran.stdout.matches("Please answer yes or no. [y/N] ").count(), again, "{keys}: {ran:#?}");
        assert_eq!(ran.stdout.contains("error[refused]: nothing was deleted"), status == 78, "{keys}: {ran:#?}");
        if status == 0 {
            assert!(ran.stdout.contains("pruned 1 workspace") && world.names().is_empty(), "{keys}: {ran:#?}");
        } else {
            assert_eq!(world.snapshot(), before, "{keys}");
        }
    }
}

/// See `picture.rs` for the whole question.
#[test]
fn the_question_names_the_rules_and_the_first_few_in_the_order_in_which_they_would_go() {
    needs!("python3");
    let ages = [10, 20, 30, 31, 32, 33, 34, 35, 36];
    let (world, ids) = World::with_each_aged(ages);
    let args = ["--older-than", "7d", "--max-total-size", "1GiB", "--keep-last", "1", "--exclude", &ids[3]];
    let ran = at_terminal(100, world.wsctl(["prune", "--color", "never"].iter().chain(&args)), "n\\n").exits(78);
    let first = format!("7 of 9 workspaces in {} would be deleted, ", world.base().display());
    let lines = ran.lines();
    assert!(lines[0].starts_with(&first) && lines[5] == "  and 2 more", "{ran:#?}");
    for (line, place, mark) in [(1, 8, ", oldest"), (2, 7, ""), (3, 6, ""), (4, 5, ""), (6, 1, ", newest")] {
        let (start, end) = (format!("  {}  last accessed {}d ago, ", ids[place], ages[place]), format!("KiB{mark}"));
        assert!(lines[line].starts_with(&start) && lines[line].ends_with(&end), "{start}{end}: {ran:#?}");
    }
    for part in ["until all together use at most 1.0 GiB", "Protected: the one accessed last; 1 excluded"] {
        assert!(ran.stdout.contains(part), "{part}: {ran:#?}");
    }
}

#[test]
fn nothing_is_asked_without_a_terminal_on_stdin_and_stderr_or_with_nothing_to_do_or_where_yes_was_said_before() {
    needs!("python3");
    let (world, stale) = World::with_aged(30);
    for (args, redirection, keys, status) in [
        (&["prune", &stale][..], "</dev/null", "y\\n", 2),
        (&["prune", &stale], "2>/dev/null", "y\\n", 2),
        (&["prune", "--older-than", "60d"], "", "", 0),
        (&["prune", "-n", &stale], "", "", 0),
        (&["prune", "-y", &stale], "", "", 0),
    ] {
        assert_eq!(world.names(), [&*stale]);
        let script = format!("exec \"$@\" {redirection}");
        let ran = through_terminal(100, world.wsctl(args), ("", keys), &["sh", "-c", &script, "sh"]).exits(status);
        assert!(!ran.stdout.contains("[y/N]") && (status > 0 || ran.lines().len() == 1), "{ran:#?}");
    }
    assert!(world.names().is_empty());
}
