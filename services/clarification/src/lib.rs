//! Clarification clears in public the name of those wrongly accused (`domain.md`, Clarification).
//!
//! What the service has, a line each, stands in [`clarification()`]. To add something: an event with its sample in
//! `tests/stored`, a command with its decision in the room of its heading, a request in `api/requests.rs`, a view in
//! `views.rs` with its table in `migrations`; then its line here. Whatever is wired to nothing is found when the service
//! starts.

mod announcements;
mod api;
pub mod clarification;
pub mod conclusion;
mod facts;
pub mod integrity;
pub mod ledger;
pub mod matter;
pub mod meeting;
mod press;
pub mod printing;
mod reactions;
mod views;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod stored;

use chassis::Blueprint;
use proto::clarification as v1;

/// The service's marker: which requests are its own.
#[derive(Clone, Copy, Debug)]
pub struct ClarificationOffice;

/// What the service has.
pub fn clarification() -> Blueprint {
    Blueprint::new("clarification", sqlx::migrate!("./migrations"))
        .aggregate::<matter::Matter>()
        .aggregate::<clarification::Clarification>()
        .aggregate::<meeting::Meeting>()
        .aggregate::<ledger::Ledger>()
        .aggregate::<integrity::IntegrityFile>()
        .request::<ClarificationOffice, v1::ApplyForClarificationRequest>()
        .request::<ClarificationOffice, v1::RecordOpinionRequest>()
        .request::<ClarificationOffice, v1::WithdrawObjectionRequest>()
        .request::<ClarificationOffice, v1::RecordWishRequest>()
        .request::<ClarificationOffice, v1::RecordUnreachableRequest>()
        .request::<ClarificationOffice, v1::DecideFormRequest>()
        .request::<ClarificationOffice, v1::DraftStatementRequest>()
        .request::<ClarificationOffice, v1::ReturnDraftRequest>()
        .request::<ClarificationOffice, v1::ApproveClarificationRequest>()
        .request::<ClarificationOffice, v1::CarryOutClarificationRequest>()
        .request::<ClarificationOffice, v1::ConveneMeetingRequest>()
        .request::<ClarificationOffice, v1::CancelMeetingRequest>()
        .request::<ClarificationOffice, v1::HoldMeetingRequest>()
        .request::<ClarificationOffice, v1::ConfirmClarificationRequest>()
        .request::<ClarificationOffice, v1::DeclareClarificationConflictRequest>()
        .internal(&["LearnMatter", "LearnReport", "LearnIdentity", "LearnMove"])
        .internal(&["LearnConclusion", "LearnReopening", "LearnSanction"])
        .internal(&["LearnExemption", "LearnRecusal", "RecuseFromIntegrityFile"])
        .internal(&["LearnApplicant", "LearnNotCleared"])
        .internal(&[
            "FollowRuling",
            "RecuseFromMatter",
            "RecuseFromClarification",
        ])
        .internal(&["CallToMeeting", "ClearAtMeeting"])
        .internal(&["NoteMeetingOutcome", "RecuseFromMeeting"])
        .internal(&["EnterInLedger", "NoteLedgerNumber", "EnterInIntegrityFile"])
        .internal(&["RenderDocuments", "RenderMeetingDocuments"])
        .internal(&["WarnExecutionDue", "RecordExecutionOverdue"])
        .internal(&["RemindPersonnel", "AskForRemoval"])
        .questions(&["GetClarification", "ListClarifications", "ListLedger"])
        .questions(&["GetMeeting", "ListMeetings"])
        .questions(&["GetIntegrityFile", "GetText", "GetStatistics"])
        .questions(&["GetDocument"])
        .equipped::<press::Press>()
        .follows("intake", reactions::INTAKE)
        .follows("verification", reactions::VERIFICATION)
        .follows("follow_up", reactions::FOLLOW_UP)
        .view::<views::Clarifications>()
        .view::<views::meetings::Meetings>()
        .serves(api::routes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_is_wired_to_nothing() {
        let policies = office::Policies::shipped().expect("the shipped policy loads");
        assert_eq!(
            super::clarification().faults(&policies),
            Vec::<String>::new()
        );
    }

    /// Design.md: SQL outside `views.rs` never, and in a pure room neither a clock nor a random id.
    #[test]
    fn sql_stands_in_the_views_and_nowhere_else() {
        let sources = [
            include_str!("announcements.rs"),
            include_str!("api.rs"),
            include_str!("api/requests.rs"),
            include_str!("api/requests/meetings.rs"),
            include_str!("api/shown.rs"),
            include_str!("api/shown/meetings.rs"),
            include_str!("clarification.rs"),
            include_str!("clarification/afterwards.rs"),
            include_str!("clarification/applying.rs"),
            include_str!("clarification/approval.rs"),
            include_str!("clarification/at_meeting.rs"),
            include_str!("clarification/candidacy.rs"),
            include_str!("clarification/carrying_out.rs"),
            include_str!("clarification/course.rs"),
            include_str!("clarification/deadlines.rs"),
            include_str!("clarification/dossier.rs"),
            include_str!("clarification/drafting.rs"),
            include_str!("clarification/forms.rs"),
            include_str!("clarification/recusing.rs"),
            include_str!("clarification/rendering.rs"),
            include_str!("clarification/screening.rs"),
            include_str!("clarification/unreachable.rs"),
            include_str!("clarification/waiting.rs"),
            include_str!("clarification/wish.rs"),
            include_str!("conclusion.rs"),
            include_str!("facts.rs"),
            include_str!("integrity.rs"),
            include_str!("ledger.rs"),
            include_str!("matter.rs"),
            include_str!("matter/applicants.rs"),
            include_str!("matter/learning.rs"),
            include_str!("matter/on_record.rs"),
            include_str!("matter/ruling.rs"),
            include_str!("meeting.rs"),
            include_str!("meeting/convening.rs"),
            include_str!("meeting/holding.rs"),
            include_str!("meeting/rendering.rs"),
            include_str!("press.rs"),
            include_str!("printing.rs"),
            include_str!("reactions.rs"),
        ];
        for word in ["sqlx::query", "Uuid::new_", "Timestamp::now"] {
            assert!(
                sources.iter().all(|source| !source.contains(word)),
                "{word}"
            );
        }
    }
}
