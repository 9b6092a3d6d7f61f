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
fn anything_but_yes_means_no_and_deletes_nothing() {
    if !has("python3") {
        return;
    }
    let world = World::new();
    let stale = world.aged(30);
    let before = world.snapshot();
    for keys in ["n\\n", "\\n", "yes please\\n", "\\x04"] {
        let ran = at_terminal(world.wsctl(["prune", "--color", "never", &stale]), keys).exits(78);
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
