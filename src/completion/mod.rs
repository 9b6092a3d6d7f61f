//! Completion in a shell. When you press Tab, the shell runs `COMPLETE=<shell> wsctl -- <words>`, and the engine of
//! `clap_complete` answers. Without words, it writes the script that makes the shell do so.
//!
//! The scripts in `completions/` are ours, except for elvish. Those of the engine do not take `--option=value` as one word
//! (bash), do nothing at the first Tab when they are loaded on demand (zsh), insert file names unquoted (bash) or quoted too much
//! (zsh), do not complete a path that begins with a variable (fish), and run the typed line (PowerShell). For nushell there is
//! none. Our scripts let the shell complete paths itself: a placeholder among the candidates tells them to.

mod values;

use crate::cli;
use crate::core::{Timestamp, WorkspaceId};
use clap::builder::PossibleValuesParser;
use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use values::{Amount, Ids};

/// The environment variable with the name of the shell that asks for completions.
pub const VARIABLE: &str = "COMPLETE";

/// The variable in which bash, zsh and elvish say which word to complete. For the others it is the last word.
const INDEX: &str = "_CLAP_COMPLETE_INDEX";

/// Each shell's names, how it asks and is answered, and its script, unless it uses the engine's.
const SHELLS: [(&[&str], &dyn EnvCompleter, Option<&str>); 6] = [
    (&["bash"], &Bash, Some(include_str!("../../completions/wsctl.bash"))),
    (&["elvish"], &Elvish, None),
    (&["fish"], &Fish, Some(include_str!("../../completions/wsctl.fish"))),
    (&["nu", "nushell"], &Fish, Some(include_str!("../../completions/wsctl.nu"))),
    (&["powershell", "pwsh"], &Powershell, Some(include_str!("../../completions/_wsctl.ps1"))),
    (&["zsh"], &Zsh, Some(include_str!("../../completions/_wsctl"))),
];

/// What a shell asks.
pub struct Request {
    shell: &'static dyn EnvCompleter,
    script: Option<&'static str>,
    words: Vec<OsString>,
}

impl Request {
    /// Reads these arguments and this value of [`VARIABLE`]. Returns `None` if they ask nothing: the variable may be meant for
    /// another program, and must not turn cron's prune into a completion.
    pub fn of(shell: &OsStr, args: &[OsString]) -> Option<Self> {
        let words = match args {
            [_] => &[],
            [_, escape, words @ ..] if escape == "--" => words,
            _ => return None,
        };
        let name = Path::new(shell).file_name()?.to_str()?; // it may be $SHELL
        let (_, shell, script) = SHELLS.into_iter().find(|(names, ..)| names.contains(&name))?;
        Some(Self { shell, script, words: words.to_vec() })
    }

    /// Whether the shell asks for the script.
    pub fn is_for_script(&self) -> bool {
        self.words.is_empty()
    }

    /// Writes the candidates, or the script.
    pub fn answer(
        mut self,
        now: Timestamp,
        env: impl Fn(&str) -> Option<OsString>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if self.is_for_script() {
            return match self.script {
                Some(script) => out.write_all(script.as_bytes()),
                None => self.shell.write_registration(VARIABLE, "wsctl", "wsctl", "wsctl", out),
            };
        }
        let last = self.words.len() - 1;
        let index = env(INDEX).and_then(|index| index.to_str()?.parse().ok()).unwrap_or(last);
        if matches!(self.shell.name(), "bash" | "zsh") {
            self.unquote_all_but(index);
        }
        let mut command = self.command(index, now, env);
        self.shell.write_complete(&mut command, self.words, Some(Path::new(".")), out)
    }

    /// Unquotes the words, because bash and zsh pass them as they were typed.
    fn unquote_all_but(&mut self, current: usize) {
        for (_, word) in self.words.iter_mut().enumerate().filter(|(index, _)| *index != current) {
            if let Some([plain]) = word.to_str().and_then(shlex::split).as_deref() {
                *word = plain.into();
            }
        }
    }

    /// Returns the command line with completers for its values.
    fn command(&self, index: usize, now: Timestamp, env: impl Fn(&str) -> Option<OsString>) -> Command {
        let mut others = self.words.clone();
        let current = if index < others.len() { others.remove(index) } else { OsString::new() };
        let ids = Ids {
            base: cli::Lenient::of(&others).global.base(&env).map(|base| at_home(base, env("HOME"))).ok(),
            named: others.iter().filter_map(|word| WorkspaceId::parse(word.as_bytes())).collect(),
            now: (!matches!(self.shell.name(), "bash" | "elvish")).then_some(now), // these two show none
        };
        let ids = ArgValueCompleter::new(ids);
        let mut command = cli::command();
        command.build();
        // Options are hidden until a `-` is typed. The engine still offers them if it finds nothing else.
        let has_begun = current.as_bytes().starts_with(b"-");
        let begun = current.to_string_lossy();
        let listed: Vec<_> =
            begun.rsplit_once(',').map_or_else(Vec::new, |(listed, _)| listed.split([',', '=']).collect());
        altered(command, &|mut arg| {
            if arg.get_value_delimiter().is_some() {
                let mut left = arg.get_possible_values();
                left.retain(|value| !listed.contains(&value.get_name()));
                arg = arg.value_parser(PossibleValuesParser::new(left));
            }
            let arg = if arg.is_positional() || has_begun { arg } else { arg.hide(true) };
            match self.completer(&arg, &ids) {
                Some(completer) => arg.add(completer),
                None => arg,
            }
        })
    }

    /// Returns the completer for an option or argument, by the name of its value in the help.
    fn completer(&self, arg: &Arg, ids: &ArgValueCompleter) -> Option<ArgValueCompleter> {
        match arg.get_value_names()?.first()?.as_str() {
            "ID" => Some(ids.clone()),
            "DIR" | "FILE" if self.script.is_none() => None, // the engine does it
            // A placeholder makes our scripts complete a path.
            name @ ("DIR" | "FILE") => {
                let placeholder = format!("<{name}>");
                Some(ArgValueCompleter::new(move |_: &OsStr| vec![CompletionCandidate::new(&placeholder)]))
            }
            name => Amount::of(name).map(ArgValueCompleter::new),
        }
    }
}

/// Alters every option and argument.
fn altered(command: Command, alter: &impl Fn(Arg) -> Arg) -> Command {
    command.mut_args(alter).mut_subcommands(|below| altered(below, alter))
}

/// Replaces a `~` at the beginning of the path. A shell does so only when it runs the line.
fn at_home(path: PathBuf, home: Option<OsString>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(below), Some(home)) => Path::new(&home).join(below),
        _ => path,
    }
}
