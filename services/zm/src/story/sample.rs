//! What the story enters: an invented official, a call about her, evidence and findings. Fixed, so that it is the same
//! whenever it is told.

use office::UnitCode;
use proto::intake::allegation_input::Subject;
use proto::intake::{AllegationInput, RegisterSubjectRequest, ReporterKind, SubmitReportRequest};
use proto::office::{Channel, Finding, Standing, SubjectKind};
use proto::verification::{Case, EvidenceInput, EvidenceKind, FindingInput};
use uuid::Uuid;

/// Where everything of the story is entered from.
pub(super) const SOURCE: &str = "story";
/// The report's reference there.
pub(super) const REFERENCE: &str = "sample-1";
/// A request id that follows from the step and what it starts from.
pub(super) fn request_id(step: &str, from: &str) -> String {
    let name = format!("zhengming:story:{step}:{from}");
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
}

/// The official, of a unit and under an authority.
pub(super) fn official(unit: &UnitCode, authority: &UnitCode) -> RegisterSubjectRequest {
    RegisterSubjectRequest {
        request_id: request_id("register_subject", REFERENCE),
        kind: SubjectKind::Person.into(),
        name: "Shen Mei (an invented person)".to_owned(),
        unit: unit.to_string(),
        authority: authority.to_string(),
        heads: String::new(),
        standing: Standing::PublicOfficial.into(),
        actor_id: String::new(),
        source: SOURCE.to_owned(),
        reference: "official-1".to_owned(),
    }
}

/// The request id of a step on a case as it stands.
pub(super) fn step_id(step: &str, case: &Case) -> String {
    request_id(step, &format!("{}:{}", case.case_id, case.version))
}

/// The call as it is entered.
pub(super) fn call(subject: &str) -> SubmitReportRequest {
    let allegation = |category: &str, narrative: &str, on: &str| AllegationInput {
        subject: Some(Subject::SubjectId(subject.to_owned())),
        category: category.to_owned(),
        narrative: narrative.to_owned(),
        occurred_on: on.to_owned(),
        place: "910101".to_owned(),
    };
    SubmitReportRequest {
        request_id: request_id("submit", REFERENCE),
        channel: Channel::Phone.into(),
        reporter_kind: ReporterKind::Anonymous.into(),
        allegations: vec![
            allegation(
                "bribery",
                "She took 20,000 for a building permit.",
                "2025-11-03",
            ),
            allegation(
                "nepotism",
                "Her brother got the plot by the river.",
                "2025-11-20",
            ),
        ],
        source: SOURCE.to_owned(),
        reference: REFERENCE.to_owned(),
        reporter_actor_id: String::new(),
    }
}

/// What the investigators find.
pub(super) fn evidence() -> Vec<EvidenceInput> {
    let item = |kind: EvidenceKind, description: &str| EvidenceInput {
        kind: kind.into(),
        description: description.to_owned(),
        obtained_on: "2026-01-12".to_owned(),
        attachment_digest: String::new(),
    };
    vec![
        item(
            EvidenceKind::Document,
            "Bank statements of the year in question; no such payment",
        ),
        item(
            EvidenceKind::Register,
            "Land register: the plot was drawn by lot, in public",
        ),
    ]
}

/// A finding on each allegation of the case, and each in words.
pub(super) fn findings(case: &Case) -> (Vec<FindingInput>, Vec<String>) {
    let evidence = case.evidence_ids.iter().cycle();
    let pairs = case.findings.iter().zip(evidence);
    pairs
        .map(|(allegation, evidence)| {
            let (outcome, word) = match allegation.category.as_str() {
                "nepotism" => (
                    Finding::Exonerated,
                    "exonerated (it happened and was proper)",
                ),
                _ => (Finding::Unfounded, "unfounded (it did not happen)"),
            };
            let finding = FindingInput {
                allegation_id: allegation.allegation_id.clone(),
                finding: outcome.into(),
                evidence_ids: vec![evidence.clone()],
                ..FindingInput::default()
            };
            (finding, format!("{} {word}", allegation.category))
        })
        .unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_step_from_the_same_state_has_the_same_request_id() {
        let case = Case {
            case_id: "c".to_owned(),
            version: 3,
            ..Case::default()
        };
        assert_eq!(step_id("propose", &case), step_id("propose", &case));
        let later = Case {
            version: 4,
            ..case.clone()
        };
        assert_ne!(step_id("propose", &case), step_id("propose", &later));
        assert_ne!(step_id("propose", &case), step_id("approve", &case));
    }
}
