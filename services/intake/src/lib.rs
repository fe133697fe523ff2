//! Intake receives reports, routes them and keeps what is known of reporters, subjects and matters.
//!
//! The lists of the service stand in [`intake`], a line each; whoever looks for a thing begins there.

pub mod allegation;
pub mod announcements;
pub mod api;
pub mod erasure;
pub mod facts;
pub mod matter;
pub mod reactions;
pub mod recusal;
pub mod report;
pub mod subject;
pub mod views;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod stored;

use chassis::Blueprint;
use proto::intake as contract;

/// The service, as its requests name it.
pub struct Intake;

/// What intake has.
pub fn intake() -> Blueprint {
    Blueprint::new("intake", sqlx::migrate!())
        .aggregate::<subject::Subject>()
        .aggregate::<report::Report>()
        .aggregate::<matter::Matter>()
        .request::<Intake, contract::RegisterSubjectRequest>()
        .request::<Intake, contract::SubmitReportRequest>()
        .request::<Intake, contract::AddMaterialRequest>()
        .request::<Intake, contract::AcceptReportRequest>()
        .request::<Intake, contract::JoinReportRequest>()
        .request::<Intake, contract::DeclineReportRequest>()
        .request::<Intake, contract::TransferReportRequest>()
        .request::<Intake, contract::WithdrawReportRequest>()
        .request::<Intake, contract::IdentifySubjectRequest>()
        .request::<Intake, contract::RaiseLevelRequest>()
        .request::<Intake, contract::EraseReportTextRequest>()
        .request::<Intake, contract::EraseSubjectTextRequest>()
        .request::<Intake, contract::EraseMatterTextRequest>()
        .internal(&[
            "OpenMatter",
            "RegisterJoinedReport",
            "FollowMatter",
            "RecordCaseState",
            "RecordClarification",
            "LearnRecusal",
            "RecordTriageOverdue",
            "ReplaceReceipt",
            "UseReceipt",
        ])
        .questions(&[
            "GetSubject",
            "GetReceipt",
            "GetReport",
            "ListReports",
            "ListCandidates",
            "GetMatter",
            "GetText",
            "GetStatistics",
        ])
        .view::<views::Subjects>()
        .view::<views::Reports>()
        .view::<views::Matters>()
        .follows("verification", reactions::VERIFICATION)
        .follows("clarification", reactions::CLARIFICATION)
        .serves(api::routes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_is_wired_to_nothing() {
        let policies = office::Policies::shipped().expect("the shipped policy loads");
        assert_eq!(super::intake().faults(&policies), Vec::<String>::new());
    }

    /// Design.md: SQL outside `views.rs` never, and in a pure room neither a clock nor a random id.
    #[test]
    fn sql_stands_in_the_views_and_nowhere_else() {
        let sources = [
            include_str!("allegation.rs"),
            include_str!("announcements.rs"),
            include_str!("api.rs"),
            include_str!("api/erasure.rs"),
            include_str!("api/matter.rs"),
            include_str!("api/report.rs"),
            include_str!("api/subject.rs"),
            include_str!("erasure.rs"),
            include_str!("facts.rs"),
            include_str!("matter.rs"),
            include_str!("matter/clarification.rs"),
            include_str!("matter/identification.rs"),
            include_str!("matter/level.rs"),
            include_str!("matter/progress.rs"),
            include_str!("matter/raising.rs"),
            include_str!("matter/recusing.rs"),
            include_str!("reactions.rs"),
            include_str!("recusal.rs"),
            include_str!("report.rs"),
            include_str!("report/joining.rs"),
            include_str!("report/receipt.rs"),
            include_str!("report/routing.rs"),
            include_str!("report/submission.rs"),
            include_str!("report/triage.rs"),
            include_str!("subject.rs"),
        ];
        for word in ["sqlx::query", "Uuid::new_", "Timestamp::now"] {
            assert!(
                sources.iter().all(|source| !source.contains(word)),
                "{word}"
            );
        }
    }
}
