//! What is decided on a report, and what its reporter does with the receipt code.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use office::Role;
use proto::intake::{
    AcceptReportRequest, AddMaterialRequest, CaseState, DeclineReportRequest, GetReceiptRequest,
    IdentifySubjectRequest, JoinReportRequest, NewFacts, RejectedCandidate, ReportState,
    TransferReportRequest, WithdrawReportRequest,
};

use crate::client::{Intake, Person};
use crate::{Context, Usage, ids, input, output, words};

/// Accept a report to a handling unit.
#[derive(Debug, Args)]
pub struct Accept {
    /// The report's id
    #[arg(value_name = "REPORT", value_parser = ids::report)]
    report: String,
    /// The handling unit [default: where the report lies]
    #[arg(long, default_value = "", hide_default_value = true)]
    unit: String,
    /// A candidate that is another matter, and why: a code. May be given several times
    #[arg(long, value_name = "MATTER=REASON", value_parser = rejected)]
    reject: Vec<RejectedCandidate>,
}

fn rejected(text: &str) -> Result<RejectedCandidate, String> {
    let (matter, reason) = text
        .split_once('=')
        .ok_or("it is MATTER=REASON, such as 0192…=other_incident")?;
    Ok(RejectedCandidate {
        matter_id: ids::matter(matter)?,
        reason: reason.to_owned(),
    })
}

impl Accept {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = AcceptReportRequest {
            request_id: context.request_id(),
            report_id: self.report,
            unit: self.unit,
            rejected_candidates: self.reject,
        };
        let ask = async |mut intake: Intake| intake.accept_report(request).await;
        let answer = context.intake(Role::IntakeOfficer, ask).await?;
        context.answer(&answer, |answer| {
            format!(
                "Accepted: it raises the matter {matter}, handled by {}.\n\
                 Verification opens its case by itself; this shows it, with the case's id:\n  zm case show {matter}",
                answer.unit,
                matter = answer.matter_id
            )
        })
    }
}

/// Join a report to the matter that it repeats.
#[derive(Debug, Args)]
pub struct Join {
    /// The report's id
    #[arg(value_name = "REPORT", value_parser = ids::report)]
    report: String,
    /// The matter's id
    #[arg(value_name = "MATTER", value_parser = ids::matter)]
    matter: String,
    /// Whether it brings something new; that opens a concluded case again
    #[arg(long, value_parser = words::parser::<NewFacts>())]
    new_facts: NewFacts,
}

impl Join {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = JoinReportRequest {
            request_id: context.request_id(),
            report_id: self.report,
            matter_id: self.matter,
            new_facts: self.new_facts.into(),
        };
        let ask = async |mut intake: Intake| intake.join_report(request).await;
        let answer = context.intake(Role::IntakeOfficer, ask).await?;
        context.answer(&answer, |answer| {
            format!("Joined to the matter {}.", answer.matter_id)
        })
    }
}

/// Decline a report.
#[derive(Debug, Args)]
pub struct Decline {
    /// The report's id
    #[arg(value_name = "REPORT", value_parser = ids::report)]
    report: String,
    /// Why: a code of the policy profile's list, such as out_of_scope or no_substance
    #[arg(long)]
    reason: String,
}

impl Decline {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = DeclineReportRequest {
            request_id: context.request_id(),
            report_id: self.report,
            reason: self.reason,
        };
        let ask = async |mut intake: Intake| intake.decline_report(request).await;
        let answer = context.intake(Role::IntakeOfficer, ask).await?;
        context.answer(&answer, |answer| {
            format!("Declined: report {}.", answer.report_id)
        })
    }
}

/// Hand a report to another body.
#[derive(Debug, Args)]
pub struct Transfer {
    /// The report's id
    #[arg(value_name = "REPORT", value_parser = ids::report)]
    report: String,
    /// The code of the body
    #[arg(long)]
    body: String,
    /// Why: a code
    #[arg(long)]
    reason: String,
}

impl Transfer {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = TransferReportRequest {
            request_id: context.request_id(),
            report_id: self.report,
            body: self.body,
            reason: self.reason,
        };
        let ask = async |mut intake: Intake| intake.transfer_report(request).await;
        let answer = context.intake(Role::IntakeOfficer, ask).await?;
        context.answer(&answer, |answer| {
            format!("Transferred: report {}.", answer.report_id)
        })
    }
}

/// Record that the reporter takes a report back.
#[derive(Debug, Args)]
pub struct Withdraw {
    /// The report's id
    #[arg(value_name = "REPORT", value_parser = ids::report)]
    report: String,
    /// The reporter's receipt code
    #[arg(long, value_name = "CODE")]
    receipt: Option<String>,
}

impl Withdraw {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = WithdrawReportRequest {
            request_id: context.request_id(),
            report_id: self.report,
            receipt_code: self.receipt.unwrap_or_default(),
        };
        let ask = async |mut intake: Intake| intake.withdraw_report(request).await;
        let answer = context.intake(Role::IntakeOfficer, ask).await?;
        context.answer(&answer, |answer| {
            format!("Withdrawn: report {}.", answer.report_id)
        })
    }
}

/// Add material to a report.
#[derive(Debug, Args)]
pub struct Material {
    /// The report's id
    #[arg(value_name = "REPORT", value_parser = ids::report)]
    report: String,
    /// What is added
    #[arg(required_unless_present = "file")]
    text: Option<String>,
    /// What is added, from a file (`-`: standard input)
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
    /// The reporter's receipt code; then no token is needed
    #[arg(long, value_name = "CODE")]
    receipt: Option<String>,
}

impl Material {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let material = match (self.text, &self.file) {
            (Some(text), _) => text,
            (None, Some(path)) => input::text(path)?,
            (None, None) => return Err(Usage("give the material, or --file".to_owned()).into()),
        };
        let office = context.office()?;
        let person = match &self.receipt {
            Some(_) => context.anybody()?,
            None => context.person(Role::IntakeOfficer)?,
        };
        let request = AddMaterialRequest {
            request_id: context.request_id(),
            report_id: self.report,
            receipt_code: self.receipt.unwrap_or_default(),
            material,
        };
        let mut intake = person.intake(&office);
        let answer = office.ask("intake", intake.add_material(request)).await?;
        context.answer(&answer, |answer| {
            format!("Added to report {}.", answer.report_id)
        })
    }
}

/// See how a report stands, with its receipt code and nothing else.
#[derive(Debug, Args)]
pub struct Receipt {
    /// The report's id
    #[arg(value_name = "REPORT", value_parser = ids::report)]
    report: String,
    /// The receipt code
    #[arg(value_name = "CODE")]
    code: String,
}

impl Receipt {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let request = GetReceiptRequest {
            report_id: self.report,
            receipt_code: self.code,
        };
        let mut intake = Person::public().intake(&office);
        let answer = office.ask("intake", intake.get_receipt(request)).await?;
        context.answer(&answer, |answer| {
            output::fields(&[
                ("report", answer.report_id.clone()),
                ("state", words::word::<ReportState>(answer.state)),
                ("case", words::word::<CaseState>(answer.case_state)),
                ("names cleared", answer.names_cleared.to_string()),
            ])
        })
    }
}

/// Say who a subject is that was not yet identified.
#[derive(Debug, Args)]
pub struct Identify {
    /// The matter's id
    #[arg(value_name = "MATTER", value_parser = ids::matter)]
    matter: String,
    /// The id under which the subject was not identified
    #[arg(value_name = "PLACEHOLDER", value_parser = ids::subject)]
    placeholder: String,
    /// Who it is: a subject of the register
    #[arg(value_name = "SUBJECT", value_parser = ids::subject)]
    subject: String,
    /// Why it is this one; kept as a text
    #[arg(long)]
    reason: String,
}

impl Identify {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = IdentifySubjectRequest {
            request_id: context.request_id(),
            matter_id: self.matter,
            placeholder_id: self.placeholder,
            subject_id: self.subject,
            reason: self.reason,
        };
        let ask = async |mut intake: Intake| intake.identify_subject(request).await;
        let answer = context.intake(Role::IntakeOfficer, ask).await?;
        context.answer(&answer, |answer| {
            format!("Identified in the matter {}.", answer.matter_id)
        })
    }
}
