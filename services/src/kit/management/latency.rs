//! How long a fault makes an answer wait: `200ms`, `2s`, or from a range as `100ms..1s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest wait.
const LONGEST: Duration = Duration::from_mins(5);

/// A time, or a range of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Latency {
    from: Duration,
    to: Duration,
}

impl Latency {
    /// The time at this place of the range, 0 to 1.
    #[must_use]
    pub fn at(self, place: f64) -> Duration {
        self.from + self.to.saturating_sub(self.from).mul_f64(place.clamp(0.0, 1.0))
    }
}

impl FromStr for Latency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let (from, to) = (time(from)?, time(to)?);
        if from > to {
            return Err(format!("`{text}` ends before it begins"));
        }
        Ok(Self { from, to })
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let wrong = || format!("`{text}` is not a time such as `200ms` or `2s`");
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').ok_or_else(wrong)?, 1000),
    };
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
    let time = Duration::from_millis(number.saturating_mul(unit));
    if time > LONGEST {
        return Err(format!("`{text}` is longer than five minutes"));
    }
    Ok(time)
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.from.as_millis())?;
        if self.to > self.from {
            write!(f, "..{}ms", self.to.as_millis())?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Latency {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Latency> for String {
    fn from(latency: Latency) -> Self {
        latency.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_ranges() {
        for (text, read) in [
            ("200ms", "200ms"),
            ("2s", "2000ms"),
            ("100ms..1s", "100ms..1000ms"),
            ("0ms..0s", "0ms"),
            (" 1s .. 2s ", "1000ms..2000ms"),
        ] {
            assert_eq!(text.parse::<Latency>().unwrap().to_string(), read, "{text}");
        }
        for text in ["", "1", "1m", "-1s", "1.5s", "2s..1s", "..", "1s..", "301s", "+1s", "１s"] {
            assert!(text.parse::<Latency>().is_err(), "{text}");
        }
        let range: Latency = "100ms..300ms".parse().unwrap();
        assert_eq!(range.at(0.5), Duration::from_millis(200));
        assert_eq!(range.at(7.0), Duration::from_millis(300));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged(text in "[0-9ms. ]{0,20}|.{0,20}") {
            if let Ok(latency) = text.parse::<Latency>() {
                proptest::prop_assert_eq!(latency.to_string().parse::<Latency>().unwrap(), latency);
            }
        }
    }
}
