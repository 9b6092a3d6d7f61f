//! `wsctl prune` asks: on a real pseudo-terminal, where the answer is typed.

use crate::mounted::Mounted;
use crate::terminal::{at_terminal, through_terminal};
use crate::world::World;

#[test]
fn on_a_terminal_prune_shows_what_would_go_and_asks() {
    needs!("python3");
    let world = World::new();
    let (oldest, newer, fresh) = (world.aged(90), world.aged(30), world.aged(1));
    let ran = at_terminal(world.wsctl(["prune", "--older-than", "7d"]), "y\\n").exits(0);
    for (id, words) in [(&oldest, ["90d ago", "KiB", "oldest"]), (&newer, ["30d ago", "KiB", "newest"])] {
        let lines: Vec<_> = ran.stdout.lines().filter(|line| line.starts_with(&format!("  {id}"))).collect();
        assert!(lines.len() == 1 && words.iter().all(|word| lines[0].contains(word)), "{ran:#?}");
    }
    assert!(ran.stdout.contains("pruned 2 workspaces"), "{ran:#?}");
    assert_eq!(world.names(), [fresh]);
}

#[test]
fn the_question_says_what_goes_and_what_stays_by_which_rules() {
    needs!("python3");
    let world = World::new();
    let (first, _) = (world.aged(20), world.aged(10));
    let pinned = world.aged(50);
    let _ = world.workspace().make_without_metadata();
    let _ = world.workspace().metadata("{}").make();
    let args = ["--older-than", "7d", "--max-total-size", "1GiB", "--keep-last", "1", "--exclude", &pinned];
    let ran = at_terminal(world.wsctl(["prune"].iter().chain(&args)), "n\\n").exits(78);
    let base = world.base();
    for part in [
        &format!("1 of 5 workspaces in {} would be deleted, ", base.display()),
        &format!("  {first}  last accessed 20d ago, "),
        "Rule: last accessed more than 7d ago (before 20",
        "then the least recently accessed until all together use at most 1.0 GiB",
        "Protected: the 1 last accessed, 1 excluded",
        "Skipped, because their last access is unknown: 1 missing, 1 corrupt",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {ran:#?}");
    }
    assert!(!ran.stdout.contains("oldest"), "one is shown once: {ran:#?}");
    let given = at_terminal(world.wsctl(["prune", &first, &pinned]), "n\\n").exits(78);
    assert!(given.stdout.contains("Rule: the 2 IDs given"), "{given:#?}");
}

#[test]
fn an_unclear_answer_is_asked_again_three_times_at_most() {
    needs!("python3");
    let world = World::new();
    let stale = world.aged(30);
    let before = world.snapshot();
    let ran = at_terminal(world.wsctl(["prune", &stale]), "yes please\\nsure\\ny\\xff\\n").exits(78);
    assert_eq!(ran.stdout.matches("Please answer yes or no. [y/N] ").count(), 2, "{ran:#?}");
    assert_eq!(world.snapshot(), before);
    let _ = at_terminal(world.wsctl(["prune", &stale]), "yeah\\ny\\n").exits(0);
    assert!(world.names().is_empty());
}

#[test]
fn the_question_names_the_first_few_in_the_order_in_which_they_would_go() {
    needs!("python3");
    let world = World::new();
    let missing = world.workspace().make_without_metadata();
    let stale: Vec<_> = (30..37).rev().map(|days| world.aged(days)).collect();
    let all =
        [&["prune", "--color", "never", &missing], &stale.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat();
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
    assert_eq!([", oldest", ", newest"].map(|mark| ran.stdout.matches(mark).count()), [1, 1], "{ran:#?}");
    assert_eq!(world.names().len(), 8);
}

#[test]
fn the_question_counts_what_could_not_be_deleted() {
    needs!("root", "mount", "python3");
    let world = World::new();
    let [mounted, _stale] = [30, 31].map(|days| world.aged(days));
    let point = world.dir_of(&mounted).join("mnt");
    std::fs::create_dir(&point).expect("a directory");
    let _mount = Mounted::tmpfs(&world, &point, "size=64k");
    let ran = at_terminal(world.wsctl(["prune", "--older-than", "7d"]), "n\\n").exits(78);
    assert!(ran.stdout.contains("1 of 2 workspaces") && ran.stdout.contains("Cannot be deleted: 1"), "{ran:#?}");
}

#[test]
fn the_question_names_all_workspaces_if_they_are_few() {
    needs!("python3");
    let world = World::new();
    let stale: Vec<_> = (30..36).map(|days| world.aged(days)).collect();
    let ran = at_terminal(world.wsctl(["prune", "--older-than", "7d"]), "\\n").exits(78);
    assert!(stale.iter().all(|id| ran.stdout.contains(&format!("  {id}  last accessed 3"))), "{ran:#?}");
    assert!(!ran.stdout.contains(" more\r"), "{ran:#?}");
}

#[test]
fn no_means_no_and_deletes_nothing() {
    needs!("python3");
    let world = World::new();
    let stale = world.aged(30);
    let before = world.snapshot();
    for keys in ["n\\n", "no\\n", "\\n", "\\x04", "y\\x04\\x04"] {
        let ran = at_terminal(world.wsctl(["prune", "--color", "never", &stale]), keys).exits(78);
        let refused = "error[refused]: nothing was deleted";
        assert!(ran.lines().iter().any(|line| line.starts_with(refused)), "on a line of its own: {ran:#?}");
        assert_eq!(world.snapshot(), before, "{keys}");
    }
}

#[test]
fn nothing_is_asked_unless_both_stdin_and_stderr_are_a_terminal() {
    needs!("python3");
    let world = World::new();
    let stale = world.aged(30);
    for redirected in ["exec \"$@\" </dev/null", "exec \"$@\" 2>/dev/null"] {
        let wrapper = ["sh", "-c", redirected, "sh"];
        let ran = through_terminal(100, world.wsctl(["prune", &stale]), ("", "y\\n"), &wrapper).exits(2);
        assert!(!ran.stdout.contains("[y/N]"), "{ran:#?}");
    }
    assert_eq!(world.names(), [stale]);
}

#[test]
fn ctrl_c_at_the_question_ends_at_once_and_deletes_nothing() {
    needs!("python3");
    let world = World::new();
    world.aged(30);
    let before = world.snapshot();
    let ran = at_terminal(world.wsctl(["prune", "--older-than", "7d"]), "\\x03").exits(130);
    assert!(!ran.stdout.contains("refused"), "{ran:#?}");
    assert_eq!(world.snapshot(), before);
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
