//! Points in time as the wire has them: UTC, ISO 8601 with `Z`, cut to microseconds (`platform-api.md` §0 "Dates").

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time. Written with six digits always, so that texts sort as times do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(i64);

/// Not a date.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a date")]
pub struct NotADate(String);

impl Date {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self(Timestamp::now().as_microsecond())
    }

    /// Microseconds since 1970.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// From microseconds since 1970; `None` outside the years that can be written.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        Timestamp::from_microsecond(micros).ok().map(|_| Self(micros))
    }

    /// This much later; stays where it is at the end of time.
    #[must_use]
    pub fn after(self, time: SignedDuration) -> Self {
        let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        self.0.checked_add(micros).and_then(Self::from_micros).unwrap_or(self)
    }

    /// How long ago that was.
    #[must_use]
    pub fn age(self) -> SignedDuration {
        SignedDuration::from_micros(Self::now().0.saturating_sub(self.0))
    }
}

impl FromStr for Date {
    type Err = NotADate;

    /// With a zone, or without one as UTC; a bare day is its first moment.
    fn from_str(text: &str) -> Result<Self, NotADate> {
        let text = text.trim();
        if text.starts_with("9999-12-31")
            && text.get(11..).is_none_or(|time| time.starts_with("23:59:59"))
        {
            // .NET's last moment, which clients write for `never`, is past the last one that is known here.
            return Ok(Self(Timestamp::MAX.as_second() * 1_000_000));
        }
        let utc = |moment: civil::DateTime| moment.to_zoned(TimeZone::UTC).ok();
        let found = text.parse::<Timestamp>().ok().or_else(|| {
            let moment = text.parse::<civil::DateTime>().ok();
            // A date-time with a zone that is none of ours must not pass as one without.
            moment.filter(|_| text.len() <= 27).and_then(utc).map(|zoned| zoned.timestamp())
        });
        // Years that .NET knows, and that stores read.
        let known =
            |micros: &i64| (-62_135_596_800_000_000..253_402_300_800_000_000).contains(micros);
        let found = found.map(Timestamp::as_microsecond).filter(known);
        found.map(Self).ok_or_else(|| NotADate(text.to_owned()))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Timestamp::from_microsecond(self.0).unwrap_or_default();
        write!(f, "{at:.6}")
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(input)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Date {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_clients_write_them() {
        for (text, written) in [
            ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05.000000Z"),
            ("2024-01-02T03:04:05.1234567Z", "2024-01-02T03:04:05.123456Z"),
            ("2024-01-02T03:04:05+01:00", "2024-01-02T02:04:05.000000Z"),
            ("2024-01-02T03:04:05", "2024-01-02T03:04:05.000000Z"),
            ("2024-01-02 03:04", "2024-01-02T03:04:00.000000Z"),
            ("2024-01-02", "2024-01-02T00:00:00.000000Z"),
            ("0001-01-01T00:00:00", "0001-01-01T00:00:00.000000Z"),
            ("9999-12-31T23:59:59.9999999Z", "9999-12-30T22:00:00.000000Z"),
        ] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), written, "{text}");
        }
        for text in ["", "x", "2024-13-01", "2024-01-02T25:00:00Z", "99999-01-01", "2024"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged(text in ".{0,40}") {
            let _ = text.parse::<Date>();
        }

        #[test]
        fn there_and_back(micros in 0_i64..4_000_000_000_000_000) {
            let date = Date::from_micros(micros).unwrap();
            proptest::prop_assert_eq!(date.to_string().parse::<Date>().unwrap(), date);
        }
    }
}
