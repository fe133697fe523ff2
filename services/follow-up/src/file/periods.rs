//! Impact periods: how they end by themselves, and the file with them.
//!
//! Every sanction has a period of its own, also one that is decided while another runs: that is the new violation. The
//! earlier period ends on its day nevertheless, because its months are over and the later one's are counted apart (and
//! limited together) by verification; but its end names the later sanction, so that personnel do not take it for an end
//! without a new violation.

use std::collections::BTreeSet;

use chassis::aggregate::{Decision, Effects, Rejection};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::events::{Closed, Event, ImpactPeriodEnded};
use super::officer::Officer;
use super::opening::Sanction;
use super::{Command, Context, File, OTHER_UNIT, OUTSIDE_PERIOD, Record, State, events, next};

/// The clock of the impact period that ends next.
const END: &str = "impact_period";

/// The months during which a sanction counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// The sanction.
    pub sanction: Sanction,
    /// The end of its last day.
    pub ends_at: Timestamp,
    /// Whether it ended.
    pub ended: bool,
}

impl Period {
    /// Whether a day falls inside it, its first and last day included.
    pub fn contains(&self, day: Date) -> bool {
        (self.sanction.decided_on..=self.sanction.ends_on).contains(&day)
    }
}

/// The periods that have not ended.
pub(super) fn running(record: &Record) -> impl Iterator<Item = &Period> {
    record.periods.values().filter(|period| !period.ended)
}

/// The period that an officer's visit on a day belongs to: of those of their units the one that began first.
///
/// # Errors
/// [`OUTSIDE_PERIOD`] where the day is in none, [`OTHER_UNIT`] where it is in those of other units only.
pub(super) fn visited<'p>(
    periods: impl Iterator<Item = &'p Period>,
    day: Date,
    officer: &Officer<'_>,
    field: &str,
) -> Result<&'p Period, Rejection> {
    let around: Vec<&Period> = periods.filter(|period| period.contains(day)).collect();
    if around.is_empty() {
        return Err(OUTSIDE_PERIOD.at(field).into());
    }
    around
        .into_iter()
        .filter(|period| officer.covers(&period.sanction.unit))
        .min_by_key(|period| (period.sanction.decided_on, period.sanction.id))
        .ok_or_else(|| OTHER_UNIT.into())
}

/// Ends the periods whose last day is over; nothing if none is. What was planned in them and not done is missed.
pub(super) fn end(state: &State, context: &Context) -> Decision<Event> {
    let record = state.known()?;
    let (over, going_on): (Vec<&Period>, Vec<&Period>) =
        running(record).partition(|period| context.now >= period.ends_at);
    let next_end = next(going_on.iter().map(|period| period.ends_at));
    let ended = over
        .into_iter()
        .map(|period| ended(record, period, next_end).into());
    Ok(closing(state, ended.collect(), context))
}

fn ended(record: &Record, period: &Period, next_end: Option<Timestamp>) -> ImpactPeriodEnded {
    let sanction = &period.sanction;
    let missed = record.planned.iter().copied();
    let later = record.periods.values().map(|period| &period.sanction);
    ImpactPeriodEnded {
        subject: record.subject,
        sanction: sanction.id,
        matter: sanction.matter,
        source: sanction.source.clone(),
        unit: sanction.unit.clone(),
        on: sanction.ends_on,
        missed: missed
            .filter(|planned| planned.sanction == sanction.id)
            .collect::<BTreeSet<_>>(),
        later: later
            .filter(|other| other.decided_on > sanction.decided_on)
            .filter(|other| period.contains(other.decided_on))
            .map(|other| other.id)
            .collect(),
        next_end,
    }
}

/// These events, and the closing of the file where nothing is left to do after them.
pub(super) fn closing(state: &State, mut decided: Vec<Event>, context: &Context) -> Vec<Event> {
    if decided.is_empty() {
        return decided;
    }
    let mut after = state.clone();
    for event in &decided {
        events::evolve(&mut after, event);
    }
    if let State::Open(record) = after
        && record.is_done()
    {
        decided.push(
            Closed {
                subject: record.subject,
                source: record.source.clone(),
                unit: record.unit.clone(),
                on: context.profile.calendar.date(context.now),
            }
            .into(),
        );
    }
    decided
}

/// The clock is always set for the period that ends next.
pub(super) fn clock(event: &Event, effects: &mut Effects) {
    let next_end = match event {
        Event::SanctionFollowed(followed) => followed.next_end,
        Event::ImpactPeriodEnded(ended) => ended.next_end,
        _ => return,
    };
    match next_end {
        Some(due) => {
            effects.clock::<File>(END, due, "EndImpactPeriod", &Command::EndImpactPeriod);
        }
        None => effects.stop_clock(END),
    }
}

#[cfg(test)]
mod tests {
    use chassis::refusal::NOT_FOUND;
    use jiff::civil::date;

    use super::super::fixture::*;
    use super::super::{Effect, Facts};
    use super::*;

    /// In the last microsecond of the first sanction's last day.
    const OVER: &str = "2026-09-01T15:59:59.999999Z";

    fn missed() -> [super::super::Planned; 2] {
        [planned_on(5, 20), planned_on(8, 20)]
    }

    #[test]
    fn an_impact_period_ends_by_itself_at_the_end_of_its_last_day() {
        let clock = |now: &str| {
            a_visited_file()
                .actor(service())
                .facts(Facts::default())
                .now(now)
        };
        clock("2026-09-01T15:59:59.999998Z")
            .when(Command::EndImpactPeriod)
            .then_already();
        clock(OVER)
            .when(Command::EndImpactPeriod)
            .then([period_ended([]), closed(date(2026, 9, 1))])
            .when(Command::EndImpactPeriod)
            .then_already();
        no_file()
            .when(Command::EndImpactPeriod)
            .then_refused(&NOT_FOUND);
    }

    #[test]
    fn a_later_sanction_has_a_period_of_its_own_and_is_named_at_the_end_of_the_earlier() {
        let (events, after) = a_file()
            .events([second_followed()])
            .actor(service())
            .now(OVER)
            .when(Command::EndImpactPeriod)
            .accepted();
        let [Event::ImpactPeriodEnded(ended)] = &events[..] else {
            panic!("one period ended, not {events:?}");
        };
        assert_eq!(ended.later, [id(SECOND)]);
        assert_eq!(ended.next_end, Some(at("2027-05-31T15:59:59.999999Z")));
        assert!(matches!(after.state(), State::Open(_)));

        let (events, _) = after
            .now("2027-06-01T01:00:00Z")
            .when(Command::EndImpactPeriod)
            .accepted();
        let [Event::ImpactPeriodEnded(ended), Event::Closed(_)] = &events[..] else {
            panic!("the other ended, and the file with it, not {events:?}");
        };
        assert_eq!((ended.later.len(), ended.next_end), (0, None));
    }

    #[test]
    fn periods_that_end_together_end_together() {
        let (events, _) = a_file()
            .events([second_followed()])
            .actor(service())
            .now("2027-06-01T01:00:00Z")
            .when(Command::EndImpactPeriod)
            .accepted();
        assert!(matches!(
            events[..],
            [
                Event::ImpactPeriodEnded(_),
                Event::ImpactPeriodEnded(_),
                Event::Closed(_)
            ]
        ));
    }

    #[test]
    fn what_was_planned_and_not_done_is_missed_and_keeps_no_file_open() {
        let after = a_file()
            .events([planned(missed())])
            .actor(service())
            .now(OVER)
            .when(Command::EndImpactPeriod)
            .then([period_ended(missed()), closed(date(2026, 9, 1))]);
        let record = after.state().record().expect("there is a file");
        assert!(record.planned.is_empty());
        assert_eq!(record.missed, missed().into());
    }

    #[test]
    fn a_file_stays_open_until_all_aftercare_is_checked() {
        let after = a_file()
            .events([care_added()])
            .actor(service())
            .now(OVER)
            .when(Command::EndImpactPeriod)
            .then([period_ended([])]);
        let (events, _) = after
            .actor(officer("he", COUNTY))
            .when(Command::CheckAftercare {
                clarification: id(CLARIFICATION),
                effect: Effect::Partly,
                notes: id(TEXT),
            })
            .accepted();
        assert!(matches!(
            events[..],
            [Event::AftercareChecked(_), Event::Closed(_)]
        ));
    }
}
