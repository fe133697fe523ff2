//! What other services are told: private event → at most one public event of the contract. One way, pure.
//!
//! Not told: what departments and the subject said or applied for, forms that were only decided, drafts. A public event needs nothing
//! that its private one does not hold, because it is made again from the journal whenever a follower asks for it.

use chassis::aggregate::Announcement;
use office::ClarificationId;
use proto::clarification as v1;
use proto::office as o;

use crate::clarification::Event;
use crate::clarification::candidacy::{Candidacy, Opened};
use crate::clarification::course::TakenUp;
use crate::clarification::forms::Form;
use crate::conclusion::SubjectKind;

/// The public event of a private one.
pub(crate) fn announce(clarification: ClarificationId, event: &Event) -> Option<Announcement> {
    let clarification_id = clarification.to_string();
    match event {
        Event::Opened(Opened(candidacy)) | Event::TakenUp(TakenUp(candidacy)) => {
            Some(candidate(clarification_id, candidacy))
        }
        Event::CarriedOut(carried_out) => Some(Announcement::of(
            "ClarificationCarriedOut",
            &v1::ClarificationCarriedOut {
                clarification_id,
                matter_id: carried_out.matter.to_string(),
                subject_id: carried_out.subject.id.to_string(),
                subject_kind: subject_kind(carried_out.subject.kind).into(),
                source: carried_out.source.clone(),
                unit: carried_out.unit.to_string(),
                form: form(carried_out.form).into(),
                carried_out_on: carried_out.execution.on.to_string(),
                conclusion: carried_out.execution.rests_on.conclusion,
            },
        )),
        Event::Confirmed(confirmed) => Some(Announcement::of(
            "ClarificationConfirmed",
            &v1::ClarificationConfirmed {
                clarification_id,
                matter_id: confirmed.matter.to_string(),
                subject_id: confirmed.subject.to_string(),
                source: confirmed.source.clone(),
            },
        )),
        Event::Halted(halted) => Some(Announcement::of(
            "ClarificationHalted",
            &v1::ClarificationHalted {
                clarification_id,
                matter_id: halted.matter.to_string(),
                subject_id: halted.subject.to_string(),
                source: halted.source.clone(),
                conclusion: halted.conclusion,
            },
        )),
        Event::Superseded(superseded) => Some(Announcement::of(
            "ClarificationSuperseded",
            &v1::ClarificationSuperseded {
                clarification_id,
                matter_id: superseded.matter.to_string(),
                subject_id: superseded.subject.id.to_string(),
                source: superseded.source.clone(),
                conclusion: superseded.conclusion,
            },
        )),
        Event::ConflictDeclared(declared) => Some(Announcement::of(
            "ActorsRecused",
            &v1::ActorsRecused {
                clarification_id,
                matter_id: declared.matter.to_string(),
                actor_ids: vec![declared.actor.to_string()],
            },
        )),
        Event::AppliedFor(_)
        | Event::ApplicationRecorded(_)
        | Event::ReasonsLearned(_)
        | Event::RulingHeard(_)
        | Event::ActorsRecused(_)
        | Event::OpinionRecorded(_)
        | Event::ObjectionWithdrawn(_)
        | Event::WishRecorded(_)
        | Event::FoundUnreachable(_)
        | Event::FormDecided(_)
        | Event::StatementDrafted(_)
        | Event::DraftReturned(_)
        | Event::Approved(_)
        | Event::ExecutionNear(_)
        | Event::ExecutionOverdue(_)
        | Event::CalledToMeeting(_)
        | Event::MeetingAnswered(_)
        | Event::LedgerNumbered(_)
        | Event::PersonnelReminded(_)
        | Event::RemovalDue(_)
        | Event::DocumentsRendered(_) => None,
    }
}

fn candidate(clarification_id: String, candidacy: &Candidacy) -> Announcement {
    Announcement::of(
        "CandidateOpened",
        &v1::CandidateOpened {
            clarification_id,
            matter_id: candidacy.matter.to_string(),
            subject_id: candidacy.subject.id.to_string(),
            subject_kind: subject_kind(candidacy.subject.kind).into(),
            source: candidacy.source.clone(),
            unit: candidacy.clearance.unit.to_string(),
            conclusion: candidacy.clearance.conclusion,
        },
    )
}

/// A subject's kind in the words of the contract.
pub(crate) fn subject_kind(kind: SubjectKind) -> o::SubjectKind {
    match kind {
        SubjectKind::Person => o::SubjectKind::Person,
        SubjectKind::Organisation => o::SubjectKind::Organisation,
    }
}

/// A form in the words of the contract.
pub(crate) fn form(form: Form) -> o::ClarificationForm {
    match form {
        Form::Written => o::ClarificationForm::Written,
        Form::InPerson => o::ClarificationForm::InPerson,
        Form::Meeting => o::ClarificationForm::Meeting,
        Form::Bulletin => o::ClarificationForm::Bulletin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clarification::fixture::{
        a_draft, an_execution, an_opening, clarification, confirmed_by, id, wish_heard,
    };

    fn told(event: &Event) -> Option<(&'static str, serde_json::Value)> {
        let announcement = announce(clarification(), event)?;
        let body = serde_json::from_slice(&announcement.body).expect("a message is JSON");
        Some((announcement.name, body))
    }

    #[test]
    fn a_carried_out_one_tells_unit_form_day_and_conclusion() {
        let (name, body) = told(&an_execution(Form::Meeting)).expect("it is public");
        assert_eq!(name, "ClarificationCarriedOut");
        assert_eq!(body["unit"], "P51-01");
        assert_eq!(body["form"], "CLARIFICATION_FORM_MEETING");
        assert_eq!(body["carriedOutOn"], "2026-03-09");
        assert_eq!(body["conclusion"], 1);
        assert_eq!(body["subjectKind"], "SUBJECT_KIND_PERSON");
    }

    #[test]
    fn every_announcement_names_clarification_matter_subject_and_source() {
        for event in [
            an_opening(),
            an_execution(Form::Written),
            confirmed_by("petra"),
        ] {
            let (name, body) = told(&event).expect("it is public");
            assert_eq!(
                body["clarificationId"],
                clarification().to_string(),
                "{name}"
            );
            assert_eq!(body["matterId"], id::<uuid::Uuid>(0x10).to_string());
            assert_eq!(body["subjectId"], id::<uuid::Uuid>(0x30).to_string());
            assert_eq!(body["source"], "register");
            assert!(proto::events_of("clarification").contains(&name));
        }
    }

    #[test]
    fn what_is_only_prepared_stays_in_the_house() {
        assert_eq!(told(&a_draft()), None);
        assert_eq!(told(&wish_heard(&[])), None);
    }
}
