//! The matter that the tests look at: allegations 1 and 3 on an official who is the actor `accused`, 2 on an
//! organisation, 4 on somebody who is not identified; reported by the actor `reporter`.

use chassis::testing::{Given, given};
use jiff::civil::date;
use office::{Finding, SubjectId};

use super::learning::{Allegation, Raised, Report};
use super::ruling::{Concluded, Conclusion, Found, Identity};
use super::*;
use crate::clarification::fixture::{actor_id, id, mark_of, occurred_on, service, subject, unit};
use crate::conclusion::{Degree, Harm, Reach, SubjectHarm, SubjectKind};

pub(crate) const ORGANISATION: u128 = 0x31;
pub(crate) const PLACEHOLDER: u128 = 0x32;

pub(crate) fn organisation() -> Subject {
    Subject {
        id: id(ORGANISATION),
        kind: SubjectKind::Organisation,
        ..subject()
    }
}

fn allegation(number: u128, category: &str) -> Allegation {
    Allegation {
        id: id(number),
        category: category.to_owned(),
        occurred_on: occurred_on(number),
    }
}

pub(crate) fn a_raising() -> Raised {
    Raised {
        source: "register".to_owned(),
        unit: unit(),
        report: Report {
            id: id(0x20),
            allegations: vec![
                allegation(1, "bribery"),
                allegation(2, "neglect"),
                allegation(3, "neglect"),
                allegation(4, "bribery"),
            ],
            subjects: vec![subject(), organisation()],
            recusal: Recusal {
                actors: [actor_id("accused")].into(),
                reporters: [mark_of("reporter")].into(),
            },
        },
    }
}

/// A second report, by the actor `second`, with allegation 5.
pub(crate) fn second_report() -> Report {
    Report {
        id: id(0x21),
        allegations: vec![allegation(5, "bribery")],
        subjects: vec![subject()],
        recusal: Recusal {
            actors: [actor_id("accused")].into(),
            reporters: [mark_of("second")].into(),
        },
    }
}

/// The harm that the conclusions of these tests record.
pub(crate) fn harm() -> SubjectHarm {
    SubjectHarm {
        harms: [Harm::RightsHarmed].into(),
        degree: Some(Degree::Slight),
        reach: Some(Reach::Unit),
        exclusions: [].into(),
    }
}

pub(crate) fn found(subject: SubjectId, findings: &[(u128, Finding)]) -> Concluded {
    let findings = findings.iter().map(|(allegation, finding)| Found {
        allegation: id(*allegation),
        finding: finding.clone(),
    });
    Concluded {
        subject,
        identity: if subject == id(PLACEHOLDER) {
            Identity::NotIdentified
        } else {
            Identity::Identified
        },
        findings: findings.collect(),
        harm: Some(harm()),
    }
}

/// A conclusion that finds this on the official, and the other two unfounded.
pub(crate) fn conclusion(number: i32, on_the_official: Finding) -> Conclusion {
    Conclusion {
        number,
        unit: unit(),
        subjects: vec![
            found(
                subject().id,
                &[(1, on_the_official), (3, Finding::Exonerated)],
            ),
            found(id(ORGANISATION), &[(2, Finding::Unfounded)]),
            found(id(PLACEHOLDER), &[(4, Finding::Unfounded)]),
        ],
        on: Some(date(2026, 3, 2)),
    }
}

pub(crate) fn a_matter() -> Given<Matter> {
    given::<Matter>()
        .id(id::<MatterId>(0x10))
        .actor(service())
        .events([a_raising()])
}

/// Its case is concluded so.
pub(crate) fn concluding(number: i32, on_the_official: Finding) -> Command {
    Command::LearnConclusion(conclusion(number, on_the_official))
}

/// This conclusion stands no longer.
pub(crate) fn reopening(number: i32) -> Command {
    Command::LearnReopening { number }
}

/// What the only event of a command is, and the matter after it.
pub(crate) fn learned(given: Given<Matter>, command: Command) -> (Event, Given<Matter>) {
    let (mut events, after) = given.when(command).accepted();
    assert_eq!(events.len(), 1);
    (events.remove(0), after)
}
