//! Tab, pressed in real shells.

use crate::shells::{Shell, tab};
use crate::tools::text;
use crate::world::{World, numbered};
use std::fs;
use std::os::unix::fs::symlink;

fn here<const N: usize>(shells: [Shell; N]) -> impl Iterator<Item = Shell> {
    shells.into_iter().filter(|shell| shell.is_here())
}

#[test]
fn subcommands_options_and_their_values_are_offered() {
    let world = World::new();
    for shell in here(Shell::ALL) {
        let offered = |typed: &str| tab(&world, shell, typed, &[]);
        offered("wsctl ").offers(&["validate", "touch", "list", "prune"], &["--base", "rror"]);
        offered("wsctl list --").offers(&["--older-than", "--sort", "--base"], &["--max-delete"]);
        offered("wsctl list --sort ").offers(&["accessed", "created", "size", "id"], &["--base"]);
        offered("wsctl list --status ok,").offers(&["ok,missing", "ok,corrupt", "ok,denied"], &["ok,ok"]);
        offered("wsctl prune --older-than 7").offers(&["7min", "7h", "7d", "7weeks", "7months"], &["7M"]);
        offered("wsctl prune --max-total-size=20").offers(&["20MiB", "20GiB", "20TiB"], &["%"]);
    }
}

#[test]
fn a_single_candidate_is_inserted_at_once() {
    let world = World::new();
    let id = world.workspace().id(&numbered(0x00c0_ffee)).make();
    let _ = world.workspace().id(&numbered(0xdeca_ff00)).make();
    for shell in here(Shell::INSERTING) {
        let line = |typed: &str| tab(&world, shell, typed, &[("WSCTL_BASE", &world.base())]).line;
        for (typed, completed) in [
            ("pru", "prune "),
            ("list --status=ok,mi", "list --status=ok,missing "),
            ("touch 00", "touch ID "),
            ("prune --exclude=00", "prune --exclude=ID "),
            ("touch \"00", "touch \"ID\" "),
        ] {
            assert_eq!(line(&format!("wsctl {typed}")), format!("wsctl {}", completed.replace("ID", &id)), "{shell:?}");
        }
    }
}

#[test]
fn completion_does_not_run_the_typed_line() {
    let world = World::new();
    // Elvish completes no line on which a command stands.
    for shell in here(Shell::ALL).filter(|shell| *shell != Shell::Elvish) {
        for run in ["(touch pwned)", "$(touch pwned)", "`touch pwned`"] {
            let _ = tab(&world, shell, &format!("wsctl touch {run} "), &[]); // not a word in every shell
            assert!(!world.path("pwned").exists(), "{shell:?}: {run}");
        }
    }
}

#[test]
fn workspaces_are_offered_as_they_are_now() {
    let world = World::new();
    let base = world.base();
    let [old, new, missing] = [0x1000_0000, 0x2000_0000, 0x3000_0000].map(numbered);
    let _ = world.workspace().id(&old).days_ago(40).make();
    let _ = world.workspace().id(&new).days_ago(3).make();
    let _ = world.workspace().id(&missing).make_without_metadata();
    fs::create_dir(base.join("monaco-2024")).expect("a directory that is not ours");
    for shell in here(Shell::ALL) {
        let offered = |typed: &str| tab(&world, shell, typed, &[("WSCTL_BASE", &base)]);
        for typed in ["touch ", "ls -s ", "prune --exclude "] {
            offered(&format!("wsctl {typed}")).offers(&[&old, &new, &missing], &["monaco", "--base"]);
        }
        if Shell::DESCRIBING.contains(&shell) {
            let described = offered("wsctl touch ").offers(&["3d ago", "40d ago", "missing"], &[]);
            let place = |id: &str| described.shown.find(id);
            assert!(place(&new) < place(&old) && place(&old) < place(&missing), "the newest first: {described:#?}");
        }
    }
}

#[test]
fn the_base_is_the_one_of_the_line_or_the_environment_or_the_home() {
    let world = World::new();
    let [one, other] = [0x1000_0000, 0x2000_0000].map(|number| world.workspace().id(&numbered(number)).make());
    let (base, home, spaced) = (world.base(), world.path("home"), world.path("my base"));
    fs::create_dir_all(home.join(".pitlane")).expect("a directory");
    symlink(&base, home.join(".pitlane/workspaces")).expect("a link");
    symlink(&base, &spaced).expect("a link");
    for shell in here(Shell::ALL) {
        let lines = [
            format!("wsctl list --older-than 7 --base={} ", text(&base)),
            format!("wsctl -b '{}' prune --older-than 30d --exclude ", text(&spaced)),
            "wsctl -b ~/.pitlane/workspaces validate ".to_owned(),
        ];
        for line in &lines {
            tab(&world, shell, line, &[("WSCTL_BASE", &world.path("elsewhere"))]).offers(&[&one, &other], &[]);
        }
        tab(&world, shell, "wsctl touch ", &[]).offers(&[&one, &other], &[]);
        tab(&world, shell, "wsctl touch ", &[("WSCTL_BASE", &base)]).offers(&[&one, &other], &[]);
    }
}

#[test]
fn paths_are_completed_by_the_shell_with_its_own_quotes() {
    let world = World::new();
    fs::create_dir(world.path("a $(touch pwned)")).expect("a directory");
    fs::write(world.path("c 'it"), "").expect("a file");
    fs::create_dir_all(world.path("home/bases")).expect("a directory");
    for shell in here(Shell::INSERTING) {
        let line = |typed: &str| tab(&world, shell, typed, &[]).line;
        for (typed, completed) in [
            ("--base=a", "--base=a\\ \\$\\(touch\\ pwned\\)/"),
            ("--exclude-from c", "--exclude-from c\\ \\'it "),
            ("-b c", "-b c"), // a file is no base
            ("-b ~/ba", "-b ~/bases/"),
        ] {
            assert_eq!(line(&format!("wsctl prune {typed}")), format!("wsctl prune {completed}"), "{shell:?}");
        }
    }
}
