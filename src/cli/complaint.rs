//! What is wrong with a command line, in one line that says what to write instead.

use super::Lenient;
use crate::output::escape;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What clap found wrong with these arguments: its own words on one line, without the usage, where there are none that help
/// more.
pub fn complaint(mut error: clap::Error, line: &Lenient) -> String {
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
    let what = match error.kind() {
        ErrorKind::MissingRequiredArgument => missing(subcommand),
        ErrorKind::InvalidSubcommand if error.get(ContextKind::SuggestedSubcommand).is_none() => {
            format!("{}; there are validate, touch, list and prune", told(&error))
        }
        ErrorKind::InvalidValue => without_value(&error).unwrap_or_else(|| told(&error)),
        _ => told(&error),
    };
    format!("{what}; try 'wsctl{} --help'", subcommand.map_or_else(String::new, |name| format!(" {name}")))
}

/// What is missing altogether, by subcommand.
fn missing(subcommand: Option<&str>) -> String {
    match subcommand {
        Some("prune") => {
            "nothing says what to delete: pass --older-than 30d, --max-total-size 10GiB, --min-free 5% or IDs"
        }
        _ => "no ID was given: pass IDs as `wsctl list` shows them, or - to read them from stdin",
    }
    .to_owned()
}

/// What to write for an option whose value is missing or empty.
fn without_value(error: &clap::Error) -> Option<String> {
    let text = |kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.as_str()),
        _ => None,
    };
    if !text(ContextKind::InvalidValue)?.is_empty() {
        return None;
    }
    let (option, name) = text(ContextKind::InvalidArg)?.split_once(" <")?;
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
fn told(error: &clap::Error) -> String {
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
