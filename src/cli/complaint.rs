//! What is wrong with a command line, in one line that says what to write instead.

use super::Lenient;
use crate::output::escape;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

/// What users of other programs write, and what to write here; `{}` is the number that they gave. An option is suggested
/// only to a subcommand that has it.
const ELSEWHERE: [(&[&str], &str); 5] = [
    (&["--json", "-o"], "--format json"),
    (&["--force", "-f"], "--yes"),
    (&["--days"], "--older-than {}d"),
    (&["rm", "delete", "remove", "clean"], "wsctl prune ID, or wsctl prune --older-than 30d"),
    (&["version"], "wsctl --version"),
];

/// Says what clap found wrong with these arguments: in clap's own words, without the usage, where no others help more.
pub fn complaint(mut error: clap::Error, args: &[OsString], line: &Lenient) -> String {
    let subcommand = line.subcommand.as_deref();
    // No option's value begins like an option, and of the arguments only what validate is asked about may.
    if error.kind() == ErrorKind::UnknownArgument && subcommand.is_some_and(|subcommand| subcommand != "validate") {
        error.remove(ContextKind::Suggested);
    }
    // clap takes what looks like an escape sequence out of its plain text: what was given is shown as it was given.
    let given: Vec<_> = error.context().map(|(kind, value)| (kind, escaped(value))).collect();
    for (kind, value) in given {
        error.insert(kind, value);
    }
    let wrong = |kind| known_elsewhere(text(&error, kind)?, args, subcommand);
    let what = base_took_subcommand(line).or_else(|| match error.kind() {
        ErrorKind::MissingRequiredArgument => Some(missing(subcommand).to_owned()),
        ErrorKind::UnknownArgument => wrong(ContextKind::InvalidArg),
        ErrorKind::InvalidSubcommand => wrong(ContextKind::InvalidSubcommand).or_else(|| subcommands(&error)),
        ErrorKind::InvalidValue => without_value(&error),
        _ => None,
    });
    let what = what.unwrap_or_else(|| plain(&error));
    format!("{what}; try 'wsctl{} --help'", subcommand.map_or_else(String::new, |name| format!(" {name}")))
}

/// What is missing altogether, by subcommand.
fn missing(subcommand: Option<&str>) -> &'static str {
    match subcommand {
        Some("prune") => "no rule or ID given: pass --older-than 30d, --max-total-size 10GiB, --min-free 5% or IDs",
        _ => "no ID was given: pass IDs as `wsctl list` shows them, or - to read them from stdin",
    }
}

/// Names the subcommands, where none is like the one that was given.
fn subcommands(error: &clap::Error) -> Option<String> {
    let is_like_none = error.get(ContextKind::SuggestedSubcommand).is_none();
    is_like_none.then(|| format!("{}; there are validate, touch, list and prune", plain(error)))
}

/// Says that in `wsctl --base list` there is no subcommand left.
fn base_took_subcommand(line: &Lenient) -> Option<String> {
    let word = line.global.base.as_ref().filter(|_| line.subcommand.is_none())?.to_str()?;
    super::command().find_subcommand(word)?;
    Some(format!("--base took '{word}' as its directory: write --base DIR {word}"))
}

/// Says what to write for a word that other programs know.
fn known_elsewhere(word: &str, args: &[OsString], subcommand: Option<&str>) -> Option<String> {
    let (_, here) = ELSEWHERE.iter().find(|(words, _)| words.contains(&word))?;
    if let Some(option) = here.strip_prefix("--") {
        let command = super::command();
        let mut all = command.find_subcommand(subcommand?)?.get_arguments().filter_map(clap::Arg::get_long);
        all.find(|long| option.split(' ').next() == Some(long))?;
    }
    let from_it = args.iter().filter_map(|arg| arg.to_str()).skip_while(|arg| !arg.starts_with(word));
    let number = from_it.flat_map(|arg| arg.split('=')).nth(1).filter(|value| value.parse::<u32>().is_ok());
    Some(format!("there is no '{word}': write {}", here.replace("{}", number.unwrap_or("30"))))
}

/// A text that goes with the error.
fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

/// What to write for an option whose value is missing or empty.
fn without_value(error: &clap::Error) -> Option<String> {
    if !text(error, ContextKind::InvalidValue)?.is_empty() {
        return None;
    }
    let (option, name) = text(error, ContextKind::InvalidArg)?.split_once(" <")?;
    let example = match name.trim_end_matches(['>', '.']) {
        "DIR" => "/srv/workspaces",
        "DURATION" => "30d",
        "FILE" => "ids.txt",
        "ID" => "6c7ab482-a9ca-49d7-9364-b3e425655d2e",
        "N" => "10",
        "N|P%" => "20%",
        "SIZE" => "10GiB",
        "SIZE|P%" => "5%",
        "TIME" => "2026-11-23T15:51:30Z",
        _ => return None, // the values that there are follow in clap's own words
    };
    Some(format!("{option} needs a value: write {option} {example}"))
}

/// clap's own words, without the usage and without line ends.
fn plain(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let paragraphs = text.split("\n\n").map(|part| part.trim_start_matches("error: ").trim());
    let telling = paragraphs
        .filter(|part| !part.is_empty() && !part.starts_with("Usage:") && !part.starts_with("For more information"));
    let lines = telling.map(|part| part.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("; ")
}

fn escaped(value: &ContextValue) -> ContextValue {
    let escape = |text: &String| escape::text(text).into_owned();
    match value {
        ContextValue::String(text) => ContextValue::String(escape(text)),
        ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(escape).collect()),
        other => other.clone(),
    }
}
