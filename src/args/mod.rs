//! Values from the command line, read once into types. What is wrong with one is said in a sentence that tells what to write.

pub mod duration;
pub mod ids;
pub mod size;

use crate::core::Timestamp;

/// Reads a point in time.
pub fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| "not a time in RFC 3339, with its offset: write 2026-11-23T15:51:30Z".to_owned())
}
