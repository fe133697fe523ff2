//! From the form of a clarification to its confirmation.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use office::Role;
use proto::clarification::{
    ApproveClarificationRequest, CarryOutClarificationRequest, Clarification,
    ConfirmClarificationRequest, DecideFormRequest, DraftStatementRequest,
};
use proto::office::ClarificationForm;

use super::get;
use crate::client::{Clarification as Desk, Unanswered};
use crate::replay::patience::Patience;
use crate::{Context, ids, output, words};

/// Which clarification.
#[derive(Debug, Args)]
pub struct Only {
    /// The clarification's id
    #[arg(value_name = "CLARIFICATION", value_parser = ids::clarification)]
    clarification: String,
}

/// Show the recommended form, and decide it.
#[derive(Debug, Args)]
pub struct Form {
    /// The clarification's id
    #[arg(value_name = "CLARIFICATION", value_parser = ids::clarification)]
    clarification: String,
    /// The form; left out, only the recommended one is shown
    #[arg(value_parser = words::parser::<ClarificationForm>())]
    form: Option<ClarificationForm>,
    /// Why, where it is another than the recommended one; kept as a text
    #[arg(long, default_value = "", hide_default_value = true, requires = "form")]
    reason: String,
}

impl Form {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let role = Role::ClarificationOfficer;
        let found = get(context, &self.clarification, role).await?;
        let recommended = recommended(&found);
        let Some(form) = self.form else {
            if context.json {
                return output::json(&serde_json::json!({
                    "recommendedForm": words::word::<ClarificationForm>(found.recommended_form),
                    "recommendedBecause": found.recommended_because,
                }));
            }
            return output::line(format!(
                "{recommended}\nDecide:\n  zm clarification form {} FORM",
                self.clarification
            ));
        };
        let request = DecideFormRequest {
            request_id: context.request_id(),
            clarification_id: self.clarification,
            form: form.into(),
            reason: self.reason,
        };
        let id = request.clarification_id.clone();
        let ask = async |mut desk: Desk| desk.decide_form(request).await;
        let answer = context.clarification(role, ask).await?;
        context.answer(&answer, |_| {
            let decided = words::word::<ClarificationForm>(form.into());
            format!("{recommended}\nDecided: {decided}.\n  zm clarification draft {id}")
        })
    }
}

fn recommended(found: &Clarification) -> String {
    let form = words::word::<ClarificationForm>(found.recommended_form);
    let because = found.recommended_because.replace('_', " ");
    match (form.as_str(), because.as_str()) {
        ("", _) => "No form is recommended yet.".to_owned(),
        (form, "") => format!("Recommended: {form}."),
        (form, because) => format!("Recommended: {form} ({because})."),
    }
}

/// Draft the statement.
#[derive(Debug, Args)]
pub struct Draft {
    /// The clarification's id
    #[arg(value_name = "CLARIFICATION", value_parser = ids::clarification)]
    clarification: String,
    /// A short remark beside the statement, for who approves; kept as a text
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
}

impl Draft {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = DraftStatementRequest {
            request_id: context.request_id(),
            clarification_id: self.clarification,
            note: self.note,
        };
        let id = request.clarification_id.clone();
        let ask = async |mut desk: Desk| desk.draft_statement(request).await;
        let answer = context
            .clarification(Role::ClarificationOfficer, ask)
            .await?;
        context.answer(&answer, |_| {
            format!(
                "Drafted. Somebody who neither decided the form nor drafted reads and approves:\n  zm clarification show {id}\n  zm clarification approve {id}"
            )
        })
    }
}

impl Only {
    pub(crate) async fn approve(self, context: &Context) -> Result<()> {
        let request = ApproveClarificationRequest {
            request_id: context.request_id(),
            clarification_id: self.clarification,
        };
        let id = request.clarification_id.clone();
        let ask = async |mut desk: Desk| desk.approve_clarification(request).await;
        let answer = context.clarification(Role::Supervisor, ask).await?;
        context.answer(&answer, |answer| {
            format!(
                "Approved: the conclusion stands. Its documents are made by themselves; to be carried out by {}:\n  zm clarification document {id}\n  zm clarification carry-out {id}\nIf its form is a meeting:\n  zm clarification meeting convene --clarification {id}",
                answer.due_on
            )
        })
    }

    pub(crate) async fn confirm(self, context: &Context) -> Result<()> {
        let request = ConfirmClarificationRequest {
            request_id: context.request_id(),
            clarification_id: self.clarification,
        };
        let ask = async |mut desk: Desk| desk.confirm_clarification(request).await;
        let answer = context.clarification(Role::PersonnelOfficer, ask).await?;
        context.answer(&answer, |_| {
            "Confirmed: the organisation department took note.".to_owned()
        })
    }
}

/// How long a command waits for the documents, which are made by themselves right after the approval.
const MADE: Duration = Duration::from_secs(10);

/// Whether a refusal says that the documents are being made.
fn being_made(refused: &anyhow::Error) -> bool {
    let refused = refused.downcast_ref::<Unanswered>();
    refused.is_some_and(|refused| refused.refusal.code == "CLARIFICATION_DOCUMENTS_MISSING")
}

/// The examples of the help text.
pub(crate) const CARRY_OUT_EXAMPLES: &str = "\
Examples:
  zm clarification carry-out CLARIFICATION --place 'His office' --handed-over-by clarification-officer-1
  zm clarification carry-out CLARIFICATION --place 'Qingjiang' --handed-over-by li --published-in 'The notice board' \\
    --published-until 2026-06-30

The letter is part of every form. What is approved for a meeting, alone or with others, is carried out when that is \
held: `zm clarification meeting convene` and `hold`.";

/// Record that it was carried out.
#[derive(Debug, Args)]
pub struct CarryOut {
    /// The clarification's id
    #[arg(value_name = "CLARIFICATION", value_parser = ids::clarification)]
    clarification: String,
    /// When [default: today]
    #[arg(long, value_name = "DATE")]
    on: Option<String>,
    /// Where; kept as a text
    #[arg(long, value_name = "TEXT")]
    place: String,
    /// Actor id of who handed the letter over [default: whoever acts]
    #[arg(long, value_name = "ACTORID")]
    handed_over_by: Option<String>,
    /// For a bulletin: where it was published; kept as a text
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    published_in: String,
    /// For a bulletin: when it is to be removed
    #[arg(
        long,
        value_name = "DATE",
        default_value = "",
        hide_default_value = true
    )]
    published_until: String,
}

impl CarryOut {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let role = Role::ClarificationOfficer;
        let request = CarryOutClarificationRequest {
            carried_out_on: context
                .date_or_today(self.on, "clarification", role)
                .await?,
            handed_over_by: match self.handed_over_by {
                Some(by) => by,
                None => context.person(role)?.actor.id.to_string(),
            },
            request_id: context.request_id(),
            clarification_id: self.clarification,
            place: self.place,
            published_in: self.published_in,
            published_until: self.published_until,
            ..CarryOutClarificationRequest::default()
        };
        let id = request.clarification_id.clone();
        let mut patience = Patience::with_a_service(MADE);
        let answer = loop {
            let request = request.clone();
            let ask = async |mut desk: Desk| desk.carry_out_clarification(request).await;
            match context.clarification(role, ask).await {
                Err(refused) if being_made(&refused) && patience.pause().await => {}
                answer => break answer?,
            }
        };
        context.answer(&answer, |_| {
            format!(
                "Carried out.\nIt enters the ledger by itself; the organisation department takes note:\n  zm clarification confirm {id}"
            )
        })
    }
}
