//! Reads workspace IDs: from arguments, stdin and files.

use super::{duration, stdin::Stdin};
use crate::core::{Category, Error, Result, WorkspaceId};
use anyhow::Context as _;
use clap::Args;
use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// How IDs are separated, and those after `--`.
#[derive(Debug, Args)]
pub struct IdInput {
    /// Separate IDs by NUL instead of newlines, on stdin and in `list --format ids`
    ///
    /// `xargs -0` and `find -print0` do the same.
    #[arg(short = '0', long = "null")]
    pub null: bool,
    /// What follows `--` is taken literally: `-` and `--help` are malformed IDs there
    #[arg(last = true, value_name = "ID", hide = true)]
    literal: Vec<OsString>,
}

/// Whether no IDs were given and none are to be read from stdin.
pub fn are_missing(given: &[OsString], input: &IdInput) -> bool {
    given.is_empty() && input.literal.is_empty()
}

/// The IDs that a command was given.
#[derive(Debug)]
pub struct Given {
    /// The valid IDs, in their order.
    pub ids: Vec<WorkspaceId>,
    /// The others, with what is wrong with each.
    pub wrong: Vec<(OsString, Error)>,
}

/// Reads the IDs. An argument may also be the path of a workspace in this base.
///
/// # Errors
/// As [`candidates`].
pub fn read(given: &[OsString], input: &IdInput, base: &Path) -> Result<Given> {
    let given: Vec<_> = given.iter().map(|argument| without_base(argument, base).to_owned()).collect();
    let (mut ids, mut wrong) = (Vec::new(), Vec::new());
    for candidate in candidates(&given, input)? {
        match parse(&candidate) {
            Ok(id) => ids.push(id),
            Err(error) => wrong.push((candidate, error)),
        }
    }
    Ok(Given { ids, wrong })
}

/// Returns the ID in `ID/`, `BASE/ID` and `BASE/ID/`, which shells complete. BASE must be written like the base itself: comparing
/// them follows no link. Returns anything else unchanged.
fn without_base<'a>(argument: &'a OsStr, base: &Path) -> &'a OsStr {
    let path = Path::new(argument);
    let is_in_base = path.parent().is_some_and(|parent| parent == base || parent == Path::new(""));
    path.file_name().filter(|name| is_in_base && WorkspaceId::parse(name.as_bytes()).is_some()).unwrap_or(argument)
}

/// Returns the candidates in their order. `-` stands for those on stdin. None is checked yet.
///
/// # Errors
/// [`Category::Io`] if stdin has to be read and is closed or cannot be read.
pub fn candidates(given: &[OsString], input: &IdInput) -> Result<Vec<OsString>> {
    let mut all = Vec::with_capacity(given.len());
    for argument in given {
        if argument == "-" {
            let mut bytes = Vec::new();
            Stdin
                .read_to_end(&mut bytes)
                .map_err(|error| Error::io(&error, "cannot read stdin").with_category(Category::Io))?;
            all.extend(split(&bytes, input));
        } else {
            all.push(argument.clone());
        }
    }
    all.extend(input.literal.iter().cloned());
    Ok(all)
}

fn split(bytes: &[u8], input: &IdInput) -> impl Iterator<Item = OsString> {
    let end = if input.null { 0 } else { b'\n' };
    let lines = !input.null;
    bytes
        .split(move |byte| *byte == end)
        .map(move |item| item.strip_suffix(b"\r").filter(|_| lines).unwrap_or(item))
        .filter(move |item| !(if lines { item.trim_ascii() } else { item }).is_empty())
        .map(|item| OsString::from_vec(item.to_vec()))
}

/// What to write for an ID.
const EXPECTED: &str = "write a UUID of 36 characters, as `wsctl list` shows them";

/// Reads the ID that is the value of an option.
pub fn value(text: &str) -> std::result::Result<WorkspaceId, String> {
    WorkspaceId::parse(text.as_bytes()).ok_or_else(|| format!("not a workspace ID: {EXPECTED}"))
}

/// Reads one ID.
///
/// # Errors
/// [`Category::InvalidId`], with the beginning of what was given and what to write instead.
pub fn parse(candidate: &OsStr) -> Result<WorkspaceId> {
    WorkspaceId::parse(candidate.as_bytes()).ok_or_else(|| {
        let shown = shown(candidate);
        let id = Path::new(candidate).file_name().and_then(|name| WorkspaceId::parse(name.as_bytes()));
        let advice = match id {
            Some(id) => format!("write only the ID, {id}: it is looked up in the base"),
            None if shown.len() < 20 && duration::parse(&shown).is_ok() => {
                format!("list and prune take an age as --older-than {shown}")
            }
            None => EXPECTED.to_owned(),
        };
        Error::new(Category::InvalidId, format!("'{shown}' is not a workspace ID: {advice}"))
    })
}

/// Returns what was given, cut to a line's length.
pub fn shown(candidate: &OsStr) -> String {
    let text = candidate.to_string_lossy();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into_owned(),
    }
}

/// Reads a file of IDs, one a line, with `#` before comments.
///
/// # Errors
/// [`Category::InvalidId`] with the line's number, or by errno if the file cannot be read.
pub fn from_file(path: &Path) -> anyhow::Result<Vec<WorkspaceId>> {
    let shown = path.display();
    let failed = |error: std::io::Error| match Error::io(&error, format!("cannot read {shown}")) {
        failure if error.kind() == ErrorKind::IsADirectory => failure.with_category(Category::Usage),
        failure => failure.severe(),
    };
    let bytes = std::fs::read(path).map_err(failed)?;
    let mut ids = Vec::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
        if !line.is_empty() {
            ids.push(parse(OsStr::from_bytes(line)).with_context(|| format!("{shown}, line {}", number + 1))?);
        }
    }
    Ok(ids)
}
