//! The office's calendar: its time zone, and which days it works. A deadline is always the *end* of a day in that time
//! zone, its last whole microsecond (journals keep whole microseconds), so that the date of a deadline is the date that
//! a person would name.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp, ToSpan};

/// Which days an office works, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    zone: TimeZone,
    weekend: BTreeSet<i8>,
    holidays: BTreeSet<Date>,
    make_up: BTreeSet<Date>,
}

/// What is wrong with a calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarFault {
    /// A time zone that the database does not have.
    #[error("{0:?} is no time zone; give a name of the IANA database, such as Asia/Shanghai")]
    UnknownTimeZone(String),
    /// A week without work.
    #[error("all seven days are weekend; leave at least one working day")]
    NoWorkingDay,
    /// A day that is both free and not.
    #[error("{0} is both a holiday and a make-up working day; it can only be one")]
    HolidayAndMakeUp(Date),
    /// A make-up day on a day that is worked anyway.
    #[error(
        "{0} is a make-up working day but no weekend day, so it is worked anyway; correct the date"
    )]
    MakeUpNotWeekend(Date),
}

impl CalendarFault {
    /// The key of a policy file's calendar that is to blame.
    pub(crate) fn key(&self) -> &'static str {
        match self {
            CalendarFault::UnknownTimeZone(_) => "time_zone",
            CalendarFault::NoWorkingDay => "weekend",
            CalendarFault::HolidayAndMakeUp(_) | CalendarFault::MakeUpNotWeekend(_) => {
                "make_up_days"
            }
        }
    }
}

impl Calendar {
    /// A calendar of a time zone (by its IANA name), weekend days, holidays and make-up working days (調休).
    ///
    /// # Errors
    /// Everything that is wrong with it, not only the first.
    pub fn new(
        time_zone: &str,
        weekend: impl IntoIterator<Item = Weekday>,
        holidays: BTreeSet<Date>,
        make_up: BTreeSet<Date>,
    ) -> Result<Calendar, Vec<CalendarFault>> {
        let weekend: BTreeSet<i8> = weekend
            .into_iter()
            .map(Weekday::to_monday_zero_offset)
            .collect();
        let mut faults = Vec::new();
        if weekend.len() == 7 {
            faults.push(CalendarFault::NoWorkingDay);
        }
        for day in &make_up {
            if holidays.contains(day) {
                faults.push(CalendarFault::HolidayAndMakeUp(*day));
            } else if !weekend.contains(&day.weekday().to_monday_zero_offset()) {
                faults.push(CalendarFault::MakeUpNotWeekend(*day));
            }
        }
        match TimeZoneDatabase::bundled().get(time_zone) {
            Ok(zone) if faults.is_empty() => Ok(Calendar {
                zone,
                weekend,
                holidays,
                make_up,
            }),
            Ok(_) => Err(faults),
            Err(_) => {
                faults.push(CalendarFault::UnknownTimeZone(time_zone.to_owned()));
                Err(faults)
            }
        }
    }

    /// The name of the time zone.
    pub fn time_zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The local date of an instant.
    pub fn date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The calendar year of an instant.
    pub fn year(&self, at: Timestamp) -> i16 {
        self.date(at).year()
    }

    /// Whether the office works on that day.
    pub fn is_working_day(&self, day: Date) -> bool {
        self.make_up.contains(&day)
            || !(self.holidays.contains(&day)
                || self
                    .weekend
                    .contains(&day.weekday().to_monday_zero_offset()))
    }

    /// Whether the calendar names any holiday of that year: if not, an office has not kept it current, and counts of
    /// working days in that year know weekends only.
    pub fn knows_year(&self, year: i16) -> bool {
        self.holidays.iter().any(|day| day.year() == year)
    }

    /// The end of the n-th day after the instant's own; of the same day for 0.
    pub fn plus_days(&self, at: Timestamp, n: u32) -> Timestamp {
        self.end_of_day_after(at, Span::new().try_days(i64::from(n)))
    }

    /// The end of the n-th working day after the instant's own day. For 0 it is the end of the same day if that is
    /// worked, else of the next that is.
    pub fn plus_working_days(&self, at: Timestamp, n: u32) -> Timestamp {
        let mut day = self.date(at);
        let mut left = n;
        while left > 0 || !self.is_working_day(day) {
            let Ok(next) = day.tomorrow() else {
                return Timestamp::MAX;
            };
            day = next;
            if self.is_working_day(day) {
                left = left.saturating_sub(1);
            }
        }
        self.end_of(day)
    }

    /// The end of the same day of the month, n months later; of that month's last day where it is shorter.
    pub fn plus_months(&self, at: Timestamp, n: u32) -> Timestamp {
        self.end_of_day_after(at, Span::new().try_months(i64::from(n)))
    }

    fn end_of_day_after(&self, at: Timestamp, span: Result<Span, jiff::Error>) -> Timestamp {
        let day = span.and_then(|span| self.date(at).checked_add(span));
        day.map_or(Timestamp::MAX, |day| self.end_of(day))
    }

    /// The last whole microsecond of a local day. Time that cannot be told any more is the latest that can.
    pub fn end_of(&self, day: Date) -> Timestamp {
        let next = day
            .tomorrow()
            .and_then(|next| self.zone.to_timestamp(next.at(0, 0, 0, 0)));
        next.and_then(|next| next.checked_sub(1.microsecond()))
            .unwrap_or(Timestamp::MAX)
    }
}
