//! The matters' side of the contract.

use chassis::request::{Answered, Reading, Request};
use office::ClarificationId;
use proto::intake::{
    Candidate, CaseState, ClarificationState, IdentifySubjectRequest, IdentifySubjectResponse,
    Matter as Shown, MatterClarification, RaiseLevelRequest, RaiseLevelResponse,
};
use uuid::Uuid;

use crate::matter::clarification::{Clarification, ClarificationStage};
use crate::matter::progress::CaseStage;
use crate::matter::{Command, Event, Matter, Open, State};
use crate::report::Filed;
use crate::views::CandidateRow;
use crate::{Intake, announcements};

impl Request<Intake> for IdentifySubjectRequest {
    const METHOD: &'static str = "IdentifySubject";
    type Aggregate = Matter;
    type Response = IdentifySubjectResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        reading.about::<Uuid>("matter_id", &self.matter_id);
        Command::IdentifySubject {
            placeholder: reading.id("placeholder_id", &self.placeholder_id),
            subject: reading.id("subject_id", &self.subject_id),
            reason: reading.text("reason", &self.reason),
        }
    }

    fn answer(answered: &Answered<'_, Matter>) -> IdentifySubjectResponse {
        IdentifySubjectResponse {
            matter_id: answered.id.to_string(),
            version: answered.version,
        }
    }
}

impl Request<Intake> for RaiseLevelRequest {
    const METHOD: &'static str = "RaiseLevel";
    type Aggregate = Matter;
    type Response = RaiseLevelResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        reading.about::<Uuid>("matter_id", &self.matter_id);
        Command::RaiseLevel {
            reason: reading.text("reason", &self.reason),
        }
    }

    fn answer(answered: &Answered<'_, Matter>) -> RaiseLevelResponse {
        let raised = answered.events.iter().find_map(|event| match event {
            Event::LevelRaised(raised) => Some(&raised.to),
            _ => None,
        });
        let known = answered.already_so.as_ref().and_then(State::open);
        let unit = raised.or(known.map(|open| &open.unit));
        RaiseLevelResponse {
            matter_id: answered.id.to_string(),
            version: answered.version,
            unit: unit.map(ToString::to_string).unwrap_or_default(),
        }
    }
}

/// A matter as the contract shows it.
pub(super) fn shown(id: Uuid, version: i64, open: &Open) -> Shown {
    Shown {
        matter_id: id.to_string(),
        version,
        source: open.source.clone(),
        unit: open.unit.to_string(),
        report_ids: open.reports.iter().map(ToString::to_string).collect(),
        allegations: announcements::allegations(&open.allegations, &open.subjects),
        case_state: stage(open.case.stage).into(),
        conclusion: i32::try_from(open.case.conclusion).unwrap_or(i32::MAX),
        reasons: open.reasons.iter().map(super::text_ref).collect(),
        clarifications: open.clarifications.iter().map(clarification).collect(),
        raised: open.raised.iter().map(super::text_ref).collect(),
    }
}

fn clarification((id, known): (&ClarificationId, &Clarification)) -> MatterClarification {
    MatterClarification {
        clarification_id: id.to_string(),
        subject_id: known.subject.to_string(),
        state: match known.stage {
            ClarificationStage::CarriedOut => ClarificationState::CarriedOut,
            ClarificationStage::Halted => ClarificationState::Halted,
            ClarificationStage::Superseded => ClarificationState::Superseded,
        }
        .into(),
    }
}

/// What the reporter of one of its reports sees of a matter: how far its case is, and how many names are cleared.
pub(super) fn seen_by_reporter(state: &State, report: &Filed) -> (CaseState, i32) {
    let Some(open) = state.open() else {
        return (CaseState::Unspecified, 0);
    };
    let cleared = i32::try_from(open.names_cleared(report)).unwrap_or(i32::MAX);
    (stage(open.case.stage), cleared)
}

fn stage(stage: CaseStage) -> CaseState {
    match stage {
        CaseStage::Unheard => CaseState::Unspecified,
        CaseStage::Opened => CaseState::Opened,
        CaseStage::Concluded => CaseState::Concluded,
        CaseStage::Reopened => CaseState::Reopened,
        CaseStage::Discontinued => CaseState::Discontinued,
    }
}

/// A candidate of the repeat ledger in the contract's words.
pub(super) fn candidate(row: CandidateRow) -> Candidate {
    let known = [
        CaseStage::Opened,
        CaseStage::Concluded,
        CaseStage::Reopened,
        CaseStage::Discontinued,
    ];
    let found = known
        .into_iter()
        .find(|known| known.code() == row.case_state);
    Candidate {
        matter_id: row.id.to_string(),
        score: row.score,
        unit: row.unit,
        case_state: stage(found.unwrap_or_default()).into(),
        reports: row.reports,
    }
}
