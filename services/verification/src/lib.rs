//! Verification establishes the facts, allegation by allegation (`domain.md`, Verification).
//!
//! What the service has, a line each, stands in [`verification`]. To add something: an event in `case/events.rs` with
//! its sample in `tests/stored`, a command in [`case::Command`] with its decision in the room of its heading, a request
//! in `api/requests.rs`, a view in `views.rs` with its table in `migrations`; then its line here. Whatever is wired to
//! nothing is found when the service starts.

mod announcements;
mod api;
pub mod case;
mod facts;
mod reactions;
mod views;

use chassis::Blueprint;
use chassis::reaction::on;
use proto::verification as v1;

/// The service's marker: which requests are its own.
#[derive(Clone, Copy, Debug)]
pub struct Verification;

/// What the service has.
pub fn verification() -> Blueprint {
    Blueprint::new("verification", sqlx::migrate!("./migrations"))
        .aggregate::<case::Case>()
        .request::<Verification, v1::AssignInvestigatorsRequest>()
        .request::<Verification, v1::DeclareConflictRequest>()
        .request::<Verification, v1::RecordEvidenceRequest>()
        .request::<Verification, v1::ProposeFindingsRequest>()
        .request::<Verification, v1::ReturnFindingsRequest>()
        .request::<Verification, v1::ApproveFindingsRequest>()
        .request::<Verification, v1::SuspendCaseRequest>()
        .request::<Verification, v1::ResumeCaseRequest>()
        .request::<Verification, v1::DiscontinueCaseRequest>()
        .request::<Verification, v1::ReopenCaseRequest>()
        .internal(&["OpenCase", "AddAllegations", "IdentifyInCase"])
        .internal(&["WarnCaseDue", "RecordCaseOverdue"])
        .questions(&["GetCase", "ListCases", "GetText", "GetStatistics"])
        .follows(
            "intake",
            &[
                on("MatterOpened", reactions::open_case),
                on("ReportJoined", reactions::add_allegations),
                on("SubjectIdentified", reactions::identify_in_case),
            ],
        )
        .view::<views::Cases>()
        .serves(api::routes)
}
