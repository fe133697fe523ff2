//! The sanctions that the tests of all rooms look at: of the official of the case's fixture, on whom something was
//! substantiated in two matters, each handled by a unit of its own.

use chassis::recusal::Recusal;
use chassis::testing::{Given, given};
use jiff::civil::{Date, date};
use office::UnitCode;

use super::*;
use crate::case::fixture::{
    OFFICIAL, actor, concluded_with, finding, findings, id, matter, opened, unit,
};
use crate::case::{Case, case_of};

/// The second matter, and the unit that handles it.
pub(crate) const ELSEWHERE: u128 = 0x11;
pub(crate) const OTHER_UNIT: &str = "P51-02";

/// The case of the fixture's matter, concluded with this outcome of the official's first allegation.
pub(crate) fn concluded_case(outcome: Outcome) -> case::State {
    concluded_from(opened(), outcome)
}

/// A case that was opened so, concluded with this outcome of the first allegation.
pub(crate) fn concluded_from(opened: case::Event, outcome: Outcome) -> case::State {
    let mut found = findings();
    found[0] = finding(1, outcome);
    let events = [opened, concluded_with(1, &found)];
    given::<Case>().events(events).state().clone()
}

/// The case of the second matter: the same was substantiated there.
pub(crate) fn case_elsewhere() -> case::State {
    let case::Event::Opened(mut there) = opened() else {
        unreachable!("it is how the case of the fixture begins");
    };
    there.matter = id(ELSEWHERE);
    there.unit = other_unit();
    concluded_from(there.into(), Outcome::Substantiated)
}

pub(crate) fn other_unit() -> UnitCode {
    OTHER_UNIT.parse().expect("a unit code")
}

pub(crate) fn supervisor_at(name: &str, unit: UnitCode) -> office::Actor {
    office::Actor {
        unit,
        ..actor(name, office::Role::Supervisor)
    }
}

/// A decision of the fixture's unit after its own case.
pub(crate) fn sanction(decided_on: Date, impact_months: u32) -> Sanction {
    Sanction {
        case: case_of(matter().id),
        subject: id(OFFICIAL),
        kind: "warning".to_owned(),
        decided_by: unit(),
        decided_on,
        impact_months,
    }
}

/// The same after the case of the second matter.
pub(crate) fn sanction_elsewhere(decided_on: Date, impact_months: u32) -> Sanction {
    Sanction {
        case: case_of(id(ELSEWHERE)),
        decided_by: other_unit(),
        ..sanction(decided_on, impact_months)
    }
}

/// A warning of a week ago that counts for a year.
pub(crate) fn warning() -> Sanction {
    sanction(date(2026, 3, 2), 12)
}

pub(crate) fn recorded() -> Event {
    let sanction = warning();
    Recorded {
        id: sanction.id(),
        sanction,
        impact_ends_on: date(2027, 3, 1),
        overlapping_months: 12,
        overlapping_max: 48,
        matter: matter().id,
        source: "register".to_owned(),
        conclusion: 1,
        unit: unit(),
        recusal: Recusal {
            actors: [crate::case::fixture::actor_id("accused")].into(),
            reporters: matter().reporter_mark.into_iter().collect(),
        },
    }
    .into()
}

/// The official, with a supervisor of the fixture's unit at the counter.
pub(crate) fn a_liable_official() -> Given<Sanctions> {
    given::<Sanctions>()
        .id(sanctions_of(id(OFFICIAL)))
        .actor(supervisor_at("gao", unit()))
        .facts(Facts {
            case: concluded_case(Outcome::Substantiated),
        })
}

/// The same with a supervisor of the other unit, and its case.
pub(crate) fn elsewhere(given: Given<Sanctions>) -> Given<Sanctions> {
    given
        .actor(supervisor_at("meng", other_unit()))
        .facts(Facts {
            case: case_elsewhere(),
        })
}
