//! Impact periods (影響期): the months during which a sanction counts, and how many of them overlapping ones are together.
//!
//! "Overlapping periods of one person together at most 48" (`domain.md`, Verification, Sanction) is read so: periods
//! that share a day overlap; those that are connected by overlapping, also over others between them, belong together;
//! and it is their lengths that are added up, not the days from the first to the last. Twice 24 months a day apart are
//! 48, for each counts in full. Periods that only follow each other without a day in common do not overlap.

use jiff::ToSpan;
use jiff::civil::Date;

/// An impact period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impact {
    /// Its first day: that of the decision.
    pub begins_on: Date,
    /// Its last day.
    pub ends_on: Date,
    /// Its length.
    pub months: u32,
}

impl Impact {
    /// The period of so many months from a decision: until the day before the same day of the month, or before the
    /// month's last where it has no such day.
    pub fn from(decided_on: Date, months: u32) -> Self {
        let after = decided_on.saturating_add(i64::from(months).months());
        Self {
            begins_on: decided_on,
            ends_on: after.yesterday().unwrap_or(after),
            months,
        }
    }
}

/// The months of all periods that belong together with this one, its own among them; `others` are all other periods of
/// the person.
pub fn overlapping_months(others: impl IntoIterator<Item = Impact>, with: Impact) -> u32 {
    let mut periods: Vec<Impact> = others.into_iter().collect();
    periods.push(with);
    periods.sort_unstable_by_key(|period| period.begins_on);
    let mut together = 0u32;
    let mut until: Option<Date> = None;
    for period in periods {
        if until.is_none_or(|until| until < period.begins_on) {
            // Here begins what does not belong to those before. If they reached the day it is about, they are all.
            if until.is_some_and(|until| until >= with.begins_on) {
                break;
            }
            together = 0;
        }
        together = together.saturating_add(period.months);
        until = until.max(Some(period.ends_on));
    }
    together
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn period(year: i16, month: i8, months: u32) -> Impact {
        Impact::from(date(year, month, 1), months)
    }

    fn ends(decided_on: Date, months: u32) -> Date {
        Impact::from(decided_on, months).ends_on
    }

    #[test]
    fn a_period_ends_on_the_day_before_the_same_day_months_later() {
        assert_eq!(ends(date(2026, 3, 9), 6), date(2026, 9, 8));
        assert_eq!(ends(date(2026, 1, 1), 12), date(2026, 12, 31));
        // February has no 31st; its last day stands for it.
        assert_eq!(ends(date(2026, 8, 31), 6), date(2027, 2, 27));
        assert_eq!(ends(date(2024, 2, 29), 24), date(2026, 2, 27));
    }

    #[test]
    fn the_lengths_of_overlapping_periods_are_added_up() {
        let first = period(2026, 1, 24);
        assert_eq!(overlapping_months([], first), 24);
        assert_eq!(overlapping_months([first], period(2026, 2, 24)), 48);
        assert_eq!(overlapping_months([first, first], first), 72);
    }

    #[test]
    fn periods_that_share_no_day_do_not_overlap() {
        let first = Impact::from(date(2026, 1, 1), 12);
        let later = |day| Impact::from(day, 12);
        assert_eq!(overlapping_months([first], later(date(2027, 1, 1))), 12);
        assert_eq!(overlapping_months([first], later(date(2026, 12, 31))), 24);
        assert_eq!(overlapping_months([later(date(2026, 12, 31))], first), 24);
    }

    #[test]
    fn periods_are_connected_over_those_between_them() {
        let (first, last) = (period(2026, 1, 12), period(2027, 6, 12));
        assert_eq!(overlapping_months([last], first), 12);
        let between = period(2026, 6, 18);
        assert_eq!(overlapping_months([first, last], between), 42);
        assert_eq!(overlapping_months([between, last], first), 42);
        assert_eq!(overlapping_months([first, between], last), 42);
    }

    fn periods() -> impl Strategy<Value = Vec<Impact>> {
        let one = (0i64..4000, prop::sample::select(vec![1u32, 6, 12, 18, 24]));
        let one = one.prop_map(|(day, months)| {
            Impact::from(date(2020, 1, 31).saturating_add(day.days()), months)
        });
        prop::collection::vec(one, 1..9)
    }

    fn share_a_day(one: &Impact, other: &Impact) -> bool {
        one.begins_on <= other.ends_on && other.begins_on <= one.ends_on
    }

    /// The rule word by word: whoever overlaps one of those who belong together belongs to them.
    fn by_the_word(periods: &[Impact]) -> u32 {
        let mut together = vec![0];
        loop {
            let joins = |at: &usize| {
                !together.contains(at)
                    && together
                        .iter()
                        .any(|known| share_a_day(&periods[*known], &periods[*at]))
            };
            match (0..periods.len()).find(joins) {
                Some(at) => together.push(at),
                None => return together.iter().map(|at| periods[*at].months).sum(),
            }
        }
    }

    proptest! {
        #[test]
        fn the_sum_is_that_of_the_rule_word_by_word(periods in periods()) {
            let others = periods[1..].iter().copied();
            prop_assert_eq!(overlapping_months(others, periods[0]), by_the_word(&periods));
        }

        #[test]
        fn those_who_belong_together_agree_on_their_sum(periods in periods()) {
            let sums: Vec<u32> = (0..periods.len())
                .map(|at| {
                    let mut others = periods.clone();
                    let one = others.remove(at);
                    overlapping_months(others, one)
                })
                .collect();
            for (one, first) in sums.iter().zip(&periods) {
                prop_assert!(*one >= first.months);
                for (other, second) in sums.iter().zip(&periods) {
                    prop_assert!(one == other || !share_a_day(first, second));
                }
            }
        }

        #[test]
        fn another_period_never_makes_the_sum_smaller(periods in periods(), more in periods()) {
            let others = || periods[1..].iter().copied();
            let alone = overlapping_months(others(), periods[0]);
            let all = overlapping_months(others().chain(more.iter().copied()), periods[0]);
            let sum: u32 = periods.iter().chain(&more).map(|period| period.months).sum();
            prop_assert!((alone..=sum).contains(&all));
        }
    }
}
