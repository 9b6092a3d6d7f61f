//! Reads values from the command line into types. An error says what is wrong and what to write instead.

pub mod duration;
pub mod ids;
pub mod size;
pub mod stdin;

use crate::core::Timestamp;
use std::num::{IntErrorKind, ParseIntError};

/// Reads a point in time.
pub fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| "not an RFC 3339 time with an offset: write 2026-11-23T15:51:30Z".to_owned())
}

/// Reads a number.
pub fn number(text: &str) -> Result<usize, String> {
    text.trim().parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => "the number is too large".to_owned(),
        _ => "not a whole number: write 10".to_owned(),
    })
}
