//! The sanctions that the tests of all rooms look at: of the official of the case's fixture, on whom something was
//! substantiated in two matters, each handled by a unit of its own.

use chassis::aggregate::TextRef;
use chassis::testing::{Given, given};
use jiff::civil::{Date, date};
use office::{Actor, Role};

use super::*;
use crate::case::fixture::{
    OFFICIAL, TEXT, actor, actor_id, concluded_with, finding, findings, id, matter, opened, text,
    unit,
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
        recusal: recusal(),
    }
    .into()
}

/// An assessment of the finding on an allegation that comes to this; where it is tolerated, for want of experience.
pub(crate) fn assessed(allegation: u128, liability: Liability) -> Assessment<TextId> {
    let breach = match liability {
        Liability::Liable => Breach::Neither,
        Liability::Lighter | Liability::Exempt => Breach::WantOfExperience,
    };
    Assessment {
        allegation: id(allegation),
        breach: judged(breach),
        experiment: judged(Experiment::Neither),
        motive: judged(Motive::Neither),
        liability: judged(liability),
    }
}

fn judged<J>(is: J) -> Judged<J, TextId> {
    Judged {
        is,
        reason: id(TEXT),
    }
}

/// What an investigator proposes in the case of the fixture.
pub(crate) fn proposed(assessments: &[Assessment<TextId>]) -> Event {
    ToleranceProposed {
        case: case_of(matter().id),
        subject: id(OFFICIAL),
        by: actor_id("sun"),
        assessments: in_events(assessments),
        matter: matter().id,
        source: "register".to_owned(),
        conclusion: 1,
        unit: unit(),
        recusal: recusal(),
    }
    .into()
}

pub(crate) fn returned() -> Event {
    ToleranceReturned {
        case: case_of(matter().id),
        matter: matter().id,
        reason: text(TEXT),
    }
    .into()
}

pub(crate) fn approved(assessments: &[Assessment<TextId>]) -> Event {
    ToleranceApproved {
        case: case_of(matter().id),
        subject: id(OFFICIAL),
        matter: matter().id,
        source: "register".to_owned(),
        conclusion: 1,
        unit: unit(),
        assessments: in_events(assessments),
        on: date(2026, 3, 9),
    }
    .into()
}

/// The same, approved on the day of the warning: early enough for it.
pub(crate) fn approved_in_time(assessments: &[Assessment<TextId>]) -> Event {
    let Event::ToleranceApproved(approved) = approved(assessments) else {
        unreachable!("so it is made");
    };
    ToleranceApproved {
        on: warning().decided_on,
        ..approved
    }
    .into()
}

fn in_events(assessments: &[Assessment<TextId>]) -> Vec<Assessment<TextRef>> {
    let assessments = assessments.iter();
    assessments.map(|one| one.with(|_| text(TEXT))).collect()
}

fn recusal() -> Recusal {
    Recusal {
        actors: [actor_id("accused")].into(),
        reporters: matter().reporter_mark.into_iter().collect(),
    }
}

/// The official on whom one finding is substantiated that nobody assessed, with a supervisor of the fixture's unit at the
/// counter.
pub(crate) fn an_official() -> Given<Sanctions> {
    given::<Sanctions>()
        .id(sanctions_of(id(OFFICIAL)))
        .text(id(TEXT))
        .actor(supervisor_at("gao", unit()))
        .facts(Facts {
            case: concluded_case(Outcome::Substantiated),
        })
}

/// The same, assessed as liable before everything that is decided.
pub(crate) fn a_liable_official() -> Given<Sanctions> {
    let (first, then) = found_liable();
    an_official().events([Event::from(first), then.into()])
}

fn found_liable() -> (ToleranceProposed, ToleranceApproved) {
    let liable = [assessed(1, Liability::Liable)];
    match (proposed(&liable), approved(&liable)) {
        (Event::ToleranceProposed(first), Event::ToleranceApproved(mut then)) => {
            then.on = date(2015, 1, 1);
            (first, then)
        }
        _ => unreachable!("so they are made"),
    }
}

/// The same with the other unit's case, in which the official is liable too, and a supervisor of it.
pub(crate) fn elsewhere(given: Given<Sanctions>) -> Given<Sanctions> {
    let (mut first, mut then) = found_liable();
    let case = case_of(id(ELSEWHERE));
    (first.case, first.matter, first.unit) = (case, id(ELSEWHERE), other_unit());
    (then.case, then.matter, then.unit) = (case, id(ELSEWHERE), other_unit());
    given
        .events([Event::from(first), then.into()])
        .actor(supervisor_at("meng", other_unit()))
        .facts(Facts {
            case: case_elsewhere(),
        })
}

pub(crate) const LIABLE: &[(u128, Liability)] = &[(1, Liability::Liable)];
pub(crate) const EXEMPTED: &[(u128, Liability)] = &[(1, Liability::Exempt)];

/// Each of these allegations assessed so.
pub(crate) fn all(assessments: &[(u128, Liability)]) -> Vec<Assessment<TextId>> {
    let assessments = assessments.iter();
    assessments
        .map(|(allegation, liability)| assessed(*allegation, *liability))
        .collect()
}

/// Whoever decides records the warning.
pub(crate) fn record_it() -> Command {
    Command::RecordSanction(warning())
}

/// An outside system that tells what was decided there.
pub(crate) fn machine() -> Actor {
    actor("discipline-system", Role::Automation)
}

/// An official whose assessment waits for approval.
pub(crate) fn a_proposal(assessments: &[(u128, Liability)]) -> Given<Sanctions> {
    an_official().events([proposed(&all(assessments))])
}

/// An official whose assessment was approved before anything was decided.
pub(crate) fn an_assessed(assessments: &[(u128, Liability)]) -> Given<Sanctions> {
    a_proposal(assessments).events([approved_in_time(&all(assessments))])
}
