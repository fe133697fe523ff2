//! A deadline as the policy gives it, and what has been said of it: every clock warns before, and records an overdue once.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::policy::Profile;

/// A deadline, as the policy gave it; an event holds it, so that no later policy moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// The end of its day.
    pub at: Timestamp,
    /// Its day in the office's time zone.
    pub on: Date,
    /// When to warn.
    pub warn_at: Timestamp,
}

impl Due {
    /// The deadline of a day. Every clock warns so many working days before (`domain.md`, Clocks).
    pub fn on(on: Date, profile: &Profile) -> Self {
        let warn_on = profile
            .calendar
            .working_days_before(on, profile.intake.warn_before_working_days);
        Self {
            at: profile.calendar.end_of(on),
            on,
            warn_at: profile.calendar.end_of(warn_on),
        }
    }

    /// The deadline so many working days after an instant.
    pub fn in_working_days(now: Timestamp, days: u32, profile: &Profile) -> Self {
        let at = profile.calendar.plus_working_days(now, days);
        Self::on(profile.calendar.date(at), profile)
    }
}

/// What has been said of a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// Nothing.
    Silent,
    /// That it is near.
    Near,
    /// That it has passed; said once.
    Overdue,
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::Policies;

    #[test]
    fn a_deadline_in_working_days_warns_working_days_before() {
        let policies = Policies::shipped().expect("the shipped policy loads");
        let now = "2026-04-28T01:00:00Z".parse().expect("a timestamp");
        let profile = policies.in_force(now);
        // Labour Day is free from 1 to 5 May, and Saturday 9 May is worked to make up for it.
        let due = Due::in_working_days(now, 5, profile);
        assert_eq!(due.on, date(2026, 5, 8));
        assert_eq!(
            due.at,
            "2026-05-08T15:59:59.999999Z".parse().expect("a timestamp")
        );
        assert_eq!(
            due.warn_at,
            "2026-04-30T15:59:59.999999Z".parse().expect("a timestamp")
        );
    }
}
