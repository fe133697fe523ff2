//! `zm clarification`: names that are to be cleared, from the screening to the confirmation.

use anyhow::Result;
use clap::{Args, Subcommand};
use office::Role;
use proto::clarification::{
    Clarification, ClarificationState, DeadlineNotice, Document, DocumentKind,
    GetClarificationRequest, ListClarificationsRequest, ListClarificationsResponse, UnmetCondition,
};
use proto::office::{ClarificationForm, ClosingReason};

use crate::client::Clarification as Desk;
use crate::commands::Paging;
use crate::{Context, ids, output, words};

mod document;
mod meeting;
mod opinions;
mod shown;
mod statement;

/// Clarifications. One opens by itself when a conclusion clears a subject.
#[derive(Debug, Subcommand)]
pub enum Clarifications {
    /// List clarifications
    #[command(after_help = "\
Examples:
  zm clarification list --state screening
  zm clarification list --state approved --notice overdue   # should have been carried out by now
  zm clarification list --state carried_out --as personnel_officer@P51-01-01=chen   # awaits the organisation department
  zm clarification list --unreachable
  zm clarification list --matter MATTER
  zm clarification list --source detroit --all --json")]
    List(List),
    /// Show a clarification: who said what, what is missing, the statement and the remark beside it
    #[command(after_help = "\
Examples:
  zm clarification show CLARIFICATION
  zm clarification show CLARIFICATION --as supervisor@P51-01=wang    # before approving it

It tells whatever is approved: each line of the statement, and apart from it the remark of who drafted it, which is no part \
of it. Reasons and the like are shown to whoever may read texts. --json has their ids.")]
    Show(shown::Show),
    /// Take in the subject's written application: kept until a conclusion clears them, where none does
    #[command(after_help = "\
Examples:
  zm clarification apply --matter MATTER --subject SUBJECT --on 2026-03-02 --text 'I ask for a letter to my office'
  zm clarification apply --matter MATTER --subject SUBJECT --text '…' --wanted meeting --refused bulletin

An organisation applies by its head: --by, the person of the subject register who heads its unit. The answer names \
everything that keeps the subject from being cleared.")]
    Apply(opinions::Apply),
    /// Give a department's opinion in the joint screening
    #[command(after_help = "\
Examples:
  zm clarification screen CLARIFICATION agrees --department petitions --reason 'Nobody repeats it'
  zm clarification screen CLARIFICATION objects --department case_supervision --reason 'A witness is missing'

All departments must agree; a single objection makes it not eligible until it is withdrawn. `zm clarification show` \
names the departments whose opinion is missing.")]
    Screen(opinions::Screen),
    /// Take a department's objection back
    #[command(
        after_help = "Example:\n  zm clarification withdraw CLARIFICATION --department case_supervision --reason 'The witness was heard'"
    )]
    Withdraw(opinions::Withdraw),
    /// Record what the subject wishes (of an organisation, its head)
    #[command(after_help = "\
Examples:
  zm clarification wish CLARIFICATION wants --wanted meeting --refused bulletin
  zm clarification wish CLARIFICATION declines --heard-on 2026-03-02
  zm clarification wish CLARIFICATION wants --by SUBJECT       # an organisation: the person who heads its unit")]
    Wish(opinions::RecordWish),
    /// Record that the subject died or cannot be found
    #[command(
        after_help = "Example:\n  zm clarification unreachable CLARIFICATION --reason 'Moved abroad; two letters came back'"
    )]
    Unreachable(opinions::ForReason),
    /// Show the recommended form, and decide it
    #[command(after_help = "\
Examples:
  zm clarification form CLARIFICATION                 # what is recommended, and why
  zm clarification form CLARIFICATION in_person
  zm clarification form CLARIFICATION meeting --reason 'The whole town talked of it'")]
    Form(statement::Form),
    /// Draft the statement, from the findings of this matter on this subject and no other
    #[command(
        after_help = "Example:\n  zm clarification draft CLARIFICATION --note 'Mention the date of the meeting'"
    )]
    Draft(statement::Draft),
    /// Return the draft
    #[command(
        after_help = "Example:\n  zm clarification return CLARIFICATION --reason 'The note says too much'"
    )]
    Return(opinions::ForReason),
    /// Approve the statement: by somebody who neither decided the form nor drafted it
    #[command(after_help = "\
Example:
  zm clarification approve CLARIFICATION --as supervisor@P51-01=wang

Read first what is approved: `zm clarification show CLARIFICATION` has each line of the statement, and tells whether there \
is a remark beside it, which is no part of it.")]
    Approve(statement::Only),
    /// Save a document that is handed over: the letter, or the bulletin
    #[command(after_help = document::EXAMPLES)]
    Document(document::Save),
    /// Record that it was carried out
    #[command(after_help = statement::CARRY_OUT_EXAMPLES)]
    CarryOut(Box<statement::CarryOut>),
    /// Meetings that clear several names
    #[command(subcommand)]
    Meeting(meeting::Meetings),
    /// Take note of it for the organisation department
    #[command(after_help = "Example:\n  zm clarification confirm CLARIFICATION")]
    Confirm(statement::Only),
    /// Declare a conflict of interest: the actor is recused from it
    #[command(
        after_help = "Example:\n  zm clarification conflict CLARIFICATION --reason 'We are cousins' --as clarification_officer=li"
    )]
    Conflict(opinions::ForReason),
}

/// Which clarifications.
#[derive(Debug, Args)]
pub struct List {
    /// Only those in this state
    #[arg(long, value_parser = words::parser::<ClarificationState>())]
    state: Option<ClarificationState>,
    /// Only those whose matter was entered from this register
    #[arg(long)]
    source: Option<String>,
    /// Only those of this matter
    #[arg(long, value_name = "MATTER", value_parser = ids::matter)]
    matter: Option<String>,
    /// Only those of this subject
    #[arg(long, value_name = "SUBJECT", value_parser = ids::subject)]
    subject: Option<String>,
    /// Only those of whose deadline this was said: of carrying out, or of the organisation department's confirmation
    #[arg(long, value_parser = words::parser::<DeadlineNotice>())]
    notice: Option<DeadlineNotice>,
    /// Only those whose subject died or cannot be found
    #[arg(long)]
    unreachable: bool,
    #[command(flatten)]
    paging: Paging,
}

impl Clarifications {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::List(list) => list.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Apply(apply) => apply.run(context).await,
            Self::Screen(screen) => screen.run(context).await,
            Self::Withdraw(withdraw) => withdraw.run(context).await,
            Self::Wish(wish) => wish.run(context).await,
            Self::Unreachable(which) => which.unreachable(context).await,
            Self::Form(form) => form.run(context).await,
            Self::Draft(draft) => draft.run(context).await,
            Self::Return(which) => which.return_draft(context).await,
            Self::Approve(which) => which.approve(context).await,
            Self::Document(save) => save.run(context).await,
            Self::CarryOut(carry_out) => carry_out.run(context).await,
            Self::Meeting(meeting) => meeting.run(context).await,
            Self::Confirm(which) => which.confirm(context).await,
            Self::Conflict(which) => which.declare_conflict(context).await,
        }
    }
}

/// The clarification of this id.
async fn get(context: &Context, id: &str, usually: Role) -> Result<Clarification> {
    let request = GetClarificationRequest {
        clarification_id: id.to_owned(),
        ..GetClarificationRequest::default()
    };
    let ask = async |mut desk: Desk| desk.get_clarification(request).await;
    let answer = context.clarification(usually, ask).await?;
    Ok(answer.clarification.unwrap_or_default())
}

/// What keeps a subject from being cleared, with the allegations that it is about.
fn unmet(conditions: &[UnmetCondition]) -> String {
    let told = conditions.iter().map(|condition| {
        let reason = words::word::<ClosingReason>(condition.closing_reason);
        let reason = match reason.as_str() {
            "" => reason,
            reason => format!("/{reason}"),
        };
        let about = match condition.allegation_id.as_str() {
            "" => String::new(),
            allegation => format!(" (allegation {allegation})"),
        };
        format!("{}{reason}{about}", condition.code)
    });
    told.collect::<Vec<_>>().join(", ")
}

/// The documents that there are, a line each.
fn documents(found: &[Document]) -> String {
    let documents = found.iter().map(|one| {
        let kind = words::word::<DocumentKind>(one.kind);
        let pages = if one.pages == 1 { "page" } else { "pages" };
        let round = match one.round {
            0 => String::new(),
            round => format!("round {round}, "),
        };
        format!(
            "{kind} ({round}{}, {} {pages}, SHA-256 {})",
            one.language, one.pages, one.sha256
        )
    });
    documents.collect::<Vec<_>>().join("; ")
}

impl List {
    async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let mut desk = context
            .person(Role::ClarificationOfficer)?
            .clarification(&office);
        let mut listed = ListClarificationsResponse::default();
        let pages = self.paging.pages(async |page_token| {
            let request = ListClarificationsRequest {
                page_size: self.paging.page_size(),
                page_token,
                state: self.state.unwrap_or_default().into(),
                source: self.source.clone().unwrap_or_default(),
                matter_id: self.matter.clone().unwrap_or_default(),
                subject_id: self.subject.clone().unwrap_or_default(),
                notice: self.notice.unwrap_or_default().into(),
                unreachable: self.unreachable,
            };
            let page = office
                .ask("clarification", desk.list_clarifications(request))
                .await?;
            listed.clarifications.extend(page.clarifications);
            Ok(page.next_page_token)
        });
        listed.next_page_token = pages.await?;
        context.answer(&listed, |listed| {
            let rows = listed.clarifications.iter().map(|row| {
                let state = words::word::<ClarificationState>(row.state);
                vec![
                    row.clarification_id.clone(),
                    match row.unreachable {
                        true => format!("{state} (unreachable)"),
                        false => state,
                    },
                    row.unit.clone(),
                    words::word::<ClarificationForm>(row.form),
                    row.due_on.clone(),
                    words::word::<DeadlineNotice>(row.notice),
                    row.source.clone(),
                    row.subject_id.clone(),
                    row.matter_id.clone(),
                ]
            });
            let heading = [
                "clarification",
                "state",
                "unit",
                "form",
                "due on",
                "notice",
                "source",
                "subject",
                "matter",
            ];
            let table = output::table(&heading, rows.collect(), "There is no such clarification.");
            self.paging.ended(table, &listed.next_page_token)
        })
    }
}
