//! Completion in a shell. When Tab is pressed it runs `COMPLETE=<shell> wsctl -- <words>`, and the engine of `clap_complete`
//! answers by clap's own reading of the words; with no words it writes the script that makes the shell do so.
//!
//! The scripts for bash, zsh and fish are ours, in `completions/`. Those of the engine do not take `--option=value` for one
//! word (bash), do nothing at the first Tab where the script is loaded at need (zsh), and put names of files on the command
//! line unquoted (bash), or quoted too much (zsh). So a path is completed by the shell itself, which is told so by a placeholder
//! for the candidates.

mod values;

use crate::cli;
use crate::core::{Timestamp, WorkspaceId};
use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use values::{Amount, Ids};

/// The environment variable in which a shell that asks for completions gives its name.
pub const VARIABLE: &str = "COMPLETE";

/// Where bash, zsh and elvish say which word is to be completed; for the others it is the last.
const INDEX: &str = "_CLAP_COMPLETE_INDEX";

const SHELLS: [&dyn EnvCompleter; 5] = [
    &Scripted { shell: &Bash, script: include_str!("../../completions/wsctl.bash") },
    &Elvish,
    &Scripted { shell: &Fish, script: include_str!("../../completions/wsctl.fish") },
    &Powershell,
    &Scripted { shell: &Zsh, script: include_str!("../../completions/_wsctl") },
];

/// A shell with a script of our own.
struct Scripted {
    shell: &'static dyn EnvCompleter,
    script: &'static str,
}

impl EnvCompleter for Scripted {
    fn name(&self) -> &'static str {
        self.shell.name()
    }

    fn is(&self, name: &str) -> bool {
        self.shell.is(name)
    }

    fn write_registration(&self, _: &str, _: &str, _: &str, _: &str, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.script.as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.shell.write_complete(command, words, directory, out)
    }
}

/// What a shell asks.
pub struct Request {
    shell: &'static dyn EnvCompleter,
    words: Vec<OsString>,
}

impl Request {
    /// What is asked by these arguments and this value of [`VARIABLE`]. `None` if nothing is: the variable may be there for
    /// another program's sake, and must not make a prune that deletes nothing of what cron has asked for.
    pub fn of(shell: &OsStr, args: &[OsString]) -> Option<Self> {
        let words = match args {
            [_] => &[],
            [_, escape, words @ ..] if escape == "--" => words,
            _ => return None,
        };
        let name = Path::new(shell).file_name()?.to_str()?; // it may be $SHELL
        SHELLS.into_iter().find(|shell| shell.is(name)).map(|shell| Self { shell, words: words.to_vec() })
    }

    /// Whether the script is asked for, and no candidates.
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
        if self.words.is_empty() {
            return self.shell.write_registration(VARIABLE, "wsctl", "wsctl", "wsctl", out);
        }
        let last = self.words.len() - 1;
        let index = env(INDEX).and_then(|index| index.to_str()?.parse().ok()).unwrap_or(last);
        if matches!(self.shell.name(), "bash" | "zsh") {
            self.unquote_all_but(index);
        }
        let mut command = self.command(index, now, env);
        self.shell.write_complete(&mut command, self.words, None, out)
    }

    /// Bash and zsh hand the words over as they were typed.
    fn unquote_all_but(&mut self, current: usize) {
        for (_, word) in self.words.iter_mut().enumerate().filter(|(index, _)| *index != current) {
            if let Some([plain]) = word.to_str().and_then(shlex::split).as_deref() {
                *word = plain.into();
            }
        }
    }

    /// The command line with what completes its values.
    fn command(&self, index: usize, now: Timestamp, env: impl Fn(&str) -> Option<OsString>) -> Command {
        let mut others = self.words.clone();
        let current = if index < others.len() { others.remove(index) } else { OsString::new() };
        let ids = Ids {
            base: cli::Lenient::of(&others).global.base(&env).map(|base| at_home(base, env("HOME"))).ok(),
            named: others.iter().filter_map(|word| WorkspaceId::parse(word.as_bytes())).collect(),
            now: self.shows_descriptions().then_some(now),
        };
        let ids = ArgValueCompleter::new(ids);
        let mut command = cli::command();
        command.build();
        // An option is offered to whoever has begun one, or where there is nothing else.
        let has_begun = current.as_bytes().starts_with(b"-");
        altered(command, &|arg| {
            let arg = if arg.is_positional() || has_begun { arg } else { arg.hide(true) };
            match self.completer(&arg, &ids) {
                Some(completer) => arg.add(completer),
                None => arg,
            }
        })
    }

    /// What completes an option or an argument is told by what its value is called in the help.
    fn completer(&self, arg: &Arg, ids: &ArgValueCompleter) -> Option<ArgValueCompleter> {
        match arg.get_value_names()?.first()?.as_str() {
            "ID" => Some(ids.clone()),
            "DIR" => Some(self.path("<DIR>", PathCompleter::dir())),
            "FILE" => Some(self.path("<FILE>", PathCompleter::any())),
            name => Amount::of(name).map(ArgValueCompleter::new),
        }
    }

    /// Our own scripts let the shell complete a path when they are answered so. PowerShell does where there are no candidates.
    fn path(&self, placeholder: &'static str, completer: PathCompleter) -> ArgValueCompleter {
        match self.shell.name() {
            "elvish" => ArgValueCompleter::new(completer),
            "powershell" => ArgValueCompleter::new(|_: &OsStr| Vec::new()),
            _ => ArgValueCompleter::new(move |_: &OsStr| vec![CompletionCandidate::new(placeholder)]),
        }
    }

    fn shows_descriptions(&self) -> bool {
        !matches!(self.shell.name(), "bash" | "elvish")
    }
}

/// Every option and argument, altered.
fn altered(command: Command, alter: &impl Fn(Arg) -> Arg) -> Command {
    command.mut_args(alter).mut_subcommands(|below| altered(below, alter))
}

/// The path with a `~` in front, which a shell replaces only when it runs the line.
fn at_home(path: PathBuf, home: Option<OsString>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(below), Some(home)) => Path::new(&home).join(below),
        _ => path,
    }
}
