//! From a request of the contract to a command on a case, and from what was written back to the response; the same
//! for gRPC and queue. A field that breaks a rule is noted with its path, so that a caller learns of all at once.

use std::collections::BTreeSet;

use chassis::hexadecimal;
use chassis::request::{Answered, Reading, Request};
use office::{ActorId, CaseId};
use proto::office as o;
use proto::verification as v1;

use super::harm::subject_harm;
use crate::Verification;
use crate::case::{
    Case, ClosingReason, Command, Event, EvidenceItem, EvidenceKind, Found, Outcome,
    ProposedFinding, State,
};

/// The longest local word, in characters: a word, not a narrative.
const LONGEST_WORD: usize = 64;

/// A request about a case whose answer is the case's id and version.
macro_rules! about_a_case {
    ($request:ident, $method:literal, $response:ident, |$self:ident, $reading:ident| $command:expr) => {
        impl Request<Verification> for v1::$request {
            const METHOD: &'static str = $method;
            type Aggregate = Case;
            type Response = v1::$response;

            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn read($self, $reading: &mut Reading<'_>) -> Command {
                let _: CaseId = $reading.about("case_id", &$self.case_id);
                $command
            }

            fn answer(answered: &Answered<'_, Case>) -> v1::$response {
                v1::$response {
                    case_id: answered.id.to_string(),
                    version: answered.version,
                }
            }
        }
    };
}

about_a_case!(
    AssignInvestigatorsRequest,
    "AssignInvestigators",
    AssignInvestigatorsResponse,
    |self, reading| Command::AssignInvestigators {
        investigators: investigators(&self.investigators, reading),
    }
);

about_a_case!(
    DeclareConflictRequest,
    "DeclareConflict",
    DeclareConflictResponse,
    |self, reading| Command::DeclareConflict {
        reason: reading.text("reason", &self.reason),
    }
);

about_a_case!(
    ProposeFindingsRequest,
    "ProposeFindings",
    ProposeFindingsResponse,
    |self, reading| Command::ProposeFindings {
        findings: (0..)
            .zip(&self.findings)
            .map(|(index, finding)| proposed_finding(index, finding, reading))
            .collect(),
        harms: (0..)
            .zip(&self.harms)
            .map(|(index, harm)| subject_harm(index, harm, reading))
            .collect(),
    }
);

about_a_case!(
    ReturnFindingsRequest,
    "ReturnFindings",
    ReturnFindingsResponse,
    |self, reading| Command::ReturnFindings {
        reason: reading.text("reason", &self.reason),
    }
);

about_a_case!(
    SuspendCaseRequest,
    "SuspendCase",
    SuspendCaseResponse,
    |self, reading| Command::SuspendCase {
        reason: reading.code("reason", &self.reason),
    }
);

about_a_case!(
    ResumeCaseRequest,
    "ResumeCase",
    ResumeCaseResponse,
    |self, _reading| Command::ResumeCase
);

about_a_case!(
    DiscontinueCaseRequest,
    "DiscontinueCase",
    DiscontinueCaseResponse,
    |self, reading| Command::DiscontinueCase {
        reason: reading.code("reason", &self.reason),
    }
);

about_a_case!(
    ReopenCaseRequest,
    "ReopenCase",
    ReopenCaseResponse,
    |self, reading| Command::ReopenCase {
        reason: reading.code("reason", &self.reason),
    }
);

impl Request<Verification> for v1::RecordEvidenceRequest {
    const METHOD: &'static str = "RecordEvidence";
    type Aggregate = Case;
    type Response = v1::RecordEvidenceResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        let _: CaseId = reading.about("case_id", &self.case_id);
        if self.evidence.is_empty() {
            reading.violation("evidence", "must hold at least one item");
        }
        let items = (0..)
            .zip(&self.evidence)
            .map(|(index, item)| evidence_item(index, item, reading))
            .collect();
        Command::RecordEvidence { items }
    }

    fn answer(answered: &Answered<'_, Case>) -> v1::RecordEvidenceResponse {
        let recorded = answered.events.iter().filter_map(|event| match event {
            Event::EvidenceRecorded(recorded) => Some(&recorded.items),
            _ => None,
        });
        v1::RecordEvidenceResponse {
            case_id: answered.id.to_string(),
            version: answered.version,
            evidence_ids: recorded.flatten().map(|item| item.id.to_string()).collect(),
        }
    }
}

impl Request<Verification> for v1::ApproveFindingsRequest {
    const METHOD: &'static str = "ApproveFindings";
    type Aggregate = Case;
    type Response = v1::ApproveFindingsResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        let _: CaseId = reading.about("case_id", &self.case_id);
        Command::ApproveFindings
    }

    fn answer(answered: &Answered<'_, Case>) -> v1::ApproveFindingsResponse {
        let written = answered.events.iter().find_map(|event| match event {
            Event::Concluded(concluded) => Some(concluded.number),
            _ => None,
        });
        let number = written.or_else(|| match answered.already_so.as_ref()? {
            State::Concluded { dossier, .. } => Some(dossier.conclusions),
            _ => None,
        });
        v1::ApproveFindingsResponse {
            case_id: answered.id.to_string(),
            version: answered.version,
            number: number.unwrap_or_default(),
        }
    }
}

/// The investigators, each once. Services investigate nothing.
fn investigators(given: &[String], reading: &mut Reading<'_>) -> Vec<ActorId> {
    let mut seen = BTreeSet::new();
    let mut investigators = Vec::with_capacity(given.len());
    for (index, id) in given.iter().enumerate() {
        let field = format!("investigators[{index}]");
        if id.is_empty() {
            reading.violation(field, "must be an actor id");
            continue;
        }
        let Some(actor) = reading.optional_actor(&field, id) else {
            continue;
        };
        if actor.is_service() {
            reading.violation(field, "must be a person's actor id");
        } else if !seen.insert(actor.clone()) {
            reading.violation(field, "is named already; name each investigator once");
        }
        investigators.push(actor);
    }
    investigators
}

fn evidence_item(
    index: usize,
    item: &v1::EvidenceInput,
    reading: &mut Reading<'_>,
) -> EvidenceItem {
    let field = |name: &str| format!("evidence[{index}].{name}");
    let kind = match item.kind() {
        v1::EvidenceKind::Unspecified => None,
        v1::EvidenceKind::Document => Some(EvidenceKind::Document),
        v1::EvidenceKind::Testimony => Some(EvidenceKind::Testimony),
        v1::EvidenceKind::Recording => Some(EvidenceKind::Recording),
        v1::EvidenceKind::Physical => Some(EvidenceKind::Physical),
        v1::EvidenceKind::Expert => Some(EvidenceKind::Expert),
        v1::EvidenceKind::Register => Some(EvidenceKind::Register),
    };
    if item.obtained_on.is_empty() {
        reading.violation(field("obtained_on"), "must be given");
    }
    EvidenceItem {
        kind: reading.choice(&field("kind"), kind),
        description: reading.text(&field("description"), &item.description),
        obtained_on: reading
            .date(&field("obtained_on"), &item.obtained_on)
            .unwrap_or_default(),
        attachment: attachment(
            &field("attachment_digest"),
            &item.attachment_digest,
            reading,
        ),
    }
}

/// A SHA-256 in hexadecimal; `None` if empty.
fn attachment(field: &str, digest: &str, reading: &mut Reading<'_>) -> Option<String> {
    if digest.is_empty() {
        return None;
    }
    let bytes = hexadecimal::decode(digest).filter(|bytes| bytes.len() == 32);
    if bytes.is_none() {
        reading.violation(field, "must be a SHA-256 in hexadecimal, 64 digits");
    }
    bytes.map(|bytes| hexadecimal::encode(&bytes))
}

fn proposed_finding(
    index: usize,
    finding: &v1::FindingInput,
    reading: &mut Reading<'_>,
) -> ProposedFinding {
    let field = |name: &str| format!("findings[{index}].{name}");
    let reason = closing_reason(finding.closing_reason());
    let outcome = match finding.finding() {
        o::Finding::Unspecified => None,
        o::Finding::Substantiated => Some(Outcome::Substantiated),
        o::Finding::Unsubstantiated => Some(Outcome::Unsubstantiated),
        o::Finding::Unfounded => Some(Outcome::Unfounded),
        o::Finding::Exonerated => Some(Outcome::Exonerated),
        o::Finding::Closed => Some(Outcome::Closed(
            reading.choice(&field("closing_reason"), reason),
        )),
    };
    if finding.finding() != o::Finding::Closed && finding.closing_reason != 0 {
        reading.violation(
            field("closing_reason"),
            "must be given for a finding of closed only",
        );
    }
    let word = &finding.local_word;
    if word.chars().count() > LONGEST_WORD || word.chars().any(char::is_control) {
        reading.violation(
            field("local_word"),
            "must be at most 64 characters without line breaks",
        );
    }
    ProposedFinding {
        allegation: reading.id(&field("allegation_id"), &finding.allegation_id),
        found: Found {
            outcome: reading.choice(&field("finding"), outcome),
            local_word: word.clone(),
            evidence: finding
                .evidence_ids
                .iter()
                .enumerate()
                .map(|(at, id)| reading.id(&field(&format!("evidence_ids[{at}]")), id))
                .collect(),
        },
    }
}

fn closing_reason(told: o::ClosingReason) -> Option<ClosingReason> {
    Some(match told {
        o::ClosingReason::Unspecified => return None,
        o::ClosingReason::Withdrawn => ClosingReason::Withdrawn,
        o::ClosingReason::NoCooperation => ClosingReason::NoCooperation,
        o::ClosingReason::LimitationExpired => ClosingReason::LimitationExpired,
        o::ClosingReason::Duplicate => ClosingReason::Duplicate,
        o::ClosingReason::Transferred => ClosingReason::Transferred,
        o::ClosingReason::Void => ClosingReason::Void,
        o::ClosingReason::Other => ClosingReason::Other,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chassis::aggregate::Aggregate as _;
    use chassis::testing::given;
    use office::Actor;

    use super::*;
    use crate::case::case_of;
    use crate::case::fixture::{EVIDENCE, concluded, id, investigator, opened, recorded};

    const REQUEST: &str = "00000000-0000-0000-0000-0000000000aa";

    fn read<R: Request<Verification, Aggregate = Case>>(
        request: R,
    ) -> Result<(uuid::Uuid, usize, Command), Vec<String>> {
        let setting = given::<Case>();
        let actor: Actor = investigator("chen");
        let profile = &setting.context().profile;
        let id = request.request_id().to_owned();
        let mut reading = Reading::new(&actor, profile, R::METHOD, &id);
        let command = request.read(&mut reading);
        reading
            .finish()
            .map(|(case, _, texts)| (case, texts.len(), command))
            .map_err(|violations| violations.into_iter().map(|v| v.field).collect())
    }

    fn case() -> String {
        case_of(id(0x10)).to_string()
    }

    fn finding(number: u128, finding: o::Finding, reason: o::ClosingReason) -> v1::FindingInput {
        v1::FindingInput {
            allegation_id: uuid::Uuid::from_u128(number).to_string(),
            finding: finding.into(),
            closing_reason: reason.into(),
            local_word: "查无实据".to_owned(),
            evidence_ids: vec![uuid::Uuid::from_u128(EVIDENCE).to_string()],
        }
    }

    #[test]
    fn all_violations_of_a_proposal_are_told_with_their_paths() {
        let mut wordy = finding(1, o::Finding::Closed, o::ClosingReason::Unspecified);
        wordy.local_word = "a\nb".to_owned();
        let mut astray = finding(2, o::Finding::Unspecified, o::ClosingReason::Void);
        astray.allegation_id.clear();
        astray.evidence_ids.push("E-1".to_owned());
        let fields = read(v1::ProposeFindingsRequest {
            request_id: "1".to_owned(),
            case_id: String::new(),
            findings: vec![wordy, astray],
            harms: vec![o::SubjectHarm::default()],
        })
        .expect_err("much is wrong");
        assert_eq!(
            fields,
            [
                "request_id",
                "case_id",
                "findings[0].closing_reason",
                "findings[0].local_word",
                "findings[1].closing_reason",
                "findings[1].allegation_id",
                "findings[1].finding",
                "findings[1].evidence_ids[1]",
                "harms[0].subject_id",
                "harms[0].harms",
            ]
        );
    }

    #[test]
    fn a_closed_finding_has_a_reason_and_the_local_word_is_kept() {
        let (about, _, command) = read(v1::ProposeFindingsRequest {
            request_id: REQUEST.to_owned(),
            case_id: case(),
            findings: vec![finding(1, o::Finding::Closed, o::ClosingReason::Void)],
            harms: Vec::new(),
        })
        .expect("it is right");
        assert_eq!(about, case_of(id(0x10)).uuid());
        let Command::ProposeFindings { findings, .. } = command else {
            panic!("findings are proposed, not {command:?}");
        };
        assert_eq!(
            findings[0].found.outcome,
            Outcome::Closed(ClosingReason::Void)
        );
        assert_eq!(findings[0].found.local_word, "查无实据");
    }

    /// The hash of a request is that of its command, so that a repeat from before harm was told is still known again.
    #[test]
    fn a_proposal_without_harm_is_written_as_before_there_was_any() {
        let (_, _, command) = read(v1::ProposeFindingsRequest {
            request_id: REQUEST.to_owned(),
            case_id: case(),
            findings: vec![finding(
                1,
                o::Finding::Unfounded,
                o::ClosingReason::Unspecified,
            )],
            harms: Vec::new(),
        })
        .expect("it is right");
        let written = serde_json::to_value(&command).expect("a command is JSON");
        let asked = written["propose_findings"].as_object().expect("an object");
        assert_eq!(asked.keys().collect::<Vec<_>>(), ["findings"]);
    }

    #[test]
    fn investigators_are_different_people() {
        let ids = ["chen", "chen", "", "li wei", "service:intake", "lin"];
        let fields = read(v1::AssignInvestigatorsRequest {
            request_id: REQUEST.to_owned(),
            case_id: case(),
            investigators: ids.map(str::to_owned).to_vec(),
        })
        .expect_err("some are not");
        let expected = [1, 2, 3, 4].map(|index| format!("investigators[{index}]"));
        assert_eq!(fields, expected);
    }

    #[test]
    fn what_evidence_is_stays_a_text_beside_the_command() {
        let item = v1::EvidenceInput {
            kind: v1::EvidenceKind::Testimony.into(),
            description: "what a neighbour saw".to_owned(),
            obtained_on: "2026-03-06".to_owned(),
            attachment_digest: "AB".repeat(32),
        };
        let request = |evidence| v1::RecordEvidenceRequest {
            request_id: REQUEST.to_owned(),
            case_id: case(),
            evidence,
        };
        let (_, texts, command) = read(request(vec![item.clone(), item])).expect("it is right");
        assert_eq!(texts, 2);
        let stored = serde_json::to_string(&command).expect("a command is JSON");
        assert!(!stored.contains("neighbour"));
        assert!(stored.contains(&"ab".repeat(32)));

        let bare = v1::EvidenceInput {
            attachment_digest: "ab".to_owned(),
            ..v1::EvidenceInput::default()
        };
        let fields = read(request(vec![bare])).expect_err("nothing is given");
        assert_eq!(
            fields,
            ["obtained_on", "kind", "description", "attachment_digest"]
                .map(|name| format!("evidence[0].{name}"))
        );
        assert_eq!(read(request(Vec::new())), Err(vec!["evidence".to_owned()]));
    }

    #[test]
    fn a_conflict_has_a_reason() {
        let fields = read(v1::DeclareConflictRequest {
            request_id: REQUEST.to_owned(),
            case_id: case(),
            reason: " ".to_owned(),
        });
        assert_eq!(fields, Err(vec!["reason".to_owned()]));
    }

    #[test]
    fn an_answer_tells_what_the_command_wrote_or_what_was_so_already() {
        let setting = given::<Case>();
        let answered = |events| Answered {
            id: case_of(id(0x10)).uuid(),
            version: 5,
            command: Arc::new(Command::ApproveFindings),
            events,
            already_so: None,
            request_id: id(0xaa),
            secrets: &setting.context().secrets,
        };
        let approved = v1::ApproveFindingsRequest::answer(&answered(vec![concluded(2)]));
        assert_eq!((approved.number, approved.version), (2, 5));
        let mut state = State::default();
        for event in [opened(), concluded(2)] {
            Case::evolve(&mut state, &event);
        }
        let already = Answered {
            already_so: Some(state),
            ..answered(Vec::new())
        };
        let again = v1::ApproveFindingsRequest::answer(&already);
        assert_eq!(again, approved);
        let written = v1::RecordEvidenceRequest::answer(&answered(vec![recorded()]));
        let expected = uuid::Uuid::from_u128(EVIDENCE).to_string();
        assert_eq!(written.evidence_ids, [expected]);
    }
}
