//! `wsctl prune` asks: on a real pseudo-terminal, where the answer is typed.

use crate::terminal::at_terminal;
use crate::world::{World, has};

#[test]
fn on_a_terminal_prune_shows_what_would_go_and_asks() {
    if !has("python3") {
        return;
    }
    let world = World::new();
    let (oldest, newer, fresh) = (world.aged(90), world.aged(30), world.aged(1));
    let ran = at_terminal(world.wsctl(["prune", "--older-than", "7d"]), "y\\n").exits(0);
    for part in
        ["2 of 3 workspaces", "KiB", &format!("oldest: {oldest}"), "90d ago", &format!("newest: {newer}"), "30d ago"]
    {
        assert!(ran.stdout.contains(part), "{part}: {ran:#?}");
    }
    assert!(ran.stdout.contains("pruned 2 workspaces"), "{ran:#?}");
    assert_eq!(world.names(), [fresh]);
}

#[test]
fn the_question_names_the_first_few_in_the_order_in_which_they_would_go() {
    if !has("python3") {
        return;
    }
    let world = World::new();
    let missing = world.workspace().make_without_metadata();
    let stale: Vec<_> = (30..37).rev().map(|days| world.aged(days)).collect();
    let all =
        [&["prune", "--color", "never", &missing], &stale.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat();
    let ran = at_terminal(world.wsctl(all), "n\\n").exits(78);
    let lines: Vec<_> = ran.lines().into_iter().map(str::trim_end).collect();
    let starts = [
        "8 of 8 workspaces would be deleted, ".to_owned(),
        format!("  {missing}  last access unknown, "),
        format!("  {}  last accessed 36d ago, ", stale[0]),
        format!("  {}  last accessed 35d ago, ", stale[1]),
        format!("  {}  last accessed 34d ago, ", stale[2]),
        format!("  {}  last accessed 33d ago, ", stale[3]),
        "  and 3 more".to_owned(),
        format!("oldest: {}, last accessed 36d ago", stale[0]),
        format!("newest: {}, last accessed 30d ago", stale[6]),
        "Delete them? [y/N] n".to_owned(),
    ];
    for (line, start) in lines.iter().zip(&starts) {
        assert!(line.starts_with(start), "{start}: {ran:#?}");
    }
    assert_eq!(world.names().len(), 8);
}

#[test]
fn of_few_all_are_named() {
    if !has("python3") {
        return;
    }
    let world = World::new();
    let stale: Vec<_> = (30..35).map(|days| world.aged(days)).collect();
    let ran = at_terminal(world.wsctl(["prune", "--older-than", "7d"]), "\\n").exits(78);
    assert!(stale.iter().all(|id| ran.stdout.contains(&format!("  {id}  last accessed 3"))), "{ran:#?}");
    assert!(!ran.stdout.contains(" more"), "{ran:#?}");
}

#[test]
fn anything_but_yes_means_no_and_deletes_nothing() {
    if !has("python3") {
        return;
    }
    let world = World::new();
    let stale = world.aged(30);
    let before = world.snapshot();
    for keys in ["n\\n", "no\\n", "\\n", "yes please\\n", "\\x04", "y\\x04\\x04", "y\\xff\\n"] {
        let ran = at_terminal(world.wsctl(["prune", "--color", "never", &stale]), keys).exits(78);
        let refused = "error[refused]: nothing was deleted";
        assert!(ran.lines().iter().any(|line| line.starts_with(refused)), "on a line of its own: {ran:#?}");
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
    let ran = at_terminal(world.wsctl(["prune", "--older-than", "7d"]), "\\x03").exits(130);
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
        let ran = at_terminal(world.wsctl(args), "").exits(0);
        assert!(!ran.stdout.contains("[y/N]"), "{ran:#?}");
    }
    assert!(world.names().is_empty());
}
