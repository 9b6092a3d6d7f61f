//! Ages and sizes as a person reads them.

use crate::core::Timestamp;

/// How long ago a time was: `3d ago`, or `in 3h`.
pub fn age(time: Timestamp, now: Timestamp) -> String {
    let seconds = time.age(now).num_seconds();
    let span = span(seconds.unsigned_abs());
    if seconds < 0 { format!("in {span}") } else { format!("{span} ago") }
}

/// The same of a last access, which may not be known.
pub fn last_access(time: Option<Timestamp>, now: Timestamp) -> String {
    time.map_or_else(|| "last access unknown".to_owned(), |time| format!("last accessed {}", age(time, now)))
}

/// A length of time in its largest unit: `3d`.
pub fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(365 * 86_400, "y"), (86_400, "d"), (3600, "h"), (60, "min")];
    UNITS
        .iter()
        .find(|(length, _)| seconds >= *length)
        .map_or_else(|| format!("{seconds}s"), |(length, unit)| format!("{}{unit}", seconds / length))
}

/// A size in the largest unit of 1024 that leaves a number above one: `1.2 MiB`.
#[allow(clippy::cast_precision_loss)]
pub fn size(bytes: u64) -> String {
    let mut number = bytes as f64;
    let mut units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].iter();
    let mut unit = units.next();
    while number >= 1023.95 && units.len() > 0 {
        number /= 1024.0;
        unit = units.next();
    }
    let digits = usize::from(bytes >= 1024);
    format!("{number:.digits$} {}", unit.unwrap_or(&"B"))
}

/// A number of things, with an `s` where there is not just one: `3 workspaces`.
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

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
