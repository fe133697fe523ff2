//! `zm clarification`: names that are to be cleared, from the screening to the confirmation.

use anyhow::Result;
use clap::{Args, Subcommand};
use office::Role;
use proto::clarification::{
    Clarification, ClarificationState, Document, DocumentKind, GetClarificationRequest,
    ListClarificationsRequest, ListClarificationsResponse, Opinion, UnmetCondition, Wish,
};
use proto::office::{
    ClarificationForm, ClosingReason, Finding, Harm, HarmDegree, HarmExclusion, HarmReach,
    SubjectKind,
};

use crate::client::Clarification as Desk;
use crate::commands::Paging;
use crate::{Context, ids, output, words};

mod document;
mod meeting;
mod opinions;
mod statement;

/// Clarifications. One opens by itself when a conclusion clears a subject.
#[derive(Debug, Subcommand)]
pub enum Clarifications {
    /// List clarifications
    #[command(after_help = "\
Examples:
  zm clarification list --state screening
  zm clarification list --matter MATTER
  zm clarification list --source detroit --all --json")]
    List(List),
    /// Show a clarification: who said what, what is missing, the statement
    #[command(after_help = "Example:\n  zm clarification show CLARIFICATION")]
    Show(Show),
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
    #[command(
        after_help = "Example:\n  zm clarification approve CLARIFICATION --as supervisor@P51-01=wang"
    )]
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
    #[command(flatten)]
    paging: Paging,
}

/// Which clarification.
#[derive(Debug, Args)]
pub struct Show {
    /// Its id
    #[arg(value_name = "CLARIFICATION", value_parser = ids::clarification)]
    clarification: String,
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

impl Show {
    async fn run(self, context: &Context) -> Result<()> {
        let found = get(context, &self.clarification, Role::ClarificationOfficer).await?;
        context.answer(&found, told)
    }
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

fn told(found: &Clarification) -> String {
    let harm = found.harm.clone().unwrap_or_default();
    let ledger = found.ledger.as_ref();
    let because = found.recommended_because.replace('_', " ");
    let recommended = words::word::<ClarificationForm>(found.recommended_form);
    let fields = output::fields(&[
        ("clarification", found.clarification_id.clone()),
        ("matter", found.matter_id.clone()),
        ("subject", found.subject_id.clone()),
        ("kind", words::word::<SubjectKind>(found.subject_kind)),
        ("state", words::word::<ClarificationState>(found.state)),
        ("not met", unmet(&found.unmet)),
        ("unit", found.unit.clone()),
        ("conclusion", found.conclusion.to_string()),
        ("harm", words::several::<Harm>(&harm.harms)),
        ("degree", words::word::<HarmDegree>(harm.degree)),
        ("reach", words::word::<HarmReach>(harm.reach)),
        (
            "excluded by",
            words::several::<HarmExclusion>(&harm.exclusions),
        ),
        ("missing", found.opinions_missing.join(" ")),
        ("wish", words::word::<Wish>(found.wish)),
        ("spoken by", found.spoken_by.clone()),
        ("wanted", words::several::<ClarificationForm>(&found.wanted)),
        (
            "refused",
            words::several::<ClarificationForm>(&found.refused),
        ),
        (
            "recommended",
            match because.as_str() {
                "" => recommended,
                because => format!("{recommended} ({because})"),
            },
        ),
        ("form", words::word::<ClarificationForm>(found.form)),
        (
            "note",
            found
                .note
                .as_ref()
                .map(|note| note.text_id.clone())
                .unwrap_or_default(),
        ),
        ("due on", found.due_on.clone()),
        ("documents", documents(&found.documents)),
        ("carried out on", found.carried_out_on.clone()),
        ("meeting", found.meeting_id.clone()),
        (
            "ledger",
            ledger.map_or_else(String::new, |entry| {
                format!("{} {}, number {}", entry.unit, entry.year, entry.number)
            }),
        ),
        ("source", found.source.clone()),
        ("version", found.version.to_string()),
    ]);
    let opinions = found.opinions.iter().map(|opinion| {
        let reason = opinion.reason.as_ref();
        vec![
            opinion.department.clone(),
            words::word::<Opinion>(opinion.opinion),
            opinion.by.clone(),
            reason.map(|text| text.text_id.clone()).unwrap_or_default(),
        ]
    });
    let opinions = output::table(
        &["department", "opinion", "by", "reason"],
        opinions.collect(),
        "No department has said anything yet.",
    );
    let statement = found.statement.iter().map(|line| {
        let reason = words::word::<ClosingReason>(line.closing_reason);
        let finding = words::word::<Finding>(line.finding);
        vec![
            line.allegation_id.clone(),
            line.category.clone(),
            line.occurred_on.clone(),
            match reason.as_str() {
                "" => finding,
                reason => format!("{finding}/{reason}"),
            },
        ]
    });
    let statement = output::table(
        &["allegation", "category", "on", "finding"],
        statement.collect(),
        "No statement is drafted yet.",
    );
    let applications = found.applications.iter().map(|application| {
        let text = application.application.as_ref();
        vec![
            application.applied_on.clone(),
            text.map(|text| text.text_id.clone()).unwrap_or_default(),
            words::several::<ClarificationForm>(&application.wanted),
            words::several::<ClarificationForm>(&application.refused),
            application.by.clone(),
        ]
    });
    let applications = output::table(
        &[
            "applied on",
            "application",
            "wanted",
            "refused",
            "taken in by",
        ],
        applications.collect(),
        "Nobody has applied for it in writing.",
    );
    format!("{fields}\n\n{applications}\n\n{opinions}\n\n{statement}")
}

/// The documents that there are, a line each.
fn documents(found: &[Document]) -> String {
    let documents = found.iter().map(|one| {
        let kind = words::word::<DocumentKind>(one.kind);
        let pages = if one.pages == 1 { "page" } else { "pages" };
        format!(
            "{kind} ({}, {} {pages}, SHA-256 {})",
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
                vec![
                    row.clarification_id.clone(),
                    words::word::<ClarificationState>(row.state),
                    row.unit.clone(),
                    words::word::<ClarificationForm>(row.form),
                    row.due_on.clone(),
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
                "source",
                "subject",
                "matter",
            ];
            let table = output::table(&heading, rows.collect(), "There is no such clarification.");
            self.paging.ended(table, &listed.next_page_token)
        })
    }
}
