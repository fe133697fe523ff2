//! Follow-up visits and helps those who were sanctioned, and looks after those whose name was cleared (`domain.md`,
//! Follow-up).
//!
//! What the service has, a line each, stands in [`follow_up`]. To add something: an event in `file/events.rs` with its
//! sample in `tests/stored`, a command in [`file::Command`] with its decision in the room of its heading, a request in
//! `api/requests.rs`, a view in `views.rs` with its table in `migrations`; then its line here. Whatever is wired to
//! nothing is found when the service starts.

mod announcements;
mod api;
mod facts;
pub mod file;
pub mod matter;
mod reactions;
mod views;

use chassis::Blueprint;
use proto::follow_up as v1;

/// The service's marker: which requests are its own.
#[derive(Clone, Copy, Debug)]
pub struct FollowUp;

/// What the service has.
pub fn follow_up() -> Blueprint {
    Blueprint::new("follow_up", sqlx::migrate!("./migrations"))
        .aggregate::<file::File>()
        .aggregate::<matter::Matter>()
        .request::<FollowUp, v1::PlanVisitsRequest>()
        .request::<FollowUp, v1::RecordVisitRequest>()
        .request::<FollowUp, v1::RecordAssessmentRequest>()
        .request::<FollowUp, v1::CheckAftercareRequest>()
        .internal(&["FollowSanction", "AddAftercare", "TakeAftercareAway"])
        .internal(&["LearnPerson", "EndImpactPeriod", "RemindAftercare"])
        .internal(&["LearnRecusal", "TellFile", "RecuseFromFile"])
        .questions(&["GetFile", "ListFiles", "GetText", "GetStatistics"])
        .follows("verification", reactions::VERIFICATION)
        .follows("clarification", reactions::CLARIFICATION)
        .view::<views::Files>()
        .serves(api::routes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_is_wired_to_nothing() {
        let policies = office::Policies::shipped().expect("the shipped policy loads");
        assert_eq!(super::follow_up().faults(&policies), Vec::<String>::new());
    }

    /// Design.md: SQL outside `views.rs` never, and in a pure room neither a clock nor a random id.
    #[test]
    fn sql_stands_in_the_views_and_nowhere_else() {
        let sources = [
            include_str!("announcements.rs"),
            include_str!("api.rs"),
            include_str!("api/requests.rs"),
            include_str!("facts.rs"),
            include_str!("file.rs"),
            include_str!("file/aftercare.rs"),
            include_str!("file/assessment.rs"),
            include_str!("file/events.rs"),
            include_str!("file/officer.rs"),
            include_str!("file/opening.rs"),
            include_str!("file/periods.rs"),
            include_str!("file/planning.rs"),
            include_str!("file/recusing.rs"),
            include_str!("file/visits.rs"),
            include_str!("matter.rs"),
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
