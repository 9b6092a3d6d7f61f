//! Tab, pressed in real shells.

use crate::hosts::home;
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
fn a_single_candidate_is_inserted_at_once_and_a_path_with_the_quotes_of_the_shell() {
    let (world, id) = World::with(|it| it.id(&numbered(0x00c0_ffee)));
    let _ = world.workspace().id(&numbered(0xdeca_ff00)).make();
    fs::create_dir(world.path("a $(touch pwned)")).expect("a directory");
    fs::write(world.path("c 'it"), "").expect("a file");
    fs::create_dir_all(world.path("home/bases")).expect("a directory");
    for shell in here([Shell::Bash, Shell::Zsh]) {
        for (typed, completed) in [
            ("pru", "prune "),
            ("list --status=ok,mi", "list --status=ok,missing "),
            ("touch 00", "touch ID "),
            ("prune --exclude=00", "prune --exclude=ID "),
            ("touch \"00", "touch \"ID\" "),
            ("prune --base=a", "prune --base=a\\ \\$\\(touch\\ pwned\\)/"),
            ("prune --exclude-from c", "prune --exclude-from c\\ \\'it "),
            ("prune -b c", "prune -b c"), // a file is no base
            ("prune -b ~/ba", "prune -b ~/bases/"),
        ] {
            let line = tab(&world, shell, &format!("wsctl {typed}"), &[("WSCTL_BASE", &world.base())]).line;
            assert_eq!(line, format!("wsctl {}", completed.replace("ID", &id)), "{shell:?}");
        }
    }
}

#[test]
fn an_alias_with_the_name_of_another_program_does_not_run_that_program() {
    let (world, id) = World::with(|it| it.id(&numbered(0x00c0_ffee)));
    let alias = "alias id=wsctl; . ~/user/completions/wsctl; complete -F _wsctl id";
    for shell in here([Shell::Bash]) {
        let tab = tab(&world, shell, &format!("{alias}\nid touch 0"), &[("WSCTL_BASE", &world.base())]);
        assert_eq!(tab.line, format!("id touch {id} "), "{tab:#?}");
    }
}

#[test]
fn bash_may_be_told_to_take_an_option_and_its_value_for_one_word() {
    let world = World::new();
    for shell in here([Shell::Bash]) {
        let tab = tab(&world, shell, "COMP_WORDBREAKS=${COMP_WORDBREAKS/=}\nwsctl list --sort=si", &[]);
        assert_eq!(tab.line, "wsctl list --sort=size ", "{tab:#?}");
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
fn workspaces_of_the_base_of_the_line_or_the_environment_or_the_home_are_offered_as_they_are_now() {
    let world = World::new();
    let (base, spaced, _home) = (world.base(), world.path("my base"), home(&world));
    let [old, new, missing] = [0x1000_0000, 0x2000_0000, 0x3000_0000].map(numbered);
    let _ = world.workspace().id(&old).days_ago(40).make();
    let _ = world.workspace().id(&new).days_ago(3).make();
    let _ = world.workspace().id(&missing).make_without_metadata();
    fs::create_dir(base.join("monaco-2024")).expect("a directory that is not ours");
    symlink(&base, &spaced).expect("a link");
    let (elsewhere, option) = (world.path("elsewhere"), format!("ls -s --older-than 7 --base={} ", text(&base)));
    for shell in here(Shell::ALL) {
        for (typed, env) in [
            (&*option, Some(&elsewhere)),
            (&format!("-b '{}' prune --older-than 30d --exclude ", text(&spaced)), Some(&elsewhere)),
            ("-b ~/.pitlane/workspaces validate ", Some(&elsewhere)),
            ("touch ", None),
            ("touch ", Some(&base)),
        ] {
            let env: Vec<_> = env.iter().map(|base| ("WSCTL_BASE", base.as_path())).collect();
            let tab = tab(&world, shell, &format!("wsctl {typed}"), &env);
            let offered = tab.offers(&[&old, &new, &missing], &["monaco", "--color"]);
            if [Shell::Zsh, Shell::Fish, Shell::Nushell].contains(&shell) {
                let described = offered.offers(&["3d ago", "40d ago", "missing"], &[]);
                let place = |id: &str| described.shown.find(id);
                assert!(place(&new) < place(&old) && place(&old) < place(&missing), "newest first: {described:#?}");
            }
        }
    }
}
