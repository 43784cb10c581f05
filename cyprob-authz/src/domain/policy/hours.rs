//! Times of the week in which a grant counts.

use std::fmt;
use std::str::FromStr;

use cyprob_core::domain::Timestamp;

const DAY: u16 = 1_440;
const WEEK: u16 = 7 * DAY;
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A time of the day on some days of the week, in UTC, such as `mon-fri 08:00-18:00`.
///
/// The end is not part of it. `22:00-06:00` goes past midnight and belongs to
/// the day on which it begins; `00:00-24:00` is the whole day. There is one
/// spelling for each: days from Monday on, three and more in a row as a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// One bit for each day, Monday first.
    days: u8,
    from: u16,
    until: u16,
}

/// Some times of the week, in UTC: whenever one of its windows is open.
///
/// # Examples
///
/// ```
/// use cyprob_authz::domain::policy::Hours;
/// use cyprob_core::domain::Timestamp;
///
/// let hours = Hours::new(["mon-fri 08:00-18:00".parse()?])?;
/// // The first of January 1970 was a Thursday.
/// assert!(hours.contains(Timestamp::from_seconds(8 * 3_600)));
/// assert!(!hours.contains(Timestamp::from_seconds(18 * 3_600)));
/// # Ok::<(), cyprob_authz::domain::policy::HoursError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    windows: Box<[Window]>,
    /// The same as minutes of the week, from and until, in order, none touching the next.
    spans: Box<[(u16, u16)]>,
}

/// The text is no time of the week, or there are none or too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// The text is no window.
    #[error("write days and times in UTC, such as `mon-fri 08:00-18:00` or `sat,sun 00:00-24:00`")]
    Window,
    /// There are none, or too many.
    #[error("give 1 to {} times of the week", Hours::MOST_WINDOWS)]
    Count,
}

impl Hours {
    /// The most windows of one set.
    pub const MOST_WINDOWS: usize = 8;

    /// Takes the windows, which may overlap.
    ///
    /// # Errors
    ///
    /// [`HoursError::Count`] if there are none or too many.
    pub fn new(windows: impl IntoIterator<Item = Window>) -> Result<Self, HoursError> {
        let windows: Box<[Window]> = windows.into_iter().collect();
        if !(1..=Self::MOST_WINDOWS).contains(&windows.len()) {
            return Err(HoursError::Count);
        }
        let mut all: Vec<_> = windows.iter().flat_map(|window| window.spans()).collect();
        all.sort_unstable();
        let mut spans: Vec<(u16, u16)> = Vec::new();
        for (from, until) in all {
            match spans.last_mut() {
                Some((_, last)) if *last >= from => *last = until.max(*last),
                _ => spans.push((from, until)),
            }
        }
        Ok(Self {
            windows,
            spans: spans.into(),
        })
    }

    /// The windows, as they were given.
    #[must_use]
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Whether the time lies in one of the windows.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        let Moment(minute) = Moment::of(at);
        let mut spans = self.spans.iter();
        spans.any(|(from, until)| (*from..*until).contains(&minute))
    }

    /// The minutes of the week at which it opens or closes.
    pub(super) fn edges(&self) -> impl Iterator<Item = Moment> {
        let ends = self.spans.iter().flat_map(|(from, until)| [*from, *until]);
        ends.map(|minute| Moment(minute % WEEK))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, window) in self.windows.iter().enumerate() {
            let between = if number == 0 { "" } else { " or " };
            write!(f, "{between}{window}")?;
        }
        Ok(())
    }
}

/// A minute of the week, from Monday's first on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u16);

impl Moment {
    pub(super) const FIRST: Self = Self(0);

    /// Monday, the fifth of January 1970, in minutes since the epoch.
    const MONDAY: i64 = 4 * DAY as i64;

    pub(super) fn of(at: Timestamp) -> Self {
        let minute = at.as_seconds().div_euclid(60) - Self::MONDAY;
        // INVARIANT: a remainder of a week fits
        Self(u16::try_from(minute.rem_euclid(i64::from(WEEK))).unwrap_or(0))
    }

    /// It in the first week that begins after the epoch.
    pub(super) fn timestamp(self) -> Timestamp {
        Timestamp::from_seconds((Self::MONDAY + i64::from(self.0)) * 60)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, minute) = (self.0 / DAY, self.0 % DAY);
        let day = NAMES.get(usize::from(day)).copied().unwrap_or_default();
        write!(f, "{day} at {:02}:{:02}", minute / 60, minute % 60)
    }
}

impl Window {
    fn has(self, day: u16) -> bool {
        self.days >> day & 1 == 1
    }

    /// As minutes of the week; what goes past Sunday's midnight comes in two parts.
    fn spans(self) -> impl Iterator<Item = (u16, u16)> {
        let night = if self.from < self.until { 0 } else { DAY };
        let days = (0..7).filter(move |day| self.has(*day));
        days.flat_map(move |day| {
            let (from, until) = (day * DAY + self.from, day * DAY + self.until + night);
            let past = until.saturating_sub(WEEK);
            let parts = [(from, until.min(WEEK)), (0, past)];
            parts.into_iter().filter(|(from, until)| from < until)
        })
    }
}

impl FromStr for Window {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let read = || {
            let (days, times) = text.split_once(' ')?;
            let (from, until) = times.split_once('-')?;
            Some(Self {
                days: read_days(days)?,
                from: read_time(from)?,
                until: read_time(until)?,
            })
        };
        // An empty time is a mistake; 24:00 begins nothing, and 00:00 ends nothing.
        let sound = |it: &Self| it.from != it.until && it.from != DAY && it.until != 0;
        // INVARIANT: one spelling, so that two readers of a policy read the same
        let spelled = |window: &Self| window.to_string() == text;
        let window = read().filter(sound).filter(spelled);
        window.ok_or(HoursError::Window)
    }
}

fn read_days(text: &str) -> Option<u8> {
    let day = |name: &str| NAMES.iter().position(|known| *known == name);
    text.split(',').try_fold(0, |days, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some((day(first)?..=day(last)?).fold(days, |days, day| days | 1 << day))
    })
}

fn read_time(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let time = hour.checked_mul(60)?.checked_add(minute)?;
    (time <= DAY).then_some(time)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |day: u16| NAMES.get(usize::from(day)).copied().unwrap_or_default();
        let mut day = 0;
        let mut between = "";
        while day < 7 {
            let row = (day..7).take_while(|day| self.has(*day)).count();
            // INVARIANT: at most seven days
            let row = u16::try_from(row).unwrap_or(0);
            match row {
                0 => day += 1,
                1 | 2 => {
                    write!(f, "{between}{}", name(day))?;
                    day += 1;
                }
                _ => {
                    write!(f, "{between}{}-{}", name(day), name(day + row - 1))?;
                    day += row;
                }
            }
            if row > 0 {
                between = ",";
            }
        }
        let [from, until] = [self.from, self.until].map(|time| (time / 60, time % 60));
        write!(
            f,
            " {:02}:{:02}-{:02}:{:02}",
            from.0, from.1, until.0, until.1
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(windows: &[&str]) -> Hours {
        Hours::new(windows.iter().map(|text| text.parse().unwrap())).unwrap()
    }

    /// Days after Monday the fifth of January 1970.
    fn at(day: i64, hour: i64, minute: i64) -> Timestamp {
        Timestamp::from_seconds((4 + day) * 86_400 + hour * 3_600 + minute * 60)
    }

    #[test]
    fn a_time_is_in_its_days_and_ends_before_its_end() {
        let hours = hours(&["mon-wed,sat 08:00-18:30"]);
        assert!(hours.contains(at(0, 8, 0)));
        assert!(hours.contains(at(5, 18, 29)));
        assert!(!hours.contains(at(0, 7, 59)));
        assert!(!hours.contains(at(2, 18, 30)));
        assert!(!hours.contains(at(3, 12, 0)));
        // Long before the epoch the week goes on.
        assert!(hours.contains(at(-7, 8, 0)));
        assert!(hours.contains(at(-700, 8, 0)));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let night = hours(&["sun 22:00-06:00"]);
        assert!(night.contains(at(6, 23, 0)));
        assert!(night.contains(at(7, 5, 59)));
        assert!(!night.contains(at(7, 6, 0)));
        assert!(!night.contains(at(6, 5, 0)));
    }

    #[test]
    fn windows_that_touch_are_one() {
        let day = hours(&["mon 08:00-12:00", "mon 11:00-13:00", "mon 13:00-18:00"]);
        let edges: Vec<_> = day.edges().map(|edge| edge.to_string()).collect();
        assert_eq!(edges, ["mon at 08:00", "mon at 18:00"]);
        let always = hours(&["mon-sun 00:00-24:00"]);
        assert_eq!(always.edges().collect::<Vec<_>>(), [Moment::FIRST; 2]);
    }

    #[test]
    fn each_window_has_one_spelling() {
        for text in [
            "mon 00:00-24:00",
            "mon-sun 08:00-18:00",
            "mon,wed-fri,sun 22:00-06:00",
            "sat,sun 00:00-24:00",
        ] {
            assert_eq!(text.parse::<Window>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "mon",
            "mon 8:00-18:00",
            "mon 08:00-08:00",
            "mon 24:00-06:00",
            "mon 22:00-00:00",
            "mon 08:60-09:00",
            "mon 08:00-24:01",
            "mon 08:00-99999:00",
            "fri-mon 08:00-09:00",
            "mon,mon 08:00-09:00",
            "tue,mon 08:00-09:00",
            "mon,tue,wed 08:00-09:00",
            "Mon 08:00-09:00",
            "mon  08:00-09:00",
            "mon +8:00-09:00",
        ] {
            assert_eq!(text.parse::<Window>(), Err(HoursError::Window), "{text}");
        }
        assert_eq!(Hours::new([]), Err(HoursError::Count));
    }
}
