//! The plan of visits: by whoever decided (誰查處、誰回訪), inside the impact period, a few a year.

use std::collections::BTreeSet;

use chassis::aggregate::{Decision, Rejection};
use jiff::civil::Date;
use office::{SanctionId, TextId};
use serde::{Deserialize, Serialize};

use super::events::{Event, VisitsPlanned};
use super::officer::Officer;
use super::{
    Context, OUTSIDE_PERIOD, PLANNED_EARLIER, Record, State, YEAR_FULL, periods, refuse_at,
};

/// A visit that is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Planned {
    /// When.
    pub on: Date,
    /// In whose impact period.
    pub sanction: SanctionId,
}

/// Plans visits in place of what the officer's units had planned and not done.
pub(super) fn plan(
    state: &State,
    visits_on: &[Date],
    situation: TextId,
    context: &Context,
) -> Decision<Event> {
    let officer = Officer::at(state, context)?;
    let record = officer.record;
    let today = officer.today();
    let broken = |breaks: &dyn Fn(Date) -> bool| {
        let days = visits_on.iter().enumerate();
        let broken = days.filter(|(_, day)| breaks(**day));
        let fields = broken.map(|(index, _)| format!("visits_on[{index}]"));
        fields.collect::<Vec<_>>().into_iter()
    };
    refuse_at(&PLANNED_EARLIER, broken(&|day| day < today))?;
    let outside = |day| !periods::running(record).any(|period| period.contains(day));
    refuse_at(&OUTSIDE_PERIOD, broken(&outside))?;

    let wanted = visits_on.iter().map(|day| {
        let period = periods::visited(periods::running(record), *day, &officer, "visits_on")?;
        Ok(Planned {
            on: *day,
            sanction: period.sanction.id,
        })
    });
    let wanted = wanted.collect::<Result<BTreeSet<_>, Rejection>>()?;
    let first = wanted
        .first()
        .and_then(|first| record.periods.get(&first.sanction));
    let matter = first.map_or(record.matter, |period| period.sanction.matter);
    let own = |planned: &Planned| {
        let unit = record.planned_by(planned);
        unit.is_some_and(|unit| officer.covers(unit))
    };
    let (replaced, kept): (BTreeSet<Planned>, BTreeSet<Planned>) =
        record.planned.iter().partition(|planned| own(planned));
    let already = record.situation.as_ref().map(|text| text.id) == Some(situation);
    if already && replaced == wanted {
        return Ok(Vec::new());
    }

    let planned: BTreeSet<Planned> = kept.union(&wanted).copied().collect();
    let per_year = context.profile.follow_up.visits_per_year;
    let full = |day: Date| too_many(record, &planned, day.year(), per_year);
    refuse_at(&YEAR_FULL, broken(&full))?;
    Ok(officer.done([VisitsPlanned {
        planned,
        situation: context.text(situation),
        matter,
        per_year,
    }
    .into()]))
}

/// Whether a year would hold more visits than are allowed, those made and those planned together.
fn too_many(record: &Record, planned: &BTreeSet<Planned>, year: i16, per_year: u32) -> bool {
    visits_in(record, year) + planned_in(planned, year) > per_year as usize
}

/// How many visits were made in a year.
pub(super) fn visits_in(record: &Record, year: i16) -> usize {
    let visits = record.visits.iter();
    visits.filter(|visit| visit.on.year() == year).count()
}

/// How many are planned in a year.
pub(super) fn planned_in(planned: &BTreeSet<Planned>, year: i16) -> usize {
    let planned = planned.iter();
    planned.filter(|visit| visit.on.year() == year).count()
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use jiff::civil::date;

    use super::super::fixture::*;
    use super::super::{Command, OTHER_UNIT};
    use super::*;

    fn plan(days: &[Date]) -> Command {
        Command::PlanVisits {
            visits_on: days.to_vec(),
            situation: id(TEXT),
        }
    }

    fn another_plan(days: &[Date]) -> Command {
        Command::PlanVisits {
            visits_on: days.to_vec(),
            situation: id(TEXT + 5),
        }
    }

    fn second_on(month: i8, day: i8) -> Planned {
        Planned {
            on: date(2026, month, day),
            sanction: id(SECOND),
        }
    }

    #[test]
    fn visits_are_planned_inside_the_impact_period() {
        a_file()
            .when(plan(&[date(2026, 9, 1), date(2026, 3, 9)]))
            .then([planned([planned_on(3, 9), planned_on(9, 1)])]);
        let refusal = a_file()
            .when(plan(&[
                date(2026, 3, 9),
                date(2026, 9, 2),
                date(2027, 1, 1),
            ]))
            .then_refused(&OUTSIDE_PERIOD);
        let fields = refusal.violations.iter().map(|v| v.field.as_str());
        assert!(fields.eq(["visits_on[1]", "visits_on[2]"]));
    }

    #[test]
    fn nobody_plans_the_past() {
        let refusal = a_file()
            .when(plan(&[date(2026, 3, 8)]))
            .then_refused(&PLANNED_EARLIER);
        assert_eq!(refusal.violations[0].field, "visits_on[0]");
    }

    #[test]
    fn nothing_is_planned_where_no_period_runs() {
        a_cared_file()
            .when(plan(&[date(2026, 3, 9)]))
            .then_refused(&OUTSIDE_PERIOD);
        // An hour before its clock a period still runs, and afterwards no more.
        a_file()
            .events([period_ended([])])
            .when(plan(&[date(2026, 9, 1)]))
            .then_refused(&OUTSIDE_PERIOD);
    }

    #[test]
    fn at_most_two_visits_a_year_are_made_and_planned() {
        let days = [date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)];
        a_file().when(plan(&days)).then_refused(&YEAR_FULL);
        a_visited_file()
            .when(plan(&days[..2]))
            .then_refused(&YEAR_FULL);
        a_visited_file().when(plan(&days[..1])).accepted();
    }

    #[test]
    fn each_calendar_year_has_its_own_visits() {
        let days = [
            date(2026, 11, 1),
            date(2026, 12, 31),
            date(2027, 1, 1),
            date(2027, 5, 31),
        ];
        let file = a_file()
            .events([second_followed()])
            .actor(officer("he", NEIGHBOUR));
        file.when(plan(&days)).accepted();
    }

    #[test]
    fn a_new_plan_replaces_what_was_planned_and_not_done() {
        let after = a_file()
            .events([planned([planned_on(4, 1), planned_on(5, 1)])])
            .when(another_plan(&[date(2026, 6, 1)]))
            .accepted()
            .1;
        let record = after.state().record().expect("there is a file");
        assert_eq!(record.planned, [planned_on(6, 1)].into());
        assert_eq!(record.situation, Some(text(TEXT + 5)));
        // The same days for another situation are another plan.
        after
            .when(plan(&[date(2026, 6, 1)]))
            .then([planned([planned_on(6, 1)])]);
    }

    #[test]
    fn who_decided_visits() {
        let both = a_file().events([second_followed()]);
        let july = [date(2026, 7, 1)];
        let october = [date(2026, 10, 1)];
        for (unit, in_july, in_october) in [
            (COUNTY, Some(SANCTION), None),
            (NEIGHBOUR, Some(SECOND), Some(SECOND)),
            (CITY, Some(SANCTION), Some(SECOND)),
        ] {
            for (days, sanction) in [(july, in_july), (october, in_october)] {
                let when = both.clone().actor(officer("he", unit)).when(plan(&days));
                let Some(sanction) = sanction else {
                    when.then_refused(&OTHER_UNIT);
                    continue;
                };
                let after = when.accepted().1;
                let record = after.state().record().expect("there is a file");
                let first = record.planned.first().expect("a visit is planned");
                assert_eq!(first.sanction, id(sanction), "{unit}");
            }
        }
        a_file()
            .actor(officer("he", NEIGHBOUR))
            .when(plan(&july))
            .then_refused(&OUT_OF_SCOPE);
    }

    #[test]
    fn a_unit_leaves_the_plan_of_another_alone_and_shares_the_year_with_it() {
        let both = a_file().events([second_followed(), planned([planned_on(7, 1)])]);
        let neighbour = both.actor(officer("he", NEIGHBOUR));
        let (_, after) = neighbour
            .clone()
            .when(another_plan(&[date(2026, 10, 1)]))
            .accepted();
        let record = after.state().record().expect("there is a file");
        assert_eq!(record.planned, [planned_on(7, 1), second_on(10, 1)].into());
        neighbour
            .when(another_plan(&[date(2026, 10, 1), date(2026, 11, 1)]))
            .then_refused(&YEAR_FULL);
    }
}
