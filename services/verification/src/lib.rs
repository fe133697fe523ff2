//! Verification establishes the facts, allegation by allegation (`domain.md`, Verification).
//!
//! What the service has, a line each, stands in [`verification`]. To add something: an event in `case/events.rs` with
//! its sample in `tests/stored`, a command in [`case::Command`] with its decision in the room of its heading (or in
//! [`sanctions`], what is about a person over all cases), a request in `api/requests.rs`, a view in `views.rs` with its table in `migrations`; then its line here. Whatever is wired to
//! nothing is found when the service starts.

mod announcements;
mod api;
pub mod case;
mod facts;
mod reactions;
pub mod sanctions;
#[cfg(test)]
mod stored;
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
        .aggregate::<sanctions::Sanctions>()
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
        .request::<Verification, v1::ProposeToleranceRequest>()
        .request::<Verification, v1::ReturnToleranceRequest>()
        .request::<Verification, v1::ApproveToleranceRequest>()
        .request::<Verification, v1::RecordSanctionRequest>()
        .internal(&["OpenCase", "AddAllegations", "IdentifyInCase", "MoveCase"])
        .internal(&["RecuseFromCase", "WarnCaseDue", "RecordCaseOverdue"])
        .questions(&[
            "GetCase",
            "ListCases",
            "GetSanctions",
            "GetText",
            "GetStatistics",
        ])
        .follows(
            "intake",
            &[
                on("MatterOpened", reactions::open_case),
                on("ReportJoined", reactions::add_allegations),
                on("SubjectIdentified", reactions::identify_in_case),
                on("MatterMoved", reactions::move_case),
                on("ActorsRecused", reactions::recuse_from_case),
            ],
        )
        .view::<views::Cases>()
        .view::<views::SanctionedPersons>()
        .serves(api::routes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_is_wired_to_nothing() {
        let policies = office::Policies::shipped().expect("the shipped policy loads");
        assert_eq!(
            super::verification().faults(&policies),
            Vec::<String>::new()
        );
    }

    /// Design.md: SQL outside `views.rs` never, and in a pure room neither a clock nor a random id.
    #[test]
    fn sql_stands_in_the_views_and_nowhere_else() {
        let sources = [
            include_str!("announcements.rs"),
            include_str!("api.rs"),
            include_str!("api/harm.rs"),
            include_str!("api/requests.rs"),
            include_str!("api/sanctions.rs"),
            include_str!("api/tolerance.rs"),
            include_str!("case.rs"),
            include_str!("case/course.rs"),
            include_str!("case/events.rs"),
            include_str!("case/findings.rs"),
            include_str!("case/harm.rs"),
            include_str!("case/investigation.rs"),
            include_str!("case/moving.rs"),
            include_str!("case/opening.rs"),
            include_str!("facts.rs"),
            include_str!("reactions.rs"),
            include_str!("sanctions.rs"),
            include_str!("sanctions/assessing.rs"),
            include_str!("sanctions/impact.rs"),
            include_str!("sanctions/preceding.rs"),
            include_str!("sanctions/recording.rs"),
            include_str!("sanctions/tolerance.rs"),
        ];
        for word in ["sqlx::query", "Uuid::new_", "Timestamp::now"] {
            assert!(
                sources.iter().all(|source| !source.contains(word)),
                "{word}"
            );
        }
    }
}
