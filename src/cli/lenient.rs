//! Reads as much as possible of a command line that is wrong, asks for help or is unfinished.

use super::{Cli, Global, When};
use clap::builder::ValueParser;
use clap::{Arg, CommandFactory, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// What could be read.
#[derive(Debug)]
pub struct Lenient {
    /// The global options. Errors are logged, whatever `RUST_LOG` says.
    pub global: Global,
    /// The file for monitoring, if the command would write one.
    pub metrics: Option<PathBuf>,
    /// The name of the subcommand.
    pub subcommand: Option<String>,
}

impl Lenient {
    /// Reads the line. Accepts any value for an option. Drops unknown options, because clap stops at the first.
    pub fn of(args: &[OsString]) -> Self {
        let any_value = |arg: Arg| {
            if arg.get_action().takes_values() { arg.value_parser(ValueParser::os_string()) } else { arg }
        };
        let command = Cli::command().mut_args(any_value).mut_subcommands(|command| command.mut_args(any_value));
        let known = args.iter().filter(|word| is_known(word, &command)).cloned().collect::<Vec<_>>();
        let matches = command.ignore_errors(true).try_get_matches_from(known).unwrap_or_default();

        let (subcommand, matches) = matches.subcommand().map_or((None, &matches), |(name, below)| (Some(name), below));
        let value = |option| matches.try_get_one::<OsString>(option).ok().flatten();
        let color = value("color").and_then(|when| When::from_str(&when.to_string_lossy(), false).ok());
        let is_dry_run = matches!(matches.try_get_one("dry_run"), Ok(Some(true)));
        Self {
            global: Global {
                base: value("base").map(PathBuf::from),
                verbose: 0,
                quiet: true,
                color: color.unwrap_or(When::Auto),
            },
            metrics: value("metrics").map(PathBuf::from).filter(|file| !is_dry_run && file.file_name().is_some()),
            subcommand: subcommand.map(str::to_owned),
        }
    }
}

/// Whether a word is a known option, or no option at all. A negative number is no option.
fn is_known(word: &OsString, command: &clap::Command) -> bool {
    let mut all = command.get_subcommands().chain([command]).flat_map(clap::Command::get_arguments);
    let Some(option) = word.to_str().and_then(|word| word.strip_prefix('-')) else { return true };
    match (option.strip_prefix('-'), option.chars().next()) {
        (Some(""), _) | (None, None | Some('0'..='9')) => true,
        (Some(long), _) => all.any(|arg| arg.get_long() == long.split('=').next()),
        (None, short) => all.any(|arg| arg.get_short() == short),
    }
}
