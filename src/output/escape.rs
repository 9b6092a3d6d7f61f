//! Escapes text from disk and from the command line. On a terminal, control characters could change what it shows or does, and
//! bidirectional characters could make one name look like another.

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};
use std::borrow::Cow;
use std::io::{self, Write};

/// Whether a character is dangerous on a terminal: a control character, a line or paragraph separator, a change of the writing
/// direction, or a byte order mark.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Returns the text in one line, with dangerous characters as `\n`, `\u{1b}` and so on.
pub fn text(text: &str) -> Cow<'_, str> {
    if !text.contains(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_dangerous(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Writes a value as one line of JSON, with dangerous characters as `\u001b` and so on.
pub fn json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Escaping))?;
    out.write_all(b"\n")
}

/// Writes compact JSON, and escapes more than JSON requires.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // A fast path for the usual case: printable ASCII.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return CompactFormatter.write_string_fragment(writer, fragment);
        }
        let mut rest = fragment;
        while let Some((start, c)) = rest.char_indices().find(|(_, c)| is_dangerous(*c)) {
            CompactFormatter.write_string_fragment(writer, &rest[..start])?;
            write!(writer, "\\u{:04x}", u32::from(c))?; // all dangerous characters are in the basic plane
            rest = &rest[start + c.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}
