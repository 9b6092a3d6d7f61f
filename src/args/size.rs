//! Sizes and shares: `10GiB`, `500M`, `5%`.

use std::fmt;

/// Reads a size in bytes. `K`, `M`, `G` and `KiB`, `MiB`, … are powers of 1024, `KB`, `MB`, … of 1000, in either case.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || "not a size: write 10GiB, 500M or 1.5TB".to_owned();
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()));
    if unit.is_empty() {
        let is_size = |unit| parse(&format!("{number}{unit}")).is_ok();
        return Err(match (is_size("GiB"), is_size("B")) {
            (true, _) => format!("{number} has no unit: write {number}GiB, or {number}B for bytes"),
            (_, true) => format!("{number} has no unit: write {number}B for bytes"),
            _ => wrong(),
        });
    }
    let factor = factor(unit.trim()).ok_or_else(wrong)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).unwrap_or(u32::MAX)).filter(|_| fraction.len() <= 9);
    let (Some(scale), Ok(whole), Ok(part)) = (scale, whole.parse::<u128>(), fraction.parse::<u64>()) else {
        return Err(wrong());
    };
    let bytes = whole.saturating_mul(factor).saturating_add(u128::from(part) * factor / u128::from(scale));
    u64::try_from(bytes).map_err(|_| "too large: write 10GiB".to_owned())
}

fn factor(unit: &str) -> Option<u128> {
    let unit = unit.to_ascii_lowercase();
    let (prefix, base) = match (unit.strip_suffix("ib"), unit.strip_suffix('b')) {
        (Some(prefix), _) => (prefix, 1024_u128),
        (None, Some("")) => return Some(1),
        (None, Some(prefix)) => (prefix, 1000),
        (None, None) => (&*unit, 1024),
    };
    let power = ["k", "m", "g", "t", "p", "e"].iter().position(|known| *known == prefix)? + 1;
    Some(base.pow(u32::try_from(power).ok()?))
}

/// A number, or a share of something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NumberOrShare {
    /// A number of bytes or of things.
    Number(u64),
    /// A share of the whole, in millionths of a percent, so that 2.3% of 1000 is 23.
    Share(u32),
}

impl NumberOrShare {
    /// Reads `10GiB` or `5%`.
    pub fn parse_size(text: &str) -> Result<Self, String> {
        Self::parse(text, |text| parse(text).map_err(|error| format!("{error}, or a share: 5%")))
    }

    /// Reads `100` or `5%`.
    pub fn parse_count(text: &str) -> Result<Self, String> {
        let wrong = |_| "neither a number nor a share: write 100 or 20%".to_owned();
        Self::parse(text, |text| text.trim().parse().map_err(wrong))
    }

    fn parse(text: &str, number: impl FnOnce(&str) -> Result<u64, String>) -> Result<Self, String> {
        match text.trim().strip_suffix('%') {
            Some(text) => share(text).map(Self::Share),
            None => number(text).map(Self::Number),
        }
    }

    /// Returns the number that this is of `whole`.
    pub fn of(self, whole: u64) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Share(share) => {
                u64::try_from(u128::from(whole) * u128::from(share) / 100_000_000).unwrap_or(u64::MAX)
            }
        }
    }
}

impl fmt::Display for NumberOrShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Share(share) => write!(f, "{}%", f64::from(*share) / 1e6),
        }
    }
}

/// Reads a share from 0 to 100 percent, without the sign.
fn share(text: &str) -> Result<u32, String> {
    let number = text.trim().parse::<f64>().ok().filter(|number| (0.0..=100.0).contains(number));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // it lies between 0 and 100,000,000
    let millionths = number.map(|number| (number * 1e6).round() as u32);
    millionths.ok_or_else(|| "not a share from 0% to 100%: write 5%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For what each size is see the property in `foreign_bytes.rs`.
    #[test]
    fn the_error_tells_what_is_no_size_from_what_is_too_large() {
        for text in [".", "1.", "1.2.3"] {
            assert!(parse(text).is_err_and(|message| message.starts_with("not a size")), "{text}");
        }
        let without_unit = parse("17179869184"); // more GiB than 64 bits can count bytes
        assert_eq!(without_unit, Err("17179869184 has no unit: write 17179869184B for bytes".to_owned()));
        for text in ["16EiB", "18446744073709551616B", "340282366920938463463374607431768211455.9E"] {
            assert!(parse(text).is_err_and(|message| message.starts_with("too large")), "{text}");
        }
    }

    #[test]
    fn a_share_lies_between_0_and_100() {
        assert_eq!(NumberOrShare::parse_size("5%"), Ok(NumberOrShare::Share(5_000_000)));
        for (text, whole, part) in
            [("12.5%", 1000, 125), ("2.3%", 1000, 23), ("100%", u64::MAX, u64::MAX), ("0%", 7, 0)]
        {
            assert_eq!(NumberOrShare::parse_size(text).map(|share| share.of(whole)), Ok(part));
        }
        for text in ["101%", "-1%", "%", "NaN%", "inf%", "x%"] {
            assert!(NumberOrShare::parse_size(text).is_err() && NumberOrShare::parse_count(text).is_err(), "{text}");
        }
        assert_eq!(NumberOrShare::parse_count("3"), Ok(NumberOrShare::Number(3)));
        assert!(NumberOrShare::parse_count("3.5").is_err());
    }
}
