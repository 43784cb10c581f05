//! Dates and times as YAML writes them without quotes.

use std::fmt::Write as _;

/// A point in time with its offset and the text it was written as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeValue {
    seconds: i64,
    nanos: u32,
    offset_seconds: i32,
    written: Box<str>,
}

impl TimeValue {
    /// Reads the four forms that yaml.v3 takes for times.
    ///
    /// `2024-1-2`, `2024-1-2T3:4:5[.9]Z` or with `+02:00`, the same with a
    /// small `t`, and `2024-1-2 3:4:5[.9]` in UTC.
    #[must_use]
    pub fn parse_yaml(text: &str) -> Option<Self> {
        let mut rest = Scanner(text.as_bytes());
        let year = rest.exactly(4)?;
        rest.literal(b'-')?;
        let month = rest.one_or_two()?;
        rest.literal(b'-')?;
        let day = rest.one_or_two()?;
        if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
            return None;
        }
        let (mut seconds, mut nanos, mut offset) = (0, 0, 0);
        if !rest.0.is_empty() {
            let separator = rest.next()?;
            let zoned = match separator {
                b'T' | b't' => true,
                b' ' => false,
                _ => return None,
            };
            let hour = rest.one_or_two()?;
            rest.literal(b':')?;
            let minute = rest.one_or_two()?;
            rest.literal(b':')?;
            let second = rest.one_or_two()?;
            if hour > 23 || minute > 59 || second > 59 {
                return None;
            }
            seconds = hour * 3600 + minute * 60 + second;
            nanos = rest.fraction()?;
            if zoned {
                offset = rest.zone()?;
            }
            if !rest.0.is_empty() {
                return None;
            }
        }
        Some(Self {
            seconds: days_from_civil(year, month, day) * 86_400 + seconds - i64::from(offset),
            nanos,
            offset_seconds: offset,
            written: text.into(),
        })
    }

    /// A time from seconds since the Unix epoch, in UTC; for importers.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        let mut time = Self {
            // Years 0 to 9999, so that the text form is always well formed.
            seconds: seconds.clamp(-62_167_219_200, 253_402_300_799),
            nanos: 0,
            offset_seconds: 0,
            written: Box::default(),
        };
        let text = time.go_string();
        let text = text.trim_end_matches(" +0000 UTC").replace(' ', "T");
        time.written = format!("{text}Z").into();
        time
    }

    /// Seconds and nanoseconds since the Unix epoch.
    #[must_use]
    pub fn instant(&self) -> (i64, u32) {
        (self.seconds, self.nanos)
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// The text that Go's `time.Time` prints, in a process whose zone is UTC.
    #[must_use]
    pub fn go_string(&self) -> String {
        let local = self.seconds + i64::from(self.offset_seconds);
        let (days, of_day) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let mut out = format!(
            "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
            of_day / 3600,
            of_day / 60 % 60,
            of_day % 60
        );
        if self.nanos != 0 {
            let digits = format!("{:09}", self.nanos);
            out.push('.');
            out.push_str(digits.trim_end_matches('0'));
        }
        if self.offset_seconds == 0 {
            out.push_str(" +0000 UTC");
        } else {
            let sign = if self.offset_seconds < 0 { '-' } else { '+' };
            let minutes = self.offset_seconds.unsigned_abs() / 60;
            for _ in 0..2 {
                // Writing to a String cannot fail.
                let _ = write!(out, " {sign}{:02}{:02}", minutes / 60, minutes % 60);
            }
        }
        out
    }
}

struct Scanner<'a>(&'a [u8]);

impl Scanner<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn literal(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn digit(&mut self) -> Option<i64> {
        let byte = *self.0.first()?;
        byte.is_ascii_digit().then(|| {
            self.0 = self.0.get(1..).unwrap_or_default();
            i64::from(byte - b'0')
        })
    }

    fn exactly(&mut self, digits: usize) -> Option<i64> {
        let mut value = 0;
        for _ in 0..digits {
            value = value * 10 + self.digit()?;
        }
        Some(value)
    }

    fn one_or_two(&mut self) -> Option<i64> {
        let first = self.digit()?;
        Some(self.digit().map_or(first, |second| first * 10 + second))
    }

    /// A point or comma and one to nine digits, or nothing.
    fn fraction(&mut self) -> Option<u32> {
        match self.0 {
            [b'.' | b',', next, ..] if next.is_ascii_digit() => {}
            _ => return Some(0),
        }
        self.next()?;
        let (mut nanos, mut digits) = (0_u32, 0_u32);
        while let Some(digit) = self.digit() {
            digits += 1;
            if digits > 9 {
                return None;
            }
            nanos = nanos * 10 + u32::try_from(digit).ok()?;
        }
        Some(nanos * 10_u32.pow(9 - digits))
    }

    fn zone(&mut self) -> Option<i32> {
        let sign = match self.next()? {
            b'Z' => return Some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = self.exactly(2)?;
        self.literal(b':')?;
        let minutes = self.exactly(2)?;
        if hours > 24 || minutes > 60 {
            return None;
        }
        i32::try_from(sign * (hours * 3600 + minutes * 60)).ok()
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last of its year.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        TimeValue::parse_yaml(text).map(|t| t.go_string())
    }

    #[test]
    fn the_forms_print_as_go_prints_them() {
        for (text, go) in [
            ("2024-1-2", "2024-01-02 00:00:00 +0000 UTC"),
            ("2024-01-02T3:4:5Z", "2024-01-02 03:04:05 +0000 UTC"),
            (
                "2024-01-02T03:04:05.5+02:00",
                "2024-01-02 03:04:05.5 +0200 +0200",
            ),
            ("2024-01-02t03:04:05Z", "2024-01-02 03:04:05 +0000 UTC"),
            ("2024-01-02 03:04:05", "2024-01-02 03:04:05 +0000 UTC"),
            ("2024-01-02T03:04:05,5Z", "2024-01-02 03:04:05.5 +0000 UTC"),
            (
                "2024-01-02 3:4:5.123456789",
                "2024-01-02 03:04:05.123456789 +0000 UTC",
            ),
            ("2024-01-02T03:04:05-00:00", "2024-01-02 03:04:05 +0000 UTC"),
            (
                "2024-01-02T03:04:05+24:00",
                "2024-01-02 03:04:05 +2400 +2400",
            ),
            (
                "2024-01-02T03:04:05-05:30",
                "2024-01-02 03:04:05 -0530 -0530",
            ),
            ("0000-01-01", "0000-01-01 00:00:00 +0000 UTC"),
            ("9999-12-31", "9999-12-31 00:00:00 +0000 UTC"),
            ("2000-02-29", "2000-02-29 00:00:00 +0000 UTC"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(go), "{text}");
        }
    }

    #[test]
    fn what_go_refuses_is_no_time() {
        for text in [
            "2024-02-30",
            "1900-02-29",
            "2024-01-02T24:00:00Z",
            "2024-001-02",
            "2024-01-02T03:04:60Z",
            "2024-01-02T03:04:05+0200",
            "2024-01-02T03:04:05.1234567891Z",
            "2024-01-02T03:04:05.Z",
            "2024- 1-2",
            "2024-01-02 03:04:05.",
            "2024-01-02T003:04:05Z",
            "2024-01-02T03:04:05",
            "2024-01-02T03:04:05+02:00:00",
            "24-01-02",
            "2024-01",
            "2024-01-02T03:04:05+25:00",
            "2024-01-02 03:04:05Z",
            "2024-00-10",
            "2024-01-00",
            "",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn civil_days_round_trip() {
        for day in (-800_000..3_000_000).step_by(373) {
            let (y, m, d) = civil_from_days(day);
            assert_eq!(days_from_civil(y, m, d), day);
        }
        assert_eq!(TimeValue::from_unix(0).as_written(), "1970-01-01T00:00:00Z");
        assert_eq!(
            TimeValue::from_unix(i64::MAX).as_written(),
            "9999-12-31T23:59:59Z"
        );
    }
}
