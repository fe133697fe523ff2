//! The case that the tests of all rooms look at, step by step: one matter, three allegations, two subjects of which
//! one is not identified, investigators Chen and Lin, the supervisor of the harness.

use chassis::aggregate::TextRef;
use chassis::secrets::Secrets;
use chassis::testing::{Given, given};
use jiff::civil::date;
use office::{Actor, ActorId, AllegationId, Due, EvidenceId, ReportId, Role, SubjectId};
use uuid::Uuid;

use super::events::{
    Concluded, EvidenceRecorded, FindingsProposed, InvestigatorsAssigned, Moved, Opened,
    RecordedEvidence, Reopened,
};
use super::opening::JoinedReport;
use super::*;

pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

pub(crate) fn actor_id(name: &str) -> ActorId {
    name.parse().expect("an actor id")
}

/// An actor of the handling unit.
pub(crate) fn actor(name: &str, role: Role) -> Actor {
    Actor {
        id: actor_id(name),
        unit: unit(),
        department: None,
        roles: [role].into(),
        on_behalf_of: None,
    }
}

pub(crate) fn investigator(name: &str) -> Actor {
    actor(name, Role::Investigator)
}

pub(crate) fn supervisor(name: &str) -> Actor {
    actor(name, Role::Supervisor)
}

/// Whoever follows from intake's events.
pub(crate) fn service() -> Actor {
    Actor::service("verification", None)
}

pub(crate) fn unit() -> UnitCode {
    "P51-01".parse().expect("a unit code")
}

/// The unit above.
pub(crate) fn above() -> UnitCode {
    "P51".parse().expect("a unit code")
}

/// The same actor at another unit.
pub(crate) fn at(unit: UnitCode, actor: Actor) -> Actor {
    Actor { unit, ..actor }
}

pub(crate) fn team(names: &[&str]) -> Team {
    names.iter().map(|name| actor_id(name)).collect()
}

pub(crate) const REPORT: u128 = 0x20;
pub(crate) const OFFICIAL: u128 = 0x30;
pub(crate) const PLACEHOLDER: u128 = 0x31;
pub(crate) const EVIDENCE: u128 = 0x50;
pub(crate) const TEXT: u128 = 0x60;

pub(crate) fn allegation(number: u128, subject: u128, report: u128) -> Allegation {
    Allegation {
        id: id(number),
        subject: id(subject),
        subject_kind: if subject == PLACEHOLDER {
            SubjectKind::NotIdentified
        } else {
            SubjectKind::Person
        },
        category: "bribery".to_owned(),
        report: id(report),
    }
}

pub(crate) fn official(subject: u128, actor: &str) -> Subject {
    Subject {
        id: id(subject),
        kind: SubjectKind::Person,
        actor: Some(actor_id(actor)),
    }
}

pub(crate) fn mark_of(name: &str) -> Mark {
    Mark::of_reporter(&Secrets::new([7; 32]), &actor_id(name))
}

/// Allegations 1 and 3 on an official who is the actor `accused`, 2 on somebody unknown; reported by the actor `reporter`.
pub(crate) fn matter() -> Matter {
    Matter {
        id: id(0x10),
        report: id(REPORT),
        source: "register".to_owned(),
        unit: unit(),
        allegations: vec![
            allegation(1, OFFICIAL, REPORT),
            allegation(2, PLACEHOLDER, REPORT),
            allegation(3, OFFICIAL, REPORT),
        ],
        subjects: vec![official(OFFICIAL, "accused")],
        reporter_mark: Some(mark_of("reporter")),
    }
}

/// 60 days after Monday 9 March 2026; three working days before it lies the Labour Day holiday.
pub(crate) fn due() -> Due {
    Due {
        at: "2026-05-08T15:59:59.999999Z".parse().expect("a timestamp"),
        on: date(2026, 5, 8),
        warn_at: "2026-04-30T15:59:59.999999Z".parse().expect("a timestamp"),
    }
}

pub(crate) fn opened() -> Event {
    let matter = matter();
    Opened {
        matter: matter.id,
        report: matter.report,
        source: matter.source,
        unit: matter.unit,
        allegations: matter.allegations,
        subjects: matter.subjects,
        reporter_mark: matter.reporter_mark,
        due: due(),
    }
    .into()
}

pub(crate) fn assigned(names: &[&str]) -> Event {
    InvestigatorsAssigned {
        investigators: team(names),
        at_least: 2,
    }
    .into()
}

pub(crate) fn text(number: u128) -> TextRef {
    TextRef {
        id: id(number),
        digest: Uuid::from_u128(number).as_bytes().to_vec(),
    }
}

pub(crate) fn evidence_item() -> EvidenceItem {
    EvidenceItem {
        kind: EvidenceKind::Testimony,
        description: id(TEXT),
        obtained_on: date(2026, 3, 6),
        attachment: None,
    }
}

pub(crate) fn recorded() -> Event {
    EvidenceRecorded {
        by: actor_id("chen"),
        items: vec![RecordedEvidence {
            id: id(EVIDENCE),
            kind: EvidenceKind::Document,
            description: text(TEXT),
            obtained_on: date(2026, 3, 6),
            attachment: Some("ab".repeat(32)),
        }],
    }
    .into()
}

pub(crate) fn finding(allegation: u128, outcome: Outcome) -> ProposedFinding {
    let evidence = match outcome {
        Outcome::Closed(_) => Vec::new(),
        _ => vec![id::<EvidenceId>(EVIDENCE)],
    };
    ProposedFinding {
        allegation: id::<AllegationId>(allegation),
        found: Found {
            outcome,
            local_word: "查否".to_owned(),
            evidence,
        },
    }
}

pub(crate) fn findings() -> Vec<ProposedFinding> {
    vec![
        finding(1, Outcome::Unfounded),
        finding(2, Outcome::Closed(ClosingReason::Duplicate)),
        finding(3, Outcome::Exonerated),
    ]
}

pub(crate) fn proposed() -> Event {
    FindingsProposed {
        by: actor_id("chen"),
        findings: findings(),
        harms: harms(),
    }
    .into()
}

pub(crate) fn harm_on(subject: u128) -> SubjectHarm {
    SubjectHarm {
        subject: id(subject),
        harm: Harm::Done {
            effects: [HarmEffect::RightsHarmed, HarmEffect::SpreadInPublic].into(),
            degree: HarmDegree::Serious,
            reach: HarmReach::Public,
            exclusions: [HarmExclusion::MerelyTalkedTo].into(),
        },
    }
}

/// The official was harmed; of the other subject nothing is told.
pub(crate) fn harms() -> Vec<SubjectHarm> {
    vec![harm_on(OFFICIAL)]
}

pub(crate) fn concluded(number: i32) -> Event {
    concluded_with(number, &findings())
}

/// A conclusion with these findings on allegations 1, 2 and 3.
pub(crate) fn concluded_with(number: i32, findings: &[ProposedFinding]) -> Event {
    let said = |finding: &ProposedFinding| events::ConcludedFinding {
        allegation: finding.allegation,
        found: finding.found.clone(),
    };
    Concluded {
        matter: id(0x10),
        source: "register".to_owned(),
        number,
        unit: unit(),
        subjects: vec![
            events::ConcludedSubject {
                subject: id::<SubjectId>(OFFICIAL),
                kind: SubjectKind::Person,
                findings: vec![said(&findings[0]), said(&findings[2])],
                harm: Some(harm_on(OFFICIAL).harm),
            },
            events::ConcludedSubject {
                subject: id::<SubjectId>(PLACEHOLDER),
                kind: SubjectKind::NotIdentified,
                findings: vec![said(&findings[1])],
                harm: None,
            },
        ],
        on: Some(date(2026, 3, 9)),
    }
    .into()
}

pub(crate) fn reopened(reason: &str) -> Event {
    Reopened {
        matter: id(0x10),
        source: "register".to_owned(),
        number: 1,
        reason: reason.to_owned(),
        due: due(),
    }
    .into()
}

/// Its matter was raised.
pub(crate) fn moved() -> Event {
    Moved {
        matter: id(0x10),
        source: "register".to_owned(),
        from: unit(),
        to: above(),
    }
    .into()
}

/// A second report, by the actor `second`, with one allegation on the official.
pub(crate) fn second_report(new_facts: NewFacts) -> JoinedReport {
    JoinedReport {
        id: id::<ReportId>(0x21),
        new_facts,
        allegations: vec![allegation(4, OFFICIAL, 0x21)],
        subjects: vec![official(OFFICIAL, "accused")],
        reporter_mark: Some(mark_of("second")),
    }
}

fn a_case(events: impl IntoIterator<Item = Event>) -> Given<Case> {
    given::<Case>()
        .id(case_of(id(0x10)))
        .text(id(TEXT))
        .events(events)
}

pub(crate) fn an_opened_case() -> Given<Case> {
    a_case([opened()])
}

pub(crate) fn an_investigated_case() -> Given<Case> {
    a_case([opened(), assigned(&["chen", "lin"]), recorded()])
}

pub(crate) fn a_proposed_case() -> Given<Case> {
    an_investigated_case().events([proposed()])
}

pub(crate) fn a_concluded_case() -> Given<Case> {
    a_proposed_case().events([concluded(1)])
}
