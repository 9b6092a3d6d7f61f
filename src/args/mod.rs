//! Values from the command line, read once into types. What is wrong with one is said in a sentence that tells what to write.

pub mod duration;
pub mod ids;
pub mod size;

use crate::core::Timestamp;
use std::num::{IntErrorKind, ParseIntError};

/// Reads a point in time.
pub fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| "not a time in RFC 3339, with its offset: write 2026-11-23T15:51:30Z".to_owned())
}

/// Reads a number of things.
pub fn number(text: &str) -> Result<usize, String> {
    text.trim().parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => "too large a number".to_owned(),
        _ => "not a whole number: write 10".to_owned(),
    })
}
