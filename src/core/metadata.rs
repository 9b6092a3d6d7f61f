//! Reads `.metadata.json` within bounds, and changes one value in it without touching another byte.

use super::base::mounted;
use super::dirfd::DirFd;
use super::error::{Category, Error, Result};
use super::names::METADATA;
use super::stat::Stat;
use super::timestamp::Timestamp;
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, retry_on_intr};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::os::fd::OwnedFd;

/// The largest metadata file that is read, in bytes. The application writes fewer than 300.
pub const MAX_LEN: usize = 64 * 1024;

/// A metadata file that was read.
#[derive(Debug)]
pub struct Opened {
    /// The open file. As long as it is open, no other file gets its inode number, so stats can be compared.
    pub file: OwnedFd,
    /// Its stat, taken before the first byte was read.
    pub stat: Stat,
}

/// Reads the metadata file at `path` into `buffer`. `path` is one name, or a workspace and a name. Returns `None` if the file or
/// the workspace does not exist.
///
/// # Errors
/// [`Category::CorruptMetadata`] unless it is a regular file of at most [`MAX_LEN`] bytes, else by errno.
pub fn read(dir: &DirFd, path: &str, buffer: &mut Vec<u8>) -> Result<Option<Opened>> {
    let failed = |errno| Error::os(errno, format!("cannot read {METADATA}"));
    let file = match dir.open_file(path) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(Errno::LOOP) => return Err(corrupt("is a symbolic link")),
        Err(Errno::XDEV) => return Err(mounted()),
        Err(Errno::NXIO | Errno::NODEV) => return Err(corrupt("is not a regular file")), // a socket, or a device without a driver
        Err(errno) => return Err(failed(errno)),
    };
    let stat = Stat::of_file(&file).map_err(failed)?;
    if !stat.is_file() {
        return Err(corrupt("is not a regular file"));
    }
    let size = usize::try_from(stat.size).unwrap_or(usize::MAX);
    buffer.clear();
    while size <= MAX_LEN && buffer.len() <= MAX_LEN {
        buffer.reserve(size + 1); // one more byte, so that a single call reads a file that has not grown
        let read = retry_on_intr(|| rustix::io::read(&file, spare_capacity(buffer))).map_err(failed)?;
        if read == 0 || buffer.len() == size {
            return Ok(Some(Opened { file, stat }));
        }
    }
    Err(corrupt("is larger than 64 KiB"))
}

/// Returns the error for a metadata file that the application cannot have written.
pub fn corrupt(why: &str) -> Error {
    Error::new(Category::CorruptMetadata, format!("{METADATA} {why}"))
}

/// The values in a metadata file that wsctl uses.
#[derive(Debug)]
pub struct Metadata {
    /// The last access. `None` if the key is missing; [`Category::CorruptMetadata`] if it is not a time, or given twice.
    pub last_accessed: Result<Option<Timestamp>>,
    /// Whether the application's listing of several workspaces fails on it. The application cannot sort a time without an offset
    /// among times with one. It treats a value that is missing or is not a time as a time without an offset.
    pub breaks_listing: bool,
    /// The time of creation. `None` if it is missing or not a time.
    pub created_at: Option<Timestamp>,
    /// The description. `None` if it is missing or not a string.
    pub description: Option<String>,
}

impl Metadata {
    /// Parses the content of a metadata file.
    ///
    /// # Errors
    /// [`Category::CorruptMetadata`] if it is not UTF-8 or not a JSON object.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let members = Members::parse(utf8(bytes)?)?;
        let last_accessed = members.last_accessed();
        let text = members.last_accessed.and_then(decode);
        let has_offset = text.as_deref().is_some_and(Timestamp::has_offset_for_application);
        // If a key is given twice, the application uses the last value.
        let is_time = last_accessed.is_ok() || text.as_deref().and_then(Timestamp::parse_metadata).is_some();
        Ok(Self {
            breaks_listing: !(is_time && has_offset),
            last_accessed,
            created_at: members.created_at.and_then(decode).and_then(|text| Timestamp::parse_metadata(&text)),
            description: members.description.and_then(decode).map(Cow::into_owned),
        })
    }
}

/// Returns the content of a metadata file with `last_accessed` set to `time`. All other bytes stay the same. If the key is
/// missing, appends it in the style of the last member.
///
/// # Errors
/// [`Category::CorruptMetadata`] as in [`Metadata`], or if the result is too large to be read again.
pub fn with_last_accessed(bytes: &[u8], time: Timestamp) -> Result<Vec<u8>> {
    let text = utf8(bytes)?;
    let members = Members::parse(text)?;
    members.last_accessed()?;
    let time = time.to_metadata();
    let (start, end, new) = match (members.last_accessed, members.last) {
        (Some(value), _) => (offset(text, value), offset(text, value) + value.len(), format!("\"{time}\"")),
        (None, Some(last)) => {
            let end = offset(text, last) + last.len();
            let before = members.before_last.map_or(0, |value| offset(text, value) + value.len());
            let (gap, colon) = member_style(&text[before..offset(text, last)]);
            (end, end, format!(",{gap}\"last_accessed\"{colon}\"{time}\""))
        }
        (None, None) => {
            let start = text.find('{').map_or(0, |brace| brace + 1);
            (start, start, format!("\"last_accessed\": \"{time}\""))
        }
    };
    let changed = [&text[..start], &new, &text[end..]].concat();
    if changed.len() > MAX_LEN {
        return Err(corrupt("has no room for last_accessed within 64 KiB"));
    }
    Ok(changed.into_bytes())
}

/// Returns the content of a new metadata file, as the application would write it.
pub fn new_content(id: super::WorkspaceId, time: Timestamp) -> Vec<u8> {
    let time = time.to_metadata();
    format!("{{\n  \"workspace_id\": \"{id}\",\n  \"created_at\": \"{time}\",\n  \"last_accessed\": \"{time}\"\n}}")
        .into_bytes()
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    str::from_utf8(bytes).map_err(|_| corrupt("is not UTF-8"))
}

/// Returns the position of `part`, a slice of `text`, in bytes.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

const WHITESPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// Returns the white space before a member's key, and its colon with the white space around it. `before` begins with the `{` or
/// `,` before the key, and ends where the value begins.
fn member_style(before: &str) -> (&str, &str) {
    let member = &before.trim_start_matches(WHITESPACE)[1..];
    let gap = &member[..member.len() - member.trim_start_matches(WHITESPACE).len()];
    let key = member.trim_end_matches(WHITESPACE).trim_end_matches(':').trim_end_matches(WHITESPACE);
    (gap, &member[key.len()..])
}

/// The members that wsctl reads or edits. Each value is a slice of the text.
#[derive(Default)]
struct Members<'a> {
    last_accessed: Option<&'a str>,
    has_duplicate: bool,
    created_at: Option<&'a str>,
    description: Option<&'a str>,
    last: Option<&'a str>,
    before_last: Option<&'a str>,
}

impl<'a> Members<'a> {
    fn parse(text: &'a str) -> Result<Self> {
        let mut json = serde_json::Deserializer::from_str(text);
        let not_json = |error: serde_json::Error| match error.classify() {
            serde_json::error::Category::Data => corrupt("is not a JSON object"),
            _ if text.is_empty() => corrupt("is empty"), // such as after a power cut
            _ => corrupt(&format!("is not JSON: {error}")),
        };
        let members = json.deserialize_map(MembersVisitor).map_err(not_json)?;
        json.end().map_err(not_json)?;
        Ok(members)
    }

    fn last_accessed(&self) -> Result<Option<Timestamp>> {
        if self.has_duplicate {
            return Err(corrupt("has last_accessed twice"));
        }
        let time = |value| decode(value).and_then(|text| Timestamp::parse_metadata(&text));
        self.last_accessed
            .map(|value| time(value).ok_or_else(|| corrupt("has a last_accessed that is not a time")))
            .transpose()
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Members<'de>, A::Error> {
        let mut members = Members::default();
        // Keys are read as raw values, because serde_json accepts control characters in a key that it reads as bytes.
        while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            let value = value.get();
            match decode(key.get()).as_deref() {
                Some("last_accessed") => members.has_duplicate |= members.last_accessed.replace(value).is_some(),
                Some("created_at") => members.created_at = Some(value),
                Some("description") => members.description = Some(value),
                _ => {}
            }
            members.before_last = members.last.replace(value);
        }
        Ok(members)
    }
}

/// Decodes a JSON string. Lone surrogates become U+FFFD. Returns `None` if the value is not a string.
fn decode(value: &str) -> Option<Cow<'_, str>> {
    let content = value.strip_prefix('"')?.strip_suffix('"')?;
    if !content.contains('\\') {
        return Some(Cow::Borrowed(content));
    }
    serde_json::Deserializer::from_str(value).deserialize_bytes(Lossy).ok().map(Cow::Owned)
}

/// Reads a JSON string as bytes, because they may contain a lone surrogate, unlike a `str`. Python writes and reads those.
struct Lossy;

impl Visitor<'_> for Lossy {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> std::result::Result<String, E> {
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

#[cfg(test)]
mod tests;
