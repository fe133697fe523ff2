//! A visit: who went when, with whom they talked, what they saw.
//!
//! A visit may be recorded after its impact period ended, also when that closed the file: what was done on the last day
//! is written down on the next. It then does what was noted as missed, and opens nothing.

use std::collections::BTreeSet;

use chassis::aggregate::{Decision, TextRef};
use jiff::civil::Date;
use office::{ActorId, SanctionId, TextId, UnitCode, VisitId};
use serde::{Deserialize, Serialize};

use super::events::{Event, VisitRecorded};
use super::officer::Officer;
use super::planning::{Planned, planned_in, visits_in};
use super::{
    Context, Record, State, TOO_FEW_VISITORS, VISITED_LATER, VISITOR_RECUSED, YEAR_FULL, periods,
    refuse_at,
};

/// With whom a talk was held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Partner {
    /// The person who was sanctioned.
    #[default]
    Person,
    /// Whoever is responsible for the person's education.
    Educator,
    /// A superior.
    Superior,
    /// A colleague.
    Colleague,
    /// The family, where fit.
    Family,
}

impl Partner {
    /// The key of the talks with them in the statistics.
    pub const fn figure(self) -> &'static str {
        match self {
            Self::Person => "talks_person",
            Self::Educator => "talks_educator",
            Self::Superior => "talks_superior",
            Self::Colleague => "talks_colleague",
            Self::Family => "talks_family",
        }
    }
}

/// A talk to be recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TalkHeld {
    /// With whom.
    pub partner: Partner,
    /// What was said.
    pub notes: TextId,
}

/// A visit to be recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// When it was made.
    pub on: Date,
    /// Who went, in the order of the request.
    pub visitors: Vec<ActorId>,
    /// The talks, in the order of the request.
    pub talks: Vec<TalkHeld>,
    /// What the visitors saw.
    pub observations: TextId,
}

/// A talk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Talk {
    /// With whom.
    pub partner: Partner,
    /// What was said.
    pub notes: TextRef,
}

/// A visit that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Visit {
    /// Its id.
    pub id: VisitId,
    /// When.
    pub on: Date,
    /// In whose impact period.
    pub sanction: SanctionId,
    /// The unit that decided it.
    pub unit: UnitCode,
    /// Who went.
    pub visitors: BTreeSet<ActorId>,
    /// The talks.
    pub talks: Vec<Talk>,
    /// What the visitors saw.
    pub observations: TextRef,
}

/// Records a visit.
pub(super) fn record(state: &State, report: &Report, context: &Context) -> Decision<Event> {
    let officer = Officer::at(state, context)?;
    let record = officer.record;
    let id = VisitId::from(context.created(VisitId::KIND, 0));
    if record.visits.iter().any(|visit| visit.id == id) {
        return Ok(Vec::new());
    }
    let field = "visited_on";
    if report.on > officer.today() {
        return Err(VISITED_LATER.at(field).into());
    }
    let period = periods::visited(record.periods.values(), report.on, &officer, field)?;
    let sanction = &period.sanction;
    let per_year = context.profile.follow_up.visits_per_year;
    if visits_in(record, report.on.year()) >= per_year as usize {
        return Err(YEAR_FULL.at(field).into());
    }
    let at_least = context.profile.follow_up.visitors_min;
    let visitors: BTreeSet<ActorId> = report.visitors.iter().cloned().collect();
    if visitors.len() < at_least as usize {
        return Err(TOO_FEW_VISITORS.at("visitors").into());
    }
    let recused = report.visitors.iter().enumerate();
    let recused = recused.filter(|(_, visitor)| officer.recuses(visitor));
    refuse_at(
        &VISITOR_RECUSED,
        recused.map(|(index, _)| format!("visitors[{index}]")),
    )?;

    let fulfils = fulfilled(record, report.on, &sanction.unit);
    let talks = report.talks.iter().map(|talk| Talk {
        partner: talk.partner,
        notes: context.text(talk.notes),
    });
    Ok(officer.done([VisitRecorded {
        subject: record.subject,
        matter: sanction.matter,
        source: sanction.source.clone(),
        visit: Visit {
            id,
            on: report.on,
            sanction: sanction.id,
            unit: sanction.unit.clone(),
            visitors,
            talks: talks.collect(),
            observations: context.text(report.observations),
        },
        fulfils,
        drops: dropped(record, report.on, fulfils, per_year),
        at_least,
        per_year,
    }
    .into()]))
}

/// Which planned visit of the unit is done by a visit on this day: the nearest of the same year, also a missed one.
fn fulfilled(record: &Record, on: Date, unit: &UnitCode) -> Option<Planned> {
    let planned = record.planned.union(&record.missed);
    planned
        .filter(|planned| planned.on.year() == on.year())
        .filter(|planned| record.planned_by(planned) == Some(unit))
        .min_by_key(|planned| ((planned.on - on).get_days().abs(), **planned))
        .copied()
}

/// What can no longer be held of the plan: the last visit of a year that has no room for it since this one was made.
fn dropped(record: &Record, on: Date, fulfils: Option<Planned>, per_year: u32) -> Option<Planned> {
    let mut left = record.planned.clone();
    if let Some(done) = fulfils {
        left.remove(&done);
    }
    let year = on.year();
    let room = per_year as usize;
    if visits_in(record, year) + 1 + planned_in(&left, year) <= room {
        return None;
    }
    let mut planned = left.into_iter();
    planned.rfind(|planned| planned.on.year() == year)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::fixture::*;
    use super::super::{Command, OTHER_UNIT, OUTSIDE_PERIOD};
    use super::*;

    fn record_on(on: Date) -> Command {
        Command::RecordVisit(Report { on, ..report() })
    }

    fn recorded(events: &[Event]) -> &VisitRecorded {
        let [Event::VisitRecorded(recorded)] = events else {
            panic!("a visit was recorded, not {events:?}");
        };
        recorded
    }

    #[test]
    fn a_visit_keeps_who_went_with_whom_they_talked_and_what_they_saw() {
        let (events, after) = a_file().when(Command::RecordVisit(report())).accepted();
        let visit = &recorded(&events).visit;
        assert_eq!(visit.visitors, ["chen", "lin"].map(actor_id).into());
        assert_eq!(visit.talks[0].notes, text(TEXT + 1));
        assert_eq!(visit.observations, text(TEXT + 3));
        assert_eq!((visit.sanction, &visit.unit), (id(SANCTION), &code(COUNTY)));
        after.when(Command::RecordVisit(report())).then_already();
    }

    #[test]
    fn a_visit_falls_inside_an_impact_period() {
        a_file().when(record_on(date(2026, 3, 2))).accepted();
        let refusal = a_file()
            .when(record_on(date(2026, 3, 1)))
            .then_refused(&OUTSIDE_PERIOD);
        assert_eq!(refusal.violations[0].field, "visited_on");
        a_cared_file()
            .when(record_on(date(2026, 3, 9)))
            .then_refused(&OUTSIDE_PERIOD);
    }

    #[test]
    fn a_visit_is_not_from_the_future() {
        a_file()
            .when(record_on(date(2026, 3, 10)))
            .then_refused(&VISITED_LATER);
    }

    #[test]
    fn a_visit_has_at_least_two_visitors() {
        for names in [&["chen"][..], &["chen", "chen"], &[]] {
            let report = Report {
                visitors: names.iter().map(|name| actor_id(name)).collect(),
                ..report()
            };
            let refusal = a_file()
                .when(Command::RecordVisit(report))
                .then_refused(&TOO_FEW_VISITORS);
            assert_eq!(refusal.violations[0].field, "visitors");
        }
    }

    #[test]
    fn a_person_is_visited_at_most_twice_a_year() {
        let visits = [
            visited(VISIT, date(2026, 3, 2)),
            visited(VISIT + 1, date(2026, 3, 9)),
        ];
        let full = a_file().events(visits).events([second_followed()]);
        full.clone()
            .when(record_on(date(2026, 3, 9)))
            .then_refused(&YEAR_FULL);
        let next_year = full
            .actor(officer("he", NEIGHBOUR))
            .now("2027-01-04T01:00:00Z");
        next_year
            .clone()
            .when(record_on(date(2026, 12, 31)))
            .then_refused(&YEAR_FULL);
        next_year.when(record_on(date(2027, 1, 1))).accepted();
    }

    #[test]
    fn who_decided_visits() {
        a_file()
            .events([second_followed()])
            .actor(officer("he", NEIGHBOUR))
            .when(record_on(date(2026, 3, 9)))
            .then_refused(&OTHER_UNIT);
    }

    #[test]
    fn a_visit_does_the_nearest_that_was_planned() {
        let plan = [planned_on(4, 1), planned_on(8, 1)];
        for (now, on, done) in [
            ("2026-03-09T01:00:00Z", date(2026, 3, 9), plan[0]),
            ("2026-07-15T01:00:00Z", date(2026, 7, 10), plan[1]),
            ("2026-06-15T01:00:00Z", date(2026, 6, 1), plan[0]),
        ] {
            let (events, after) = a_file()
                .events([planned(plan)])
                .now(now)
                .when(record_on(on))
                .accepted();
            let recorded = recorded(&events);
            assert_eq!((recorded.fulfils, recorded.drops), (Some(done), None));
            let record = after.state().record().expect("there is a file");
            assert_eq!(record.planned.len(), 1);
        }
    }

    #[test]
    fn a_visit_does_nothing_that_is_planned_for_another_year() {
        let in_january = Planned {
            on: date(2027, 1, 2),
            sanction: id(SECOND),
        };
        let (events, _) = a_file()
            .events([second_followed(), planned([in_january])])
            .actor(officer("he", NEIGHBOUR))
            .now("2027-01-01T01:00:00Z")
            .when(record_on(date(2026, 12, 31)))
            .accepted();
        assert_eq!(recorded(&events).fulfils, None);
    }

    #[test]
    fn a_visit_of_one_unit_leaves_the_plan_of_another_as_long_as_the_year_has_room() {
        let second = Planned {
            on: date(2026, 10, 1),
            sanction: id(SECOND),
        };
        let file = |plan: &[Planned]| {
            a_file()
                .events([second_followed(), planned(plan.iter().copied())])
                .when(record_on(date(2026, 3, 9)))
                .accepted()
                .0
        };
        let events = file(&[second]);
        assert_eq!(
            (recorded(&events).fulfils, recorded(&events).drops),
            (None, None)
        );
        let earlier = Planned {
            on: date(2026, 7, 1),
            ..second
        };
        let events = file(&[earlier, second]);
        assert_eq!(
            (recorded(&events).fulfils, recorded(&events).drops),
            (None, Some(second))
        );
    }

    #[test]
    fn what_was_done_on_the_last_day_is_recorded_after_the_file_closed() {
        let (events, after) = a_file()
            .events([
                planned([planned_on(9, 1)]),
                period_ended([planned_on(9, 1)]),
                closed(date(2026, 9, 1)),
            ])
            .now("2026-09-02T01:00:00Z")
            .when(record_on(date(2026, 9, 1)))
            .accepted();
        assert_eq!(recorded(&events).fulfils, Some(planned_on(9, 1)));
        assert!(matches!(after.state(), State::Closed { .. }));
        let record = after.state().record().expect("there is a file");
        assert!(record.missed.is_empty(), "it was done after all");
    }
}
