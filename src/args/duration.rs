//! Durations: `7d`, `12h`, `2weeks`, `1day 12h`, `3months`.

use humantime::DurationError as Error;
use std::time::Duration;

/// Longer than the time that there is to look back on.
const LONGEST: Duration = Duration::from_secs(10_000 * 366 * 86_400);

/// Reads a duration. Every number needs its unit, and `m` is none: some tools mean minutes by it and others months.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text.starts_with('-') {
        return Err("a duration cannot be negative: write 7d".to_owned());
    }
    let number_before = |end: usize| {
        let before = text[..end].trim_end();
        &before[before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len()..]
    };
    let (last, is_date) = (number_before(text.len()), text.contains(['-', '/', ':']));
    if !last.is_empty() && !is_date {
        return Err(format!("a unit is needed: write {last}d, {last}h or {last}min"));
    }
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    let is_alone = |at: usize| !is_letter(text[..at].chars().next_back()) && !is_letter(text[at + 1..].chars().next());
    if let Some((at, unit)) = text.match_indices(['m', 'M']).find(|(at, _)| is_alone(*at)) {
        let number = number_before(at);
        return Err(format!("`{unit}` may mean minutes or months: write {number}min or {number}months"));
    }
    let beyond = || "not a time between a nanosecond and 10,000 years: write 7d".to_owned();
    let duration = humantime::parse_duration(text).map_err(|error| match error {
        Error::UnknownUnit { unit, .. } => format!("`{unit}` is no unit: write min, h, d, weeks, months or years"),
        Error::NumberOverflow => beyond(),
        _ => "not a duration: write 7d, 12h or 1day 12h".to_owned(),
    })?;
    if duration > LONGEST { Err(beyond()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_its_unit_is_read() {
        let day = 86_400;
        for (text, seconds) in [
            ("7d", 7 * day),
            ("12h", 43_200),
            ("2weeks", 14 * day),
            ("1day 12h", 129_600),
            ("90min", 5400),
            ("0s", 0),
            (" 7 d ", 7 * day),
            ("3months", 3 * 2_630_016),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_ambiguous_or_no_duration_is_refused_with_advice() {
        for (text, advice) in [
            ("7", "7d"),
            ("0", "a unit is needed"),
            ("7d7", "a unit is needed"),
            ("1.5", "1.5d"),
            ("week", "write 7d"),
            ("0.5ns", "nanosecond"),
            ("5m", "5min or 5months"),
            ("5M", "5min or 5months"),
            ("1month 5m", "5min or 5months"),
            ("-3d", "negative"),
            ("7 bananas", "`bananas` is no unit: write min"),
            ("99999999999d", "10,000 years"),
            ("99999999999999999999999d", "write 7d"),
            ("", "write 7d"),
            ("2026-01-01", "not a duration: write 7d"),
            ("1/2/2026", "not a duration"),
            ("2026-01-01T00:00:00Z", "not a duration"),
            ("12:30", "not a duration"),
            ("٣d", "write 7d"),
        ] {
            let message = parse(text).expect_err(text);
            assert!(message.contains(advice), "{text}: {message}");
        }
    }
}
