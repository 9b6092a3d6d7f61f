//! Durations: `7d`, `12h`, `2weeks`, `1day 12h`, `3months`.

use humantime::DurationError as Error;
use std::time::Duration;

/// Longer than any time to look back.
const LONGEST: Duration = Duration::from_secs(10_000 * 366 * 86_400);

/// Reads a duration: numbers, each with a unit. `m` is refused, because some tools mean minutes by it and others months.
///
/// humantime reads each part. It would read `1 12h` as 112 hours, and panic if the sum of several parts is too long.
pub fn parse(text: &str) -> Result<Duration, String> {
    let none = || "not a duration: write 7d, 12h or 1day 12h".to_owned();
    let beyond = || "not between a nanosecond and 10,000 years: write 7d".to_owned();
    let mut rest = text.trim();
    if rest.starts_with('-') && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a duration cannot be negative: write 7d".to_owned());
    }
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split(after.trim_start(), char::is_alphabetic);
        let part = match (number, unit) {
            ("", _) => return Err(none()),
            (_, "") if after.starts_with(|c: char| !c.is_ascii_digit()) => return Err(none()), // a date
            (_, "") => {
                let is_duration = |unit| parse(&format!("{number}{unit}")).is_ok();
                return Err(match (is_duration("d"), is_duration("s")) {
                    (true, _) => format!("{number} has no unit: write {number}d, {number}h or {number}min"),
                    (_, true) => format!("{number} has no unit: write {number}s for seconds"),
                    _ => none(),
                });
            }
            (_, "m" | "M") => {
                return Err(format!("`{unit}` may mean minutes or months: write {number}min or {number}months"));
            }
            _ => humantime::parse_duration(&format!("{number}{unit}")),
        };
        let part = part.map_err(|error| match error {
            Error::UnknownUnit { unit, .. } => {
                format!("`{unit}` is not a unit: write min, h, d, weeks, months or years")
            }
            Error::NumberOverflow => beyond(),
            _ => none(),
        })?;
        sum = sum.checked_add(part).filter(|sum| *sum <= LONGEST).ok_or_else(beyond)?;
        rest = after.trim_start();
    }
    if text.trim().is_empty() { Err(none()) } else { Ok(sum) }
}

/// Splits a text after its leading characters for which `is_so` holds.
fn split(text: &str, is_so: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !is_so(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ambiguous_or_malformed_duration_is_refused_with_advice() {
        for (text, advice) in [
            ("7", "7d"),
            ("0", "has no unit"),
            ("31536000", "write 31536000s for seconds"), // so many days are too many
            ("1 12h", "write 1d"),
            ("2d 1.5 12h", "write 1.5d"),
            ("1.5", "1.5d"),
            ("1.", "not a duration: write 7d"),
            ("m", "not a duration"),
            ("0.5ns", "nanosecond"),
            ("5m", "5min or 5months"),
            ("5M", "5min or 5months"),
            ("-3d", "negative"),
            ("-y", "not a duration"), // an option, because the value is missing
            ("7 bananas", "`bananas` is not a unit: write min"),
            ("99999999999d", "10,000 years"),
            ("18446744073709551615s 1000ms", "10,000 years"),
            ("", "write 7d"),
            ("2026-01-01T00:00:00Z", "not a duration"),
            ("٣d", "write 7d"),
        ] {
            let message = parse(text).expect_err(text);
            assert!(message.contains(advice), "{text}: {message}");
        }
    }
}
