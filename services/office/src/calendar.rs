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

    /// The n-th working day before a day.
    pub fn working_days_before(&self, day: Date, n: u32) -> Date {
        let mut day = day;
        let mut left = n;
        while left > 0 {
            let Ok(before) = day.yesterday() else { break };
            day = before;
            if self.is_working_day(day) {
                left -= 1;
            }
        }
        day
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

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    /// A calendar with a long holiday, its make-up days on either side, and a single one.
    fn calendar(zone: &str) -> Calendar {
        let days = |days: &[Date]| days.iter().copied().collect();
        let october: Vec<Date> = (1..=7)
            .map(|day| date(2026, 10, day))
            .chain([date(2026, 6, 19)])
            .collect();
        Calendar::new(
            zone,
            [Weekday::Saturday, Weekday::Sunday],
            days(&october),
            days(&[date(2026, 9, 20), date(2026, 10, 10)]),
        )
        .expect("a valid calendar")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    #[test]
    fn the_date_is_the_local_one() {
        let calendar = calendar("Asia/Shanghai");
        assert_eq!(calendar.date(at("2026-12-31T16:00:00Z")), date(2027, 1, 1));
        assert_eq!(calendar.year(at("2026-12-31T15:59:59Z")), 2026);
        assert_eq!(calendar.year(at("2026-12-31T16:00:00Z")), 2027);
        assert_eq!(calendar.time_zone(), "Asia/Shanghai");
    }

    #[test]
    fn a_deadline_is_the_last_microsecond_of_a_local_day() {
        let calendar = calendar("Asia/Shanghai");
        let deadline = calendar.plus_days(at("2026-03-01T00:00:00+08:00"), 7);
        assert_eq!(deadline, at("2026-03-08T23:59:59.999999+08:00"));
        let late = calendar.plus_days(at("2026-03-01T23:59:59.999999+08:00"), 7);
        assert_eq!(
            late, deadline,
            "the hour of the day it began makes no difference"
        );
        assert_eq!(
            calendar.plus_days(at("2026-03-01T12:00:00+08:00"), 0),
            at("2026-03-01T23:59:59.999999+08:00")
        );
    }

    #[test]
    fn holidays_are_free_and_make_up_days_are_worked() {
        let calendar = calendar("Asia/Shanghai");
        assert!(calendar.is_working_day(date(2026, 9, 30)));
        assert!(!calendar.is_working_day(date(2026, 10, 1)));
        assert!(!calendar.is_working_day(date(2026, 9, 19)), "a Saturday");
        assert!(
            calendar.is_working_day(date(2026, 9, 20)),
            "a Sunday that is made up"
        );
        assert!(calendar.knows_year(2026));
        assert!(!calendar.knows_year(2028));
    }

    #[test]
    fn working_days_step_over_holidays_and_count_make_up_days() {
        let calendar = calendar("Asia/Shanghai");
        let days = |from: &str, n| calendar.date(calendar.plus_working_days(at(from), n));
        assert_eq!(days("2026-09-30T09:00:00+08:00", 1), date(2026, 10, 8));
        assert_eq!(
            days("2026-09-30T09:00:00+08:00", 3),
            date(2026, 10, 10),
            "a Saturday that is made up"
        );
        assert_eq!(days("2026-09-30T09:00:00+08:00", 4), date(2026, 10, 12));
        assert_eq!(
            days("2026-10-03T09:00:00+08:00", 0),
            date(2026, 10, 8),
            "not worked, so the next that is"
        );
        assert_eq!(days("2026-10-08T09:00:00+08:00", 0), date(2026, 10, 8));
        assert_eq!(days("2026-10-03T09:00:00+08:00", 1), date(2026, 10, 8));
    }

    #[test]
    fn a_month_later_is_the_same_day_or_the_last_of_a_shorter_month() {
        let calendar = calendar("Asia/Shanghai");
        let months = |from: &str, n| calendar.date(calendar.plus_months(at(from), n));
        assert_eq!(months("2026-11-30T09:00:00+08:00", 3), date(2027, 2, 28));
        assert_eq!(months("2026-01-15T09:00:00+08:00", 6), date(2026, 7, 15));
        assert_eq!(months("2026-01-15T09:00:00+08:00", 0), date(2026, 1, 15));
    }

    #[test]
    fn a_day_ends_once_where_clocks_change() {
        let calendar = calendar("America/Detroit");
        let end = calendar.plus_days(at("2026-03-07T12:00:00-05:00"), 1);
        assert_eq!(end, at("2026-03-08T23:59:59.999999-04:00"));
        // In Havana midnight itself is skipped when summer begins: the day before ends with the second before one.
        let calendar = self::calendar("America/Havana");
        let end = calendar.plus_days(at("2026-03-06T12:00:00-05:00"), 1);
        assert_eq!(calendar.date(end), date(2026, 3, 7));
        assert_eq!(
            calendar.date(end.checked_add(1.microsecond()).expect("in range")),
            date(2026, 3, 8)
        );
    }

    #[test]
    fn a_time_that_cannot_be_told_is_the_latest_that_can() {
        let calendar = calendar("Asia/Shanghai");
        assert_eq!(calendar.plus_days(Timestamp::MAX, 1), Timestamp::MAX);
        assert_eq!(
            calendar.plus_days(at("2026-01-01T00:00:00Z"), u32::MAX),
            Timestamp::MAX
        );
        assert_eq!(
            calendar.plus_months(at("2026-01-01T00:00:00Z"), u32::MAX),
            Timestamp::MAX
        );
        assert_eq!(
            calendar.plus_working_days(at("9998-01-01T00:00:00Z"), u32::MAX),
            Timestamp::MAX
        );
    }

    #[test]
    fn all_faults_of_a_calendar_are_told_at_once() {
        let week = [
            Weekday::Monday,
            Weekday::Tuesday,
            Weekday::Wednesday,
            Weekday::Thursday,
            Weekday::Friday,
            Weekday::Saturday,
            Weekday::Sunday,
        ];
        let free = BTreeSet::from([date(2026, 10, 3)]);
        let faults = Calendar::new("Asia/Yunchuan", week, free.clone(), free)
            .expect_err("nothing of it is right");
        assert_eq!(
            faults,
            [
                CalendarFault::NoWorkingDay,
                CalendarFault::HolidayAndMakeUp(date(2026, 10, 3)),
                CalendarFault::UnknownTimeZone("Asia/Yunchuan".to_owned()),
            ]
        );
        let weekday = BTreeSet::from([date(2026, 10, 9)]);
        let faults = Calendar::new("UTC", [Weekday::Sunday], BTreeSet::new(), weekday);
        assert_eq!(
            faults,
            Err(vec![CalendarFault::MakeUpNotWeekend(date(2026, 10, 9))])
        );
    }

    fn instants() -> impl Strategy<Value = Timestamp> {
        let seconds = |text| at(text).as_second();
        (seconds("2025-01-01T00:00:00Z")..seconds("2029-01-01T00:00:00Z"))
            .prop_map(|second| Timestamp::from_second(second).expect("in range"))
    }

    fn zones() -> impl Strategy<Value = Calendar> {
        prop::sample::select(vec![
            "Asia/Shanghai",
            "America/Detroit",
            "America/Havana",
            "Pacific/Apia",
            "UTC",
        ])
        .prop_map(calendar)
    }

    proptest! {
        #[test]
        fn n_working_days_later_is_a_working_day(calendar in zones(), from in instants(), n in 0u32..80) {
            let end = calendar.plus_working_days(from, n);
            prop_assert!(end >= from);
            prop_assert!(calendar.is_working_day(calendar.date(end)));
            let mut worked = 0;
            let mut day = calendar.date(from);
            while day < calendar.date(end) {
                day = day.tomorrow().expect("in range");
                worked += u32::from(calendar.is_working_day(day));
            }
            let expected = if n == 0 { u32::from(!calendar.is_working_day(calendar.date(from))) } else { n };
            prop_assert_eq!(worked, expected);
        }

        #[test]
        fn later_or_longer_is_never_earlier(
            calendar in zones(), one in instants(), other in instants(), n in 0u32..80, more in 0u32..10,
        ) {
            let (early, late) = (one.min(other), one.max(other));
            for plus in [Calendar::plus_days, Calendar::plus_working_days, Calendar::plus_months] {
                prop_assert!(plus(&calendar, early, n) <= plus(&calendar, late, n));
                prop_assert!(plus(&calendar, early, n) <= plus(&calendar, early, n + more));
            }
        }

        #[test]
        fn the_end_of_a_day_is_on_that_day_and_the_next_instant_is_not(calendar in zones(), from in instants(), n in 0u32..80) {
            let end = calendar.plus_days(from, n);
            let next = end.checked_add(1.microsecond()).expect("in range");
            prop_assert!(calendar.date(next) > calendar.date(end));
            // Apia skipped a whole day once, long before; here every local day exists.
            prop_assert_eq!(calendar.date(end), calendar.date(from).checked_add(i64::from(n).days()).expect("in range"));
        }
    }
}
