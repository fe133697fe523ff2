//! How a file opens and grows by what others tell: verification records a sanction, clarification carries one out.
//!
//! Each sanction and each clarification once, in whatever order they come. One that comes late is followed up like any
//! other: an impact period that is over already ends at once, by its clock.

use chassis::aggregate::Decision;
use jiff::civil::Date;
use jiff::{Span, Timestamp, ToSpan};
use office::{Calendar, ClarificationId, MatterId, SanctionId, SubjectId, UnitCode};
use serde::{Deserialize, Serialize};

use super::events::{AftercareAdded, Event, Opened, SanctionFollowed};
use super::{Context, State, aftercare, next, periods};

/// Why a file is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The person was sanctioned.
    Sanction,
    /// The person's name was cleared.
    Aftercare,
}

/// A disciplinary decision on the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sanction {
    /// Its id.
    pub id: SanctionId,
    /// The matter whose case led to it.
    pub matter: MatterId,
    /// Where that was entered from: a register's name, or empty.
    pub source: String,
    /// Its kind; a code.
    pub kind: String,
    /// The unit that decided it, and visits.
    pub unit: UnitCode,
    /// The first day of its impact period.
    pub decided_on: Date,
    /// The last day of its impact period.
    pub ends_on: Date,
}

/// A clarification that was carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Carried {
    /// Its id.
    pub clarification: ClarificationId,
    /// The conclusion that it rests on.
    pub conclusion: i32,
    /// The matter.
    pub matter: MatterId,
    /// Where that was entered from: a register's name, or empty.
    pub source: String,
    /// The unit that carried it out, and checks its effect.
    pub unit: UnitCode,
    /// When.
    pub on: Date,
}

/// Takes in a sanction.
pub(super) fn follow(
    state: &State,
    subject: SubjectId,
    sanction: &Sanction,
    context: &Context,
) -> Decision<Event> {
    let record = state.record();
    if record.is_some_and(|record| record.periods.contains_key(&sanction.id)) {
        return Ok(Vec::new());
    }
    let ends_at = context.profile.calendar.end_of(sanction.ends_on);
    let running = record.into_iter().flat_map(periods::running);
    let followed = SanctionFollowed {
        sanction: sanction.clone(),
        ends_at,
        next_end: next(running.map(|period| period.ends_at).chain([ends_at])),
    };
    let opened = Opened {
        subject,
        matter: sanction.matter,
        source: sanction.source.clone(),
        unit: sanction.unit.clone(),
        cause: Cause::Sanction,
        on: context.profile.calendar.date(context.now),
    };
    Ok(opening(state, opened, followed))
}

/// Takes in a clarification: its effect is checked after some days. One that was superseded and is carried out again
/// rests on another conclusion and is checked again.
pub(super) fn add_aftercare(
    state: &State,
    subject: SubjectId,
    carried: &Carried,
    context: &Context,
) -> Decision<Event> {
    let record = state.record();
    let mut items = record.into_iter().flat_map(|record| &record.aftercare);
    if items.any(|item| item.is(carried.clarification, carried.conclusion)) {
        return Ok(Vec::new());
    }
    let calendar = &context.profile.calendar;
    let after_days = context.profile.follow_up.aftercare_days;
    let due_on = days_after(carried.on, after_days);
    let due_at = beginning_of(due_on, calendar);
    let waiting = record.into_iter().flat_map(aftercare::waiting);
    let added = AftercareAdded {
        carried: carried.clone(),
        due_on,
        due_at,
        after_days,
        next_due: next(waiting.map(|item| item.due_at).chain([due_at])),
    };
    let opened = Opened {
        subject,
        matter: carried.matter,
        source: carried.source.clone(),
        unit: carried.unit.clone(),
        cause: Cause::Aftercare,
        on: calendar.date(context.now),
    };
    Ok(opening(state, opened, added))
}

/// What comes in, behind the opening that it needs where the file is not open.
fn opening(state: &State, opened: Opened, what: impl Into<Event>) -> Vec<Event> {
    let opened = match state {
        State::Open(_) => None,
        State::Unopened | State::Closed { .. } => Some(opened.into()),
    };
    opened.into_iter().chain([what.into()]).collect()
}

fn days_after(day: Date, days: u32) -> Date {
    let span = Span::new().try_days(i64::from(days));
    span.and_then(|span| day.checked_add(span))
        .unwrap_or(Date::MAX)
}

/// The first microsecond of a local day.
fn beginning_of(day: Date, calendar: &Calendar) -> Timestamp {
    day.yesterday()
        .map_or(Timestamp::MIN, |before| calendar.end_of(before))
        .checked_add(1.microsecond())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::fixture::*;
    use super::super::{Command, Planned};
    use super::*;

    fn follow(sanction: Sanction) -> Command {
        Command::FollowSanction {
            subject: id(SUBJECT),
            sanction,
        }
    }

    fn add(carried: Carried) -> Command {
        Command::AddAftercare {
            subject: id(SUBJECT),
            carried,
        }
    }

    #[test]
    fn a_sanction_opens_a_file_until_its_impact_period_ends() {
        no_file()
            .actor(service())
            .when(follow(sanction()))
            .then([opened(Cause::Sanction), followed()]);
    }

    #[test]
    fn a_clarification_opens_a_file_for_aftercare_after_30_days() {
        no_file()
            .actor(service())
            .when(add(carried()))
            .then([opened(Cause::Aftercare), care_added()]);
    }

    #[test]
    fn one_person_has_one_file() {
        a_file()
            .actor(service())
            .when(follow(second_sanction()))
            .then([second_followed()])
            .when(add(carried()))
            .then([care_added()]);
    }

    #[test]
    fn each_sanction_and_each_clarification_once() {
        a_file()
            .actor(service())
            .when(follow(sanction()))
            .then_already();
        a_cared_file()
            .actor(service())
            .when(add(carried()))
            .then_already();
        a_closed_file()
            .actor(service())
            .when(follow(sanction()))
            .then_already();
    }

    #[test]
    fn the_clock_is_set_for_the_period_that_ends_next() {
        let sooner = Sanction {
            ends_on: date(2026, 8, 1),
            ..second_sanction()
        };
        let (events, _) = a_file().actor(service()).when(follow(sooner)).accepted();
        let [Event::SanctionFollowed(followed)] = &events[..] else {
            panic!("it is followed, not {events:?}");
        };
        assert_eq!(followed.next_end, Some(followed.ends_at));
        assert_eq!(followed.ends_at, at("2026-08-01T15:59:59.999999Z"));
    }

    #[test]
    fn a_later_sanction_opens_a_closed_file_again() {
        let (events, after) = a_closed_file()
            .actor(service())
            .now("2026-10-01T01:00:00Z")
            .when(follow(second_sanction()))
            .accepted();
        let [Event::Opened(opened), Event::SanctionFollowed(followed)] = &events[..] else {
            panic!("it is opened again, not {events:?}");
        };
        assert_eq!(opened.on, date(2026, 10, 1));
        assert_eq!(opened.unit, code(NEIGHBOUR));
        assert_eq!(followed.next_end, Some(followed.ends_at));
        let record = after.state().record().expect("there is a file");
        assert_eq!((record.periods.len(), record.visits.len()), (2, 1));
        assert_eq!(record.source, "register", "the first's");
    }

    #[test]
    fn a_period_that_is_over_already_is_followed_and_ends_by_its_clock() {
        let after = no_file()
            .actor(service())
            .now("2026-10-01T01:00:00Z")
            .when(follow(sanction()))
            .accepted()
            .1
            .when(Command::EndImpactPeriod)
            .accepted()
            .1;
        assert!(matches!(after.state(), State::Closed { .. }));
        let nothing: [Planned; 0] = [];
        let record = after.state().record().expect("there is a file");
        assert!(record.missed.iter().eq(&nothing));
    }
}
