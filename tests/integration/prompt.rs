//! `wsctl prune` asks: on a real pseudo-terminal, where the answer is typed.

use crate::mounted::Mounted;
use crate::terminal::{at_terminal, through_terminal};
use crate::world::World;

#[test]
fn yes_deletes_no_and_ctrl_c_delete_nothing_and_an_unclear_answer_is_asked_again_twice() {
    needs!("python3");
    for (keys, status, again) in [
        ("y\\n", 0, 0),
        ("yeah\\nYES\\n", 0, 1),
        ("yes please\\nsure\\ny\\xff\\nn\\n", 78, 2),
        ("n\\n", 78, 0),
        ("no\\n", 78, 0),
        ("\\n", 78, 0),
        ("\\x04", 78, 0),
        ("y\\x04\\x04", 78, 0),
        ("\\x03", 130, 0),
    ] {
        let world = World::new();
        let _ = world.aged(30);
        let before = world.snapshot();
        let ran = at_terminal(world.wsctl(["prune", "--color", "never", "--older-than", "7d"]), keys).exits(status);
        assert_eq!(ran.stdout.matches("Please answer yes or no. [y/N] ").count(), again, "{keys}: {ran:#?}");
        // It is on a line of its own, unless what was typed before its time has moved the cursor.
        let refused = "error[refused]: nothing was deleted";
        let mut lines = ran.stdout.lines();
        let is_refused = lines.any(|line| line.starts_with(refused) || (again > 0 && line.contains(refused)));
        assert_eq!(is_refused, status == 78, "{keys}: {ran:#?}");
        if status == 0 {
            assert!(ran.stdout.contains("pruned 1 workspace") && world.names().is_empty(), "{keys}: {ran:#?}");
        } else {
            assert_eq!(world.snapshot(), before, "{keys}");
        }
    }
}

/// See `picture.rs` for the whole question.
#[test]
fn the_question_names_each_rule_and_one_workspace_once() {
    needs!("python3");
    let world = World::new();
    let (first, _, pinned) = (world.aged(20), world.aged(10), world.aged(50));
    let args = ["--older-than", "7d", "--max-total-size", "1GiB", "--keep-last", "1", "--exclude", &pinned];
    let ran = at_terminal(world.wsctl(["prune"].iter().chain(&args)), "n\\n").exits(78);
    for part in [
        &format!("1 of 3 workspaces in {} would be deleted, ", world.base().display()),
        &format!("  {first}  last accessed 20d ago, "),
        "the least recently accessed until all together use at most 1.0 GiB",
        "Protected: the last accessed, 1 excluded",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {ran:#?}");
    }
    assert!(!ran.stdout.contains("oldest"), "{ran:#?}");
}

#[test]
fn the_question_names_the_first_few_in_the_order_in_which_they_would_go() {
    needs!("python3");
    let world = World::new();
    let missing = world.workspace().make_without_metadata();
    let stale: Vec<_> = (30..37).rev().map(|days| world.aged(days)).collect();
    let all = ["prune", "--color", "never", &missing].into_iter().chain(stale.iter().map(String::as_str));
    let ran = at_terminal(world.wsctl(all), "n\\n").exits(78);
    let lines: Vec<_> = ran.lines().into_iter().map(str::trim_end).collect();
    let starts = [
        format!("8 of 8 workspaces in {} would be deleted, ", world.base().display()),
        format!("  {missing}  last access unknown, "),
        format!("  {}  last accessed 36d ago, ", stale[0]),
        format!("  {}  last accessed 35d ago, ", stale[1]),
        format!("  {}  last accessed 34d ago, ", stale[2]),
        "  and 3 more".to_owned(),
        format!("  {}  last accessed 30d ago, ", stale[6]),
        "Rule: the 8 IDs given".to_owned(),
        "Delete them? [y/N] n".to_owned(),
    ];
    for (line, start) in lines.iter().zip(&starts) {
        assert!(line.starts_with(start), "{start}: {ran:#?}");
    }
    for (mark, place) in [(", oldest", 2), (", newest", 6)] {
        assert!(ran.stdout.matches(mark).count() == 1 && lines[place].ends_with(mark), "{mark}: {ran:#?}");
    }
}

#[test]
fn the_question_names_all_if_they_are_few_and_counts_what_could_not_be_deleted() {
    needs!("root", "mount", "python3");
    let world = World::new();
    let mounted = world.workspace().days_ago(40).file("mnt/x", b"").make();
    let _mount = Mounted::tmpfs(&world, &world.dir_of(&mounted).join("mnt"), "size=64k");
    let stale: Vec<_> = (30..36).map(|days| world.aged(days)).collect();
    let ran = at_terminal(world.wsctl(["prune", "--older-than", "7d"]), "n\\n").exits(78);
    assert!(ran.stdout.contains("6 of 7 workspaces") && ran.stdout.contains("Cannot be deleted: 1"), "{ran:#?}");
    assert!(stale.iter().all(|id| ran.stdout.contains(&format!("  {id}  last accessed 3"))), "{ran:#?}");
    assert!(!ran.stdout.contains(" more\r"), "{ran:#?}");
}

#[test]
fn nothing_is_asked_unless_both_stdin_and_stderr_are_a_terminal() {
    needs!("python3");
    let world = World::new();
    let stale = world.aged(30);
    for redirected in ["exec \"$@\" </dev/null", "exec \"$@\" 2>/dev/null"] {
        let run = world.wsctl(["prune", &stale]);
        let ran = through_terminal(100, run, ("", "y\\n"), &["sh", "-c", redirected, "sh"]).exits(2);
        assert!(!ran.stdout.contains("[y/N]"), "{ran:#?}");
    }
    assert_eq!(world.names(), [stale]);
}

#[test]
fn there_is_no_question_where_there_is_nothing_to_do_or_yes_was_said_before() {
    needs!("python3");
    let world = World::new();
    let stale = world.aged(30);
    for args in [&["prune", "--older-than", "60d"][..], &["prune", "-n", &stale], &["prune", "-y", &stale]] {
        let ran = at_terminal(world.wsctl(args), "").exits(0);
        assert!(!ran.stdout.contains("[y/N]"), "{ran:#?}");
    }
    assert!(world.names().is_empty());
}

/// A program that ran before on the terminal may have left it non-blocking, for all.
#[test]
fn a_terminal_that_does_not_block_is_waited_for() {
    needs!("python3");
    let world = World::new();
    let stale = world.aged(30);
    let nonblocking = "import fcntl, os, sys; fcntl.fcntl(0, fcntl.F_SETFL, os.O_RDWR | os.O_NONBLOCK); os.execv(sys.argv[1], sys.argv[1:])";
    let wrapper = ["sh", "-c", "(sleep 1; echo type now) & exec python3 -c \"$@\"", "sh", nonblocking];
    let _ = through_terminal(100, world.wsctl(["prune", &stale]), ("type now", "y\\n"), &wrapper).exits(0);
    assert!(world.names().is_empty());
}
