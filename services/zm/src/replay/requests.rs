//! What a replay asks of the services for one case: the plan of its steps, and each step's request with its texts.
//!
//! Pure. The same case gives the same request for ever, byte for byte, as a request id that comes with another content is
//! refused. So nothing here may depend on today, on chance, or on what else is entered; only on the case and on ids that
//! the services answered, which they answer the same again. What follows a conclusion ([`consequences`]) is done at its day, and alone
//! depends on that.

use office::UnitCode;
use proto::intake::{
    AcceptReportRequest, AllegationInput, Candidate, RegisterSubjectRequest, RejectedCandidate,
    ReporterKind, SubmitReportRequest, allegation_input,
};
use proto::office as words;
use proto::verification::{
    AssignInvestigatorsRequest, EvidenceInput, EvidenceKind, FindingInput, ProposeFindingsRequest,
    RecordEvidenceRequest,
};

use super::identity::{Step, head_request_id, heads_of, request_id, subject_request_id};
use crate::register::{
    Case, Channel, Clearing, ClosingReason, Digest, Finding, Outcome, Row, Subject, SubjectKind,
};

pub mod consequences;

#[cfg(test)]
mod tests;

/// Why no candidate of the repeat ledger is ever joined: the register itself keeps them apart.
pub const OTHER_CASE: &str = "other_case_of_register";
/// A local word is at most so long in verification, in characters. The whole word stands in the evidence.
const LONGEST_WORD: usize = 64;

/// The register that is replayed, as far as every request needs it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its name.
    pub name: &'a str,
    /// Which edition of it.
    pub digest: Digest,
    /// Persons or organisations.
    pub kind: SubjectKind,
    /// Who handles its cases.
    pub unit: &'a UnitCode,
    /// What is assumed of those whom its conclusions clear, if anything is.
    pub clearing: Option<&'a Clearing>,
}

/// How far a case is in verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// It is open, and nobody investigates.
    Opened,
    /// It has investigators, and no evidence.
    Assigned,
    /// It has evidence, and no findings.
    Evidenced,
    /// Findings are proposed.
    Proposed,
    /// It is concluded.
    Concluded,
}

/// The steps that a case still needs in verification. One with a pending row stays open, so it gets no findings.
#[must_use]
pub fn steps_left(is_open: bool, reached: Reached) -> Vec<Step> {
    let all = [
        (Reached::Assigned, Step::AssignInvestigators),
        (Reached::Evidenced, Step::RecordEvidence),
        (Reached::Proposed, Step::ProposeFindings),
        (Reached::Concluded, Step::ApproveFindings),
    ];
    let goal = if is_open {
        Reached::Evidenced
    } else {
        Reached::Concluded
    };
    all.into_iter()
        .filter(|(gets_to, _)| (reached < *gets_to) && (*gets_to <= goal))
        .map(|(_, step)| step)
        .collect()
}

/// Puts a subject of the register into the subject register.
///
/// Its authority is the handling unit, so that its reports lie there and are not handed down from the unit above.
#[must_use]
pub fn register_subject(source: Source<'_>, reference: &str) -> RegisterSubjectRequest {
    let (kind, standing) = match source.kind {
        SubjectKind::Person => (words::SubjectKind::Person, words::Standing::PublicOfficial),
        SubjectKind::Organisation => (words::SubjectKind::Organisation, words::Standing::Other),
    };
    RegisterSubjectRequest {
        request_id: subject_request_id(source.digest, reference).to_string(),
        kind: kind.into(),
        name: reference.to_owned(),
        unit: source.unit.to_string(),
        authority: source.unit.to_string(),
        standing: standing.into(),
        source: source.name.to_owned(),
        reference: reference.to_owned(),
        ..Default::default()
    }
}

/// Puts the person into the subject register who speaks for the register's organisations, as the head of their unit.
#[must_use]
pub fn register_head(source: Source<'_>, head: &str) -> RegisterSubjectRequest {
    RegisterSubjectRequest {
        request_id: head_request_id(source.digest, head).to_string(),
        kind: words::SubjectKind::Person.into(),
        standing: words::Standing::PublicOfficial.into(),
        heads: source.unit.to_string(),
        source: heads_of(source.name),
        ..register_subject(source, head)
    }
}

/// Submits the case's report; each row is an allegation, in the order of the lines. `subject_id` gives the id of an identified subject.
pub fn submit_report(
    source: Source<'_>,
    case: &Case,
    subject_id: impl Fn(&str) -> String,
) -> SubmitReportRequest {
    let allegations = case.rows.iter().map(|row| AllegationInput {
        subject: Some(match &row.subject {
            Subject::Identified { reference } => {
                allegation_input::Subject::SubjectId(subject_id(reference))
            }
            Subject::Unidentified => allegation_input::Subject::NotIdentified(format!(
                "Not identified in the register \"{}\", line {}.",
                source.name, row.line
            )),
        }),
        category: row.category.clone(),
        narrative: narrative(source, row),
        ..Default::default()
    });
    SubmitReportRequest {
        request_id: request_id(source.digest, case, Step::SubmitReport).to_string(),
        channel: channel(case.channel).into(),
        reporter_kind: ReporterKind::Anonymous.into(),
        allegations: allegations.collect(),
        source: source.name.to_owned(),
        reference: case.reference.clone(),
        reporter_actor_id: String::new(),
    }
}

/// Accepts the report to the register's unit; all these candidates are other cases.
#[must_use]
pub fn accept_report(
    source: Source<'_>,
    case: &Case,
    report_id: &str,
    candidates: &[Candidate],
) -> AcceptReportRequest {
    let rejected = candidates.iter().map(|candidate| RejectedCandidate {
        matter_id: candidate.matter_id.clone(),
        reason: OTHER_CASE.to_owned(),
    });
    AcceptReportRequest {
        request_id: request_id(source.digest, case, Step::AcceptReport).to_string(),
        report_id: report_id.to_owned(),
        unit: source.unit.to_string(),
        rejected_candidates: rejected.collect(),
    }
}

/// Assigns the team.
#[must_use]
pub fn assign_investigators(
    source: Source<'_>,
    case: &Case,
    case_id: &str,
    team: Vec<String>,
) -> AssignInvestigatorsRequest {
    AssignInvestigatorsRequest {
        request_id: request_id(source.digest, case, Step::AssignInvestigators).to_string(),
        case_id: case_id.to_owned(),
        investigators: team,
    }
}

/// Records the register's entry as the evidence on which all findings of the case rest.
#[must_use]
pub fn record_evidence(source: Source<'_>, case: &Case, case_id: &str) -> RecordEvidenceRequest {
    RecordEvidenceRequest {
        request_id: request_id(source.digest, case, Step::RecordEvidence).to_string(),
        case_id: case_id.to_owned(),
        evidence: vec![EvidenceInput {
            kind: EvidenceKind::Register.into(),
            description: description(source, case),
            // Not today, as a repeat tomorrow must be the same request.
            obtained_on: case.received.to_string(),
            attachment_digest: String::new(),
        }],
    }
}

/// Proposes a finding for each row, with the harm to those whom they clear; the allegations' ids are in the order of the rows. `None`
/// if a row is pending.
#[must_use]
pub fn propose_findings(
    source: Source<'_>,
    case: &Case,
    case_id: &str,
    allegation_ids: &[String],
    evidence_ids: &[String],
) -> Option<ProposeFindingsRequest> {
    let rows = case.rows.iter().zip(allegation_ids);
    let findings: Option<Vec<_>> = rows
        .map(|(row, allegation_id)| {
            let (finding, closing_reason) = outcome(row.outcome)?;
            Some(FindingInput {
                allegation_id: allegation_id.clone(),
                finding: finding.into(),
                closing_reason: closing_reason.into(),
                local_word: row.words.deciding().chars().take(LONGEST_WORD).collect(),
                evidence_ids: evidence_ids.to_vec(),
            })
        })
        .collect();
    Some(ProposeFindingsRequest {
        request_id: request_id(source.digest, case, Step::ProposeFindings).to_string(),
        case_id: case_id.to_owned(),
        findings: findings?,
        harms: consequences::harms(source, case),
    })
}

fn narrative(source: Source<'_>, row: &Row) -> String {
    format!(
        "Entered from the register \"{}\", line {}. Its word for what is alleged: \"{}\".",
        source.name, row.line, row.words.category
    )
}

fn description(source: Source<'_>, case: &Case) -> String {
    let head = format!(
        "The register \"{}\", case \"{}\", received on {}, channel \"{}\".",
        source.name, case.reference, case.received, case.channel_word
    );
    let lines = case.rows.iter().map(|row| {
        let closing = match &row.words.closing {
            Some(word) => format!(", closed because \"{word}\""),
            None => String::new(),
        };
        format!(
            "Line {}: \"{}\", result \"{}\"{closing}.",
            row.line, row.words.category, row.words.finding
        )
    });
    let all: Vec<_> = std::iter::once(head).chain(lines).collect();
    all.join("\n")
}

pub(super) fn channel(channel: Channel) -> words::Channel {
    match channel {
        Channel::Web => words::Channel::Web,
        Channel::Letter => words::Channel::Letter,
        Channel::Visit => words::Channel::Visit,
        Channel::Phone => words::Channel::Phone,
        Channel::Email => words::Channel::Email,
        Channel::Transfer => words::Channel::Transfer,
        Channel::Supervision => words::Channel::Supervision,
        Channel::Queue => words::Channel::Queue,
    }
}

/// The finding, and the reason for a closed one; `None` for a pending row.
pub(super) fn outcome(outcome: Outcome) -> Option<(words::Finding, words::ClosingReason)> {
    let found = |finding| Some((finding, words::ClosingReason::Unspecified));
    match outcome {
        Outcome::Finding(Finding::Substantiated) => found(words::Finding::Substantiated),
        Outcome::Finding(Finding::Unsubstantiated) => found(words::Finding::Unsubstantiated),
        Outcome::Finding(Finding::Unfounded) => found(words::Finding::Unfounded),
        Outcome::Finding(Finding::Exonerated) => found(words::Finding::Exonerated),
        Outcome::Closed(reason) => Some((
            words::Finding::Closed,
            match reason {
                ClosingReason::Withdrawn => words::ClosingReason::Withdrawn,
                ClosingReason::NoCooperation => words::ClosingReason::NoCooperation,
                ClosingReason::LimitationExpired => words::ClosingReason::LimitationExpired,
                ClosingReason::Duplicate => words::ClosingReason::Duplicate,
                ClosingReason::Transferred => words::ClosingReason::Transferred,
                ClosingReason::Void => words::ClosingReason::Void,
                ClosingReason::Other => words::ClosingReason::Other,
            },
        )),
        Outcome::Pending => None,
    }
}
