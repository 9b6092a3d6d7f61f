//! Formats ages, dates, sizes and counts for people.

use crate::core::{Category, Error, Result, Timestamp};
use std::ffi::OsStr;
use tz::{TimeZone, TimeZoneSettings};

/// Formats how long ago a time was: `3d ago`, or `in 3h`.
pub fn age(time: Timestamp, now: Timestamp) -> String {
    let seconds = time.age(now).num_seconds();
    let span = span(seconds.unsigned_abs());
    if seconds < 0 { format!("in {span}") } else { format!("{span} ago") }
}

/// Formats the age of a last access, which may be unknown.
pub fn last_access(time: Option<Timestamp>, now: Timestamp) -> String {
    time.map_or_else(|| "last access unknown".to_owned(), |time| format!("last accessed {}", age(time, now)))
}

/// The time zone of dates. Each date shows its offset, which may change within a year.
#[derive(Debug)]
pub enum Zone {
    /// UTC.
    Utc,
    /// The time zone of the machine or of the user.
    Local(TimeZone),
}

/// Where time zones are read from.
const ZONES: TimeZoneSettings<'_> = TimeZoneSettings::new(TimeZoneSettings::DEFAULT_DIRECTORIES, |path| {
    // TZ may name any file: a FIFO would wait, and /dev/zero has no end.
    if !std::fs::metadata(path)?.is_file() {
        return Err("not a regular file".into());
    }
    Ok(std::fs::read(path)?)
});

impl Zone {
    /// Finds the local time zone: from the value of TZ if it is set, else from `/etc/localtime`. If TZ is empty or neither
    /// exists, it is UTC.
    ///
    /// # Errors
    /// [`Category::Usage`] if TZ names no time zone.
    pub fn local(tz: Option<&OsStr>) -> Result<Self> {
        let unknown =
            |tz: &OsStr| Error::new(Category::Usage, format!("TZ names no known time zone: {}", tz.display()));
        match tz {
            Some(tz) if tz.is_empty() => Ok(Self::Utc),
            Some(tz) => {
                let zone = tz.to_str().and_then(|tz| ZONES.parse_posix_tz(tz).ok());
                zone.map(Self::Local).ok_or_else(|| unknown(tz))
            }
            None => Ok(ZONES.parse_local().map_or(Self::Utc, Self::Local)),
        }
    }

    /// Formats a time to the minute: `2026-11-23 15:51Z` in UTC, else `2026-11-23 16:51+01`.
    pub fn show(&self, time: Timestamp) -> String {
        let offset = match self {
            Self::Utc => None,
            Self::Local(zone) => zone.find_local_time_type(time.seconds()).ok().map(tz::LocalTimeType::ut_offset),
        };
        let there = Timestamp::from_unix(time.seconds() + i64::from(offset.unwrap_or(0)), 0).to_string();
        let date = there.get(..16).unwrap_or(&there).replace('T', " ");
        let Some(offset) = offset else { return format!("{date}Z") };
        let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs() / 60);
        match (minutes / 60, minutes % 60) {
            (hours, 0) => format!("{date}{sign}{hours:02}"),
            (hours, minutes) => format!("{date}{sign}{hours:02}:{minutes:02}"),
        }
    }
}

/// Formats a length of time in its largest unit: `3d`.
pub fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(365 * 86_400, "y"), (86_400, "d"), (3600, "h"), (60, "min")];
    UNITS
        .iter()
        .find(|(length, _)| seconds >= *length)
        .map_or_else(|| format!("{seconds}s"), |(length, unit)| format!("{}{unit}", seconds / length))
}

/// Formats a size in the largest power of 1024 that it reaches: `1.2 MiB`.
#[allow(clippy::cast_precision_loss)]
pub fn size(bytes: u64) -> String {
    let mut number = bytes as f64;
    let mut units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].iter();
    let mut unit = units.next();
    while number >= 1023.95 {
        number /= 1024.0;
        unit = units.next();
    }
    let digits = usize::from(bytes >= 1024);
    format!("{number:.digits$} {}", unit.unwrap_or(&"B"))
}

/// Formats a number of things, with an `s` unless it is one: `3 workspaces`.
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_the_offset_of_its_zone_at_that_time() {
        let (winter, summer) = (Timestamp::from_unix(1_767_225_599, 0), Timestamp::from_unix(1_782_864_000, 0));
        for (tz, shown) in [
            ("", ["2025-12-31 23:59Z", "2026-07-01 00:00Z"]),
            ("CET-1CEST,M3.5.0,M10.5.0/3", ["2026-01-01 00:59+01", "2026-07-01 02:00+02"]),
            ("<+0530>-5:30", ["2026-01-01 05:29+05:30", "2026-07-01 05:30+05:30"]),
            ("NST3:30NDT,M3.2.0,M11.1.0", ["2025-12-31 20:29-03:30", "2026-06-30 21:30-02:30"]),
            ("UTC0", ["2025-12-31 23:59+00", "2026-07-01 00:00+00"]),
        ] {
            let dates = Zone::local(Some(OsStr::new(tz))).expect("a time zone");
            assert_eq!([winter, summer].map(|time| dates.show(time)), shown, "{tz}");
        }
        let west = Zone::local(Some(OsStr::new("XYZ24:59:59"))).expect("a time zone");
        let [first, last] = [i64::MIN, i64::MAX].map(|seconds| west.show(Timestamp::from_unix(seconds, 0)));
        assert_eq!([first.as_str(), &last], ["0001-01-01 00:00-24:59", "9999-12-30 23:00-24:59"]);
        assert!(Zone::local(Some(OsStr::new("nonsense"))).is_err());
    }

    #[test]
    fn an_age_is_shown_in_its_largest_unit() {
        let now = Timestamp::from_unix(100 * 365 * 86_400, 0);
        for (seconds, shown) in [
            (0, "0s ago"),
            (59, "59s ago"),
            (60, "1min ago"),
            (7199, "1h ago"),
            (3 * 86_400, "3d ago"),
            (800 * 86_400, "2y ago"),
            (-3 * 3600, "in 3h"),
        ] {
            assert_eq!(age(Timestamp::from_unix(100 * 365 * 86_400 - seconds, 0), now), shown);
        }
    }

    #[test]
    fn a_size_is_shown_in_the_unit_that_fits() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1_048_575, "1.0 MiB"),
            (20 << 30, "20.0 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }
}
