//! What other services are told: private event → at most one public event of the contract. One way, pure.
//!
//! Not told: who investigates, what the evidence is, what is only proposed. A public event needs nothing that its
//! private one does not hold, because it is made again from the journal whenever a follower asks for it.

use chassis::aggregate::Announcement;
use office::CaseId;
use proto::office as o;
use proto::verification as v1;

use crate::case::events::{ConcludedFinding, ConcludedSubject};
use crate::case::{ClosingReason, Event, Outcome, SubjectKind};

/// The public event of a private one.
pub(crate) fn announce(case: CaseId, event: &Event) -> Option<Announcement> {
    let case_id = case.to_string();
    match event {
        Event::Opened(opened) => Some(Announcement::of(
            "CaseOpened",
            &v1::CaseOpened {
                case_id,
                matter_id: opened.matter.to_string(),
                source: opened.source.clone(),
                unit: opened.unit.to_string(),
            },
        )),
        Event::Concluded(concluded) => Some(Announcement::of(
            "CaseConcluded",
            &v1::CaseConcluded {
                case_id,
                matter_id: concluded.matter.to_string(),
                source: concluded.source.clone(),
                number: concluded.number,
                unit: concluded.unit.to_string(),
                subjects: concluded.subjects.iter().map(concluded_subject).collect(),
            },
        )),
        Event::Reopened(reopened) => Some(Announcement::of(
            "CaseReopened",
            &v1::CaseReopened {
                case_id,
                matter_id: reopened.matter.to_string(),
                source: reopened.source.clone(),
                number: reopened.number,
                reason: reopened.reason.clone(),
            },
        )),
        Event::Discontinued(discontinued) => Some(Announcement::of(
            "CaseDiscontinued",
            &v1::CaseDiscontinued {
                case_id,
                matter_id: discontinued.matter.to_string(),
                source: discontinued.source.clone(),
                reason: discontinued.reason.clone(),
            },
        )),
        Event::ReportJoined(_)
        | Event::ReportRegistered(_)
        | Event::SubjectIdentified(_)
        | Event::InvestigatorsAssigned(_)
        | Event::ConflictDeclared(_)
        | Event::EvidenceRecorded(_)
        | Event::FindingsProposed(_)
        | Event::FindingsReturned(_)
        | Event::Suspended(_)
        | Event::Resumed(_)
        | Event::DeadlineNear(_)
        | Event::DeadlineOverdue(_) => None,
    }
}

fn concluded_subject(said: &ConcludedSubject) -> v1::ConcludedSubject {
    v1::ConcludedSubject {
        subject_id: said.subject.to_string(),
        kind: subject_kind(said.kind).into(),
        findings: said.findings.iter().map(concluded_finding).collect(),
    }
}

fn concluded_finding(said: &ConcludedFinding) -> v1::ConcludedFinding {
    let (finding, closing_reason) = outcome(said.found.outcome);
    v1::ConcludedFinding {
        allegation_id: said.allegation.to_string(),
        finding: finding.into(),
        closing_reason: closing_reason.into(),
    }
}

/// A subject's kind in the words of the contract.
pub(crate) fn subject_kind(kind: SubjectKind) -> o::SubjectKind {
    match kind {
        SubjectKind::Person => o::SubjectKind::Person,
        SubjectKind::Organisation => o::SubjectKind::Organisation,
        SubjectKind::NotIdentified => o::SubjectKind::NotIdentified,
    }
}

/// An outcome in the words of the contract.
pub(crate) fn outcome(outcome: Outcome) -> (o::Finding, o::ClosingReason) {
    let finding = match outcome {
        Outcome::Substantiated => o::Finding::Substantiated,
        Outcome::Unsubstantiated => o::Finding::Unsubstantiated,
        Outcome::Unfounded => o::Finding::Unfounded,
        Outcome::Exonerated => o::Finding::Exonerated,
        Outcome::Closed(_) => o::Finding::Closed,
    };
    let reason = match outcome {
        Outcome::Closed(ClosingReason::Withdrawn) => o::ClosingReason::Withdrawn,
        Outcome::Closed(ClosingReason::NoCooperation) => o::ClosingReason::NoCooperation,
        Outcome::Closed(ClosingReason::LimitationExpired) => o::ClosingReason::LimitationExpired,
        Outcome::Closed(ClosingReason::Duplicate) => o::ClosingReason::Duplicate,
        Outcome::Closed(ClosingReason::Transferred) => o::ClosingReason::Transferred,
        Outcome::Closed(ClosingReason::Void) => o::ClosingReason::Void,
        Outcome::Closed(ClosingReason::Other) => o::ClosingReason::Other,
        _ => o::ClosingReason::Unspecified,
    };
    (finding, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::case_of;
    use crate::case::fixture::{concluded, id, opened, proposed, recorded, reopened};

    fn told(event: &Event) -> Option<(&'static str, serde_json::Value)> {
        let announcement = announce(case_of(id(0x10)), event)?;
        let body = serde_json::from_slice(&announcement.body).expect("a message is JSON");
        Some((announcement.name, body))
    }

    #[test]
    fn a_conclusion_tells_its_number_unit_and_each_finding_by_subject() {
        let (name, body) = told(&concluded(1)).expect("it is public");
        assert_eq!(name, "CaseConcluded");
        assert_eq!(body["number"], 1);
        assert_eq!(body["unit"], "P51-01");
        let subjects = body["subjects"].as_array().expect("a list");
        assert_eq!(subjects.len(), 2);
        assert_eq!(subjects[0]["kind"], "SUBJECT_KIND_PERSON");
        assert_eq!(subjects[0]["findings"][0]["finding"], "FINDING_UNFOUNDED");
        let closed = &subjects[1]["findings"][0];
        assert_eq!(closed["finding"], "FINDING_CLOSED");
        assert_eq!(closed["closingReason"], "CLOSING_REASON_DUPLICATE");
    }

    #[test]
    fn every_announcement_names_case_matter_and_source() {
        for event in [opened(), concluded(1), reopened("appeal")] {
            let (name, body) = told(&event).expect("it is public");
            assert_eq!(body["caseId"], case_of(id(0x10)).to_string(), "{name}");
            assert_eq!(body["matterId"], id::<uuid::Uuid>(0x10).to_string());
            assert_eq!(body["source"], "register");
            assert!(proto::events_of("verification").contains(&name));
        }
    }

    #[test]
    fn what_is_only_proposed_stays_in_the_house() {
        assert_eq!(told(&proposed()), None);
        assert_eq!(told(&recorded()), None);
    }
}
