//! What the story enters: two invented officials, a call about each, evidence and findings. Fixed, so that it is the same
//! whenever it is told.

use office::UnitCode;
use proto::intake::allegation_input::Subject;
use proto::intake::{AllegationInput, RegisterSubjectRequest, ReporterKind, SubmitReportRequest};
use proto::office::{
    Channel, Finding, Harm, HarmDegree, HarmReach, Standing, SubjectHarm, SubjectKind,
};
use proto::verification::{
    AssessmentInput, Breach, Case, EvidenceInput, EvidenceKind, Experiment, FindingInput,
    Liability, Motive,
};
use uuid::Uuid;

/// Where everything of the story is entered from.
pub(super) const SOURCE: &str = "story";

/// One report and all that there is to it.
pub(super) struct Tale {
    /// Its reference at the source.
    pub(super) reference: &'static str,
    /// How it begins.
    pub(super) opening: &'static str,
    /// Whom it is about.
    official: &'static str,
    /// What is alleged and what was found of it.
    alleged: [Alleged; 2],
    /// What the investigators find.
    evidence: [(EvidenceKind, &'static str); 2],
    /// How it harmed her.
    harm: Option<(Harm, HarmDegree, HarmReach)>,
}

struct Alleged {
    category: &'static str,
    narrative: &'static str,
    on: &'static str,
    finding: Finding,
    /// The finding in words.
    found: &'static str,
}

/// A report that was not true.
pub(super) const UNTRUE: Tale = Tale {
    reference: "untrue",
    opening: "Somebody telephones: an official of the land office took money, and gave her brother a plot.",
    official: "Shen Mei (an invented person)",
    alleged: [
        Alleged {
            category: "bribery",
            narrative: "She took 20,000 for a building permit.",
            on: "2025-11-03",
            finding: Finding::Unfounded,
            found: "unfounded (it did not happen)",
        },
        Alleged {
            category: "nepotism",
            narrative: "Her brother got the plot by the river.",
            on: "2025-11-20",
            finding: Finding::Exonerated,
            found: "exonerated (it happened and was proper)",
        },
    ],
    evidence: [
        (
            EvidenceKind::Document,
            "Bank statements of the year in question; no such payment",
        ),
        (
            EvidenceKind::Register,
            "Land register: the plot was drawn by lot, in public",
        ),
    ],
    harm: Some((
        Harm::AdvancementAffected,
        HarmDegree::Serious,
        HarmReach::Unit,
    )),
};

/// A report that was true.
pub(super) const TRUE: Tale = Tale {
    reference: "true",
    opening: "Somebody telephones: the cashier of the school keeps money of the canteen, and is rude.",
    official: "Wu Lan (an invented person)",
    alleged: [
        Alleged {
            category: "misuse_of_funds",
            narrative: "She lent 3,000 of the canteen's money to her cousin.",
            on: "2025-10-12",
            finding: Finding::Substantiated,
            found: "substantiated (it happened and was wrong)",
        },
        Alleged {
            category: "rough_manner",
            narrative: "She shouted at a parent.",
            on: "2025-10-15",
            finding: Finding::Unsubstantiated,
            found: "unsubstantiated (neither proven nor excluded)",
        },
    ],
    evidence: [
        (
            EvidenceKind::Document,
            "Cash book of the canteen: 3,000 went out and came back after nine days",
        ),
        (
            EvidenceKind::Testimony,
            "A parent and a teacher, who remember it differently",
        ),
    ],
    harm: None,
};

/// A request id that follows from the step and what it starts from.
pub(super) fn request_id(step: &str, from: &str) -> String {
    let name = format!("zhengming:story:{step}:{from}");
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
}

/// The request id of a step on something as it stands.
pub(super) fn step_id(step: &str, id: &str, version: i64) -> String {
    request_id(step, &format!("{id}:{version}"))
}

/// The official, of a unit and under an authority.
pub(super) fn official(
    tale: &Tale,
    unit: &UnitCode,
    authority: &UnitCode,
) -> RegisterSubjectRequest {
    RegisterSubjectRequest {
        request_id: request_id("register_subject", tale.reference),
        kind: SubjectKind::Person.into(),
        name: tale.official.to_owned(),
        unit: unit.to_string(),
        authority: authority.to_string(),
        heads: String::new(),
        standing: Standing::PublicOfficial.into(),
        actor_id: String::new(),
        source: SOURCE.to_owned(),
        reference: format!("official-{}", tale.reference),
    }
}

/// The call as it is entered.
pub(super) fn call(tale: &Tale, subject: &str) -> SubmitReportRequest {
    let allegations = tale.alleged.iter().map(|alleged| AllegationInput {
        subject: Some(Subject::SubjectId(subject.to_owned())),
        category: alleged.category.to_owned(),
        narrative: alleged.narrative.to_owned(),
        occurred_on: alleged.on.to_owned(),
        place: "910101".to_owned(),
    });
    SubmitReportRequest {
        request_id: request_id("submit", tale.reference),
        channel: Channel::Phone.into(),
        reporter_kind: ReporterKind::Anonymous.into(),
        allegations: allegations.collect(),
        source: SOURCE.to_owned(),
        reference: tale.reference.to_owned(),
        reporter_actor_id: String::new(),
    }
}

/// What the investigators find.
pub(super) fn evidence(tale: &Tale) -> Vec<EvidenceInput> {
    let items = tale
        .evidence
        .iter()
        .map(|(kind, description)| EvidenceInput {
            kind: (*kind).into(),
            description: (*description).to_owned(),
            obtained_on: "2026-01-12".to_owned(),
            attachment_digest: String::new(),
        });
    items.collect()
}

/// A finding on each allegation of the case, and each in words.
pub(super) fn findings(tale: &Tale, case: &Case) -> (Vec<FindingInput>, Vec<String>) {
    let evidence = case.evidence_ids.iter().cycle();
    let pairs = case.findings.iter().zip(evidence);
    pairs
        .filter_map(|(allegation, evidence)| {
            let mut known = tale.alleged.iter();
            let known = known.find(|alleged| alleged.category == allegation.category)?;
            let finding = FindingInput {
                allegation_id: allegation.allegation_id.clone(),
                finding: known.finding.into(),
                evidence_ids: vec![evidence.clone()],
                ..FindingInput::default()
            };
            Some((finding, format!("{} {}", known.category, known.found)))
        })
        .unzip()
}

/// How each substantiated finding of the case is assessed before a sanction.
pub(super) fn assessments(case: &Case) -> Vec<AssessmentInput> {
    let substantiated = case.findings.iter();
    substantiated
        .filter(|found| found.finding() == Finding::Substantiated)
        .map(|found| AssessmentInput {
            allegation_id: found.allegation_id.clone(),
            breach: Breach::Knowing.into(),
            breach_reason: "She signed the rule on the canteen's money in spring".to_owned(),
            experiment: Experiment::Neither.into(),
            experiment_reason: "Nothing was tried out".to_owned(),
            motive: Motive::PrivateGain.into(),
            motive_reason: "It helped her cousin".to_owned(),
            liability: Liability::Liable.into(),
            reason: "She knew it and gained by it; that it came back is for the kind of sanction"
                .to_owned(),
        })
        .collect()
}

/// How the allegations harmed her, where they did.
pub(super) fn harms(tale: &Tale, case: &Case) -> Vec<SubjectHarm> {
    let harmed = tale.harm.zip(case.findings.first());
    let harms = harmed.map(|((harm, degree, reach), finding)| SubjectHarm {
        subject_id: finding.subject_id.clone(),
        harms: vec![harm.into()],
        degree: degree.into(),
        reach: reach.into(),
        exclusions: Vec::new(),
    });
    harms.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_step_from_the_same_state_has_the_same_request_id() {
        assert_eq!(step_id("propose", "c", 3), step_id("propose", "c", 3));
        assert_ne!(step_id("propose", "c", 3), step_id("propose", "c", 4));
        assert_ne!(step_id("propose", "c", 3), step_id("approve", "c", 3));
    }

    #[test]
    fn the_two_tales_share_no_request() {
        let unit = UnitCode::new("P51-01").expect("a code");
        let ids: BTreeSet<_> = [UNTRUE, TRUE]
            .iter()
            .flat_map(|tale| {
                [
                    official(tale, &unit, &unit).request_id,
                    call(tale, "subject").request_id,
                ]
            })
            .collect();
        assert_eq!(ids.len(), 4);
    }
}
