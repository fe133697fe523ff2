//! Intake receives reports, routes them and keeps what is known of reporters, subjects and matters.
//!
//! The lists of the service stand in [`intake`], a line each; whoever looks for a thing begins there.

pub mod allegation;
pub mod announcements;
pub mod api;
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
        .internal(&[
            "OpenMatter",
            "RegisterJoinedReport",
            "FollowMatter",
            "RecordCaseState",
            "RecordTriageOverdue",
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
        .serves(api::routes)
}
