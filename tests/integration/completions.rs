//! What is generated for shells, and what the program answers when a shell asks. The committed completions are those that
//! the program writes: `UPDATE=1 cargo test completions` writes them anew.

use crate::tools::assert_committed;
use crate::world::{Ran, Run, World, numbered, odd_name};
use std::fs;

/// Every shell, by a name that asks for it, with the file that is committed.
const SHELLS: [(&str, &str); 6] = [
    ("bash", "wsctl.bash"),
    ("elvish", "wsctl.elv"),
    ("fish", "wsctl.fish"),
    ("nu", "wsctl.nu"),
    ("pwsh", "_wsctl.ps1"),
    ("zsh", "_wsctl"),
];

#[test]
fn the_committed_completions_are_those_of_the_command_line_and_where_none_can_be_written_it_is_an_io_error() {
    let world = World::new();
    for (shell, name) in SHELLS {
        let generated = world.bare::<&str>([]).env("COMPLETE", shell).run().exits(0).quietly().stdout;
        assert_committed(&format!("completions/{name}"), &generated);
        let _ = world.bare([""; 0]).env("COMPLETE", shell).through_sh("\"$@\" >/dev/full").run().exits(74);
    }
}

/// A shell asks for the last of these words.
fn asking<'a>(world: &'a World, shell: &str, words: &[&str]) -> Run<'a> {
    let args = ["--", "wsctl"].iter().chain(words);
    world.wsctl(args).env("COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", words.len().to_string())
}

fn answer(world: &World, shell: &str, words: &[&str]) -> Ran {
    asking(world, shell, words).run().exits(0).quietly()
}

#[test]
fn the_complete_variable_does_not_change_an_ordinary_run() {
    let (world, stale) = World::with_aged(40);
    for value in ["bash", "yes", ""] {
        world.wsctl(["list", "--format", "ids"]).env("COMPLETE", value).run().exits(0).prints(&format!("{stale}\n"));
    }
    world.wsctl([""; 0]).env("COMPLETE", "yes").run().exits(2).mentions("Usage:");
}

#[test]
fn a_shell_is_told_nothing_but_candidates() {
    let world = World::new();
    let [id, other] = [0x00c0_ffee, 2].map(|number| world.workspace().id(&numbered(number)).days_ago(1).make());
    let [id_line, other_line] = [&id, &other].map(|id| format!("{id}\t1d ago\n"));
    for (words, offered) in [
        (&["touch", &id[..4]][..], &*id_line),
        (&["touch", &id[..4].to_uppercase()], &id_line),
        (&["prune", "--exclude", &id, "0"], &other_line), // not again what is on the line
        (&["touch", "x"], ""),
        (&["list", "--limit", ""], ""),
        (&["list", "bogus", "--bogus"], ""),
    ] {
        answer(&world, "fish", words).prints(offered);
    }
    assert_eq!(answer(&world, "bash", &["touch", &id[..4]]).stdout, id);
    let odd = odd_name(&world.base());
    for (shell, _) in SHELLS {
        for index in ["", "99", "-1", "x"] {
            asking(&world, shell, &["touch", "-b", "", ""]).env("_CLAP_COMPLETE_INDEX", index).run().exits(0).quietly();
        }
        let none = asking(&world, shell, &["touch", "0"]).env("WSCTL_BASE", &odd).run().exits(0).quietly();
        assert!(!none.stdout.contains("0000"), "{none:#?}");
        asking(&world, shell, &["touch", ""]).through_sh("\"$@\" >&-").run().exits(0).quietly();
    }
}

#[test]
fn every_option_and_value_of_the_command_line_is_offered() {
    let world = World::new();
    let mut root = wsctl::cli::command();
    root.build();
    for (shell, _) in SHELLS {
        for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
            let name = *command.get_name_and_visible_aliases().last().expect("a name");
            let offered = answer(&world, shell, &[name, "--"]).stdout;
            for arg in command.get_arguments() {
                let Some(option) = arg.get_long().map(|long| format!("--{long}")) else { continue };
                assert!(offered.contains(&option), "{shell}: {command} {option}: {offered}");
                if !arg.get_action().takes_values() {
                    continue;
                }
                let offered = answer(&world, shell, &[name, &option, ""]).stdout;
                for value in arg.get_possible_values() {
                    assert!(offered.contains(value.get_name()), "{shell}: {option}: {offered}");
                }
            }
        }
    }
}

#[test]
fn nothing_that_was_written_into_a_workspace_reaches_the_shell() {
    let world = World::new();
    let nasty = "\u{1b}[31m$(touch pwned)\n\t`x`:";
    let described = world.workspace().description(nasty).make();
    let corrupt = world.workspace().metadata(nasty).make();
    fs::create_dir(world.base().join(nasty)).expect("a directory");
    for (shell, _) in SHELLS {
        let shown = answer(&world, shell, &["prune", ""]).stdout;
        assert!(shown.contains(&described) && shown.contains(&corrupt), "{shell}: {shown}");
        let harmless = |c: char| c.is_ascii_alphanumeric() || "-: \t\n".contains(c);
        assert!(shown.chars().all(harmless) && !shown.contains("pwned"), "{shell}: {shown}");
    }
}

#[test]
fn what_is_suggested_for_a_value_is_accepted() {
    let (world, id) = World::with_aged(1);
    for (begun, offered) in [("1.5.5", ""), ("7mo", "7months\n")] {
        answer(&world, "fish", &["list", "--older-than", begun]).prints(offered);
    }
    let options = ["--older-than", "--max-total-size", "--min-free", "--max-delete"];
    for (option, text) in options.into_iter().flat_map(|option| ["", "5", "200"].map(|text| (option, text))) {
        let suggested = answer(&world, "fish", &["prune", option, text]).stdout;
        assert!(!suggested.is_empty(), "{option} {text}");
        for value in suggested.lines() {
            let ran = world.wsctl(["prune", "-n", &id, option, value]).run();
            assert!([0, 78].contains(&ran.status), "accepted, if not carried out: {ran:#?}");
        }
    }
}
