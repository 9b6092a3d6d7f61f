//! Points in time: the formats that wsctl reads, and the one that it writes.

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Utc};
use std::fmt;
use std::time::Duration;

/// A point in time in UTC, exact to the nanosecond, in the years 1 to 9999, like Python's `datetime`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Converts a time from chrono. Returns `None` outside the years 1 to 9999. A leap second becomes the nanosecond before it,
    /// because Python accepts no 60th second.
    pub fn new(time: DateTime<Utc>) -> Option<Self> {
        let nanoseconds = time.timestamp_subsec_nanos().min(999_999_999);
        let time = DateTime::from_timestamp(time.timestamp(), nanoseconds)?;
        (1..=9999).contains(&time.year()).then_some(Self(time))
    }

    /// Converts a time from `stat(2)`: seconds since 1970 and nanoseconds. A file system may store times outside the years 1 to
    /// 9999. They become the nearest time inside.
    pub fn from_unix(seconds: i64, nanoseconds: u32) -> Self {
        let seconds = seconds.clamp(FIRST_SECOND, LAST_SECOND);
        Self(DateTime::from_timestamp(seconds, nanoseconds.min(999_999_999)).unwrap_or_default())
    }

    /// Returns the whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// Returns the seconds since 1970, exact to about a microsecond.
    #[allow(clippy::cast_precision_loss)] // for centuries, there are fewer than 2⁵³ microseconds
    pub fn unix_seconds(self) -> f64 {
        self.0.timestamp_micros() as f64 / 1e6
    }

    /// Parses RFC 3339. The offset is required.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let digits = text.split_once('.').map_or("", |(_, rest)| rest).bytes().take_while(u8::is_ascii_digit).count();
        if digits > 9 || !text.is_ascii() {
            return None; // chrono drops further digits, and accepts U+2212 as a minus
        }
        let time = DateTime::parse_from_rfc3339(text).ok().filter(|time| time.year() > 0)?;
        Self::new(time.to_utc())
    }

    /// Parses the formats found in metadata: RFC 3339, an offset followed by `Z` (as the application writes), or no offset, which
    /// means UTC.
    pub fn parse_metadata(text: &str) -> Option<Self> {
        let text = text.strip_suffix(['Z', 'z']).filter(|rest| has_offset(rest)).unwrap_or(text);
        Self::parse_rfc3339(text).or_else(|| Self::parse_rfc3339(&format!("{text}Z")))
    }

    /// Whether the application finds an offset in a text that [`Self::parse_metadata`] accepts. The application strips every
    /// final `Z` and passes the rest to Python's `fromisoformat`, which accepts neither `z` nor a 60th second.
    pub fn has_offset_for_application(text: &str) -> bool {
        has_offset(text.trim_end_matches('Z')) && text.get(17..19) != Some("60")
    }

    /// Returns the time from this to `now`, negative if this is later.
    pub fn age(self, now: Self) -> TimeDelta {
        now.0 - self.0
    }

    /// Returns the time `duration` earlier, or the beginning of the year 1.
    #[must_use]
    pub fn earlier(self, duration: Duration) -> Self {
        let duration = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        self.0.checked_sub_signed(duration).and_then(Self::new).unwrap_or_else(|| Self::from_unix(FIRST_SECOND, 0))
    }

    /// Formats the time for metadata: `2026-11-23T15:51:30.783208+00:00`. It is valid RFC 3339, and never ends in
    /// `Z`: the application strips a `Z`, and its listing fails on a time without an offset among times with one.
    pub fn to_metadata(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Micros, false)
    }
}

/// The first second of the year 1 and the last of the year 9999, in seconds since 1970.
const FIRST_SECOND: i64 = -62_135_596_800;
const LAST_SECOND: i64 = 253_402_300_799;

/// Whether a time ends in `+hh:mm` or `-hh:mm`.
fn has_offset(text: &str) -> bool {
    matches!(text.as_bytes(), [.., b'+' | b'-', _, _, b':', _, _])
}

/// RFC 3339 in UTC with `Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_found_in_metadata_is_parsed() {
        for (text, shown) in [
            ("2026-11-23T15:51:30.783208+00:00Z", "2026-11-23T15:51:30.783208Z"),
            ("2026-11-23T15:51:30+00:00Z", "2026-11-23T15:51:30Z"),
            ("2026-11-23T15:51:30.783208+00:00", "2026-11-23T15:51:30.783208Z"),
            ("2024-05-23T14:30:00Z", "2024-05-23T14:30:00Z"),
            ("2024-05-23T14:30:00+02:00", "2024-05-23T12:30:00Z"),
            ("2024-05-23T14:30:00-11:30Z", "2024-05-24T02:00:00Z"),
            ("2024-05-23T14:30:00", "2024-05-23T14:30:00Z"),
            ("2024-05-23T14:30:00.5", "2024-05-23T14:30:00.500Z"),
            ("2024-05-23T14:30:00.123456789Z", "2024-05-23T14:30:00.123456789Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::parse_metadata(text).map(|time| time.to_string()).as_deref(), Some(shown), "{text}");
        }
    }
}
