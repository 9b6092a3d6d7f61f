//! What holds whatever bytes come in: one function for each thing that reads them. The fuzzers call them with what they find,
//! and `tests/integration/foreign_bytes.rs` with what is generated and with what the fuzzers have found.

use serde_json::{Value, json};
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use uuid::Uuid;
use wsctl::args::size::NumberOrShare;
use wsctl::args::{self, ids};
use wsctl::cli::{self, Cli};
use wsctl::commands::prune::mounts;
use wsctl::core::metadata::{Metadata, with_last_accessed};
use wsctl::core::names::{Stage, TrashName};
use wsctl::core::{Category, Error, Timestamp, WorkspaceId};
use wsctl::output::escape;

fn python(request: &Value) -> Value {
    static CHILD: OnceLock<Mutex<(Child, BufReader<ChildStdout>)>> = OnceLock::new();
    let child = CHILD.get_or_init(|| {
        let mut python = Command::new("python3");
        python.args(["-c", include_str!("reference.py")]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().expect("python3");
        let stdout = BufReader::new(child.stdout.take().expect("its stdout"));
        Mutex::new((child, stdout))
    });
    let (child, stdout) = &mut *child.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    writeln!(child.stdin.as_mut().expect("its stdin"), "{request}").expect("a request");
    let mut answer = String::new();
    stdout.read_line(&mut answer).expect("an answer");
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("python3 ended over {request}"))
}

/// The metadata file is read as Python reads it, and an edit changes nothing but the one value.
pub fn metadata(bytes: &[u8]) {
    let time = Timestamp::from_unix(1_700_000_000, 123_456_000);
    let (read, edited) = (Metadata::parse(bytes), with_last_accessed(bytes, time));
    let is_valid = read.as_ref().is_ok_and(|metadata| metadata.last_accessed.is_ok());
    assert_eq!(edited.is_ok(), is_valid, "what can be read can be edited, and nothing else");
    let edited = edited.ok().map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    if let Some(edited) = &edited {
        assert_only_the_value_differs(bytes, edited, time);
    }
    let Ok(text) = str::from_utf8(bytes) else { return assert!(read.is_err()) };
    if text.len() > 8 * 1024 {
        return; // Python keeps a level of its stack for each bracket
    }
    let expected = python(&json!(["metadata", text, edited]));
    assert_eq!(read.is_ok(), !expected.is_null(), "{read:?}");
    let Ok(read) = read else { return };
    assert_eq!(json!(read.description), expected["description"]);
    assert_eq!(read.created_at, both(read.created_at, &expected["created"]));
    match read.last_accessed {
        Ok(None) => assert_eq!(expected["last_accessed"], 0),
        Ok(time) => assert!(expected["last_accessed"] == 1 && time == both(time, &expected["accessed"])),
        Err(_) => assert!(expected["last_accessed"] != 0),
    }
    // A form that is not RFC 3339 is said to break the listing, even if this Python reads it: others do not.
    if is_valid || expected["accessed"]["usual"] != false {
        assert_eq!(read.breaks_listing, expected["accessed"]["aware"] != true);
    }
    if edited.is_some() {
        assert!(expected["kept"] == true && expected["new"] == time.to_metadata());
    }
}

/// The time that was read, where Python reads the same.
fn both(read: Option<Timestamp>, python: &Value) -> Option<Timestamp> {
    match (read, &python["utc"]) {
        (Some(time), Value::String(utc)) => Some(time).filter(|time| time.to_metadata() == *utc),
        (Some(_), Value::Null) if python.is_object() => None, // beyond Python's years
        (None, Value::String(_)) if python["usual"] == true => Some(Timestamp::from_unix(i64::MAX, 999_999_999)),
        (read, _) => read,
    }
}

/// All that differs is a run without a quote within it, that was a time and now is this one, or a new member.
fn assert_only_the_value_differs(before: &[u8], after: &str, time: Timestamp) {
    let (new, after) = (time.to_metadata(), after.as_bytes());
    let same = |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| pairs.take_while(|(one, other)| one == other).count();
    let start = same(&mut before.iter().zip(after));
    let end = same(&mut before[start..].iter().rev().zip(after[start..].iter().rev()));
    let (old, changed) = (&before[start..before.len() - end], &after[start..after.len() - end]);
    let changed = String::from_utf8_lossy(changed);
    let is_inserted = old.is_empty() && changed.contains("last_accessed") && changed.contains(&new);
    assert!(is_inserted || (!old.contains(&b'"') && new.contains(&*changed)), "{changed:?}");
    assert_eq!(with_last_accessed(after, time).expect("a second edit"), after);
}

/// A time is read as the application does, and what is written of it is read back.
pub fn timestamp(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (read, strict) = (Timestamp::parse_metadata(text), args::time(text).ok());
    assert!(strict.is_none() || strict == read, "{strict:?}, {read:?}");
    let python = python(&json!(["timestamp", text]));
    let of_python_alone = text.contains('z') || text.get(17..19) == Some("60");
    if let Some(time) = read {
        assert!(of_python_alone || !python.is_null(), "only wsctl reads {text:?}");
        assert_eq!(Timestamp::has_offset_for_application(text), python["aware"] == true, "{text:?}");
        assert_eq!(Timestamp::parse_rfc3339(&time.to_string()), Some(time));
        let written = time.to_metadata();
        let again = Timestamp::parse_metadata(&written).expect("a time");
        assert!(again.to_metadata() == written && time.age(again).num_microseconds() == Some(0), "{written}");
    }
    assert_eq!(read, both(read, &python), "{python}");
}

/// An ID is what the uuid crate reads and shows in the canonical form; a directory is named by the lower-case one.
pub fn id(bytes: &[u8]) {
    let uuid = str::from_utf8(bytes).ok().and_then(|text| Uuid::parse_str(text).ok());
    let canonical = uuid.map(|uuid| uuid.hyphenated().to_string());
    let expected = canonical.filter(|canonical| bytes.eq_ignore_ascii_case(canonical.as_bytes()));
    assert_eq!(WorkspaceId::parse(bytes).map(|id| id.to_string()), expected);
    let own = WorkspaceId::from_dir_name(OsStr::from_bytes(bytes)).map(|id| id.to_string());
    assert_eq!(own, expected.filter(|canonical| canonical.as_bytes() == bytes));
    let told = ids::parse(OsStr::from_bytes(bytes)).err().map_or(0, |error| error.to_string().chars().count());
    assert!(told < 200, "{told} characters about what is no ID");
}

/// A size is what arithmetic in fractions makes of it, and a share is a part of the whole.
pub fn size(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let read = args::size::parse(text).ok();
    if text.is_ascii() {
        assert_eq!(json!(read), python(&json!(["size", text])), "{text:?}");
    }
    let count = args::number(text).ok().map(|count| count as u64);
    for (either, number) in [(NumberOrShare::parse_size(text), read), (NumberOrShare::parse_count(text), count)] {
        let Ok(share @ NumberOrShare::Share(_)) = either else {
            assert_eq!(either.ok(), number.map(NumberOrShare::Number));
            continue;
        };
        assert!(text.trim().ends_with('%') && [0, 1, 999, u64::MAX].iter().all(|whole| share.of(*whole) <= *whole));
        assert_eq!(Ok(share), NumberOrShare::parse_size(&share.to_string()));
    }
}

/// A duration is the sum of its parts, and each part has its unit.
pub fn duration(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let read = args::duration::parse(text).ok().map(|duration| duration.as_nanos().to_string());
    if !text.chars().all(|c| c.is_ascii() || c == 'µ') {
        return; // of other alphabets the two know different spaces
    }
    let expected = python(&json!(["duration", text]));
    if expected["plain"] == true || read.is_some() {
        assert_eq!(json!(read), expected["nanoseconds"], "{text:?}");
    }
}

/// Whatever is mounted where is found in the table. Each line is a mount point, below the base where it begins with no slash.
pub fn mounts(bytes: &[u8]) {
    let _ = [None, Some(30)].map(|mount| mounts::parse_table(bytes, mount, b"/base"));
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.contains(&0));
    let points: Vec<_> =
        lines.map(|line| if line[0] == b'/' { line.to_vec() } else { [b"/a base/", line].concat() }).collect();
    let escaped = |byte: &u8| match byte {
        b' ' | b'\t' | b'\n' | b'\\' | b'#' => format!("\\{byte:03o}").into_bytes(),
        _ => vec![*byte],
    };
    let mut table = b"30 1 98:0 / / rw - ext4 /dev/root rw\n".to_vec();
    for (number, point) in points.iter().enumerate() {
        table.extend(format!("{} 30 0:{number} / ", number + 31).bytes());
        table.extend(point.iter().flat_map(escaped));
        table.extend(b" rw,noatime shared:1 - tmpfs tmpfs rw\n");
    }
    let names = points.iter().filter_map(|point| point.strip_prefix(b"/a base/")?.split(|byte| *byte == b'/').next());
    let tag = |name: TrashName| (name.stage == Stage::Doomed).then_some(name.tag);
    let trash = |name| TrashName::parse(name).map(|name| (name.id, tag(name)));
    let of = |name| WorkspaceId::from_dir_name(name).map(|id| (id, None)).or(trash(name));
    let known = mounts::parse_table(&table, Some(30), b"/a base");
    assert_eq!(known.inside, names.map(OsStr::from_bytes).filter_map(of).collect(), "{}", table.escape_ascii());
    assert!(!known.on_overlay);
}

/// A name is one that a prune gives exactly if it has each of its parts, and then it is written as it was read.
pub fn trash_name(bytes: &[u8]) {
    let parts = |bytes: &[u8]| {
        let rest = bytes.strip_prefix(b".wsctl-claimed.").or(bytes.strip_prefix(b".wsctl-doomed."))?;
        let (id, tag) = rest.split_at_checked(36)?;
        let is_lower = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        let is_tag = tag.len() == 17 && tag[0] == b'.' && tag[1..].iter().all(is_lower);
        WorkspaceId::from_dir_name(OsStr::from_bytes(id)).filter(|_| is_tag)
    };
    let read = TrashName::parse(OsStr::from_bytes(bytes));
    assert_eq!(read.map(|name| name.id), parts(bytes));
    assert!(read.is_none_or(|name| name.to_string().as_bytes() == bytes));
}

/// A file for `--exclude-from` is refused at its first line that is no ID, or all its IDs are read.
pub fn exclude_from(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("its content");
    let without_comment =
        |line: &[u8]| line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii().to_vec();
    let lines = bytes.split(|byte| *byte == b'\n').map(without_comment).enumerate();
    let ids = lines.filter(|(_, line)| !line.is_empty()).map(|(number, line)| {
        let text = str::from_utf8(&line).ok().filter(|text| text.len() == 36);
        text.and_then(|text| Uuid::parse_str(text).ok()).map(|uuid| uuid.to_string()).ok_or(number + 1)
    });
    match (ids::from_file(file.path()), ids.collect::<Result<Vec<_>, _>>()) {
        (Ok(read), Ok(expected)) => assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), expected),
        (Err(error), Err(line)) => {
            let category = error.chain().find_map(|cause| cause.downcast_ref::<Error>()).map(Error::category);
            assert_eq!(category, Some(Category::InvalidId));
            assert!(format!("{error:#}").contains(&format!(", line {line}: ")), "{error:#}");
        }
        (read, expected) => panic!("{read:?}, {expected:?}"),
    }
}

/// Whether a character may reach no terminal: a control character, one of Unicode's `Bidi_Control`, or another end of line.
pub fn is_dangerous(c: char) -> bool {
    const BIDI: &str =
        "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
    c.is_control() || BIDI.contains(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// What is shown of any text is harmless and one line; what is harmless stays as it was, and JSON stays the same JSON.
pub fn escape(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let shown = escape::text(&text);
    assert!(!shown.contains(is_dangerous), "{shown:?}");
    assert!(shown == text || text.contains(|c| is_dangerous(c) || c == '\u{feff}'), "{shown:?}");
    assert_eq!(escape::text(&shown), shown);
    let value = json!({ "text": &text, &*text: [&text] });
    let mut json = Vec::new();
    escape::json(&mut json, &value).expect("JSON");
    let json = String::from_utf8(json).expect("UTF-8");
    assert!(!json.strip_suffix('\n').expect("a line").contains(is_dangerous), "{json:?}");
    assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON"), value);
}

/// No command line, of which each line of the input is a word, makes its reader panic; what is wrong with one is told in a line.
/// What changes nothing on disk is also run: by `run`, which gives the exit status and what was written.
pub fn command_line_by(bytes: &[u8], run: impl FnOnce(Vec<OsString>) -> (u8, String)) {
    let words = bytes.split(|byte| *byte == b'\n').map(|word| OsStr::from_bytes(word).to_owned());
    let given: Vec<_> = [OsString::from("wsctl")].into_iter().chain(words).collect();
    let line = cli::Lenient::of(&given);
    if let Err(error) = <Cli as clap::Parser>::try_parse_from(&given) {
        let told = error.use_stderr().then(|| cli::usage_error(error, &given, &line));
        assert!(told.is_none_or(|told| !told.contains(is_dangerous)));
    }
    let Some((subcommand, rest)) = given[1..].split_first() else { return };
    let mut harmless = ["validate", "list", "prune --dry-run"].into_iter().map(|words| words.split(' '));
    let Some(harmless) = harmless.find(|words| words.clone().next() == subcommand.to_str()) else { return };
    // Paths belong to whoever runs the tests, colours are meant to reach a terminal, and no argument has a NUL in it.
    let is_kept_out = |word: &[u8]| {
        word.contains(&b'/') || word.contains(&0) || word.starts_with(b"--metrics") || word.starts_with(b"--color")
    };
    if rest.iter().any(|word| is_kept_out(word.as_bytes())) {
        return;
    }
    let (status, written) = run(harmless.map(OsString::from).chain(rest.iter().cloned()).collect());
    assert!([0, 1, 2, 65, 66, 74, 75, 77, 78].contains(&status), "{status}: {written}");
    assert!(!written.contains(|c| is_dangerous(c) && c != '\n'), "{written:?}");
}
