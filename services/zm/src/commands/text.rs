//! `zm text`: a text by its id, such as a name or a narrative, and its erasure. Beside it only `zm clarification show` shows
//! texts, which are that clarification's own.

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use office::Role;
use proto::intake::{EraseMatterTextRequest, EraseReportTextRequest, EraseSubjectTextRequest};
use proto::topology::SERVICES;

use crate::client::{Clarification, FollowUp, Intake, Verification};
use crate::{Context, Usage, ids};

/// A name, narrative, reason or description.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Text {
    #[command(subcommand)]
    erase: Option<Change>,
    #[command(flatten)]
    shown: Option<Which>,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Erase a text for good; that it was there, who erased it and why stays on record
    #[command(after_help = "\
Examples:
  zm text erase intake TEXT --report REPORT --reason court_order
  zm text erase intake TEXT --subject SUBJECT --reason subject_died")]
    Erase(Erase),
}

#[derive(Debug, Args)]
struct Which {
    /// The service that took it in
    #[arg(value_name = "SERVICE", value_parser = PossibleValuesParser::new(SERVICES))]
    service: String,
    /// The text's id
    #[arg(value_name = "TEXT", value_parser = ids::text)]
    text: String,
}

#[derive(Debug, Args)]
struct Erase {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    owner: Owner,
    /// Code of why
    #[arg(long)]
    reason: String,
}

/// What the text came with.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Owner {
    /// The report that it came with
    #[arg(long, value_name = "REPORT", value_parser = ids::report)]
    report: Option<String>,
    /// The subject whose name it is
    #[arg(long, value_name = "SUBJECT", value_parser = ids::subject)]
    subject: Option<String>,
    /// The matter that it came with
    #[arg(long, value_name = "MATTER", value_parser = ids::matter)]
    matter: Option<String>,
}

impl Text {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match (self.erase, self.shown) {
            (Some(Change::Erase(erase)), _) => erase.run(context).await,
            (None, Some(shown)) => shown.show(context).await,
            (None, None) => Err(Usage("give a service and a text's id".to_owned()).into()),
        }
    }
}

impl Which {
    async fn show(self, context: &Context) -> Result<()> {
        let text_id = self.text;
        match self.service.as_str() {
            "intake" => {
                let request = proto::intake::GetTextRequest { text_id };
                let ask = async |mut intake: Intake| intake.get_text(request).await;
                let answer = context.intake(Role::IntakeOfficer, ask).await?;
                context.answer(&answer, |answer| or_erased(&answer.text))
            }
            "verification" => {
                let request = proto::verification::GetTextRequest { text_id };
                let ask = async |mut cases: Verification| cases.get_text(request).await;
                let answer = context.verification(Role::Supervisor, ask).await?;
                context.answer(&answer, |answer| or_erased(&answer.text))
            }
            "clarification" => {
                let request = proto::clarification::GetTextRequest { text_id };
                let ask = async |mut desk: Clarification| desk.get_text(request).await;
                let role = Role::ClarificationOfficer;
                let answer = context.clarification(role, ask).await?;
                context.answer(&answer, |answer| or_erased(&answer.text))
            }
            "follow_up" => {
                let request = proto::follow_up::GetTextRequest { text_id };
                let ask = async |mut desk: FollowUp| desk.get_text(request).await;
                let answer = context.follow_up(Role::FollowUpOfficer, ask).await?;
                context.answer(&answer, |answer| or_erased(&answer.text))
            }
            other => Err(Usage(format!("{other} keeps no texts")).into()),
        }
    }
}

fn or_erased(text: &str) -> String {
    match text {
        "" => "It was erased.".to_owned(),
        text => text.to_owned(),
    }
}

impl Erase {
    async fn run(self, context: &Context) -> Result<()> {
        let Which { service, text } = self.which;
        if service != "intake" {
            return Err(Usage(format!("{service} erases no texts")).into());
        }
        let (request_id, reason) = (context.request_id(), self.reason);
        let text_id = text.clone();
        let told = || format!("Erased: text {text}.");
        let Owner {
            report,
            subject,
            matter,
        } = self.owner;
        if let Some(report_id) = report {
            let request = EraseReportTextRequest {
                request_id,
                report_id,
                text_id,
                reason,
            };
            let ask = async |mut intake: Intake| intake.erase_report_text(request).await;
            let answer = context.intake(Role::Custodian, ask).await?;
            return context.answer(&answer, |_| told());
        }
        if let Some(subject_id) = subject {
            let request = EraseSubjectTextRequest {
                request_id,
                subject_id,
                text_id,
                reason,
            };
            let ask = async |mut intake: Intake| intake.erase_subject_text(request).await;
            let answer = context.intake(Role::Custodian, ask).await?;
            return context.answer(&answer, |_| told());
        }
        let request = EraseMatterTextRequest {
            request_id,
            matter_id: matter.unwrap_or_default(),
            text_id,
            reason,
        };
        let ask = async |mut intake: Intake| intake.erase_matter_text(request).await;
        let answer = context.intake(Role::Custodian, ask).await?;
        context.answer(&answer, |_| told())
    }
}
