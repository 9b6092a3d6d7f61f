//! Says what is wrong with a command line and what to write instead, in one line.

use super::Lenient;
use crate::output::escape;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

/// What users of other programs write, and what to write here. `{}` stands for the number that they gave. An option is suggested
/// only if the subcommand has it.
const OTHER_PROGRAMS: [(&[&str], &str); 5] = [
    (&["--json", "-o"], "--format json"),
    (&["--force", "-f"], "--yes"),
    (&["--days"], "--older-than {}d"),
    (&["rm", "delete", "remove", "clean"], "wsctl prune ID, or wsctl prune --older-than 30d"),
    (&["version"], "wsctl --version"),
];

/// Says what is wrong with these arguments. Uses clap's own words, without the usage, if no others help more.
pub fn usage_error(mut error: clap::Error, args: &[OsString], line: &Lenient) -> String {
    let subcommand = line.subcommand.as_deref();
    // Only an argument of validate may begin with a hyphen. So do not suggest `--` for others.
    if error.kind() == ErrorKind::UnknownArgument && subcommand.is_some_and(|subcommand| subcommand != "validate") {
        error.remove(ContextKind::Suggested);
    }
    // clap removes what looks like an escape sequence from its plain text, so escape it before. Its tips would still repeat it
    // without the escapes.
    let given: Vec<_> = error.context().map(|(kind, value)| (kind, escaped(value))).collect();
    if given.iter().any(|(kind, value)| error.get(*kind) != Some(value)) {
        error.remove(ContextKind::Suggested);
    }
    for (kind, value) in given.into_iter().filter(|(kind, _)| *kind != ContextKind::Suggested) {
        error.insert(kind, value);
    }
    let wrong = |kind| suggestion_for(text(&error, kind)?, args, subcommand);
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

/// Says what is missing.
fn missing(subcommand: Option<&str>) -> &'static str {
    match subcommand {
        Some("prune") => "no rule or ID given: pass --older-than 30d, --max-total-size 10GiB, --min-free 5% or IDs",
        _ => "no ID was given: pass IDs as `wsctl list` shows them, or - to read them from stdin",
    }
}

/// Names the subcommands, if the one that was given is like none of them.
fn subcommands(error: &clap::Error) -> Option<String> {
    let is_like_none = error.get(ContextKind::SuggestedSubcommand).is_none();
    is_like_none.then(|| format!("{}; the subcommands are validate, touch, list and prune", plain(error)))
}

/// Says that `wsctl --base list` has no subcommand left.
fn base_took_subcommand(line: &Lenient) -> Option<String> {
    let word = line.global.base.as_ref().filter(|_| line.subcommand.is_none())?.to_str()?;
    super::command().find_subcommand(word)?;
    Some(format!("--base took '{word}' as its directory: write --base DIR {word}"))
}

/// Says what to write instead of a word that other programs know.
fn suggestion_for(word: &str, args: &[OsString], subcommand: Option<&str>) -> Option<String> {
    let (_, here) = OTHER_PROGRAMS.iter().find(|(words, _)| words.contains(&word))?;
    if let Some(option) = here.strip_prefix("--") {
        let command = super::command();
        let mut all = command.find_subcommand(subcommand?)?.get_arguments().filter_map(clap::Arg::get_long);
        all.find(|long| option.split(' ').next() == Some(long))?;
    }
    let from_it = args.iter().filter_map(|arg| arg.to_str()).skip_while(|arg| !arg.starts_with(word));
    let number = from_it.flat_map(|arg| arg.split('=')).nth(1).filter(|value| value.parse::<u32>().is_ok());
    Some(format!("there is no '{word}': write {}", here.replace("{}", number.unwrap_or("30"))))
}

/// Returns a text that belongs to the error.
fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

/// Says what to write for an option without a value.
fn without_value(error: &clap::Error) -> Option<String> {
    if !text(error, ContextKind::InvalidValue)?.is_empty() {
        return None;
    }
    let (option, name) = text(error, ContextKind::InvalidArg)?.split_once(" <")?;
    let example = match name.trim_end_matches(['>', '.']) {
        "DIR" => "/srv/workspaces",
        "DURATION" => "30d",
        "FILE" if option == "--metrics" => "wsctl.prom",
        "FILE" => "ids.txt",
        "ID" => "6c7ab482-a9ca-49d7-9364-b3e425655d2e",
        "N" => "10",
        "N|P%" => "20%",
        "SIZE" => "10GiB",
        "SIZE|P%" => "5%",
        "TIME" => "2026-11-23T15:51:30Z",
        _ => return None, // clap lists the possible values
    };
    Some(format!("{option} needs a value: write {option} {example}"))
}

/// Returns clap's own words on one line, without the usage.
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
